import fc from "fast-check";
import { expect, test } from "vitest";
import { nameFromTree, nameInTree, pathFromTree, toByteName, toText } from "./names.ts";

const anyName = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  fc.constantFrom(
    ".git",
    ".GIT",
    "git~1",
    ".git ",
    ".gitmodules",
    "%agentos%",
    "%agentos%.git",
    "a\\.git",
    "%25",
    "\\",
  ),
  fc
    .array(fc.constantFrom("%agentos%", "%", "25", "5C", "\\", ".git", "~1", "a"), { minLength: 1, maxLength: 6 })
    .map((parts) => parts.join("")),
);

test("every file name has exactly one spelling in a tree, and is read back as it was", () => {
  fc.assert(fc.property(anyName, (name) => nameFromTree(nameInTree(name)) === name));
  fc.assert(fc.property(anyName, anyName, (a, b) => (a === b) === (nameInTree(a) === nameInTree(b))));
});

test.each([
  ".git",
  ".GIT",
  ".Git",
  "git~1",
  "GIT~2",
  ".git.",
  ".git ",
  ".git::$INDEX_ALLOCATION",
  ".gitmodules",
  "a\\.git",
])("%s is written so that git takes it", (name) => {
  expect(nameInTree(name)).toMatch(/^%agentos%/);
  expect(nameInTree(name)).not.toContain("\\");
});

test("a .git spelled with characters that some systems ignore is written so that git takes it", () => {
  expect(nameInTree(toByteName(".g\u200cit"))).toMatch(/^%agentos%/);
});

test.each([".gitignore", ".gitattributes", ".github", "git", "a.git", "-x", "é"])("%s is written as it is", (name) => {
  expect(nameInTree(toByteName(name))).toBe(toByteName(name));
});

test("each part of a path is read for itself", () => {
  expect(pathFromTree("a/%agentos%.git/b")).toBe("a/.git/b");
});

test("bytes that are no UTF-8 survive as a byte name and are shown as a replacement", () => {
  expect(toText("a\xff")).toBe("a\ufffd");
  expect(toText(toByteName("é"))).toBe("é");
});
