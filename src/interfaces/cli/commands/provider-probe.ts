import { z } from "zod";
import { command, option, positional } from "../command.ts";
import { probeLines } from "../provider-text.ts";

export const providerProbe = command({
  args: z.strictObject({
    provider: positional(z.string().min(1), "PROVIDER", "its name"),
    model: option(
      z.string().min(1).optional(),
      "MODEL",
      "which of its models; by default one that is loaded and calls tools",
    ),
  }),
  async run({ provider, model }, { api, out }) {
    const found = await api.probeProvider(provider, model === undefined ? {} : { model });
    out.result(found, probeLines, () => [found.model]);
    return found.tool_call === "works" ? undefined : 1;
  },
});
