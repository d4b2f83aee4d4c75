import { z } from "zod";

const MS_OF = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;

export const SPAN_SAYS = "must be a span of time like 90s, 30m or 1h30m";

/** A span of time as people write it (`90s`, `30m`, `1h30m`, `2d`), in milliseconds. */
export const Span = z
  .string()
  .regex(/^(\d{1,6}d)?(\d{1,6}h)?(\d{1,6}m)?(\d{1,6}s)?$/, SPAN_SAYS)
  .refine((text) => text !== "", SPAN_SAYS)
  .transform((text) =>
    [...text.matchAll(/(\d+)([dhms])/g)].reduce(
      (ms, [, n, unit]) => ms + Number(n) * MS_OF[unit as keyof typeof MS_OF],
      0,
    ),
  )
  .refine((ms) => ms >= 1_000, "must be at least 1s");

/** Milliseconds in the same form: the two largest units that say something. */
export function spanText(ms: number): string {
  let left = Math.round(ms / 1_000) * 1_000;
  const parts = Object.entries(MS_OF).flatMap(([unit, size]) => {
    const n = Math.floor(left / size);
    left -= n * size;
    return n === 0 ? [] : [`${n}${unit}`];
  });
  return parts.length === 0 ? "0s" : parts.slice(0, 2).join("");
}
