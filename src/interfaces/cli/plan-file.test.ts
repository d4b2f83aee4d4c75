import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { problemOf } from "../client/trouble.ts";
import { readPlanFile } from "./plan-file.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "agentos-plan-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const GOOD = "items:\n  - id: one\n    title: One\n    do:\n      - run: make\n";
const read = (text: string, name = "plan.yaml") => {
  writeFileSync(join(directory, name), text);
  return readPlanFile(name, directory);
};
const refused = async (reading: Promise<unknown>) => problemOf(await reading.catch((error: unknown) => error));

test("a plan file is read as YAML or as JSON", async () => {
  const plan = { items: [{ id: "one", title: "One", do: [{ run: "make" }] }] };
  expect(await read(GOOD)).toEqual(plan);
  expect(await read(JSON.stringify(plan), "plan.json")).toEqual(plan);
});

describe("a plan file is refused, by name,", () => {
  const bomb = `a: &a [${"1,".repeat(50)}1]\nb: &b [${"*a,".repeat(50)}*a]\nc: &c [${"*b,".repeat(50)}*b]\nitems: [${"*c,".repeat(50)}*c]\n`;
  const wrong: readonly (readonly [what: string, text: string, code: string, detail: RegExp])[] = [
    ["when it is no YAML", "items: [", "plan/invalid", /^plan\.yaml is no YAML a plan may be/],
    ["when it has a tag of its own", "items: !!js/function 'f'\n", "plan/invalid", /^plan\.yaml is no YAML/],
    ["when it names a thing twice", `${GOOD}items: []\n`, "plan/invalid", /unique/],
    ["when its aliases are a bomb", bomb, "plan/invalid", /^plan\.yaml: .*alias/],
    ["when it has a field nobody knows", `${GOOD}itmes: []\n`, "input/invalid", /^plan\.yaml is not valid: .*itmes/],
    ["when an act is none", GOOD.replace("run", "rnu"), "input/invalid", /^plan\.yaml is not valid: items\.0\.do\.0/],
    [
      "when a path leads out of the repository",
      GOOD.replace("run: make", "write: ../x\n        content: x"),
      "input/invalid",
      /plain relative path/,
    ],
  ];
  test.each(wrong)("%s", async (_, text, code, detail) => {
    const problem = await refused(read(text));
    expect(problem?.code).toBe(code);
    expect(problem?.detail).toMatch(detail);
  });

  test("when it is not there, is a directory, or is no text", async () => {
    expect((await refused(readPlanFile("none.yaml", directory)))?.detail).toBe(
      "the plan file none.yaml cannot be read (ENOENT)",
    );
    expect((await refused(readPlanFile(".", directory)))?.detail).toBe("the plan file . cannot be read (EISDIR)");
    writeFileSync(join(directory, "bytes.yaml"), new Uint8Array([0xff, 0xfe]));
    expect((await refused(readPlanFile("bytes.yaml", directory)))?.detail).toBe("bytes.yaml is no UTF-8 text");
  });

  test("when it is larger than a plan may be, or no JSON", async () => {
    writeFileSync(join(directory, "large.yaml"), "");
    truncateSync(join(directory, "large.yaml"), 8 * 1024 ** 2 + 1);
    const large = await refused(readPlanFile("large.yaml", directory));
    expect([large?.code, large?.detail]).toEqual([
      "input/too-large",
      "large.yaml has 8388609 bytes; a plan file may have 8388608",
    ]);
    const broken = await refused(read("{", "plan.json"));
    expect(broken?.code).toBe("plan/invalid");
    expect(broken?.detail).toMatch(/^plan\.json is no JSON: /);
  });
});
