import { z } from "zod";
import { command, option, positional } from "../command.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { changedLines, nextLines } from "../task-text.ts";

export const taskAccept = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    reason: option(z.string().min(1), "TEXT", "why you take it although it is not proven; shown wherever the task is"),
  }),
  async run({ id, reason }, { api, out }) {
    const task = await api.acceptTask(await taskNamed(api, id), { reason });
    out.result(task, changedLines, (one) => [one.id]);
    out.note("it is recorded as accepted, not as proven", ...nextLines(task));
  },
});
