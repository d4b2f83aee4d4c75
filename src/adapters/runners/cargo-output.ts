import type { TestCounts } from "../../domain/test-counts.ts";

const RUNNING = /^running (\d{1,9}) tests?$/;
const RESULT =
  /^test result: (?:ok|FAILED)\. (\d{1,9}) passed; (\d{1,9}) failed; (\d{1,9}) ignored; (\d{1,9}) measured; \d{1,9} filtered out(?:;.*)?$/;

/**
 * Counts of what `cargo test` prints: one pair of "running N tests" and "test result: …" for each binary, which have to agree: then a
 * test that prints such a line itself is not taken for the runner. A binary that began and gave no result died: one failure for it.
 * A benchmark that was measured ran and passed. Null when there is no such pair.
 */
export function readCargo(text: string): TestCounts | null {
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  let running: number | null = null;
  let seen = false;
  for (const line of text.split(/\r?\n/)) {
    const begins = RUNNING.exec(line);
    if (begins !== null) {
      if (running !== null) counts.failed += 1;
      running = Number(begins[1]);
      seen = true;
      continue;
    }
    const result = RESULT.exec(line);
    if (result === null) continue;
    const [passed = 0, failed = 0, ignored = 0, measured = 0] = result.slice(1).map(Number);
    if (running !== passed + failed + ignored + measured) return null;
    running = null;
    counts.passed += passed + measured;
    counts.failed += failed;
    counts.skipped += ignored;
  }
  if (running !== null) counts.failed += 1;
  return seen ? counts : null;
}
