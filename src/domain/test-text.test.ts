import { describe, expect, test } from "vitest";
import { declaredIn, inlineTests } from "./test-text.ts";

describe("tests inside a source file of Rust", () => {
  const inside =
    "pub fn f() {}\n#[cfg(test)]\nmod t {\n  #[test]\n  fn adds() { if a { assert!(f()); } }\n  fn more() {}\n}\n";

  test("end with the brace that closes them", () =>
    expect(inlineTests("src/a.rs", inside)).toEqual([
      { name: "adds", assertions: 1, text: "#[test]fnadds(){ifa{assert!(f());}}" },
    ]));

  test("go to the end of a file whose braces do not close", () =>
    expect(inlineTests("src/a.rs", "#[test]\nfn adds() { assert!(f());\nfn more()")).toEqual([
      { name: "adds", assertions: 1, text: "#[test]fnadds(){assert!(f());fnmore()" },
    ]));

  test("are looked for in no other language", () => {
    expect(inlineTests("src/a.ts", inside)).toEqual([]);
    expect(inlineTests("src/a.rs", null)).toEqual([]);
  });
});

test("a file in a language that is not known here declares nothing", () =>
  expect([declaredIn("a.bas", 'test("adds")'), declaredIn("a.test.js", null)]).toEqual([
    { tests: [], skips: 0 },
    { tests: [], skips: 0 },
  ]));
