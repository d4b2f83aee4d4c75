import { z } from "zod";
import { columns, size } from "../columns.ts";
import { command, positional } from "../command.ts";

export const providerModels = command({
  args: z.strictObject({ provider: positional(z.string().min(1), "PROVIDER", "its name") }),
  async run({ provider }, { api, out }) {
    const found = await api.providerModels(provider);
    out.result(
      found,
      ({ items }) =>
        items.length === 0
          ? ["no models"]
          : columns([
              ["WHERE", "SIZE", "LOADED", "TOOLS", "CONTEXT", "MODEL"],
              ...items.map((one) => [
                one.where,
                one.bytes === null ? "-" : size(one.bytes),
                told(one.loaded),
                told(one.tools),
                one.context_tokens_max === null ? "-" : String(one.context_tokens_max),
                one.id,
              ]),
            ]),
      ({ items }) => items.map(({ id }) => id),
    );
  },
});

const told = (value: boolean | null): string => (value === null ? "-" : value ? "yes" : "no");
