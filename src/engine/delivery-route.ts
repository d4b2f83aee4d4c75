import type { Actor } from "../domain/actor.ts";
import type { CandidateOf, DeliveredTo } from "../domain/event.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import { judge } from "../domain/gate.ts";
import { isRemote } from "../domain/remote.ts";
import type { Spec } from "../domain/spec.ts";
import type { In } from "../domain/task.ts";
import type { Desk, LayerMount } from "../ports/broker.ts";
import type { DeliveryRequest } from "../ports/delivery.ts";
import type { CommitId } from "../ports/workspaces.ts";
import { record, sourceOf } from "./delivery-desk.ts";
import type { EngineDependencies } from "./deps.ts";

/** One repo's way into the person's repository, decided before anything moves. */
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

export async function routeOf(
  deps: EngineDependencies,
  desk: Desk,
  task: In<"succeeded">,
  spec: Spec,
  request: DeliveryRequest,
  repo: string,
  candidate: CandidateOf,
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
    const note = `${repo}: ${branch} is checked out and ${outlook.dirtyTouched.slice(0, 5).join(", ")} ${outlook.dirtyTouched.length === 1 ? "has" : "have"} uncommitted changes, so the branch ${ownBranch} was written instead`;
    return {
      ...base,
      way: "branch",
      branch: ownBranch,
      from: await vacant(deps, source, ownBranch, candidate.commit),
      note,
    };
  }
  if (outlook.relation === "at-base") return { ...base, way, branch, from: outlook.head, note: null };
  const merged = await provenMerge(deps, desk, task, spec, { repo, source, branch, candidate, by: request.by });
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

async function provenMerge(
  deps: EngineDependencies,
  desk: Desk,
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
  const gates = spec.gates.filter((one) => one.repo === repo && one.argv.length > 0);
  if (gates.length === 0)
    throw new Failure(
      "delivery/refused",
      `${branch} of ${repo} moved on, and no gate can say anything about the merged work`,
      {
        next: aside(task.id, source),
      },
    );
  const prepared = await withLayer(deps, desk, task, spec, repo, source, branch, merged.commit);
  for (const gate of gates) {
    const run = await deps.broker.gate(prepared, gate, merged.commit, merged.tree, "merge");
    const verdict = judge(gate, merged.tree, [
      { step: run.step, tree: merged.tree, evidence: run.evidence, found: run.found, program: run.program },
    ]);
    const report = {
      gate: gate.id,
      on: "merge",
      repo,
      commit: merged.commit,
      tree: merged.tree,
      step: run.step,
      counts: run.counts,
      found: run.found,
      output: run.output,
    } as const;
    await record(deps, task.id, by, [
      verdict.verdict === "pass"
        ? { type: "GATE_PASSED", body: { ...report, restsOn: verdict.restsOn } }
        : verdict.verdict === "fail"
          ? { type: "GATE_FAILED", body: { ...report, findings: verdict.findings } }
          : { type: "GATE_UNPROVEN", body: { ...report, missing: verdict.missing } },
    ]);
    if (verdict.verdict !== "pass") {
      const why = verdict.verdict === "fail" ? verdict.findings : verdict.missing;
      throw new Failure(
        "delivery/refused",
        `merged with the newer ${branch}, the gate ${gate.id} does not pass: ${why.join("; ")}`,
        { next: aside(task.id, source) },
      );
    }
  }
  return merged;
}

/** The merged commit's own dependencies: its lock file may be neither side's. */
async function withLayer(
  deps: EngineDependencies,
  desk: Desk,
  task: In<"succeeded">,
  spec: Spec,
  repo: string,
  source: string,
  branch: string,
  commit: CommitId,
): Promise<Desk> {
  const prepared: LayerMount[] = [];
  for (const definition of spec.prepare)
    if (definition.repo === repo)
      try {
        prepared.push(await deps.broker.prepare(desk, definition, commit, "merge"));
      } catch (error) {
        if (!isFailure(error) || error.code === "delivery/refused") throw error;
        throw new Failure(
          "delivery/refused",
          `merged with the newer ${branch}, the dependencies cannot be prepared: ${error.message}`,
          {
            next: aside(task.id, source),
            cause: error,
          },
        );
      }
  return { ...desk, layers: { ...desk.layers, [repo]: prepared } };
}

/** Where proven work can go when it cannot go where it was wanted. */
const aside = (task: string, source: string): string =>
  isRemote(source)
    ? `agentos task deliver ${task} --push agentos/${task} pushes the proven work to a branch of its own, to be merged by hand.`
    : `agentos task deliver ${task} --way branch writes the proven work to a branch of its own, to be merged by hand.`;
