import type { Actor } from "../domain/actor.ts";
import type { CandidateOf, DeliveredTo } from "../domain/event.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import { type GateDefinition, groundOf } from "../domain/gate.ts";
import { isRemote } from "../domain/remote.ts";
import type { Spec } from "../domain/spec.ts";
import type { In } from "../domain/task.ts";
import type { Desk, LayerMount } from "../ports/broker.ts";
import type { DeliveryRequest } from "../ports/delivery.ts";
import type { CommitId } from "../ports/workspaces.ts";
import { record, sourceOf } from "./delivery-desk.ts";
import type { EngineDependencies } from "./deps.ts";
import { judgedGate } from "./judged-gate.ts";

/** One repo's way into the person's repository, decided before anything moves. A merged tree is still to be proven. */
export interface Route {
  readonly repo: string;
  readonly source: string;
  readonly candidate: CandidateOf;
  readonly branch: string;
  readonly way: DeliveredTo["way"];
  readonly from: CommitId | null;
  readonly to: CommitId;
  readonly tree: string;
  readonly note: string | null;
}

/** @param together one of several repos: then it goes where it was asked to go, or none goes anywhere */
export async function routeOf(
  deps: EngineDependencies,
  task: In<"succeeded">,
  spec: Spec,
  request: DeliveryRequest,
  repo: string,
  candidate: CandidateOf,
  together: boolean,
): Promise<Route> {
  const clone = { task: task.id, repo };
  const source = (await sourceOf(deps, task, repo)).path;
  const ownBranch = `agentos/${task.id}`;
  const base = { repo, source, candidate, to: candidate.commit, tree: candidate.tree };
  if (request.way === "patch") return { ...base, way: "patch", branch: request.branch ?? "", from: null, note: null };
  const remote = isRemote(source);
  if (!remote && request.way === "branch") {
    const branch = request.branch ?? ownBranch;
    return { ...base, way: "branch", branch, from: await vacant(deps, source, branch, candidate.commit), note: null };
  }
  const way = remote ? "push" : "merge";
  if (remote && request.push === undefined)
    throw new Failure("delivery/refused", `${repo} is a remote repository, and nothing is pushed without being asked`, {
      next: `agentos task deliver ${task.id} --push ${task.bases?.[repo]?.branch ?? ownBranch}, or another branch; --way patch needs no push.`,
    });
  const branch = remote ? (request.push ?? null) : (request.branch ?? task.bases?.[repo]?.branch ?? null);
  if (branch === null)
    throw new Failure("delivery/refused", `${repo} had no branch checked out when the task began`, {
      next: "Name one: --branch NAME, or use --way branch.",
    });
  const outlook = await deps.workspaces.outlook(clone, source, branch, candidate.base, candidate.commit);
  if (outlook.relation === "contains")
    return {
      ...base,
      way,
      branch,
      // The branch may have gone on with commits of others: what is recorded is this work, from and to the same, and nothing moves.
      from: candidate.commit,
      note: `${repo}: ${branch} has this work already`,
    };
  if (outlook.checkedOut && outlook.dirtyTouched.length > 0) {
    const dirty = `${repo}: ${branch} is checked out and ${outlook.dirtyTouched.slice(0, 5).join(", ")} ${outlook.dirtyTouched.length === 1 ? "has" : "have"} uncommitted changes`;
    if (together)
      throw new Failure("delivery/refused", `${dirty}, so nothing was delivered to any repo`, {
        next: `Commit them, stash them or move them away there; or agentos task deliver ${task.id} --way branch writes a branch in each repo.`,
        facts: { repo, paths: outlook.dirtyTouched },
      });
    const note = `${dirty}, so the branch ${ownBranch} was written instead`;
    return {
      ...base,
      way: "branch",
      branch: ownBranch,
      from: await vacant(deps, source, ownBranch, candidate.commit),
      note,
    };
  }
  if (outlook.relation === "at-base") return { ...base, way, branch, from: outlook.head, note: null };
  const merged = await mergedWith(deps, task, spec, { repo, source, branch, candidate, by: request.by });
  return {
    ...base,
    way,
    branch,
    from: merged.onto,
    to: merged.commit,
    tree: merged.tree,
    note: `${repo}: ${branch} had moved on; the merged tree passed the same gates`,
  };
}

/** A new branch, or one that holds exactly this commit already. */
async function vacant(
  deps: EngineDependencies,
  source: string,
  branch: string,
  commit: CommitId,
): Promise<CommitId | null> {
  const head = await deps.workspaces.branchHead(source, branch);
  if (head !== null && head !== commit)
    throw new Failure("delivery/refused", `the branch ${branch} exists and holds something else (${head})`, {
      next: "Name another: --branch NAME.",
    });
  return head;
}

async function mergedWith(
  deps: EngineDependencies,
  task: In<"succeeded">,
  spec: Spec,
  {
    repo,
    source,
    branch,
    candidate,
    by,
  }: {
    readonly repo: string;
    readonly source: string;
    readonly branch: string;
    readonly candidate: CandidateOf;
    readonly by: Actor;
  },
): Promise<{ readonly commit: CommitId; readonly tree: string; readonly onto: CommitId }> {
  const clone = { task: task.id, repo };
  const message = `Merge ${spec.title}\n\nAgentOS-Task: ${task.id}\n`;
  const merged = await deps.workspaces.mergeWith(
    clone,
    source,
    branch,
    candidate.commit,
    message,
    { name: by.name, email: `${by.name.replace(/[^a-z0-9._-]+/gi, "-")}@localhost` },
    deps.clock.nowMs(),
  );
  if ("conflicts" in merged)
    throw new Failure(
      "delivery/refused",
      `${branch} of ${repo} moved on and conflicts with this work in ${merged.conflicts.slice(0, 10).join(", ")}`,
      {
        next: aside(task.id, source),
        facts: { conflicts: merged.conflicts },
      },
    );
  return merged;
}

