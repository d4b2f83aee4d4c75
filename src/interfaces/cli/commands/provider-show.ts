import { z } from "zod";
import { command, positional } from "../command.ts";
import { providerLines } from "../provider-text.ts";

export const providerShow = command({
  args: z.strictObject({ provider: positional(z.string().min(1), "PROVIDER", "its name") }),
  async run({ provider }, { api, out }) {
    out.result(await api.provider(provider), providerLines, ({ id }) => [id]);
  },
});
