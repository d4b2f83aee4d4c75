/** Outcomes of one run of a suite. Tests that never ran count in `skipped` or `todo` only. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly todo: number;
}

export const executed = (counts: TestCounts): number => counts.passed + counts.failed;
