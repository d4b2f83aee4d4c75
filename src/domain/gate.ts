import type { Evidence } from "./evidence.ts";
import { executed, type TestCounts } from "./test-counts.ts";

/** How a gate's run is judged. `tests` needs counts from a report; `exit` only the exit code. */
export type Judgement = "exit" | "tests";

/** Formats a test report may have; which one a runner writes is detected, or said by the person. */
export const REPORT_FORMATS = [
  "tap",
  "junit",
  "vitest-json",
  "jest-json",
  "mocha-json",
  "rspec-json",
  "go-json",
  "cargo",
  "unittest",
  "minitest",
  "prove",
  "summary",
] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/**
 * A gate as the spec freezes it. `definition` are the files that decide what the gate means (script entries, runner
 * configuration) with their SHA-256 on the base commit, null where there was none: a change there makes the verdict
 * `unproven`, because then the gate that ran is not the gate that was agreed on.
 */
export interface GateDefinition {
  readonly id: string;
  readonly repo: string;
  /** Other repos whose checkouts stand beside this one's while it runs. Not there: it is about its own repo alone. */
  readonly beside?: readonly string[];
  readonly argv: readonly string[];
  /** Directory in the checkout, "." for its top. */
  readonly cwd: string;
  readonly judgement: Judgement;
  /** Name of the runner the report comes from, null for a judgement by exit code. */
  readonly runner: string | null;
  readonly report: ReportFormat | null;
  readonly definition: readonly PinnedPart[];
  /** Where argv[0] resolved on the person's PATH when this was pinned, null when nowhere. */
  readonly program: string | null;
  readonly timeoutMs: number;
  /** Variables of its command, beside those every gate has. */
  readonly environment: Readonly<Record<string, string>>;
  readonly source: "detected" | "named";
}

/** A file of the repository, or one entry of a JSON file (`pointer`, RFC 6901), by digest. */
export interface PinnedPart {
  readonly path: string;
  readonly pointer: string | null;
  /** Hex SHA-256 of the file's bytes, or of the canonical JSON of the entry; null: it was not there. */
  readonly sha256: string | null;
}

export interface PrepareDefinition {
  readonly repo: string;
  /** Its name among the preparations of the repo: a slug. */
  readonly id: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Files whose content decides the result. */
  readonly inputs: readonly PinnedPart[];
  /** Top-level-relative directories it fills: the layer. */
  readonly outputs: readonly string[];
  /** Names of directories below `DEPENDENCIES_INSIDE` that it fills: the layer's part that lies in no checkout. */
  readonly stores: readonly string[];
  /** Package hosts it may reach: `host:port`. */
  readonly hosts: readonly string[];
  /** Variables it needs: e.g. the registry the machine's own client is set to. */
  readonly environment: Readonly<Record<string, string>>;
  /** Variables by which gates and commands in `cwd` and below find what it installed. */
  readonly provides: Readonly<Record<string, string>>;
  /** False without a lock file: the layer is not reused by other tasks. */
  readonly reproducible: boolean;
}

/** Where layers are seen inside the sandbox as far as they do not lie in a checkout. */
export const DEPENDENCIES_INSIDE = "/run/agentos/dependencies";

export type Verdict =
  | { readonly verdict: "pass"; readonly restsOn: readonly string[] }
  | { readonly verdict: "fail"; readonly findings: readonly string[] }
  | { readonly verdict: "unproven"; readonly missing: readonly string[] };

/**
 * All that a gate's verdict is about: the commit of its own repo, and those of the repos beside it. Another tree in any of them
 * is another ground, and a verdict says nothing about that.
 */
export interface Ground {
  readonly repo: string;
  readonly commit: string;
  readonly tree: string;
  readonly beside: Readonly<Record<string, { readonly commit: string; readonly tree: string }>>;
}

/** The tree each repo of a ground has. */
export const treesOf = ({ repo, tree, beside }: Ground): ReadonlyMap<string, string> =>
  new Map([[repo, tree], ...Object.entries(beside).map(([name, one]) => [name, one.tree] as const)]);

