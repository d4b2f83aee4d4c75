import type { TestCounts } from "../../domain/test-counts.ts";

const MINITEST =
  /^(\d{1,9}) (?:runs|tests), \d{1,9} assertions, (\d{1,9}) failures, (\d{1,9}) errors, (\d{1,9}) skips$/;
const TEST_UNIT =
  /^(\d{1,9}) tests, \d{1,9} assertions, (\d{1,9}) failures, (\d{1,9}) errors, (\d{1,9}) pendings, (\d{1,9}) omissions, \d{1,9} notifications$/;

/** Counts of the closing lines of minitest and test-unit, of every run in the output. Null when there is none. */
export function readMinitest(text: string): TestCounts | null {
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  let seen = false;
  for (const line of text.split(/\r?\n/)) {
    const found = MINITEST.exec(line.trim()) ?? TEST_UNIT.exec(line.trim());
    if (found === null) continue;
    seen = true;
    const [runs = 0, failures = 0, errors = 0, skips = 0, omissions = 0] = found.slice(1).map(Number);
    counts.failed += failures + errors;
    counts.skipped += skips + omissions;
    counts.passed += Math.max(0, runs - failures - errors - skips - omissions);
  }
  return seen ? counts : null;
}
