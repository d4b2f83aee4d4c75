import type { GateDefinition, ReportFormat } from "../../domain/gate.ts";
import type { TestCounts } from "../../domain/test-counts.ts";
import type { Instrumented, Runners } from "../../ports/runners.ts";
import { readCargo } from "./cargo-output.ts";
import { detect } from "./detect.ts";
import { ECOSYSTEMS } from "./ecosystems/all.ts";
import { readGoJson } from "./go-json.ts";
import { joinReports } from "./join-reports.ts";
import { readJestShape, readMocha, readRspec } from "./json-reports.ts";
import { readJunit } from "./junit.ts";
import { type Machine, machineRegistries } from "./machine-registries.ts";
import { readMinitest } from "./minitest-output.ts";
import { NPM_QUIET } from "./npm-prepare.ts";
import { readProve } from "./prove-output.ts";
import { reportText } from "./report-text.ts";
import { readSummary } from "./summary-output.ts";
import { readTap } from "./tap.ts";
import type { TestRunner } from "./test-runner.ts";
import { readUnittest } from "./unittest-output.ts";

/** Detection, instrumentation and reports of test runners. */
export const runners = (machine: Machine): Runners => {
  const known = machineRegistries(machine);
  return {
    detect: async (repo, files) => {
      const found = await detect(repo, files, known.registries);
      return { ...found, notes: [...found.notes, ...known.notes(found.prepare)] };
    },
    instrument,
    join: joinReports,
    read: (format, report) => {
      const text = reportText(report);
      return text === null ? null : READERS[format](text);
    },
  };
};

const READERS = {
  tap: readTap,
  junit: readJunit,
  "vitest-json": readJestShape,
  "jest-json": readJestShape,
  "mocha-json": readMocha,
  "rspec-json": readRspec,
  "go-json": readGoJson,
  cargo: readCargo,
  unittest: readUnittest,
  minitest: readMinitest,
  prove: readProve,
  summary: readSummary,
} as const satisfies Record<ReportFormat, (text: string) => TestCounts | null>;

const RUNNERS: ReadonlyMap<string, TestRunner> = new Map(
  Object.values(ECOSYSTEMS)
    .flatMap((ecosystem): readonly TestRunner[] => ecosystem.runners)
    .map((runner) => [runner.name, runner]),
);

/** What keeps a program from reaching for a network that is closed, or from writing to a home it does not have. */
const QUIET: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  npm: NPM_QUIET,
  pnpm: { ...NPM_QUIET, npm_config_manage_package_manager_versions: "false", pnpm_config_pm_on_fail: "ignore" },
  yarn: { ...NPM_QUIET, YARN_ENABLE_TELEMETRY: "0", YARN_ENABLE_GLOBAL_CACHE: "false" },
  bun: { DO_NOT_TRACK: "1" },
  go: { GOPROXY: "off", GOTOOLCHAIN: "local", GOTELEMETRY: "off" },
  cargo: { CARGO_NET_OFFLINE: "true", CARGO_TERM_COLOR: "never" },
};

function instrument(gate: GateDefinition, reportDirectory: string): Instrumented {
  const runner = gate.runner === null ? undefined : RUNNERS.get(gate.runner);
  const quiet = QUIET[gate.argv[0] ?? ""] ?? {};
  // A runner of another name, or a report format the person named instead: its report is what it prints.
  if (runner === undefined || runner.report !== gate.report)
    return { argv: gate.argv, environment: quiet, report: { from: gate.report === "unittest" ? "stderr" : "stdout" } };
  const { place } = runner;
  const path = place.from === "file" ? `${reportDirectory.replace(/\/+$/, "")}/${place.name}` : "";
  const more = runner.arguments(path);
  // npm keeps options for itself unless a "--" stands before them.
  const separator = more.length > 0 && isNpmScript(gate.argv) && !gate.argv.includes("--") ? ["--"] : [];
  return {
    argv: [...gate.argv, ...separator, ...more],
    environment: { ...quiet, ...runner.environment(path) },
    report: place,
  };
}

const isNpmScript = ([program, command]: readonly string[]): boolean =>
  program === "npm" && ["test", "t", "tst", "run", "run-script"].includes(command ?? "");
