import type { TestCounts } from "../../domain/test-counts.ts";

/** The very end of what unittest writes; whatever a test printed stands before it. */
const END = /(?:^|\n)-{70}\nRan (\d{1,9}) tests? in [\d.]+s\n\n(OK|FAILED|NO TESTS RAN)(?: \(([^)\n]*)\))?\s*$/;

/**
 * Counts of the last lines of `python -m unittest` (on standard error). An error counts as a failure, as does an unexpected success;
 * an expected failure is a todo that ran. Null without those lines.
 */
export function readUnittest(text: string): TestCounts | null {
  const end = END.exec(text.replaceAll("\r\n", "\n"));
  if (end === null) return null;
  const named = new Map<string, number>();
  for (const part of (end[3] ?? "").split(", ")) {
    const [name = "", value = "0"] = part.split("=");
    named.set(name, Number(value));
  }
  const of = (name: string): number => named.get(name) ?? 0;
  const failed = of("failures") + of("errors") + of("unexpected successes");
  const [skipped, todo] = [of("skipped"), of("expected failures")];
  // A class or module that could not be set up is an error of no test: then there are more outcomes than tests.
  return { passed: Math.max(0, Number(end[1]) - failed - skipped - todo), failed, skipped, todo };
}
