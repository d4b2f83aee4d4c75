import { expect, it } from "vitest";
import { Span, spanText } from "./span.ts";

it.each([
  ["90s", 90_000],
  ["30m", 1_800_000],
  ["1h30m", 5_400_000],
  ["2d", 172_800_000],
])("%s is %i ms", (text, ms) => expect(Span.parse(text)).toBe(ms));

it.each(["", "30", "m", "1.5h", "30 m", "0s", "-1h", "1m1h"])("%j is no span of time", (text) =>
  expect(Span.safeParse(text).success).toBe(false),
);

it.each([
  [0, "0s"],
  [59_400, "59s"],
  [5_400_000, "1h30m"],
  [90_061_000, "1d1h"],
])("%i ms is told as %s", (ms, text) => expect(spanText(ms)).toBe(text));
