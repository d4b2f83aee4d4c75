import { expect, test } from "vitest";
import { seal } from "./seal.ts";

test("the same value has the same text and hash, however it was written down", () => {
  const sealed = seal({ b: [1, "ü", null], a: { d: 1e21, c: -0 } });
  expect(sealed.text).toBe('{"a":{"c":0,"d":1e+21},"b":[1,"ü",null]}');
  expect(seal({ a: { c: 0, d: 1e21 }, b: [1, "ü", null] })).toEqual(sealed);
  expect(seal({ b: undefined, a: 1 })).toEqual(seal({ a: 1 }));
});

test("the hash is SHA-256 over the text in UTF-8", () => {
  // printf '{"a":"ü"}' | sha256sum
  expect(seal({ a: "ü" }).sha256).toBe("fd621823002706e24604cb868a9f4f8850d6f01fb5040d49ba050482e1472437");
});

test.each([
  ["a lone surrogate", "\ud800"],
  ["not a number", Number.NaN],
  ["infinity", Number.POSITIVE_INFINITY],
  ["nothing", undefined],
])("%s has no canonical form", (_name, value) => {
  expect(() => seal(value)).toThrow();
});
