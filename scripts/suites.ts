/**
 * What `npm run verify` runs, in this order: cheap and telling first. `docs/testing.md` shows the same table, and
 * test/architecture.test.ts compares the two.
 */
export interface Suite {
  readonly name: string;
  /** Script of package.json that runs it. */
  readonly script: string;
  /** Whether it is a Vitest project, which reports its tests one by one. */
  readonly reportsTests: boolean;
  /** What it may take on two cores. More is a warning, not a failure: slow machines exist. */
  readonly budgetMinutes: number;
}

export const SUITES: readonly Suite[] = [
  { name: "format", script: "format:check", reportsTests: false, budgetMinutes: 0.2 },
  { name: "lint", script: "lint", reportsTests: false, budgetMinutes: 0.2 },
  { name: "types", script: "types", reportsTests: false, budgetMinutes: 0.4 },
  { name: "unit", script: "test:unit", reportsTests: true, budgetMinutes: 0.9 },
  { name: "integration", script: "test:integration", reportsTests: true, budgetMinutes: 5.7 },
  { name: "crash", script: "test:crash", reportsTests: true, budgetMinutes: 6.0 },
  { name: "e2e", script: "test:e2e", reportsTests: true, budgetMinutes: 1.5 },
];
