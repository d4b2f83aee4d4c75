import { z } from "zod";
import { command, positional } from "../command.ts";
import { follow } from "../follow.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { WAIT_OPTIONS } from "../wait-options.ts";

export const taskRequestChanges = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    request: positional(z.string().min(1), "TEXT", "what should be different"),
    ...WAIT_OPTIONS,
  }),
  async run({ id, request, ...waiting }, context) {
    const { api } = context;
    const before = await api.task(await taskNamed(api, id));
    return follow(context, await api.requestChanges(before.id, { request }), before.seq, waiting);
  },
});
