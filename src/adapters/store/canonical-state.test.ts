import { assert as holds, jsonValue, property, string } from "fast-check";
import { expect, test } from "vitest";
import { canonicalState } from "./canonical-state.ts";
import { seal } from "./seal.ts";

test("a state's text is the one that is sealed, also after a change that shares the rest", async () => {
  await holds(
    property(jsonValue({ maxDepth: 4 }), jsonValue({ maxDepth: 2 }), string(), (value, change, key) => {
      expect(canonicalState(value)).toBe(seal(value).text);
      const next = { ...(typeof value === "object" ? value : {}), same: value, [key]: change };
      expect(canonicalState(next)).toBe(seal(next).text);
    }),
  );
});

test("keys stand in the order of their code units, and what is undefined is not there", () => {
  expect(canonicalState({ "\u{1F600}": 1, "\uFB33": 2, b: undefined, a: { "2": 1, "10": 2 } })).toBe(
    '{"a":{"10":2,"2":1},"\u{1F600}":1,"\uFB33":2}',
  );
});

test("half of a surrogate pair has no canonical form, as a key or inside", () => {
  expect(() => canonicalState({ "\uD800": 1 })).toThrow();
  expect(() => canonicalState({ a: ["\uD800"] })).toThrow();
});
