import { assert as holds, jsonValue, property, string } from "fast-check";
import { expect, test } from "vitest";
import { changedKeys, rewritten, written } from "./canonical-state.ts";
import { seal } from "./seal.ts";

const all = (): boolean => true;
const textOf = (state: object): string => written(state, all).text;

/** As a state is written that follows another. */
function textAfter(before: object, state: object): string {
  const changed = changedKeys(before, state);
  return changed === null ? textOf(state) : rewritten(written(before, all), state, changed).text;
}

test("a state's text is the one that is sealed, also after a change that shares the rest", async () => {
  await holds(
    property(jsonValue({ maxDepth: 4 }), jsonValue({ maxDepth: 2 }), string(), (value, change, key) => {
      const first: Record<string, unknown> = { ...(typeof value === "object" ? value : {}), same: value };
      expect(textOf(first)).toBe(seal(first).text);
      const next = { ...first, [key]: change };
      expect(textAfter(first, next)).toBe(seal(next).text);
      // And with a member less, or another in its place.
      const { same: _, ...less } = first;
      expect(textAfter(first, less)).toBe(seal(less).text);
      const other = { ...less, other: change };
      expect(textAfter(first, other)).toBe(seal(other).text);
      expect(textAfter(first, { ...less, other: undefined })).toBe(seal(less).text);
    }),
  );
});

test("only the members that are asked for are written", () => {
  const most = (key: string): boolean => key !== "finished";
  const before = { b: 1, finished: {}, a: 2 };
  const one = written(before, most);
  expect(one.text).toBe('{"a":2,"b":1}');
  expect(rewritten(one, { b: 3, finished: { s: 1 }, a: 2 }, ["b", "finished"]).text).toBe('{"a":2,"b":3}');
  expect(rewritten(one, { ...before, finished: { s: 1 } }, ["finished"])).toBe(one);
});

test("two states differ in the members that are not the very same, and not by members only when both have them", () => {
  const one = { a: { deep: 1 }, b: 2 };
  expect(changedKeys(one, { ...one })).toEqual([]);
  expect(changedKeys(one, { a: { deep: 1 }, b: 3 })).toEqual(["a", "b"]);
  for (const other of [
    { b: 2, a: one.a },
    { ...one, c: 1 },
    { a: one.a },
    { a: one.a, c: 2 },
    { ...one, b: undefined },
  ])
    expect([changedKeys(one, other), changedKeys(other, one)]).toEqual([null, null]);
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
