import { z } from "zod";
import { command } from "../command.ts";
import { providerTable } from "../provider-text.ts";

export const providerList = command({
  args: z.strictObject({}),
  async run(_, { api, out }) {
    const found = await api.providers();
    out.result(
      found,
      ({ items }) => providerTable(items),
      ({ items }) => items.map(({ id }) => id),
    );
    out.note("agentos provider show ID tells more of one; agentos provider detect looks for others");
  },
});
