import { z } from "zod";
import { command, option } from "../command.ts";
import { forMany, MANY_TASKS, onlyTask } from "../many-tasks.ts";
import { changedLines, nextLines } from "../task-text.ts";

export const taskPause = command({
  args: z.strictObject({
    ...MANY_TASKS,
    reason: option(z.string().optional(), "TEXT", "why, for the record"),
  }),
  examples: [
    "agentos task pause --project shop --reason 'the build server is down'",
    "agentos task pause --all --dry-run",
  ],
  async run({ reason, ...given }, context) {
    const { api, out } = context;
    const id = await onlyTask(context, given);
    if (id === null) return forMany(context, "pause", given, reason === undefined ? {} : { reason });
    const task = await api.pauseTask(id, reason === undefined ? {} : { reason });
    out.result(task, changedLines, (one) => [one.id]);
    if (task.status === "running") out.note("it pauses at its next boundary, when no effect is open");
    else out.note(...nextLines(task));
    return 0;
  },
});
