import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PlanFile } from "../../contract/inputs.ts";
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

test("every key of a plan file is in the document about them", () => {
  const document = readFileSync(join(import.meta.dirname, "../../../docs/plans.md"), "utf8");
  const { items, explore } = PlanFile.shape;
  const shapes = [PlanFile, items.element, explore.def.innerType.element, ...items.element.shape.do.element.options];
  const keys = [...new Set(shapes.flatMap(({ shape }) => Object.keys(shape)))];
  expect(keys.filter((key) => !document.includes(`\`${key}\``) && !document.includes(`\`${key}:`))).toEqual([]);
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

  const act = (text: string) => GOOD.replace("run: make", text);
  const misspelled: readonly (readonly [what: string, text: string, detail: string])[] = [
    [
      "an act that is none",
      act("rum: ls"),
      'items.0.do.0: an act has exactly one of run, write, replace, remove; this one has "rum"',
    ],
    [
      "an act that is no object",
      act("make"),
      'items.0.do.0: an act has exactly one of run, write, replace, remove, not "make"',
    ],
    [
      "an act that is two",
      act("run: ls\n        remove: a.txt"),
      'items.0.do.0: an act has exactly one of run, write, replace, remove; this one has "run", "remove"',
    ],
    [
      "a key that an act does not have",
      act("run: ls\n        cwdd: web"),
      'items.0.do.0: the act run has no "cwdd"; it has run, cwd, network, timeout_ms',
    ],
    [
      "a key that an act lacks",
      act("write: a.txt"),
      "items.0.do.0: the act write: content: Invalid input: expected string, received undefined",
    ],
    [
      "a key that an item does not have",
      GOOD.replace("title: One", "title: One\n    dependson: [two]"),
      'items.0: has no "dependson"; it has id, title, repo, criterion, depends_on, do, artifacts',
    ],
    [
      "a key that a plan does not have",
      `${GOOD}"itmes": []\nlimits: {}\n`,
      '(whole): has no "itmes", "limits"; it has version, explore, items',
    ],
  ];
  test.each(misspelled)("with the words there are for %s", async (_, text, detail) =>
    expect((await refused(read(text)))?.detail).toBe(`plan.yaml is not valid: ${detail}`),
  );

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
