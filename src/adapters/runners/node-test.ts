import { inFile, type TestRunner } from "./test-runner.ts";

/**
 * node:test reports through a reporter of our own, which travels as a `data:` URL in NODE_OPTIONS, because nothing else
 * reaches the right process without touching the script: node reads no option after the first file of `node --test a.js`,
 * so `npm test -- --test-reporter=…` would be taken for a test file. Builtin reporters were tried and not taken: they
 * count a file that registered no test as a passed test, and every process opens the same file anew, so that
 * `node --test unit && node --test web` keeps the second half only and a test that itself starts `node --test` overwrites
 * the report of the suite it belongs to.
 *
 * This one writes TAP, one flat point per test, in a single append at the very end: a process that exits before the
 * runner gave its plan leaves no report rather than half of one (with --test-force-exit the runner exits after it, but
 * before the reporters end), and commands in a row add up. Suites and files are not tests. A test that was begun and
 * never ended, because its file called `process.exit` in between, has failed, as one that node cancels has: node itself
 * passes over it in silence. The first process to load the reporter says so in its environment, and its descendants
 * stay silent: what a test starts is not the suite.
 * Child processes that run one file each report to their parent and load no reporter. Node 18.15, 19.6 or later.
 *
 * The reporter below is text, not a function: it is no part of this program, and must stay small enough for a variable.
 */
const REPORTER = `
import { appendFileSync } from "node:fs";
import { resolve } from "node:path";
const inside = process.env.AGENTOS_TEST_REPORT;
process.env.AGENTOS_TEST_REPORT = "taken";
const plain = (name) => String(name).replace(/[\\\\#]/g, "\\\\$&").replace(/\\s+/g, " ");
const isFile = (data) => data.nesting === 0 && data.file !== undefined && resolve(data.name) === resolve(data.file);
const said = (value) => value !== undefined && value !== false;
export default async function* (events) {
  const points = [], begun = new Map();
  let open = inside === undefined, planned = false;
  const point = (passed, name, directive) =>
    points.push((passed ? "ok " : "not ok ") + (points.length + 1) + " - " + plain(name) + directive);
  const write = () => {
    if (!open || !planned) return;
    open = false;
    for (const [key, left] of begun) for (let n = 0; n < left; n++) point(false, JSON.parse(key)[2] + " (never ended)", "");
    appendFileSync(REPORT, ["TAP version 14", ...points, "1.." + points.length, ""].join("\\n"));
  };
  process.once("exit", write);
  for await (const { type, data } of events) {
    const key = JSON.stringify([data.file, data.nesting, data.name]);
    const passed = type === "test:pass";
    if (type === "test:plan" && data.nesting === 0) planned = true;
    if (type === "test:enqueue" && !isFile(data)) begun.set(key, (begun.get(key) ?? 0) + 1);
    if (!passed && type !== "test:fail") continue;
    begun.set(key, (begun.get(key) ?? 0) - 1);
    if (data.details?.type === "suite" || (isFile(data) && passed)) continue;
    point(passed, data.name, said(data.skip) ? " # SKIP" : said(data.todo) ? " # TODO" : "");
  }
  write();
  yield "";
}
`;

const FILE = "node-test.tap";

const reporter = (path: string): string =>
  `data:text/javascript,${encodeURIComponent(REPORTER.replace("REPORT,", () => `${JSON.stringify(path)},`).trim())}`;

/**
 * node pairs reporters with destinations in order, those of NODE_OPTIONS first, and refuses to run when their numbers
 * differ: what must be said depends on what the script says.
 */
const row = (name: string, options: (reporter: string) => readonly string[]): TestRunner => ({
  name,
  report: "tap",
  place: inFile(FILE),
  reach: "environment",
  configuration: ["node.config.json"],
  arguments: () => [],
  environment: (path) => ({ NODE_OPTIONS: options(reporter(path)).join(" ") }),
});

export const NODE_TEST = row("node:test", (own) => [
  "--test-reporter=spec --test-reporter-destination=stdout",
  `--test-reporter=${own} --test-reporter-destination=stdout`,
]);

export const NODE_TEST_WITH_REPORTER = row("node:test with a reporter of the script", (own) => [
  `--test-reporter=${own} --test-reporter-destination=stdout --test-reporter-destination=stdout`,
]);

export const NODE_TEST_WITH_DESTINATIONS = row("node:test with reporters and destinations of the script", (own) => [
  `--test-reporter=${own} --test-reporter-destination=stdout`,
]);
