import { z } from "zod";
import { command, option } from "../command.ts";
import { forMany, MANY_TASKS, onlyTask } from "../many-tasks.ts";
import { changedLines, nextLines } from "../task-text.ts";

export const taskAccept = command({
  args: z.strictObject({
    ...MANY_TASKS,
    reason: option(z.string().min(1), "TEXT", "why you take it although it is not proven; shown wherever the task is"),
  }),
  async run({ reason, ...given }, context) {
    const { api, out } = context;
    const id = await onlyTask(context, given);
    if (id === null) return forMany(context, "accept", given, { reason });
    const task = await api.acceptTask(id, { reason });
    out.result(task, changedLines, (one) => [one.id]);
    const said = task.findings.accepted
      ? "its gates had passed; your yes to what was found is recorded with exactly this work"
      : "it is recorded as accepted, not as proven";
    out.note(said, ...nextLines(task));
    return 0;
  },
});
