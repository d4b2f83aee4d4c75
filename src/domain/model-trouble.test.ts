import { describe, expect, it } from "vitest";
import type { PhaseModels } from "./model-policy.ts";
import { nextTry, type Trouble } from "./model-trouble.ts";

const target = (model: string) => ({ provider: "p", model, parameters: {} });
const TWO: PhaseModels = { use: [target("first"), target("second")], budget: {} };
const failed = (code: Trouble["code"], retryAfterMs: number | null = null): Trouble => ({ code, retryAfterMs });

describe("which model is asked next", () => {
  it.each<[string, readonly Trouble[], ReturnType<typeof nextTry>]>([
    ["at first the first", [], { at: 0, waitMs: 0 }],
    ["nobody there: the same again, after a moment", [failed("model/unavailable")], { at: 0, waitMs: 500 }],
    [
      "and each time a longer one",
      [failed("model/unavailable"), failed("model/unavailable")],
      { at: 0, waitMs: 1_000 },
    ],
    ["then the next one", Array(3).fill(failed("model/unavailable")), { at: 1, waitMs: 0 }],
    ["a key that is refused is refused again", [failed("model/refused")], { at: 1, waitMs: 0 }],
    ["who says how long is given that long", [failed("model/rate-limited", 7_000)], { at: 0, waitMs: 7_000 }],
    ["but not for ever", [failed("model/rate-limited", 3_600_000)], { at: 1, waitMs: 0 }],
    ["a model that never ends is not asked again", [failed("model/endless")], { at: 1, waitMs: 0 }],
    ["after the last one there is none", [failed("model/refused"), failed("model/not-found")], null],
  ])("%s", (_, failures, expected) => expect(nextTry(TWO, failures)).toEqual(expected));
});
