/**
 * The whole bar, suite by suite, up to the first red one:  npm run verify
 * Only some test files, without the rest of the bar:       npm run verify -- test/contract/sandbox.test.ts …
 * The last line is `N passed, N failed`, with `, N skipped` where tests were. Exit code 0 only when nothing failed. With
 * CI=true a skipped test is a failure.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SUITES, type Suite } from "./suites.ts";
import { NOTHING, ONE_FAILURE, readReport, skipsAsFailures, sum, type Tally, tallyLine } from "./tally.ts";

interface Outcome {
  readonly tally: Tally;
  readonly seconds: number;
  readonly red: boolean;
}

const root = join(import.meta.dirname, "..");
const skipsFail = process.env["CI"] === "true";
const only = process.argv.slice(2);
const reports = await mkdtemp(join(tmpdir(), "agentos-verify-"));
try {
  process.exitCode = (await verify(only.length === 0 ? SUITES : only)) ? 0 : 1;
} finally {
  await rm(reports, { recursive: true, force: true });
}

async function verify(parts: readonly (Suite | string)[]): Promise<boolean> {
  const lines: string[] = [];
  let total = NOTHING;
  let redPart: string | undefined;
  for (const part of parts) {
    const name = typeof part === "string" ? part : part.name;
    console.log(`\n── ${name}`);
    const outcome = await run(part, name);
    total = sum(total, outcome.tally);
    const { passed, failed } = outcome.tally;
    const counts = typeof part !== "string" && !part.reportsTests ? "" : `, ${passed} passed, ${failed} failed`;
    lines.push(`${outcome.red ? "red  " : "green"}  ${name}  ${outcome.seconds.toFixed(1)} s${counts}`);
    if (typeof part !== "string" && outcome.seconds > part.budgetMinutes * 60)
      lines.push(`       warning: ${name} may take ${part.budgetMinutes * 60} s (docs/testing.md)`);
    if (outcome.red) {
      redPart = name;
      break;
    }
  }

  console.log(`\n── result\n${lines.join("\n")}`);
  for (const test of total.skipped) console.log(`skipped${skipsFail ? " (a failure, because CI=true)" : ""}: ${test}`);
  if (redPart !== undefined) console.log(`stopped at: ${redPart}`);
  const counted = skipsFail ? skipsAsFailures(total) : total;
  console.log(tallyLine(counted));
  return redPart === undefined && counted.failed === 0;
}

async function run(part: Suite | string, name: string): Promise<Outcome> {
  const began = performance.now();
  const report = join(reports, `${name.replaceAll(/[^a-z0-9]/gi, "-").slice(0, 80)}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const reportsTests = typeof part === "string" || part.reportsTests;
  const exitCode =
    typeof part === "string"
      ? await execute(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", ...reporters, part])
      : await execute("npm", ["run", "--silent", part.script, ...(reportsTests ? ["--", ...reporters] : [])]);

  let tally = exitCode === 0 ? NOTHING : ONE_FAILURE;
  if (reportsTests) tally = readReport(await parsed(report), exitCode, root);
  // A suite that ran nothing has proven nothing.
  if (reportsTests && tally.passed + tally.failed === 0) tally = sum(tally, ONE_FAILURE);
  return { tally, seconds: (performance.now() - began) / 1000, red: exitCode !== 0 || tally.failed > 0 };
}

/** Runs it with our own output and no stdin; the exit code, or 1 when a signal ended it or it did not start. */
async function execute(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve) => {
    child.once("exit", (code) => resolve(code ?? 1));
    child.once("error", (error) => {
      console.error(error.message);
      resolve(1);
    });
  });
}

/** The report, or null when a run died before it wrote one: then its exit code tells. */
async function parsed(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch(() => "null");
  return JSON.parse(text);
}
