import { z } from "zod";
import { command, option } from "../command.ts";
import { policyLines } from "../model-text.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const modelPolicyShow = command({
  args: z.strictObject({
    task: option(TaskReference.optional(), "TASK", "as it is for this task"),
    project: option(z.string().optional(), "PROJECT", "as it is for tasks of this project"),
  }),
  async run({ task, project }, { api, out }) {
    const layers = await api.modelPolicy({
      ...(task !== undefined && { task: await taskNamed(api, task) }),
      ...(project !== undefined && { project }),
    });
    out.result(layers, policyLines);
    if (Object.values(layers.in_force).every((one) => one === null))
      out.note(
        "next: agentos model policy set any PROVIDER/MODEL; agentos provider list shows the providers there are",
      );
  },
});
