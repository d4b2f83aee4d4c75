import { z } from "zod";
import { PROBLEMS } from "../../../contract/problems.ts";
import { command, option } from "../command.ts";
import { checkLines } from "../model-text.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const modelPolicyCheck = command({
  args: z.strictObject({
    task: option(TaskReference.optional(), "TASK", "what this task would ask"),
    project: option(z.string().optional(), "PROJECT", "what tasks of this project would ask"),
  }),
  async run({ task, project }, { api, out }) {
    const checked = await api.checkModels({
      ...(task !== undefined && { task: await taskNamed(api, task) }),
      ...(project !== undefined && { project }),
    });
    out.result(checked, checkLines);
    if (checked.items.length === 0)
      out.note(
        "next: agentos model policy set any PROVIDER/MODEL; agentos provider list shows the providers there are",
      );
    return checked.items.length === 0 || checked.items.some(({ ok }) => ok === false) ? PROBLEMS["model/none"].exit : 0;
  },
});
