import { type Finding, type JudgedFinding, judgedFindings } from "../domain/finding.ts";
import { own } from "../domain/own.ts";
import type { Spec } from "../domain/spec.ts";
import { type ChangedFile, comparedRuns, keptPaths, suspicions } from "../domain/suspicion.ts";
import type { Task } from "../domain/task.ts";
import type { EngineDependencies } from "./deps.ts";
import type { Hold } from "./hold.ts";

export interface Tree {
  readonly commit: string;
  readonly tree: string;
}

/** So much of a change is read; what is beyond is said to be so. */
const FILES_MOST = 2_000;
const FILE_BYTES_MAX = 1024 * 1024;

export type ChangedFiles = Readonly<Record<string, readonly ChangedFile[]>>;

/** What the candidate changes in each repo, with the texts before and after. */
export async function changedFiles(deps: EngineDependencies, { id, candidate }: Task): Promise<ChangedFiles> {
  const changed: Record<string, readonly ChangedFile[]> = {};
  for (const [repo, { base, commit, tree, baseTree }] of Object.entries(candidate ?? {})) {
    if (tree === baseTree) continue;
    const clone = { task: id, repo };
    const found = await deps.workspaces.changedTexts(clone, base, commit, FILES_MOST, FILE_BYTES_MAX);
    changed[repo] = found.map(({ path, change, linesAdded, read, before, after }) => ({
      path,
      change,
      before,
      after,
      // Lines that git counted in a file that was not read; binary files have none, and links are no code.
      cut: !read || (change !== "deleted" && change !== "type" && after === null && (linesAdded ?? 0) > 1),
    }));
  }
  return changed;
}

/** The candidate of each repo whose tests it changes, with those as they were. */
export async function withKeptTests(
  deps: EngineDependencies,
  hold: Hold,
  files: ChangedFiles,
): Promise<Readonly<Record<string, Tree>>> {
  const kept: Record<string, Tree> = {};
  for (const [repo, changed] of Object.entries(files)) {
    const paths = keptPaths(changed, hold.spec.mayChange ?? []);
    const candidate = hold.task().candidate?.[repo];
    if (paths.length === 0 || candidate === undefined) continue;
    const clone = { task: hold.id, repo };
    kept[repo] = await deps.workspaces.withPathsOf(clone, candidate.commit, candidate.base, paths);
  }
  return kept;
}

/** Pure: everything it rests on is recorded, or stands in commits that are. */
export function foundAbout(task: Task, spec: Spec, files: ChangedFiles): readonly JudgedFinding[] {
  const found: Finding[] = Object.entries(files).flatMap(([repo, changed]) =>
    suspicions(
      repo,
      changed,
      spec.gates.filter((gate) => gate.repo === repo).map(({ cwd }) => cwd),
    ),
  );
  const seen = spec.gates.flatMap(({ id, repo }) => {
    const verdict = own(task.verdicts, id);
    if (verdict === undefined) return [];
    const kept = own(task.keptTests, id);
    return [
      {
        gate: id,
        repo,
        base: own(task.baseline, id)?.counts ?? null,
        candidate: verdict.counts,
        passed: verdict.verdict === "pass",
        kept:
          kept === undefined ? null : { passed: kept.verdict === "pass", counts: kept.counts, findings: kept.findings },
      },
    ];
  });
  const unproven = spec.criteria
    .filter(({ gate }) => gate === null)
    .map(
      ({ id, text }): Finding => ({
        kind: "criterion_unproven",
        repo: null,
        about: id,
        detail: text.slice(0, 200).toWellFormed(),
      }),
    );
  return judgedFindings([...found, ...comparedRuns(seen), ...unproven], spec.mayChange ?? []);
}
