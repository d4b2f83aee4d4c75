import { z } from "zod";
import type { TestCounts } from "../../domain/test-counts.ts";

const Count = z.int().min(0);

/** vitest writes jest's shape; both are read by the same rules. */
const JestReport = z.object({
  numTotalTests: Count,
  numPassedTests: Count,
  numFailedTests: Count,
  numPendingTests: Count,
  numTodoTests: Count,
  /** Of jest only: it was stopped before the end. */
  wasInterrupted: z.boolean().optional(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) })),
});

const MochaReport = z.object({
  stats: z.object({ tests: Count, passes: Count, pending: Count, failures: Count }),
  passes: z.array(z.unknown()),
  failures: z.array(z.unknown()),
  pending: z.array(z.unknown()),
});

const RspecReport = z.object({
  examples: z.array(z.object({ status: z.string() })),
  summary: z.object({
    example_count: Count,
    failure_count: Count,
    pending_count: Count,
    errors_outside_of_examples_count: Count.default(0),
  }),
});

/** Counts of `rspec --format json`. An error outside of examples (a file that does not load) is one failure. Null when the totals disagree. */
export function readRspec(text: string): TestCounts | null {
  const report = parse(RspecReport, text);
  if (report === null) return null;
  const of = (status: string): number => report.examples.filter((one) => one.status === status).length;
  const { summary } = report;
  const agree =
    summary.example_count === report.examples.length &&
    summary.failure_count === of("failed") &&
    summary.pending_count === of("pending");
  if (!agree) return null;
  return {
    passed: of("passed"),
    failed: of("failed") + summary.errors_outside_of_examples_count,
    skipped: of("pending"),
    todo: 0,
  };
}

/**
 * Counts of a report of `vitest --reporter=json` or `jest --json`. A file that failed before it had any result (it does
 * not parse, it threw while loading, it has no test) is one failure: the runners count it among suites only. Null when
 * it is no such report, or its totals disagree with the results it lists.
 */
export function readJestShape(text: string): TestCounts | null {
  const report = parse(JestReport, text);
  if (report === null || report.wasInterrupted === true) return null;
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  for (const { assertionResults } of report.testResults)
    for (const { status } of assertionResults) {
      const outcome = OUTCOMES.get(status);
      if (outcome === undefined) return null;
      counts[outcome] += 1;
    }
  const agree =
    counts.passed === report.numPassedTests &&
    counts.failed === report.numFailedTests &&
    counts.todo === report.numTodoTests &&
    counts.passed + counts.failed + counts.skipped + counts.todo === report.numTotalTests;
  if (!agree) return null;
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.every(({ status }) => status !== "failed"),
  );
  return { ...counts, failed: counts.failed + broken.length };
}

const OUTCOMES = new Map<string, keyof TestCounts>([
  ["passed", "passed"],
  ["failed", "failed"],
  ["skipped", "skipped"],
  ["pending", "skipped"],
  ["disabled", "skipped"],
  ["todo", "todo"],
]);

/**
 * Counts of a report of `mocha --reporter json`. A failing hook is among the failures. mocha calls both a skipped test
 * and one without a body pending: both count as skipped.
 */
export function readMocha(text: string): TestCounts | null {
  const report = parse(MochaReport, text);
  if (report === null) return null;
  const { stats } = report;
  const agree =
    report.passes.length === stats.passes &&
    report.failures.length === stats.failures &&
    report.pending.length === stats.pending;
  return agree ? { passed: stats.passes, failed: stats.failures, skipped: stats.pending, todo: 0 } : null;
}

/** npm's lines before the output of a script: "> name@version script" and "> command". */
const NPM_PREAMBLE = /^\s*(?:> [^\n]*\n\s*)+(?=\{)/;

/** Real reports nest some ten levels; a parser's memory is not spent on more than this. */
const DEPTH_MAX = 200;

function parse<T>(schema: z.ZodType<T>, text: string): T | null {
  if (!nestsAtMost(DEPTH_MAX, text)) return null;
  let value: unknown;
  try {
    value = JSON.parse(text.replace(NPM_PREAMBLE, ""));
  } catch {
    return null; // Not JSON, or cut off: no report.
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : null;
}

function nestsAtMost(most: number, text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === "\\") at++;
    } else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    if (depth > most) return false;
  }
  return true;
}
