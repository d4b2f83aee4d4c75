import { z } from "zod";
import { command, positional } from "../command.ts";
import { follow } from "../follow.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { WAIT_OPTIONS } from "../wait-options.ts";

export const taskRetry = command({
  args: z.strictObject({ id: positional(TaskReference, "ID", "the task"), ...WAIT_OPTIONS }),
  async run({ id, ...waiting }, context) {
    const { api } = context;
    const before = await api.task(await taskNamed(api, id));
    return follow(context, await api.retryTask(before.id), before.seq, waiting);
  },
});
