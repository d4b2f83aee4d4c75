import { NODE_TEST, NODE_TEST_WITH_DESTINATIONS, NODE_TEST_WITH_REPORTER } from "./node-test.ts";
import { inFile, STDOUT, type TestRunner } from "./test-runner.ts";

const SCRIPTS = ["js", "mjs", "cjs", "ts", "mts", "cts"] as const;
const named = (stem: string, endings: readonly string[]): string[] => endings.map((ending) => `${stem}.${ending}`);
const nothing = () => ({});

/**
 * vitest: the JSON reporter beside the readable one; complete, because the main process writes it after all workers
 * ended; a `process.exit` in a test is a failed test. JSON and not JUnit, where todo and skipped look the same.
 */
const VITEST: TestRunner = {
  name: "vitest",
  report: "vitest-json",
  place: inFile("vitest.json"),
  reach: "arguments",
  configuration: [
    ...named("vitest.config", SCRIPTS),
    ...named("vite.config", SCRIPTS),
    ...named("vitest.workspace", [...SCRIPTS, "json"]),
  ],
  arguments: (path) => ["--reporter=default", "--reporter=json", `--outputFile.json=${path}`],
  environment: nothing,
};

/** jest: written by the main process at the end; the readable output stays on standard error. */
const JEST: TestRunner = {
  name: "jest",
  report: "jest-json",
  place: inFile("jest.json"),
  reach: "arguments",
  configuration: [...named("jest.config", [...SCRIPTS, "json"]), "package.json#/jest"],
  arguments: (path) => ["--json", `--outputFile=${path}`],
  environment: nothing,
};

/**
 * mocha has one reporter at a time: with the JSON one its standard output stays empty, and the failures are in the
 * report. Tests run in the reporting process, so a `process.exit` in one leaves no report. Needs mocha 9.2 or later.
 */
const MOCHA: TestRunner = {
  name: "mocha",
  report: "mocha-json",
  place: inFile("mocha.json"),
  reach: "arguments",
  configuration: [
    ...named(".mocharc", ["js", "cjs", "mjs", "yaml", "yml", "json", "jsonc"]),
    "package.json#/mocha",
    "test/mocha.opts",
  ],
  arguments: (path) => ["--reporter=json", `--reporter-option=output=${path}`],
  environment: nothing,
};

/** node-tap: the raw TAP goes to a file, the readable output stays. */
const TAP: TestRunner = {
  name: "tap",
  report: "tap",
  place: inFile("tap.tap"),
  reach: "arguments",
  configuration: [".taprc", "package.json#/tap"],
  arguments: (path) => [`--output-file=${path}`],
  environment: nothing,
};

/** ava: TAP on standard output, written by the main process; tests run in workers and their output is kept apart. */
const AVA: TestRunner = {
  name: "ava",
  report: "tap",
  place: STDOUT,
  reach: "arguments",
  configuration: [...named("ava.config", ["js", "cjs", "mjs"]), "package.json#/ava"],
  arguments: () => ["--tap"],
  environment: nothing,
};

/** tape: TAP on standard output from the very process the tests run in; whatever a test prints can pose as a result. */
export const TAPE: TestRunner = {
  name: "tape",
  report: "tap",
  place: STDOUT,
  reach: "stdout",
  configuration: [],
  arguments: () => [],
  environment: nothing,
};

/** bun: JUnit from its main process, beside the readable output. */
export const BUN_TEST: TestRunner = {
  name: "bun test",
  report: "junit",
  place: inFile("bun.xml"),
  reach: "arguments",
  configuration: ["bunfig.toml"],
  arguments: (path) => ["--reporter=junit", `--reporter-outfile=${path}`],
  environment: nothing,
};
export const BUN = { runner: BUN_TEST, taken: /^--reporter(?:-outfile)?\b/ };

export const SCRIPT_RUNNERS = [
  NODE_TEST,
  NODE_TEST_WITH_REPORTER,
  NODE_TEST_WITH_DESTINATIONS,
  VITEST,
  JEST,
  MOCHA,
  TAP,
  AVA,
  TAPE,
  BUN_TEST,
] as const;

/** Runners by the program that starts them, with the options a script may not use already: given twice they are refused. */
export const PROGRAMS: ReadonlyMap<string, { readonly runner: TestRunner; readonly taken: RegExp | null }> = new Map([
  ["vitest", { runner: VITEST, taken: /^--outputFile/i }],
  ["jest", { runner: JEST, taken: /^--(?:json|outputFile)/ }],
  ["mocha", { runner: MOCHA, taken: null }],
  ["_mocha", { runner: MOCHA, taken: null }],
  ["tap", { runner: TAP, taken: /^(?:--output-file|-o)/ }],
  ["ava", { runner: AVA, taken: /^(?:--tap|-t$)/ }],
  ["tape", { runner: TAPE, taken: null }],
]);
