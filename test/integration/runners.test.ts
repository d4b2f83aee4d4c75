import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runners } from "../../src/adapters/runners/runners.ts";
import type { TestCounts } from "../../src/domain/test-counts.ts";
import type { RepoFiles } from "../../src/ports/runners.ts";
import { sampled } from "../support/sample.ts";

const FIXTURES = fileURLToPath(new URL("../fixtures/runners", import.meta.url));
const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const { detect, instrument, read } = runners({ registry: "https://registry.npmjs.org/" });

/** The machine's own PATH: npm puts this project's programs, and so its Node, in front of it. */
const SYSTEM_PATH = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !/[/\\]node_modules[/\\]/.test(folder));
const OWN_PATH = [dirname(process.execPath), ...SYSTEM_PATH];
const NODES = [
  {
    node: "the system's node",
    path: SYSTEM_PATH.some((folder) => existsSync(join(folder, "node"))) ? SYSTEM_PATH : OWN_PATH,
  },
  { node: "this project's node", path: OWN_PATH },
];

const counts = (passed: number, failed = 0, skipped = 0, todo = 0): TestCounts => ({ passed, failed, skipped, todo });

let checkout: string;
let reports: string;
beforeEach(() => {
  checkout = realpathSync(mkdtempSync(join(tmpdir(), "runners checkout ")));
  reports = realpathSync(mkdtempSync(join(tmpdir(), 'runners "reports" 100% ')));
});
afterEach(() => {
  for (const folder of [checkout, reports]) rmSync(folder, { recursive: true, force: true });
});

describe.each(NODES)("node:test under $node", ({ path }) => {
  const cases = [
    { script: "node --test", files: ["passing"], exit: 0, is: counts(4), posing: 0 },
    { script: "node --test", files: ["failing"], exit: 1, is: counts(1, 3), posing: 0 },
    { script: "node --test", files: ["marked"], exit: 0, is: counts(0, 0, 1, 2), posing: 0 },
    { script: "node --test", files: ["skipped"], exit: 0, is: counts(0, 0, 1), posing: 0 },
    { script: "node --test", files: ["zero"], exit: 0, is: counts(0), posing: 1 },
    { script: "node --test", files: ["exiting"], exit: 0, is: counts(0), posing: 1 },
    { script: "node --test", files: ["crashing"], exit: 1, is: counts(0, 1), posing: 0 },
    {
      script: "node --test",
      files: ["passing", "failing", "marked", "zero", "exiting", "crashing"],
      exit: 1,
      is: counts(5, 4, 1, 2),
      posing: 2,
    },
    { script: "node --test starting.test.js", files: ["starting", "failing"], exit: 0, is: counts(1), posing: 0 },
    { script: "node --test --test-reporter=spec", files: ["passing"], exit: 0, is: counts(4), posing: 0 },
    {
      script: "node --test --test-reporter=spec --test-reporter-destination=stdout",
      files: ["passing"],
      exit: 0,
      is: counts(4),
      posing: 0,
    },
    { script: "node --test --test-force-exit", files: ["passing", "failing"], exit: 1, is: counts(5, 3), posing: 0 },
    { script: "node passing.test.js", files: ["passing"], exit: 0, is: counts(4), posing: 0 },
    { script: "NODE_ENV=test node marked.test.js", files: ["marked"], exit: 0, is: counts(0, 0, 1, 2), posing: 0 },
  ];
  test.each(sampled(cases, 7))(
    "$script on $files counts what its own summary says",
    async ({ script, files, exit, is, posing }) => {
      const run = await runGate({ test: script }, "node-test", files, path);
      expect({ exit: run.exit, counts: run.counts }).toEqual({ exit, counts: is });
      expect(summaryOf(run.stdout)).toEqual({ ...is, passed: is.passed + posing });
    },
  );

  test("commands in a row add up, also behind npm run and before a test", async () => {
    const scripts = {
      pretest: "node --test passing.test.js",
      test: "npm run a && npm run b",
      a: "node --test skipped.test.js",
      b: "node passing.test.js",
    };
    const run = await runGate(scripts, "node-test", ["passing", "skipped"], path);
    expect({ exit: run.exit, counts: run.counts }).toEqual({ exit: 0, counts: counts(8, 0, 1) });
  });

  test("a file that exits before its tests leaves no report", async () => {
    const run = await runGate({ test: "node exiting.test.js" }, "node-test", ["exiting"], path);
    expect({ exit: run.exit, counts: run.counts }).toEqual({ exit: 0, counts: null });
  });

  test.each([
    { script: "node --test --test-name-pattern=adds", passed: 1 },
    { script: "node --test --test-only", passed: 0 },
  ])("$script counts no test it left out as passed or failed", async ({ script, passed }) => {
    const run = await runGate({ test: script }, "node-test", ["passing", "failing"], path);
    expect(run.exit).toBe(0);
    expect(run.counts).toMatchObject({ passed, failed: 0 });
  });

  test("a file that exits between its tests has failed those it kept from ending", async () => {
    const run = await runGate({ test: "node --test" }, "node-test", ["halfway", "passing"], path);
    expect({ exit: run.exit, counts: run.counts }).toEqual({ exit: 0, counts: counts(5, 3) });
  });

  test("a run that exits between its tests leaves no report", async () => {
    const run = await runGate({ test: "node halfway.test.js" }, "node-test", ["halfway"], path);
    expect({ exit: run.exit, counts: run.counts }).toEqual({ exit: 0, counts: null });
  });

  test("a script without any test file has run no test", async () => {
    const run = await runGate({ test: "node --test nowhere/" }, "node-test", [], path);
    expect(run.counts?.passed ?? 0).toBe(0);
  });
});

