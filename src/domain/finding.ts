/*
 * What is found about a candidate beside the verdicts of its gates: facts that make a pass worth less than it looks. Each kind has one row,
 * which says what becomes of it; the spec may allow some of them before the work begins.
 */

/** What a spec may let the work change, beside the product. */
export const MAY_CHANGE = [
  "tests",
  "fewer-tests",
  "snapshots",
  "config",
  "dependencies",
  "ci",
  "hooks",
  "attributes",
  "secrets",
] as const;
export type MayChange = (typeof MAY_CHANGE)[number];

/**
 * `blocks`: the candidate is never done, whoever says so. `asks`: it is done only once a person said yes to exactly this candidate; where
 * nobody is asked, it is not done. `shown`: it is said, and stands in nobody's way.
 */
export type FindingPolicy = "blocks" | "asks" | "shown";

interface Row {
  readonly policy: FindingPolicy;
  /** With this in the spec it is only shown. */
  readonly unless: MayChange | null;
  /** Ends a sentence that begins with what it is about. */
  readonly means: string;
}

export const FINDINGS = {
  secret: { policy: "blocks", unless: "secrets", means: "holds a key or a password" },
  runner_shadowed: { policy: "blocks", unless: null, means: "would be run or loaded instead of the test runner's own" },
  cache_planted: {
    policy: "blocks",
    unless: null,
    means: "is the result of a run, which a fresh checkout has not had",
  },
  earlier_tests_fail: {
    policy: "asks",
    unless: "tests",
    means: "passes with the tests as they are now, not with the tests as they were",
  },
  tests_removed: { policy: "asks", unless: "tests", means: "is no longer there" },
  inline_tests_changed: { policy: "asks", unless: "tests", means: "is a test inside a source file, and changed" },
  tests_skipped: { policy: "asks", unless: "tests", means: "is passed over" },
  assertions_removed: { policy: "asks", unless: "tests", means: "checks less than before" },
  fewer_tests: { policy: "asks", unless: "fewer-tests", means: "ran fewer tests than on the base" },
  snapshots_changed: { policy: "asks", unless: "snapshots", means: "is an expected result that was there before" },
  runner_configured: { policy: "asks", unless: "config", means: "decides how tests are built, found or run" },
  runner_addressed: {
    policy: "asks",
    unless: "config",
    means: "speaks to the test runner, or knows that it is tested",
  },
  dependencies_changed: { policy: "asks", unless: "dependencies", means: "decides which packages are installed" },
  ci_changed: { policy: "asks", unless: "ci", means: "decides what others run as proof" },
  hooks_changed: { policy: "asks", unless: "hooks", means: "is run by git on other people's machines" },
  attributes_changed: { policy: "asks", unless: "attributes", means: "decides how git checks files out" },
  too_large: { policy: "asks", unless: null, means: "is too large to be looked through" },
  criterion_unproven: { policy: "asks", unless: null, means: "is an acceptance criterion that nothing proves" },
  tests_changed: { policy: "shown", unless: null, means: "is a test that was there before, and changed" },
} as const satisfies Record<string, Row>;

export type FindingKind = keyof typeof FINDINGS;

/** One of them. `about` names a path, a gate, a test or a criterion; `detail` is what was seen there, null where the row says it all. */
export interface Finding {
  readonly kind: FindingKind;
  readonly repo: string | null;
  readonly about: string;
  readonly detail: string | null;
}

/** As it is recorded: with what becomes of it under the spec it was found under. */
export interface JudgedFinding extends Finding {
  readonly policy: FindingPolicy;
}

/** What becomes of it under a spec that lets these change. */
export function policyOf({ kind }: Pick<Finding, "kind">, mayChange: readonly MayChange[]): FindingPolicy {
  const { policy, unless }: Row = FINDINGS[kind];
  return unless !== null && mayChange.includes(unless) ? "shown" : policy;
}

const GRAVITY = { blocks: 0, asks: 1, shown: 2 } as const satisfies Record<FindingPolicy, number>;

/** The gravest first, each once. */
export function judgedFindings(
  findings: readonly Finding[],
  mayChange: readonly MayChange[],
): readonly JudgedFinding[] {
  const texts = new Set<string>();
  return findings
    .map((one) => ({ ...one, policy: policyOf(one, mayChange) }))
    .filter((one) => !texts.has(findingText(one)) && texts.add(findingText(one)))
    .sort((a, b) => GRAVITY[a.policy] - GRAVITY[b.policy]);
}

/** Those that stand in the way of done. */
export const inTheWay = (findings: readonly JudgedFinding[]): readonly JudgedFinding[] =>
  findings.filter(({ policy }) => policy !== "shown");

/** One finding as a clause. The same finding reads the same in every attempt. */
export function findingText({ kind, about, detail, policy }: JudgedFinding): string {
  return `${kind} (${policy}): ${about} ${FINDINGS[kind].means}${detail === null ? "" : `: ${detail}`}`;
}

/** How a person lets it pass before the work begins, null where nothing does. */
export const allowedBy = (kind: FindingKind): MayChange | null => FINDINGS[kind].unless;
