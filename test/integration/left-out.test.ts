import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/*
 * A new status, event, act, phase, block reason or failure code that is left out of one place does not compile, and neither does a place
 * that loses a row it had. Shown by the compiler itself, on copies of the sources with one word more or one row less.
 */

const ROOT = join(import.meta.dirname, "..", "..");
/** What is copied and compiled: the domain and the tables that others keep over its words. */
const TABLES = [
  "src/contract/problems.ts",
  "src/adapters/store/journal-row.ts",
  "src/adapters/store/database.ts",
  "src/adapters/store/dialect.ts",
  "test/support/given-task.ts",
];

interface Change {
  readonly file: string;
  readonly from: string | RegExp;
  readonly to: string;
}

let place = "";
let copies = 0;
beforeAll(() => {
  place = mkdtempSync(join(realpathSync(tmpdir()), "agentos-left-out-"));
  symlinkSync(join(ROOT, "node_modules"), join(place, "node_modules"));
  cpSync(join(ROOT, "package.json"), join(place, "package.json"));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** The files in which the compiler finds errors once the change is made. */
async function brokenBy(changes: readonly Change[]): Promise<readonly string[]> {
  copies += 1;
  const copy = join(place, String(copies));
  mkdirSync(join(copy, "src"), { recursive: true });
  cpSync(join(ROOT, "src", "domain"), join(copy, "src", "domain"), {
    recursive: true,
    filter: (path) => !path.endsWith(".test.ts"),
  });
  for (const file of TABLES) cpSync(join(ROOT, file), join(copy, file));
  for (const { file, from, to } of changes) {
    const before = readFileSync(join(copy, file), "utf8");
    const after = before.replace(from, to);
    if (after === before) throw new Error(`${file} has no ${String(from)} any more: this test has to follow it`);
    writeFileSync(join(copy, file), after);
  }
  const files = [...readdirSync(join(copy, "src", "domain")).map((name) => `src/domain/${name}`), ...TABLES];
  writeFileSync(
    join(copy, "tsconfig.json"),
    JSON.stringify({ extends: join(ROOT, "tsconfig.json"), compilerOptions: { types: [] }, include: [], files }),
  );
  const said = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, "node_modules", "typescript", "bin", "tsc"), "-p", copy, "--pretty", "false"],
      { cwd: copy, encoding: "utf8" },
      (_, stdout) => resolve(stdout),
    );
  });
  return [...new Set([...said.matchAll(/^(\S+?)\(\d+,\d+\): error/gm)].map((match) => match[1] ?? ""))].sort();
}

const inDomain = (...names: readonly string[]): readonly string[] => names.map((name) => `src/domain/${name}.ts`);

it("the control: as they are, they compile", async () => expect(await brokenBy([])).toEqual([]));

