import { relative } from "node:path";

/** Counts of tests, by what became of them, with the names of those that did not run. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[];
}

export const NOTHING: Tally = { passed: 0, failed: 0, skipped: [] };
export const ONE_FAILURE: Tally = { passed: 0, failed: 1, skipped: [] };

export const sum = (one: Tally, other: Tally): Tally => ({
  passed: one.passed + other.passed,
  failed: one.failed + other.failed,
  skipped: [...one.skipped, ...other.skipped],
});

/** The last line of a run; `.ci/run` and people's scripts read it. */
export const tallyLine = ({ passed, failed, skipped }: Tally): string =>
  `${passed} passed, ${failed} failed${skipped.length === 0 ? "" : `, ${skipped.length} skipped`}`;

/** Where nothing may be left out, a test that did not run counts as failed. */
export const skipsAsFailures = (tally: Tally): Tally => ({
  passed: tally.passed,
  failed: tally.failed + tally.skipped.length,
  skipped: [],
});

/**
 * Counts a Vitest JSON report. A file that could not be loaded has no tests of its own and counts as one failure, and so
 * does a run that ended badly although each test passed (an unhandled rejection, say).
 * @param report parsed JSON, or null when the run left none
 * @param root absolute; skipped tests are named with their file's path below it
 */
export function readReport(report: unknown, exitCode: number, root: string): Tally {
  const files = isReport(report) ? report.testResults : [];
  const tests = files.flatMap((file) => file.assertionResults);
  const brokenFiles = files.filter((file) => file.status === "failed" && !file.assertionResults.some(isFailed)).length;
  const passed = tests.filter((test) => test.status === "passed").length;
  const failed = tests.filter(isFailed).length + brokenFiles;
  const skipped = files.flatMap((file) =>
    file.assertionResults
      .filter((test) => test.status !== "passed" && !isFailed(test))
      .map((test) => `${relative(root, file.name)}: ${test.fullName}`),
  );
  return { passed, failed: failed === 0 && exitCode !== 0 ? 1 : failed, skipped };
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const isFailed = (test: { readonly status: string }): boolean => test.status === "failed";

const isReport = (value: unknown): value is Report =>
  typeof value === "object" && value !== null && "testResults" in value && Array.isArray(value.testResults);
