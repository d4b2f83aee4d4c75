import { z } from "zod";
import { command, option, positional } from "../command.ts";
import { block, field } from "../escape.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const taskLogs = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    step: option(z.string().optional(), "STEP", "only this step"),
  }),
  async run({ id, step }, { api, out }) {
    const logs = await api.logs(await taskNamed(api, id), step);
    out.result(
      logs,
      ({ items }) =>
        items.length === 0
          ? ["no step has written anything yet"]
          : items.flatMap((one) => [
              `── ${field(one.step)}${one.run === 1 ? "" : ` (run ${one.run})`}: ${field(one.doing)} [${field(one.status)}]`,
              ...(one.stdout === "" ? [] : block(one.stdout)),
              ...(one.stderr === "" ? [] : ["── stderr", ...block(one.stderr)]),
              ...(one.truncated ? ["── shortened; --json --step has the same, the whole is in the evidence"] : []),
            ]),
      ({ items }) => items.map((one) => one.step),
    );
  },
});
