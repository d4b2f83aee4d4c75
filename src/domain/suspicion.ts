import type { Finding, FindingKind, MayChange } from "./finding.ts";
import { manifestChange } from "./manifest-change.ts";
import { addedLines, addressesRunner, secretIn } from "./mark.ts";
import { classOf, isCode, type PathClass, shadowsPython } from "./path-class.ts";
import { executed, type TestCounts } from "./test-counts.ts";
import { type Declared, declaredIn, inlineTests } from "./test-text.ts";

/** A path that the candidate changes, with its text before and after; null: it is not there, or no text that is read. */
export interface ChangedFile {
  readonly path: string;
  readonly change: "added" | "modified" | "deleted" | "type";
  readonly before: string | null;
  readonly after: string | null;
  /** There is more of it, or of the candidate, than is read. */
  readonly cut: boolean;
}

const ABOUT_MOST = 20;
/** Of each kind by itself, so that no number of harmless findings crowds out one that blocks: what is cut has its like among what is kept. */
const OF_KIND_MOST = 200;

/** What stands in the change of one repo itself. Nothing is run; `cwds` are where its gates run. */
export function suspicions(repo: string, files: readonly ChangedFile[], cwds: readonly string[]): readonly Finding[] {
  const found: Finding[] = [];
  const counts = new Map<FindingKind, number>();
  const say = (kind: FindingKind, about: string, detail: string | null = null): void => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (count <= OF_KIND_MOST) found.push({ kind, repo, about, detail });
  };
  for (const file of files) lookAt(file, cwds, say);
  testsOf(files, say);
  return found;
}

type Say = (kind: FindingKind, about: string, detail?: string | null) => void;

function lookAt(file: ChangedFile, cwds: readonly string[], say: Say): void {
  const { path, change, before, after } = file;
  const kind = classOf(path);
  if (change !== "deleted") {
    const secret = secretIn(path, addedLines(before, after));
    if (secret !== null) say("secret", path, secret);
    else if (kind === "secret") say("secret", path, "by its name");
    if (kind === "cache") say("cache_planted", path);
    if (kind === "shadow" || (change === "added" && shadowsPython(path, cwds))) say("runner_shadowed", path);
    if (file.cut && isCode(path)) say("too_large", path);
  }
  const named = BY_CLASS[kind];
  if (named !== null) say(named, path);
  if (kind === "dependencies") {
    const { dependencies, runner } = manifestChange(path, before, after);
    if (dependencies) say("dependencies_changed", path);
    if (runner) say("runner_configured", path);
  }
  if (kind === "snapshot" && change !== "added") say("snapshots_changed", path);
  if (kind === "product" && isCode(path) && change !== "deleted") {
    const addressed = addressesRunner(path, before, after);
    if (addressed !== null) say("runner_addressed", path, addressed);
  }
}

/** Classes of which every change is a finding, whatever stands in it. */
const BY_CLASS = {
  config: "runner_configured",
  ci: "ci_changed",
  hooks: "hooks_changed",
  attributes: "attributes_changed",
  test: null,
  snapshot: null,
  dependencies: null,
  cache: null,
  shadow: null,
  secret: null,
  product: null,
} as const satisfies Record<PathClass, FindingKind | null>;