/** Whether each repo that the verdict is about has exactly the tree it had then. A repo is compared with itself, never with another. */
export const standsOn = (ground: Ground, now: Readonly<Record<string, { readonly tree: string }>>): boolean =>
  [...treesOf(ground)].every(([repo, tree]) => Object.hasOwn(now, repo) && now[repo]?.tree === tree);

/** The ground of a gate, where each repo stands at the commit given for it. A repo without one is a bug. */
export function groundOf(
  { id, repo, beside = [] }: GateDefinition,
  at: Readonly<Record<string, { readonly commit: string; readonly tree: string }>>,
): Ground {
  const of = (name: string): { readonly commit: string; readonly tree: string } => {
    const one = Object.hasOwn(at, name) ? at[name] : undefined;
    if (one === undefined) throw new Error(`gate ${id} is about ${name}, which has no commit to run on`);
    return { commit: one.commit, tree: one.tree };
  };
  return { repo, ...of(repo), beside: Object.fromEntries(beside.map((name) => [name, of(name)])) };
}

/** The checkouts that a gate's step has: one per repo, each under a name of its own. */
export const checkoutsOf = (
  step: string,
  { repo, beside = {} }: { readonly repo: string; readonly beside?: Ground["beside"] },
): readonly { readonly repo: string; readonly name: string }[] => [
  { repo, name: step },
  ...Object.keys(beside)
    .sort()
    .map((other, at) => ({ repo: other, name: besideName(step, at) })),
];

interface Checkout {
  readonly repo: string;
  readonly name: string;
  readonly commit: string;
  readonly tree: string;
}

/** The same, with the commit that each has checked out; the gate's own first. */
export const checkoutsAt = (
  step: string,
  { repo, commit, tree, beside }: Ground,
): readonly [Checkout, ...Checkout[]] => [
  { repo, name: step, commit, tree },
  ...Object.entries(beside)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([other, stands], at) => ({ repo: other, name: besideName(step, at), ...stands })),
];

const besideName = (step: string, at: number): string => `${step}.beside-${at + 1}`;

const sameGround = (a: Ground, b: Ground): boolean => {
  const [one, other] = [treesOf(a), treesOf(b)];
  return a.repo === b.repo && one.size === other.size && [...one].every(([repo, tree]) => other.get(repo) === tree);
};

/**
 * What becomes of tests that fail once and pass when they are run again. `rerun`: how often a gate whose tests fail is run again. `passes`:
 * whether a pass after failures counts; it is shown as flaky in any case, and every run is a step with its own evidence.
 */
export interface FlakyPolicy {
  readonly rerun: number;
  readonly passes: boolean;
}

export const NO_RERUN: FlakyPolicy = { rerun: 0, passes: false };

/** Whether the gate is to be run once more, after these runs on that ground: only tests that failed can come out differently. */
export const runsAgain = (
  gate: GateDefinition,
  ground: Ground,
  runs: readonly GateRun[],
  flaky: FlakyPolicy,
): boolean =>
  gate.judgement === "tests" && runs.length <= flaky.rerun && judge(gate, ground, runs.slice(-1)).verdict === "fail";

/** One run of one gate, as recorded: the evidence of its step and what was pinned against what was found. */
export interface GateRun {
  readonly step: string;
  readonly ground: Ground;
  readonly evidence: readonly Evidence[];
  /** The parts of the definition as they are in the tree that was run. */
  readonly found: readonly PinnedPart[];
  /** Where argv[0] resolved inside the sandbox, null when nowhere. */
  readonly program: string | null;
}

/**
 * The judgement, pure: it runs nothing and believes nobody. Evidence counts only for the exact ground it was gathered on;
 * without any the verdict is never a pass; a gate whose definition changed is not the gate that was agreed on; a suite
 * that executed no test has proven nothing.
 */
