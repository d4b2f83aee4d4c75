import { z } from "zod";
import { command, flag, positional } from "../command.ts";
import { followLive } from "../live.ts";
import { settledLines } from "../settle.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { changedLines, gateLines } from "../task-text.ts";

export const taskAttach = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    fromNow: flag(z.boolean().default(false), "only what happens from now on, not what was before"),
  }),
  examples: ["agentos task attach last", "agentos task attach last --from-now"],
  async run({ id, fromNow }, context) {
    const { api, out } = context;
    const before = await api.task(await taskNamed(api, id));
    const after = fromNow ? before.seq : 0;
    const { task, exit } = await followLive(context, before.id, { after, events: true, step: null });
    out.result(
      task,
      (one) => [...changedLines(one), ...gateLines(one.gates)],
      (one) => [one.id],
    );
    out.note(...settledLines(task));
    return exit;
  },
});
