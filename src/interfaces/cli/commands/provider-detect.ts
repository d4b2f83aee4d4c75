import { z } from "zod";
import { command } from "../command.ts";
import { field } from "../escape.ts";
import { foundLines, providerTable } from "../provider-text.ts";

export const providerDetect = command({
  args: z.strictObject({}),
  async run(_, { api, out }) {
    const seen = await api.detectProviders();
    out.result(
      seen,
      ({ items, found }) => [...providerTable(items), ...foundLines(found)],
      ({ items }) => items.filter(({ status }) => status === "running" || status === "loading").map(({ id }) => id),
    );
    for (const { id, configured, status, detail, next } of seen.items)
      if (status === "impostor" || (configured && next !== null))
        out.note(`${field(id)}: ${field(detail)}${next === null ? "" : `. ${field(next)}`}`);
  },
});
