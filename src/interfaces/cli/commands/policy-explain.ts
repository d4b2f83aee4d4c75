import { z } from "zod";
import { trouble } from "../../client/trouble.ts";
import { command, flag, option, positional } from "../command.ts";
import { decisionLine } from "../policy-text.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const policyExplain = command({
  args: z.strictObject({
    task: positional(TaskReference.optional(), "TASK", "the task whose step it was"),
    step: positional(z.string().min(1).optional(), "STEP", "the step, as agentos task evidence names it"),
    command: option(z.string().min(1).optional(), "TEXT", "instead: a command, as it is typed into a shell"),
    edit: option(z.string().min(1).optional(), "PATH", "instead: a file that is changed"),
    project: option(z.string().min(1).optional(), "PROJECT", "with the policies of this project"),
    outsidePlan: flag(z.boolean().default(false), "no work item of the approved plan names it"),
  }),
  examples: ["agentos policy explain last 1.item-work.2", "agentos policy explain --command 'touch x' --project shop"],
  async run({ task, step, command: text, edit, project, outsidePlan }, { api, out }) {
    if (task !== undefined && step === undefined)
      throw trouble("input/invalid", "a task was named and no step of it", {
        next: "agentos task evidence ID names its steps.",
      });
    const told = await api.explainPolicy({
      ...(task !== undefined && { task: await taskNamed(api, task), step }),
      ...(text !== undefined && { argv: ["/bin/sh", "-c", text] }),
      ...(edit !== undefined && { edit }),
      ...(project !== undefined && { project }),
      planned: !outsidePlan,
    });
    out.result(
      told,
      (one) => [decisionLine(one)],
      ({ verdict }) => [verdict],
    );
  },
});