describe("vitest", () => {
  test.each([
    { scripts: { test: "vitest run" }, files: ["passing"], exit: 0, is: counts(1) },
    {
      scripts: { test: "npm run unit", unit: "vitest run" },
      files: ["mixed", "crashing"],
      exit: 1,
      is: counts(1, 2, 1, 1),
    },
    { scripts: { test: "npm run unit --", unit: "vitest run" }, files: ["exiting"], exit: 1, is: counts(0, 1) },
    { scripts: { test: "vitest run --passWithNoTests" }, files: [], exit: 0, is: counts(0) },
  ])("$scripts.test on $files", async ({ scripts, files, exit, is }) => {
    symlinkSync(join(PROJECT, "node_modules"), join(checkout, "node_modules"));
    const run = await runGate(scripts, "vitest", files, OWN_PATH);
    expect({ exit: run.exit, counts: run.counts }).toEqual({ exit, counts: is });
    expect(run.stdout).toContain("vitest run");
  });
});

async function runGate(
  scripts: Readonly<Record<string, string>>,
  fixture: string,
  files: readonly string[],
  path: readonly string[],
) {
  writeFileSync(join(checkout, "package.json"), JSON.stringify({ name: "fixture", version: "1.0.0", scripts }));
  for (const file of files) cpSync(join(FIXTURES, fixture, `${file}.test.js`), join(checkout, `${file}.test.js`));
  const detected = await detect("fixture", onDisk(checkout));
  const gate = detected.gates.find(({ id }) => id === "tests");
  if (gate === undefined || gate.report === null)
    throw new Error(`no gate with a report was detected: ${detected.notes.join("; ")}`);

  const { argv, environment, report: place } = instrument(gate, reports);
  const [program = "", ...rest] = argv;
  const ran = spawnSync(program, rest, {
    cwd: checkout,
    env: { PATH: path.join(delimiter), HOME: reports, ...environment },
    encoding: "utf8",
  });
  const report =
    place.from !== "file"
      ? Buffer.from(ran.stdout)
      : existsSync(join(reports, place.name))
        ? readFileSync(join(reports, place.name))
        : null;
  return { exit: ran.status, stdout: ran.stdout, counts: report === null ? null : read(gate.report, report) };
}

/** What node's readable reporter says at the end of a run. */
function summaryOf(stdout: string): TestCounts {
  const said = (name: string) => Number(new RegExp(`^\\S+ ${name} (\\d+)$`, "m").exec(stdout)?.[1] ?? Number.NaN);
  return {
    passed: said("pass"),
    failed: said("fail") + said("cancelled"),
    skipped: said("skipped"),
    todo: said("todo"),
  };
}

const onDisk = (root: string): RepoFiles => ({
  text: async (path) => (existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : null),
  paths: async () => readdirSync(root),
});
