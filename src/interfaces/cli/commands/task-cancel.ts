import { z } from "zod";
import { command, option } from "../command.ts";
import { forMany, MANY_TASKS, onlyTask } from "../many-tasks.ts";
import { changedLines } from "../task-text.ts";

export const taskCancel = command({
  args: z.strictObject({
    ...MANY_TASKS,
    reason: option(z.string().optional(), "TEXT", "why, for the record"),
  }),
  examples: ["agentos task cancel --session nightly --status queued,blocked --reason 'superseded' --yes"],
  async run({ reason, ...given }, context) {
    const { api, out } = context;
    const id = await onlyTask(context, given);
    if (id === null) return forMany(context, "cancel", given, reason === undefined ? {} : { reason });
    const task = await api.cancelTask(id, reason === undefined ? {} : { reason });
    out.result(task, changedLines, (one) => [one.id]);
    if (task.status === "running") out.note("its open step is ended first, then it is canceled");
    out.note(`see what it did: agentos task trace ${task.id}`);
    return 0;
  },
});
