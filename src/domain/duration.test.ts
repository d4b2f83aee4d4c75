import { expect, it } from "vitest";
import { durationText } from "./duration.ts";

it.each([
  [0, "0 s"],
  [-5, "0 s"],
  [250, "250 ms"],
  [1_250, "1 s"],
  [90_000, "1 min 30 s"],
  [5_400_000, "1 h 30 min"],
  [3_600_000, "1 h"],
  [3_605_000, "1 h"],
  [90_000_000, "1 d 1 h"],
])("%i ms is %s", (ms, text) => expect(durationText(ms)).toBe(text));
