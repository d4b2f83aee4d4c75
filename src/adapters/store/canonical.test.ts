import canonicalize from "canonicalize";
import { anything, assert as holds, jsonValue, property } from "fast-check";
import { expect, test } from "vitest";
import { canonical } from "./canonical.ts";

/** What it gives, or that it throws. */
const outcome = (form: (value: unknown) => string | undefined, value: unknown): unknown => {
  try {
    return form(value) ?? "nothing";
  } catch {
    return "no canonical form";
  }
};

test("any JSON value has the form that the library gives it", () => {
  void holds(
    property(jsonValue({ maxDepth: 6 }), (value) => {
      expect(canonical(value)).toBe(canonicalize(value));
    }),
    { numRuns: 2_000 },
  );
});

test("any other value has the form that the library gives it, or none where that has none", () => {
  const values = anything({ withBoxedValues: true, withDate: true, withNullPrototype: true, withSparseArray: true });
  void holds(
    property(values, (value) => {
      expect(outcome(canonical, value)).toBe(outcome(canonicalize, value));
    }),
    { numRuns: 2_000 },
  );
});

const parsed = (text: string): unknown => JSON.parse(text);
test.each<[string, unknown]>([
  ["keys that look like numbers", { "10": 1, "2": 2, b: 3 }],
  ["such keys inside", { a: [{ "10": 1, "9": { "1": 0, "01": 0 } }] }],
  ["an empty key and one of a digit", { "": 1, "0": 2, _: 3 }],
  ["a key that sets the prototype", parsed('{"b":1,"__proto__":{"d":2,"c":3},"a":4}')],
  ["keys beyond the first plane, by their code units", { "\u{1F600}": 1, "\uFB33": 2, z: 3 }],
  ["members that are not there", { b: undefined, a: 1, c: () => 1, d: Symbol("d") }],
  ["elements that are not there", [undefined, () => 1, null, Symbol("d")]],
  ["a list with a hole", Object.assign([], { length: 3, 2: 1 })],
  ["what gives its own form", { a: { toJSON: () => ({ z: 1, b: 2 }) }, at: new Date(0) }],
  ["numbers", [-0, 1e21, 1e-7, 0.1 + 0.2, 2 ** 53 + 2, 5e-324]],
  ["no number", [Number.NaN]],
  ["no finite number", { a: Number.POSITIVE_INFINITY }],
  ["half of a pair, as a value", { a: "\uD800" }],
  ["half of a pair, as a key", { a: { "\uD800": 1 } }],
  ["a large whole number", { a: 1n }],
  ["words with everything to escape", '"\\\b\f\n\r\t\u0001\u2028\u007f/é'],
  ["a map", new Map([["a", 1]])],
  ["nothing", undefined],
])("%s: as the library has it", (_, value) => {
  expect(outcome(canonical, value)).toBe(outcome(canonicalize, value));
});

test("what is nested deeper than calls can go has its form all the same, and a cycle has none", () => {
  let deep: unknown = 1;
  for (let depth = 0; depth < 20_000; depth += 1) deep = depth % 2 === 0 ? { b: deep, a: 0 } : [deep];
  expect(canonical(deep)).toBe(canonicalize(deep));
  const circle: Record<string, unknown> = {};
  circle["in"] = circle;
  expect(outcome(canonical, circle)).toBe("no canonical form");
});

test("what is given stays as it is", () => {
  const value = Object.freeze({ b: Object.freeze([Object.freeze({ d: 1, c: 2 })]), a: 1 });
  expect(canonical(value)).toBe('{"a":1,"b":[{"c":2,"d":1}]}');
  expect(Object.keys(value)).toEqual(["b", "a"]);
});
