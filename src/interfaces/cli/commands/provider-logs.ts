import { z } from "zod";
import { command, positional } from "../command.ts";
import { field, line } from "../escape.ts";

export const providerLogs = command({
  args: z.strictObject({ provider: positional(z.string().min(1), "PROVIDER", "its name") }),
  async run({ provider }, { api, out }) {
    const log = await api.providerLog(provider);
    out.result(log, ({ text }) => text.replace(/\n$/, "").split("\n").map(line));
    out.note(`the end of ${field(log.from)}`);
  },
});
