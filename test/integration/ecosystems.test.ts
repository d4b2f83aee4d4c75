import { accessSync, constants, cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestCounts } from "../../src/domain/test-counts.ts";
import { sampled } from "../support/sample.ts";
import { commit, type Rig, repository, room, startRig, TOOL_PATH } from "./task-kit.ts";

/*
 * One small repository of each kind, through the engine to the end: green ones succeed with exactly the counts they have, and with one
 * test broken on purpose they never do. What is not on this machine is skipped and says so; scripts/toolchains.sh installs it. In `npm test`
 * a part of the kinds, all of them by `npm run test:integration:full`.
 */

const FIXTURES = fileURLToPath(new URL("../fixtures/ecosystems", import.meta.url));
const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const OWN_TOOLS = join(PROJECT, ".setup", "toolchains");

/** The person's PATH without this project's own programs, and where scripts/toolchains.sh puts what Debian does not have. */
const PERSONAL = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => folder.startsWith("/") && !/[/\\]node_modules[/\\]/.test(folder));
const EVERYTHING = [...TOOL_PATH, ...PERSONAL, join(OWN_TOOLS, "main", "bin")];
const DEBIANS = ["/usr/local/bin", "/usr/bin", "/bin"];

interface Case {
  readonly of: string;
  /** A program or file it cannot do without; a list needs all of them. */
  readonly needs: readonly string[];
  readonly toolPath?: readonly string[];
  /** Counts by gate, of those that count. */
  readonly counts: Readonly<Record<string, TestCounts>>;
  /** What breaks one test: in this file, this, to that. */
  readonly breaking: readonly [file: string, find: string, replace: string];
}

const counts = (passed: number, skipped = 0, failed = 0): TestCounts => ({ passed, failed, skipped, todo: 0 });
const usual = { tests: counts(2, 1) };
const inJs = (file: string): Case["breaking"] => [file, "add(1, 2), 3", "add(1, 2), 4"];

const CASES: readonly Case[] = [
  { of: "npm", needs: ["npm"], counts: usual, breaking: inJs("test/add.test.js") },
  { of: "pnpm", needs: ["pnpm"], counts: usual, breaking: inJs("test/add.test.js") },
  { of: "yarn", needs: ["yarn"], counts: usual, breaking: inJs("test/add.test.js") },
  {
    of: "yarn-berry",
    needs: [join(OWN_TOOLS, "berry", "bin", "yarn")],
    toolPath: [...TOOL_PATH, join(OWN_TOOLS, "berry", "bin")],
    counts: usual,
    breaking: inJs("test/add.test.js"),
  },
  { of: "bun", needs: ["bun"], counts: usual, breaking: ["add.test.ts", "toBe(3)", "toBe(4)"] },
  {
    of: "workspaces",
    needs: ["npm"],
    counts: { "tests-add": counts(1), "tests-twice": counts(2) },
    breaking: ["packages/twice/test/twice.test.js", "twice(2), 4", "twice(2), 5"],
  },
  {
    of: "folders",
    needs: ["npm", "go"],
    counts: { "tests-service": counts(1), "tests-tool": counts(1), "tests-web": counts(2) },
    breaking: ["tool/tool_test.go", "!= 3", "!= 4"],
  },
  {
    of: "pytest",
    needs: ["/usr/lib/python3/dist-packages/pytest"],
    toolPath: DEBIANS,
    counts: usual,
    breaking: ["tests/test_add.py", "(1, 2, 3)", "(1, 2, 4)"],
  },
  {
    of: "unittest",
    needs: ["python3"],
    counts: usual,
    breaking: ["tests/test_add.py", "add(1, 2), 3", "add(1, 2), 4"],
  },
  { of: "go", needs: ["go"], counts: { tests: counts(4, 1) }, breaking: ["add_test.go", "{1, 2, 3}", "{1, 2, 4}"] },
  { of: "cargo", needs: ["cargo"], counts: usual, breaking: ["add/src/lib.rs", "add(1, 2), 3", "add(1, 2), 4"] },
  {
    of: "maven",
    needs: ["mvn", "/usr/share/maven-repo/org/apache/maven/surefire/surefire-junit4"],
    counts: usual,
    breaking: ["src/test/java/org/example/SumTest.java", "assertEquals(3", "assertEquals(4"],
  },
  {
    of: "gradle",
    needs: ["gradle", "/usr/share/java/junit4.jar"],
    counts: usual,
    breaking: ["src/test/java/org/example/SumTest.java", "assertEquals(3", "assertEquals(4"],
  },
  { of: "make", needs: ["make"], counts: usual, breaking: ["check.sh", "in 3)", "in 4)"] },
  { of: "rspec", needs: ["rspec"], counts: usual, breaking: ["spec/add_spec.rb", "eq 3", "eq 4"] },
  { of: "minitest", needs: ["rake"], counts: usual, breaking: ["test/add_test.rb", "equal(3", "equal(4"] },
  { of: "php", needs: ["phpunit"], counts: usual, breaking: ["tests/AddTest.php", "Same(3", "Same(4"] },
  { of: "perl", needs: ["prove"], counts: { tests: counts(2) }, breaking: ["t/add.t", "1, 2), 3", "1, 2), 4"] },
];

