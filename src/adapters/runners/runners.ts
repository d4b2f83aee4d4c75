import type { GateDefinition, ReportFormat } from "../../domain/gate.ts";
import type { TestCounts } from "../../domain/test-counts.ts";
import type { Instrumented, Runners } from "../../ports/runners.ts";
import { readJestShape, readMocha } from "./json-reports.ts";
import { readJunit } from "./junit.ts";
import { RUNNERS } from "./known-runners.ts";
import { detectNpm } from "./npm.ts";
import { DEFAULT_REGISTRY, NPM_QUIET } from "./npm-prepare.ts";
import { reportText } from "./report-text.ts";
import { readTap } from "./tap.ts";

/**
 * Detection, instrumentation and reports of test runners. `registry` is the URL that the machine's own npm is set to
 * (`npm config get registry`).
 */
export const runners = (machine: { readonly registry: string }): Runners => {
  const registry = normalised(machine.registry);
  return {
    detect: (repo, files) => detectNpm(repo, files, registry),
    instrument,
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
} as const satisfies Record<ReportFormat, (text: string) => TestCounts | null>;

function instrument(gate: GateDefinition, reportDirectory: string): Instrumented {
  const runner = gate.runner === null ? undefined : RUNNERS.get(gate.runner);
  const quiet = gate.argv[0] === "npm" ? NPM_QUIET : {};
  // A runner of another name, or a report format the person named instead: its report is what it prints.
  if (runner === undefined || runner.report !== gate.report)
    return { argv: gate.argv, environment: quiet, reportFile: null };
  const path = runner.reportFile === null ? "" : `${reportDirectory.replace(/\/+$/, "")}/${runner.reportFile}`;
  const more = runner.arguments(path);
  // npm keeps options for itself unless a "--" stands before them.
  const separator = more.length > 0 && isNpmScript(gate.argv) && !gate.argv.includes("--") ? ["--"] : [];
  return {
    argv: [...gate.argv, ...separator, ...more],
    environment: { ...quiet, ...runner.environment(path) },
    reportFile: runner.reportFile,
  };
}

const isNpmScript = ([program, command]: readonly string[]): boolean =>
  program === "npm" && ["test", "t", "tst", "run", "run-script"].includes(command ?? "");

/** npm takes a registry with and without the slash at its end; a setting that is no URL counts as the default. */
function normalised(registry: string): string {
  const url = URL.canParse(registry) ? new URL(registry).href : DEFAULT_REGISTRY;
  return url.endsWith("/") ? url : `${url}/`;
}
