import { z } from "zod";
import { command } from "../command.ts";
import { follow } from "../follow.ts";
import { forMany, MANY_TASKS, onlyTask } from "../many-tasks.ts";
import { WAIT_OPTIONS } from "../wait-options.ts";

export const taskRetry = command({
  args: z.strictObject({ ...MANY_TASKS, ...WAIT_OPTIONS }),
  async run({ wait, timeout, ...given }, context) {
    const { api } = context;
    const id = await onlyTask(context, given);
    if (id === null) return forMany(context, "retry", given);
    const before = await api.task(id);
    return follow(context, await api.retryTask(id), before.seq, { wait, timeout });
  },
});