/** Builds of several languages share the machine with whatever else runs on it. */
const WAIT_MS = 170_000;

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({}, { toolPath: EVERYTHING, tasksMax: 3, waitMs: WAIT_MS });
});
afterAll(() => expect(rig.warnings).toEqual([]));

describe.concurrent("a repository of the kind", { timeout: WAIT_MS + 10_000 }, () => {
  for (const one of sampled(CASES, 4)) {
    const missing = one.needs.find((need) => !isThere(need, one.toolPath ?? EVERYTHING));
    const name =
      missing === undefined ? one.of : `${one.of}: ${missing} is not on this machine (sh scripts/toolchains.sh)`;
    test.skipIf(missing !== undefined)(`${name} succeeds with the counts its runner gives`, async () => {
      const task = await run(one, null);
      expect({ status: task.status, counts: task.counts }).toEqual({ status: "succeeded", counts: one.counts });
    });
    test.skipIf(missing !== undefined)(`${name} with a broken test never succeeds`, async () => {
      const task = await run(one, one.breaking);
      expect(task.status).toBe("failed");
      expect(Object.values(task.counts).reduce((sum, { failed }) => sum + failed, 0)).toBeGreaterThan(0);
    });
  }
});

async function run(one: Case, breaking: Case["breaking"] | null) {
  const path = join(room(), one.of);
  cpSync(join(FIXTURES, one.of), path, { recursive: true });
  if (breaking !== null) {
    const [file, find, replace] = breaking;
    const text = readFileSync(join(path, file), "utf8");
    if (!text.includes(find)) throw new Error(`${file} of ${one.of} has no ${find}`);
    writeFileSync(join(path, file), text.replace(find, replace));
  }
  repository({}, path);
  commit(path, "all of it");
  const project = await rig.projectWith({ path, ...(one.toolPath !== undefined && { toolPath: one.toolPath }) });
  const id = await rig.queued(project, { agent: "gates", run_mode: "autonomous" });
  const task = await rig.until(id, "succeeded", "blocked", "failed");
  const told = Object.entries(task.verdicts).flatMap(([gate, { counts: found }]) =>
    found === null ? [] : [[gate, found] as const],
  );
  const status = task.status === "blocked" ? `blocked/${task.reason}` : task.status;
  if (breaking === null && status !== "succeeded") {
    const outputs = Object.values(task.verdicts).map(({ output }) => rig.text(output));
    throw new Error([await rig.told(id), ...(await Promise.all(outputs))].join("\n\n"));
  }
  return { status, counts: Object.fromEntries(told) };
}

function isThere(need: string, toolPath: readonly string[]): boolean {
  if (need.startsWith("/")) return existsSync(need);
  return toolPath.some((folder) => {
    try {
      accessSync(join(folder, need), constants.X_OK);
      return true;
    } catch {
      return false; // Not in this folder of PATH.
    }
  });
}
