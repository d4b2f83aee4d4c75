import { z } from "zod";
import { trouble } from "../../client/trouble.ts";
import { command, option, positional } from "../command.ts";
import { SPEC_OPTIONS, specChange } from "../spec-options.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { changedLines } from "../task-text.ts";

export const taskRevise = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    title: option(z.string().min(1).optional(), "TEXT", "another title"),
    ...SPEC_OPTIONS,
  }),
  examples: ["agentos task revise ID --plan better.yaml && agentos task freeze ID && agentos task ready ID"],
  async run({ id, title, ...given }, { api, out, workingDirectory }) {
    const change = { ...(await specChange(given, workingDirectory)), ...(title !== undefined && { title }) };
    if (Object.keys(change).length === 0)
      throw trouble("input/invalid", "nothing was named that should change", {
        next: "agentos task revise --help shows what can.",
      });
    const task = await api.reviseTask(await taskNamed(api, id), change);
    out.result(task, changedLines, (one) => [one.id]);
    out.note(
      `an earlier freeze, plan and approval no longer count; next: agentos task freeze ${task.id}, then agentos task ready ${task.id}`,
    );
  },
});
