import { z } from "zod";
import { command, option, positional } from "../command.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { changedLines, nextLines } from "../task-text.ts";

export const taskReject = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    reason: option(z.string().optional(), "TEXT", "why, for the record"),
  }),
  async run({ id, reason }, { api, out }) {
    const task = await api.rejectTask(await taskNamed(api, id), reason === undefined ? {} : { reason });
    out.result(task, changedLines, (one) => [one.id]);
    out.note(...nextLines(task));
  },
});
