import { describe, expect, test } from "vitest";
import { parseWellFormed, wellFormed } from "./well-formed.ts";

describe("half of a surrogate pair", () => {
  test("is taken out of texts, lists, members and their names, however deep", () => {
    expect(wellFormed({ "a\ud83d": ["b\ude00", { c: "d\ud83d" }], e: 1, f: null, g: "😀" })).toEqual({
      "a\ufffd": ["b\ufffd", { c: "d\ufffd" }],
      e: 1,
      f: null,
      g: "😀",
    });
  });

  test("leaves data without one as the very same object", () => {
    const value = { a: ["😀", { b: 1 }], c: undefined };
    expect(wellFormed(value)).toBe(value);
  });

  test("is no part of JSON that is parsed, and both halves written as escapes are one character", () => {
    expect(parseWellFormed('{"a": "\\ud83d", "b": "\\uD83D\\uDE00", "c": ["\\uDE00"]}')).toEqual({
      a: "\ufffd",
      b: "😀",
      c: ["\ufffd"],
    });
    expect(() => parseWellFormed("{")).toThrow(SyntaxError);
  });
});
