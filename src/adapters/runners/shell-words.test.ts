import { describe, expect, test } from "vitest";
import { shellCommands } from "./shell-words.ts";

describe("the commands of a script", () => {
  test.each([
    ["vitest run", [{ words: ["vitest", "run"], next: "" }]],
    [
      "  eslint . && A=1 mocha 'a b' \"c d\"  ",
      [
        { words: ["eslint", "."], next: "&&" },
        { words: ["A=1", "mocha", "a b", "c d"], next: "" },
      ],
    ],
    [
      "tape 'test/*.js' | tap-spec",
      [
        { words: ["tape", "test/*.js"], next: "|" },
        { words: ["tap-spec"], next: "" },
      ],
    ],
    [
      "a || b; c & d",
      [
        { words: ["a"], next: "||" },
        { words: ["b"], next: ";" },
        { words: ["c"], next: "&" },
        { words: ["d"], next: "" },
      ],
    ],
    ["tape t.js > out.txt 2>&1", [{ words: ["tape", "t.js"], next: "" }]],
    [`A="$A -x" B=\${B} node 'it''s' a\\ b`, [{ words: ["A=$A -x", `B=\${B}`, "node", "its", "a b"], next: "" }]],
    ['node "a \\"quoted\\" name.js"', [{ words: ["node", 'a "quoted" name.js'], next: "" }]],
    ["", []],
  ] as const)("%s", (script, commands) => {
    expect(shellCommands(script)).toEqual(commands);
  });

  test.each([
    "node $(which mocha)",
    "(cd a; mocha)",
    "node `which mocha`",
    'mocha "$(ls)"',
    "mocha 'never ends",
    "cat <<EOF",
  ])("are not told from what only a shell can tell: %s", (script) => expect(shellCommands(script)).toBeNull());
});
