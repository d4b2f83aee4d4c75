import { expect, test } from "vitest";
import { checkWords } from "./command-words.ts";

const MOST = 131_071;
const why = (argv: readonly string[]): string | null => {
  try {
    checkWords(argv);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

test.each([
  ["nothing", [], null],
  ["a word of the greatest size", ["x".repeat(MOST)], null],
  ["letters of one, two, three and four bytes", ["aé€😀".repeat(13_107)], null],
  ["a NUL", ["sh", "a\0"], "a word of the command holds a NUL character"],
  [
    "a byte too many",
    [`${"é".repeat(65_535)}xx`],
    `a word of the command has ${MOST + 1} bytes, and a program can be given ${MOST}`,
  ],
  [
    "very many words",
    Array<string>(104_858).fill("x"),
    "the command has 1048580 bytes in all, and at most 1048576 are started",
  ],
])("a command can be started, or why not is said: %s", (_, argv, said) => expect(why(argv)).toBe(said));