/**
 * Proves by the gates what no gate has seen yet: trees that came about by merging, and the sets of trees in which one did. Each gate
 * about such a repo runs again, on what all repos are to become.
 */
export async function proveMerged(
  deps: EngineDependencies,
  desk: Desk,
  task: In<"succeeded">,
  spec: Spec,
  routes: readonly Route[],
  by: Actor,
): Promise<void> {
  const merged = routes.filter(({ to, candidate }) => to !== candidate.commit);
  if (merged.length === 0) return;
  const about = ({ repo, beside = [] }: GateDefinition): readonly Route[] =>
    merged.filter((route) => route.repo === repo || beside.includes(route.repo));
  const gates = spec.gates.filter((gate) => gate.argv.length > 0 && about(gate).length > 0);
  for (const { repo, branch, source } of merged)
    if (!gates.some((gate) => gate.repo === repo || gate.beside?.includes(repo)))
      throw new Failure(
        "delivery/refused",
        `${branch} of ${repo} moved on, and no gate can say anything about the merged work`,
        {
          next: aside(task.id, source),
        },
      );
  const at: Record<string, { readonly commit: string; readonly tree: string }> = { ...task.candidate };
  let prepared = desk;
  for (const { repo, source, branch, to, tree } of merged) {
    at[repo] = { commit: to, tree };
    prepared = await withLayers(deps, prepared, spec, repo, to, (why) => ({
      sentence: `merged with the newer ${branch}, the dependencies cannot be prepared: ${why}`,
      next: aside(task.id, source),
    }));
  }
  // What the gates need beside it may be gone since the work was proven: a clean-up takes what nobody used for long.
  const needed = new Set(gates.flatMap(({ repo, beside = [] }) => [repo, ...beside]));
  for (const repo of needed)
    if (!merged.some((route) => route.repo === repo))
      prepared = await withLayersAgain(deps, prepared, task, spec, repo);
  for (const gate of gates) {
    const { report, verdict } = await judgedGate(deps.broker, prepared, gate, groundOf(gate, at), "merge");
    await record(deps, task.id, by, [
      verdict.verdict === "pass"
        ? { type: "GATE_PASSED", body: { ...report, restsOn: verdict.restsOn } }
        : verdict.verdict === "fail"
          ? { type: "GATE_FAILED", body: { ...report, findings: verdict.findings } }
          : { type: "GATE_UNPROVEN", body: { ...report, missing: verdict.missing } },
    ]);
    if (verdict.verdict !== "pass") {
      const why = verdict.verdict === "fail" ? verdict.findings : verdict.missing;
      const newer = about(gate).map(({ repo, branch }) => (routes.length === 1 ? branch : `${branch} of ${repo}`));
      throw new Failure(
        "delivery/refused",
        `merged with the newer ${newer.join(", ")}, the gate ${gate.id} does not pass: ${why.join("; ")}`,
        { next: aside(task.id, about(gate)[0]?.source ?? "") },
      );
    }
  }
}

/** A repo that is delivered as it was proven: where dependencies of it are not there any more, they are prepared again on the same commit. */
async function withLayersAgain(
  deps: EngineDependencies,
  desk: Desk,
  task: In<"succeeded">,
  spec: Spec,
  repo: string,
): Promise<Desk> {
  const proven = task.candidate?.[repo];
  const found = await Promise.all((desk.layers[repo] ?? []).map(({ key }) => deps.layers.find(key)));
  if (proven === undefined || found.every((layer) => layer !== null)) return desk;
  return withLayers(deps, desk, spec, repo, proven.commit, (why) => ({
    sentence: `the gates of the merge need the dependencies of ${repo}, which are not there any more and cannot be prepared again: ${why}`,
  }));
}

/** The repo's own dependencies at a commit. A merged one's lock file may be neither side's. */
async function withLayers(
  deps: EngineDependencies,
  desk: Desk,
  spec: Spec,
  repo: string,
  commit: CommitId,
  refused: (why: string) => { readonly sentence: string; readonly next?: string },
): Promise<Desk> {
  const prepared: LayerMount[] = [];
  for (const definition of spec.prepare)
    if (definition.repo === repo)
      try {
        prepared.push(await deps.broker.prepare(desk, definition, commit, "merge"));
      } catch (error) {
        if (!isFailure(error) || error.code === "delivery/refused") throw error;
        const { sentence, next } = refused(error.message);
        throw new Failure("delivery/refused", sentence, { cause: error, ...(next !== undefined && { next }) });
      }
  return { ...desk, layers: { ...desk.layers, [repo]: prepared } };
}

/** Where proven work can go when it cannot go where it was wanted. */
const aside = (task: string, source: string): string =>
  isRemote(source)
    ? `agentos task deliver ${task} --push agentos/${task} pushes the proven work to a branch of its own, to be merged by hand.`
    : `agentos task deliver ${task} --way branch writes the proven work to a branch of its own, to be merged by hand.`;
