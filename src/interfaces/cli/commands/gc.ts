import { z } from "zod";
import type { GcView } from "../../../contract/views.ts";
import { columns, short, size } from "../columns.ts";
import { command, flag } from "../command.ts";
import { field } from "../escape.ts";
import { isSure } from "../sure.ts";

export const gc = command({
  args: z.strictObject({
    dryRun: flag(z.boolean().default(false), "only say what would go, what stays, and why"),
    yes: flag(z.boolean().default(false), "do not ask"),
  }),
  examples: ["agentos gc --dry-run", "agentos gc --yes"],
  async run({ dryRun, yes }, context) {
    const { api, out } = context;
    if (!dryRun) {
      const { bytes, items } = await api.gc({ dry_run: true });
      const going = items.filter(({ goes }) => goes).length;
      if (!(await isSure(context, yes, `This removes ${going} of ${items.length} things on disk (${size(bytes)}).`)))
        return 1;
    }
    const done = await api.gc({ dry_run: dryRun });
    out.result(
      done,
      (seen) => gcLines(seen, dryRun),
      ({ items }) => items.filter(({ goes }) => goes).map(({ id }) => id),
    );
    return done.items.some(({ problem }) => problem !== null) ? 1 : undefined;
  },
});

function gcLines({ items, bytes, kept_bytes, rescued }: GcView, dryRun: boolean): readonly string[] {
  const word = (goes: boolean): string => (goes ? (dryRun ? "would go" : "gone") : "kept");
  return [
    ...(items.length === 0
      ? ["there is nothing to clean up"]
      : columns(
          items.map((one) => [
            word(one.goes),
            one.kind,
            one.kind === "layer" ? short(one.id) : one.id,
            size(one.bytes),
            one.problem ?? one.why,
          ]),
        )),
    ...rescued.map((ref) => `kept aside: ${field(ref)}`),
    `${dryRun ? "would free" : "freed"}: ${size(bytes)} (${bytes} bytes); kept: ${size(kept_bytes)} (${kept_bytes} bytes)`,
  ];
}
