import { expect, test } from "vitest";
import { unhidden } from "./hidden-text.ts";

test("what hides or reorders in a text is shown by its number, and nothing else changes", () => {
  expect(unhidden("fix\u{e0041}\u200b the \u202etset\u2066")).toBe("fix\\u{e0041}\\u{200b} the \\u{202e}tset\\u{2066}");
  const plain = "Überprüfe 日本語 👍🏽\n\ttab \\u{1b}";
  expect(unhidden(plain)).toBe(plain);
});
