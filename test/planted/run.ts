/**
 * `npm run test:planted [-- NUMBER…]`: puts each defect of defects.ts, alone, into a copy of the checkout and runs the tests that are said to
 * catch it there. Every one of these runs has to be red, and the same tests without a defect green. Prints a table in Markdown on stdout and
 * its progress on stderr. Exit code 1 when a defect was not caught or does not apply.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { PLANTED, type PlantedDefect } from "./defects.ts";

const root = resolve(import.meta.dirname, "../..");
const RUN_MS_MAX = 5 * 60_000;

interface Result {
  readonly defect: PlantedDefect;
  readonly red: boolean;
  readonly firstFailure: string;
}

function main(): void {
  const wanted = process.argv.slice(2).map(Number);
  const defects = PLANTED.filter(({ number }) => wanted.length === 0 || wanted.includes(number));
  const copy = copyOfCheckout();
  try {
    const green = controlIsGreen(copy, defects);
    const results = defects.map((defect) => planted(copy, defect));
    report(results);
    if (!green || results.length === 0 || results.some(({ red }) => !red)) process.exitCode = 1;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** What git tracks, as it lies here, with the dependencies linked. */
function copyOfCheckout(): string {
  const copy = mkdtempSync(join(tmpdir(), "agentos-planted-"));
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 ** 2,
  });
  for (const file of files.split("\0").filter((name) => name !== "")) {
    mkdirSync(join(copy, dirname(file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  cpSync(join(root, "web/dist"), join(copy, "web/dist"), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  return copy;
}

/** The tests named by the defects pass without one; else their red would prove nothing. */
function controlIsGreen(copy: string, defects: readonly PlantedDefect[]): boolean {
  let green = true;
  for (const project of ["unit", "integration"] as const) {
    const files = new Set(defects.flatMap(({ caughtBy }) => (caughtBy.project === project ? caughtBy.files : [])));
    if (files.size === 0) continue;
    const { red, firstFailure } = run(copy, project, [...files]);
    process.stderr.write(`no defect, ${project}: ${red || firstFailure !== "" ? `RED: ${firstFailure}` : "green"}\n`);
    if (red || firstFailure !== "") green = false;
  }
  return green;
}

function planted(copy: string, defect: PlantedDefect): Result {
  const file = join(copy, defect.file);
  const before = readFileSync(file, "utf8");
  if (before.split(defect.from).length !== 2)
    throw new Error(`defect ${defect.number}: its text does not stand exactly once in ${defect.file}`);
  writeFileSync(
    file,
    before.replace(defect.from, () => defect.to),
  );
  try {
    const { red, firstFailure } = run(copy, defect.caughtBy.project, defect.caughtBy.files);
    process.stderr.write(`${defect.number}: ${red ? `caught by: ${firstFailure}` : `NOT CAUGHT ${firstFailure}`}\n`);
    return { defect, red, firstFailure };
  } finally {
    writeFileSync(file, before);
  }
}

function run(
  copy: string,
  project: string,
  files: readonly string[],
): { readonly red: boolean; readonly firstFailure: string } {
  const reportFile = join(copy, "planted-report.json");
  rmSync(reportFile, { force: true });
  const { status } = spawnSync(
    process.execPath,
    [
      join(copy, "node_modules/vitest/vitest.mjs"),
      "run",
      "--project",
      project,
      "--bail",
      "1",
      "--reporter=json",
      `--outputFile.json=${reportFile}`,
      ...files,
    ],
    { cwd: copy, encoding: "utf8", timeout: RUN_MS_MAX, maxBuffer: 256 * 1024 ** 2 },
  );
  return status === 0 ? { red: false, firstFailure: "" } : failureIn(reportFile);
}

/** Only a test that failed by name counts: a run that cannot be loaded or has no report has caught nothing. */
function failureIn(reportFile: string): { readonly red: boolean; readonly firstFailure: string } {
  if (!existsSync(reportFile)) return { red: false, firstFailure: "the run ended without a report" };
  const { testResults } = JSON.parse(readFileSync(reportFile, "utf8")) as {
    readonly testResults: readonly {
      readonly name: string;
      readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
    }[];
  };
  for (const { assertionResults } of testResults) {
    const failed = assertionResults.find(({ status }) => status === "failed");
    if (failed !== undefined) return { red: true, firstFailure: failed.fullName };
  }
  return { red: false, firstFailure: "the run is red, but no single test failed" };
}

function report(results: readonly Result[]): void {
  const rows = results.map(
    ({ defect, red, firstFailure }) =>
      `| ${defect.number} | ${defect.file} | ${red ? firstFailure : "**not caught**"} |`,
  );
  process.stdout.write(`| defect | in | caught by |\n| --- | --- | --- |\n${rows.join("\n")}\n`);
}

main();