describe("one word more is missed in every place that has to know it", () => {
  it.each<[string, readonly Change[], readonly string[]]>([
    [
      "a status",
      [
        { file: "src/domain/task.ts", from: /"canceled",?\s*\] as const/, to: '"canceled", "archived"] as const' },
        {
          file: "src/domain/task.ts",
          from: '| { readonly status: "draft" }',
          to: '| { readonly status: "draft" } | { readonly status: "archived" }',
        },
      ],
      [...inDomain("lifecycle", "retention", "sentence", "standing"), "test/support/given-task.ts"],
    ],
    [
      "an event",
      [
        {
          file: "src/domain/event.ts",
          from: "export interface TaskEventBodies {",
          to: "export interface TaskEventBodies {\n  ARCHIVED: { readonly why: string };",
        },
      ],
      ["src/adapters/store/journal-row.ts", ...inDomain("sentence", "task"), "test/support/given-task.ts"],
    ],
    [
      "an event of projects",
      [
        {
          file: "src/domain/event.ts",
          from: "export interface ProjectEventBodies {",
          to: "export interface ProjectEventBodies {\n  PROJECT_ARCHIVED: { readonly why: string };",
        },
      ],
      ["src/adapters/store/journal-row.ts", ...inDomain("project", "sentence"), "test/support/given-task.ts"],
    ],
    [
      "an event of providers",
      [
        {
          file: "src/domain/event.ts",
          from: "export interface ProviderEventBodies {",
          to: "export interface ProviderEventBodies {\n  PROVIDER_ARCHIVED: { readonly why: string };",
        },
      ],
      ["src/adapters/store/journal-row.ts", ...inDomain("provider", "sentence"), "test/support/given-task.ts"],
    ],
    [
      "a failure code",
      [{ file: "src/domain/failure.ts", from: '"input/invalid",', to: '"input/invalid",\n  "disk/odd",' }],
      ["src/contract/problems.ts"],
    ],
    [
      "a kind of act",
      [
        {
          file: "src/domain/step.ts",
          from: '| { readonly kind: "candidate"',
          to: '| { readonly kind: "dance"; readonly repo: string }\n  | { readonly kind: "candidate"',
        },
      ],
      [...inDomain("sentence", "step"), "test/support/given-task.ts"],
    ],
    [
      "a phase",
      [{ file: "src/domain/phase.ts", from: '"verification"]', to: '"verification", "celebration"]' }],
      inDomain("lifecycle"),
    ],
    [
      "a fact of tasks",
      [
        {
          file: "src/domain/task.ts",
          from: "  readonly denials: number;",
          to: "  readonly denials: number;\n  readonly praise: number;",
        },
      ],
      inDomain("task"),
    ],
    [
      "a report of the lease holder",
      [
        {
          file: "src/domain/lifecycle.ts",
          from: '| { readonly type: "release"',
          to: '| { readonly type: "boast" }\n  | { readonly type: "release"',
        },
      ],
      inDomain("lifecycle"),
    ],
    [
      "a command",
      [
        {
          file: "src/domain/lifecycle.ts",
          from: "export interface CommandBodies {",
          to: "export interface CommandBodies {\n  praise: { readonly words: string };",
        },
      ],
      ["test/support/given-task.ts"],
    ],
  ])("%s", async (_, changes, files) => expect(await brokenBy(changes)).toEqual(files));
});

describe("one row less does not compile", () => {
  it.each<[string, Change, readonly string[]]>([
    [
      "a status in the lifecycle",
      { file: "src/domain/lifecycle.ts", from: /\n {2}canceled: \{ deny \},/, to: "" },
      inDomain("lifecycle"),
    ],
    [
      "an event in evolve",
      { file: "src/domain/task.ts", from: /\n {4}case "ACCEPTED_UNPROVEN":\n[^\n]*/, to: "" },
      inDomain("task"),
    ],
    [
      "an event in the sentences",
      { file: "src/domain/sentence.ts", from: /\n {4}case "READY":\n[^\n]*/, to: "" },
      inDomain("sentence"),
    ],
    [
      "a failure code in the problems",
      { file: "src/contract/problems.ts", from: /\n {2}"store\/busy": [^\n]*/, to: "" },
      ["src/contract/problems.ts"],
    ],
    [
      "a kind of act in the crash policies",
      { file: "src/domain/step.ts", from: /\n {2}candidate: \(\) => [^\n]*/, to: "" },
      inDomain("step"),
    ],
    [
      "a fact in what every status keeps",
      { file: "src/domain/task.ts", from: /\n {2}denials: task\.denials,/, to: "" },
      inDomain("task"),
    ],
    [
      "an event in the journal's formats",
      { file: "src/adapters/store/journal-row.ts", from: /\n {2}DENIED: [^\n]*/, to: "" },
      ["src/adapters/store/journal-row.ts"],
    ],
  ])("%s", async (_, change, files) => {
    const broken = await brokenBy([change]);
    expect(files.filter((file) => !broken.includes(file))).toEqual([]);
  });
});