/** All changed tests together: one that is moved to another file is not gone. */
function testsOf(files: readonly ChangedFile[], say: Say): void {
  const changed = files
    .filter(({ path }) => classOf(path) === "test" || path.endsWith(".rs"))
    .map(({ path, before, after, change }) => ({
      path,
      change,
      was: declaredIn(path, before),
      is: declaredIn(path, after),
      inline: { was: inlineTests(path, before), is: inlineTests(path, after) },
      isInline: classOf(path) !== "test",
    }));
  // What lies among the tests and is no longer found by any runner's name counts as gone; what lies elsewhere is no test.
  const was = changed.flatMap(({ was: { tests } }) => tests);
  const is = changed.flatMap(({ is: { tests } }) => tests);
  const left = new Map<string, number>();
  for (const { name } of is) left.set(name, (left.get(name) ?? 0) + 1);
  const gone = was.filter(({ name }) => {
    const more = left.get(name) ?? 0;
    if (more > 0) left.set(name, more - 1);
    return more === 0;
  });
  for (const { name } of gone.slice(0, ABOUT_MOST)) say("tests_removed", name);

  const skips = (pick: (one: (typeof changed)[number]) => Declared): number =>
    changed.reduce((sum, one) => sum + pick(one).skips, 0);
  const more = skips((one) => one.is) - skips((one) => one.was);
  const where = changed.filter((one) => one.is.skips > one.was.skips).map(({ path }) => path);
  if (more > 0 && where[0] !== undefined) say("tests_skipped", where[0], `${more} more`);

  for (const { name, assertions } of was.filter((one) => !gone.includes(one)).slice(0, 1_000)) {
    const most = Math.max(...is.filter((one) => one.name === name).map((one) => one.assertions));
    if (most < assertions) say("assertions_removed", name, `${most} instead of ${assertions}`);
  }
  const inlineNow = changed.flatMap(({ inline }) => inline.is);
  for (const { isInline, inline, path, change } of changed)
    if (isInline) {
      for (const { name, text } of inline.was)
        if (inlineNow.some((one) => one.name === name) && !inlineNow.some((one) => one.text === text))
          say("inline_tests_changed", name, path);
    } else if (change === "modified") say("tests_changed", path);
}

/** What a gate counted in one run. */
export interface GateSeen {
  readonly gate: string;
  readonly repo: string;
  readonly base: TestCounts | null;
  readonly candidate: TestCounts | null;
  readonly passed: boolean;
  /** With the tests as they were: null where no such run was needed. */
  readonly kept: {
    readonly passed: boolean;
    readonly counts: TestCounts | null;
    readonly findings: readonly string[];
  } | null;
}

/** What the runs say when they are laid beside each other. */
export function comparedRuns(seen: readonly GateSeen[]): readonly Finding[] {
  return seen.flatMap(({ gate, repo, base, candidate, passed, kept }) => {
    const found: Finding[] = [];
    const say = (kind: FindingKind, detail: string): void => {
      found.push({ kind, repo, about: `the gate ${gate}`, detail });
    };
    if (base !== null && candidate !== null) {
      if (executed(candidate) < executed(base))
        say("fewer_tests", `${executed(candidate)} instead of ${executed(base)}`);
      const [now, before] = [passedOver(candidate), passedOver(base)];
      if (now > before) say("tests_skipped", `${now} instead of ${before}`);
    }
    if (kept === null || !passed) return found;
    if (!kept.passed) say("earlier_tests_fail", kept.findings.join("; "));
    else if (base !== null && kept.counts !== null && executed(kept.counts) < executed(base))
      say("earlier_tests_fail", `of ${executed(base)} earlier tests ${executed(kept.counts)} ran`);
    return found;
  });
}

const passedOver = ({ skipped, todo }: TestCounts): number => skipped + todo;

/** Paths that the tests as they were do not have as the candidate has them: to be put back before those are run. */
export function keptPaths(
  files: readonly Pick<ChangedFile, "path" | "change">[],
  mayChange: readonly MayChange[],
): readonly string[] {
  if (mayChange.includes("tests")) return [];
  return files
    .filter(({ path, change }) => {
      switch (classOf(path)) {
        case "test":
          return true;
        case "snapshot":
          return !mayChange.includes("snapshots");
        // New ones beside the tests only: an edited one is pinned, or is asked about.
        case "config":
          return change === "added" && !mayChange.includes("config") && /(?:^|\/)conftest\.py$/.test(path);
        case "cache":
          return true;
        default:
          return false;
      }
    })
    .map(({ path }) => path);
}
