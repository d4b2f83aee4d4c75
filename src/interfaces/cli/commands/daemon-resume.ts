import { z } from "zod";
import { command, option } from "../command.ts";

export const daemonResume = command({
  args: z.strictObject({ reason: option(z.string().optional(), "TEXT", "why, for the record") }),
  async run({ reason }, { api, out }) {
    const health = await api.resumeAll(reason === undefined ? {} : { reason });
    out.result(health, () => ["tasks are taken up again"]);
  },
});
