import type { TestCounts } from "../../domain/test-counts.ts";

const FILES = /^Files=\d{1,9}, Tests=(\d{1,9}),/;
const RESULT = /^Result: (PASS|FAIL|NOTESTS)$/;
const SCRIPT = /^\S.* \(Wstat: \d+(?: \([^)]*\))? Tests: \d{1,9} Failed: (\d{1,9})\)$/;
const BAD_PLAN = /^ {2}(?:Parse errors: |Non-zero exit status: |Non-zero wait status: )/;

/**
 * Counts of what perl's `prove` prints at its end. Skipped tests pass there, and so they count. A script that failed although none of
 * its tests did (it died, or ran fewer than planned) is one failure. Null without that end, or when several runs printed one.
 */
export function readProve(text: string): TestCounts | null {
  let tests: number | null = null;
  let result: string | null = null;
  let failed = 0;
  let died = 0;
  let script: { failed: number; bad: boolean } | null = null;
  const close = (): void => {
    if (script?.bad === true && script.failed === 0) died += 1;
    script = null;
  };
  for (const line of text.split(/\r?\n/)) {
    const summary = SCRIPT.exec(line);
    if (summary !== null) {
      close();
      script = { failed: Number(summary[1]), bad: false };
      failed += script.failed;
    } else if (script !== null && BAD_PLAN.test(line)) script = { ...(script as { failed: number }), bad: true };
    const files = FILES.exec(line);
    if (files !== null) {
      close();
      if (tests !== null) return null;
      tests = Number(files[1]);
    }
    result = RESULT.exec(line)?.[1] ?? result;
  }
  if (tests === null || result === null) return null;
  if (result === "FAIL" && failed + died === 0) died = 1;
  return { passed: Math.max(0, tests - failed), failed: failed + died, skipped: 0, todo: 0 };
}
