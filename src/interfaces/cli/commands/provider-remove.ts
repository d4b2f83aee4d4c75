import { z } from "zod";
import { command, flag, positional } from "../command.ts";
import { field } from "../escape.ts";
import { isSure } from "../sure.ts";

export const providerRemove = command({
  args: z.strictObject({
    provider: positional(z.string().min(1), "PROVIDER", "its name"),
    yes: flag(z.boolean().default(false), "do not ask"),
  }),
  async run({ provider, yes }, context) {
    const { api, out } = context;
    if (!(await isSure(context, yes, `What is configured of provider ${field(provider)} is forgotten.`))) return 1;
    out.result(
      await api.removeProvider(provider),
      ({ id }) => [`provider ${field(id)} is removed; its history stays`],
      ({ id }) => [id],
    );
    return undefined;
  },
});
