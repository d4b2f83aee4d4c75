import { z } from "zod";
import { trouble } from "../../client/trouble.ts";
import { some } from "../columns.ts";
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
    if (checked.items.length === 0) throw trouble("model/none", "no model is named");
    const away = checked.items.filter(({ ok }) => ok === false).map(({ provider, model }) => `${provider}/${model}`);
    if (away.length > 0) throw trouble("model/unavailable", `${some(away, NAMED_MAX)} cannot be asked`);
  },
});

const NAMED_MAX = 5;
