import { z } from "zod";
import { ForkInput } from "../../../contract/inputs.ts";
import { count } from "../columns.ts";
import { command, option, positional } from "../command.ts";
import { readPlanFile } from "../plan-file.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const taskFork = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    times: option(
      z
        .string()
        .regex(/^([1-9]|1\d|20)$/, "must be a number from 1 to 20")
        .default("1"),
      "N",
      "so many more attempts",
    ),
    agent: option(ForkInput.shape.agent, "AGENT", "who does the work instead"),
    plan: option(z.string().optional(), "FILE", "another plan file for the script agent"),
  }),
  examples: ["agentos task fork ID --times 3", "agentos task fork ID --plan other.yaml && agentos task compare ID"],
  async run({ id: reference, times, agent, plan }, { api, out, person, workingDirectory }) {
    const id = await taskNamed(api, reference);
    const forked = await api.forkTask(id, {
      times: Number(times),
      created_by: person,
      ...(agent !== undefined && { agent }),
      ...(plan !== undefined && { plan: await readPlanFile(plan, workingDirectory) }),
    });
    out.result(
      forked,
      ({ tasks }) => tasks.map((task) => `task ${task}`),
      ({ tasks }) => tasks,
    );
    out.note(`${count(forked.tasks.length, "attempt")} more; see them side by side: agentos task compare ${id}`);
  },
});
