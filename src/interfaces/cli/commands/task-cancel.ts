import { z } from "zod";
import { command, option, positional } from "../command.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { changedLines } from "../task-text.ts";

export const taskCancel = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    reason: option(z.string().optional(), "TEXT", "why, for the record"),
  }),
  async run({ id, reason }, { api, out }) {
    const task = await api.cancelTask(await taskNamed(api, id), reason === undefined ? {} : { reason });
    out.result(task, changedLines, (one) => [one.id]);
    if (task.status === "running") out.note("its open step is ended first, then it is canceled");
    out.note(`see what it did: agentos task trace ${task.id}`);
  },
});
