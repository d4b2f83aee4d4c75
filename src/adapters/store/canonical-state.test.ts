import { assert as holds, jsonValue, property, string } from "fast-check";
import { expect, test } from "vitest";
import { written } from "./canonical-state.ts";
import { seal } from "./seal.ts";

const textOf = (state: object): string => written(state as Record<string, unknown>, null).text;

test("a state's text is the one that is sealed, also after a change that shares the rest", async () => {
  await holds(
    property(jsonValue({ maxDepth: 4 }), jsonValue({ maxDepth: 2 }), string(), (value, change, key) => {
      const first: Record<string, unknown> = { ...(typeof value === "object" ? value : {}), same: value };
      const before = written(first, null);
      expect(before.text).toBe(seal(first).text);
      const next = { ...first, [key]: change };
      expect(written(next, null, before).text).toBe(seal(next).text);
      // And with a member less, or another in its place.
      const { same: _, ...less } = first;
      expect(written(less, null, before).text).toBe(seal(less).text);
      const other = { ...less, other: change };
      expect(written(other, null, before).text).toBe(seal(other).text);
    }),
  );
});

test("one member can be left out, whatever it holds", () => {
  const before = written({ b: 1, finished: {}, a: 2 }, "finished");
  expect(before.text).toBe('{"a":2,"b":1}');
  expect(written({ b: 3, finished: { s: 1 }, a: 2 }, "finished", before as never).text).toBe('{"a":2,"b":3}');
});

test("keys stand in the order of their code units, and what is undefined is not there", () => {
  expect(textOf({ "\u{1F600}": 1, "\uFB33": 2, b: undefined, a: { "2": 1, "10": 2 } })).toBe(
    '{"a":{"10":2,"2":1},"\u{1F600}":1,"\uFB33":2}',
  );
});

test("half of a surrogate pair has no canonical form, as a key or inside", () => {
  expect(() => textOf({ "\uD800": 1 })).toThrow();
  expect(() => textOf({ a: ["\uD800"] })).toThrow();
});
