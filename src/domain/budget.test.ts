import { describe, expect, it } from "vitest";
import { add, exhausted, NOTHING_SPENT, spentText } from "./budget.ts";

const spent = (more: Partial<typeof NOTHING_SPENT>) => add(NOTHING_SPENT, more);

describe("a budget", () => {
  it("without limits is never exhausted", () =>
    expect(exhausted({}, NOTHING_SPENT, spent({ tokens: 1e12, turns: 1e6 }))).toBe(null));

  it("is exhausted when all of one unit is spent, and not before", () => {
    expect(exhausted({ tokens: 100, turns: 5 }, NOTHING_SPENT, spent({ tokens: 99, turns: 4 }))).toBe(null);
    expect(exhausted({ tokens: 100, turns: 5 }, NOTHING_SPENT, spent({ tokens: 99, turns: 5 }))).toEqual({
      unit: "turns",
      spent: 5,
      most: 5,
    });
  });

  it("goes on with what a person granted beyond it", () =>
    expect(exhausted({ tokens: 100 }, spent({ tokens: 50 }), spent({ tokens: 120 }))).toBe(null));

  it("is told in words", () =>
    expect(spentText({ tokens: 20_000, microdollars: 1_250_000, turns: 3, ms: 90_000 })).toBe(
      "20000 tokens, 1.2500 USD, 3 turns, 1 min 30 s",
    ));
});