export function judge(
  gate: GateDefinition,
  ground: Ground,
  runs: readonly GateRun[],
  flaky: FlakyPolicy = NO_RERUN,
): Verdict {
  if (gate.argv.length === 0)
    return {
      verdict: "unproven",
      missing: ["a command that tests the work: the repository has none, so name one or accept the work on record"],
    };
  const relevant = runs.filter((run) => sameGround(run.ground, ground));
  if (relevant.length === 0) return { verdict: "unproven", missing: [`a run of ${gate.id} on tree ${onWhat(ground)}`] };
  const missing = relevant.flatMap((run) => changedParts(gate, run));
  // Where failures may be repeated the last run speaks; what was before it is told, and counts against it unless the spec says otherwise.
  const last = relevant.slice(-1);
  const findings = (flaky.rerun > 0 ? last : relevant).flatMap((run) => brokenRules(gate, run));
  if (findings.length === 0 && relevant.length > 1 && flaky.rerun > 0 && !flaky.passes)
    findings.push(`passed only in run ${relevant.length}: it is flaky, and the spec does not let that pass`);
  // What is not as it was pinned is told of a failing gate too: it may be why it fails.
  if (findings.length > 0) return { verdict: "fail", findings: [...findings, ...missing] };
  missing.push(...(flaky.rerun > 0 ? last : relevant).flatMap((run) => absentProof(gate, run)));
  if (missing.length > 0) return { verdict: "unproven", missing };
  return { verdict: "pass", restsOn: relevant.map((run) => run.step) };
}

const onWhat = ({ tree, beside }: Ground): string =>
  [tree, ...Object.entries(beside).map(([repo, one]) => `${repo} ${one.tree}`)].join(" beside ");

function changedParts(gate: GateDefinition, run: GateRun): string[] {
  const moved =
    gate.program !== null && run.program !== gate.program
      ? [`${gate.argv[0]} resolved to ${run.program ?? "nothing"}, pinned was ${gate.program}`]
      : [];
  const found = new Map(run.found.map((part) => [partName(part), part.sha256]));
  const changed = gate.definition
    .filter((part) => found.get(partName(part)) !== part.sha256)
    .map((part) => `${partName(part)} changed since the gate was pinned`);
  return [...moved, ...changed];
}

function brokenRules(gate: GateDefinition, run: GateRun): string[] {
  const findings: string[] = [];
  for (const evidence of run.evidence) {
    if (evidence.kind === "command" && evidence.endedBy !== "itself")
      // No duration: the same failure has to read the same in every attempt, or its repetition is not seen.
      findings.push(`${gate.argv.join(" ")} was ended by the limit on ${evidence.endedBy}`);
    else if (evidence.kind === "command" && evidence.exitCode !== 0)
      findings.push(
        `${gate.argv.join(" ")} exited with ${evidence.exitCode === null ? `signal ${evidence.signal}` : evidence.exitCode}`,
      );
    if (evidence.kind === "tests" && evidence.counts.failed > 0)
      findings.push(`${evidence.counts.failed} of ${executed(evidence.counts)} tests failed`);
  }
  return findings;
}

function absentProof(gate: GateDefinition, run: GateRun): string[] {
  if (!run.evidence.some((evidence) => evidence.kind === "command")) return ["the exit code of the gate's command"];
  const tests = run.evidence.flatMap((evidence) => (evidence.kind === "tests" ? [evidence.counts] : []));
  // By exit code: a summary that says that nothing ran contradicts it, and none says nothing.
  if (gate.judgement === "exit")
    return tests.every((counts) => !isEmpty(counts))
      ? []
      : [`a test that was executed: by the output of ${gate.argv.join(" ")} nothing was tested`];
  if (tests.length === 0) return ["a report of the test runner"];
  return tests.every((counts) => counts.passed > 0) ? [] : ["a test that was executed: the runner reports none"];
}

const isEmpty = ({ passed, failed }: TestCounts): boolean => passed + failed === 0;

export const partName = (part: PinnedPart): string =>
  part.pointer === null ? part.path : `${part.path}#${part.pointer}`;
