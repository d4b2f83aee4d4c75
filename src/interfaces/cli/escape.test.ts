import { describe, expect, test } from "vitest";
import { block, field, jsonText, line } from "./escape.ts";

describe("what a terminal would obey is shown instead:", () => {
  const shown: readonly (readonly [what: string, text: string, shown: string])[] = [
    ["a cleared screen", "a\u001b[2Jb", "a\\u{1b}[2Jb"],
    ["a clipboard write (OSC 52)", "\u001b]52;c;ZXZpbA==\u0007", "\\u{1b}]52;c;ZXZpbA==\\u{7}"],
    ["a link (OSC 8)", "\u001b]8;;http://evil\u001b\\x", "\\u{1b}]8;;http://evil\\u{1b}\\x"],
    ["a title", "\u001b]0;root\u0007", "\\u{1b}]0;root\\u{7}"],
    ["a control sequence in one character (C1)", "\u009b2J", "\\u{9b}2J"],
    ["a carriage return that overwrites", "failed\rpassed", "failed\\u{d}passed"],
    ["a backspace", "no\b\byes", "no\\u{8}\\u{8}yes"],
    ["a right-to-left override", "exe.\u202etxt", "exe.\\u{202e}txt"],
    ["an isolate", "\u2066a\u2069", "\\u{2066}a\\u{2069}"],
    ["a zero-width space", "a\u200bb", "a\\u{200b}b"],
    ["invisible tag characters", "a\u{e0041}b", "a\\u{e0041}b"],
    ["half of a surrogate pair", "a\ud800b", "a\\u{d800}b"],
    ["a forged second line", "ok\n#7 person:root approved", "ok⏎#7 person:root approved"],
    ["a Unicode line separator", "a\u2028b", "a\\u{2028}b"],
    ["a tab", "a\tb", "a\\u{9}b"],
  ];
  test.each(shown)("%s", (_, text, expected) => expect(line(text)).toBe(expected));

  test("and everything else stays as it was written", () => {
    const text = "Überprüfe 日本語 👍🏽 “quotes” `$(id)` \\u{1b}";
    expect(line(text)).toBe(text);
  });
});

test("no run of blanks pushes the end of a command out of view", () => {
  expect(field(`ls${" ".repeat(10_000)}; rm -rf ~`)).toBe("ls␣{10000}; rm -rf ~");
  expect(field(`ls${"\n".repeat(3)}; rm`)).toBe("ls⏎⏎⏎; rm");
  expect(field("a    b")).toBe("a    b");
});

test("a log keeps its lines and tabs and loses its power", () => {
  expect(block("one\r\n\ttwo\u001b[31m\nlast\rover\n")).toEqual(["one", "\ttwo\\u{1b}[31m", "last\\u{d}over"]);
  expect(block("")).toEqual([""]);
});

test("JSON means the same after escaping, and has no character a terminal obeys", () => {
  const value = { title: "\u001b[2J\u009b\u202e\u200b\u{e0041}\ud800", 'ke"y\u0085': ["日本語 👍"] };
  const text = jsonText(value);
  expect(JSON.parse(text)).toEqual(value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  expect(text).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u200b\u202e\ud800\u{e0041}]*$/u);
  expect(text).toContain("日本語 👍");
});
