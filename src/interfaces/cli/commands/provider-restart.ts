import { z } from "zod";
import { command, positional } from "../command.ts";
import { field } from "../escape.ts";

export const providerRestart = command({
  args: z.strictObject({ provider: positional(z.string().min(1), "PROVIDER", "its name") }),
  async run({ provider }, { api, out }) {
    const { provider: now, say } = await api.restartProvider(provider);
    out.result(
      now,
      ({ id, status, detail }) => [`${field(id)} is ${status}: ${field(detail)}`],
      ({ id }) => [id],
    );
    if (say !== null) out.note(field(say));
  },
});
