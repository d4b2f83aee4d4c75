import { z } from "zod";
import { command, option } from "../command.ts";

export const daemonPause = command({
  args: z.strictObject({ reason: option(z.string().optional(), "TEXT", "why, for the record") }),
  async run({ reason }, { api, out }) {
    const health = await api.pauseAll(reason === undefined ? {} : { reason });
    out.result(health, () => [
      "everything is paused: no task is taken up, also after a restart; what runs goes back into the queue at its next boundary",
    ]);
  },
});
