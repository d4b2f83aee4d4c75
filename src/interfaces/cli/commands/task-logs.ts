import { z } from "zod";
import { command, flag, option, positional } from "../command.ts";
import { block, field } from "../escape.ts";
import { followLive } from "../live.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const taskLogs = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    step: option(z.string().optional(), "STEP", "only this step"),
    follow: flag(z.boolean().default(false), "go on with what comes, until the task ends or waits for you"),
  }),
  examples: ["agentos task logs last --follow"],
  async run({ id, step, follow }, context) {
    const { api, out } = context;
    const task = await taskNamed(api, id);
    if (follow) {
      const live = await followLive(context, task, { after: 0, events: false, step: step ?? null });
      if (out.json) out.result(live.task, () => []);
      return live.exit;
    }
    const logs = await api.logs(task, step);
    out.result(
      logs,
      ({ items }) =>
        items.length === 0
          ? [step === undefined ? "no step has written anything yet" : `step ${field(step)} has written nothing`]
          : items.flatMap((one) => [
              `── ${field(one.step)}${one.run === 1 ? "" : ` (run ${one.run})`}: ${field(one.doing)} [${field(one.status)}]`,
              ...(one.stdout === "" ? [] : block(one.stdout)),
              ...(one.stderr === "" ? [] : ["── stderr", ...block(one.stderr)]),
              ...(one.truncated ? ["── shortened; --json --step has the same, the whole is in the evidence"] : []),
            ]),
      ({ items }) => items.map((one) => one.step),
    );
    return 0;
  },
});
