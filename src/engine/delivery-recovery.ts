import type { Actor } from "../domain/actor.ts";
import type { CandidateOf, DeliveredTo } from "../domain/event.ts";
import { Failure, type FailureCode, isFailure } from "../domain/failure.ts";
import { record, sourceOf } from "./delivery-desk.ts";
import { arrive, type DeliverAct } from "./delivery-travel.ts";
import type { EngineDependencies } from "./deps.ts";

/** After these, git has said what is there, or can never be asked again. Anything else (a disk that is away) leaves the step open. */
const SETTLES: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "delivery/refused",
  "repo/not-found",
  "remote/moved",
  "remote/protected",
]);

/** What was left open on a proven task: a delivery is asked of git and finished; a gate or preparation run for it is given up. */
export async function finishOpen(deps: EngineDependencies, id: string): Promise<void> {
  const { task } = await deps.log.load(id);
  const open = task.openStep;
  if (task.status !== "succeeded" || open === null) return;
  const by: Actor = { kind: "worker", name: deps.worker };
  const where = { step: open.step, run: open.run };
  const { act } = open;
  if (act.kind !== "deliver") {
    if (act.kind === "gate" || act.kind === "prepare") {
      const workspace = { task: id, epoch: task.epoch, repo: act.repo };
      await deps.workspaces.dropGateCheckout(workspace, act.kind === "gate" ? open.step : `prepare-${open.step}`);
    }
    if (act.kind === "prepare") await deps.layers.discard(act.key);
    await record(deps, id, by, [
      { type: "STEP_LOST", body: { ...where, cause: "worker_died", rescued: {}, partialOutput: null } },
    ]);
    return;
  }
  const candidate = task.candidate?.[act.repo];
  if (candidate === undefined) throw new Error(`task ${id} delivers ${act.repo}, of which it has no candidate`);
  try {
    const delivered = await finish(deps, id, (await sourceOf(deps, task, act.repo)).path, act, candidate);
    await record(deps, id, by, [
      {
        type: "STEP_COMPLETED",
        body: {
          ...where,
          evidence: [{ kind: "commit", repo: act.repo, commit: act.to, tree: act.tree }],
          after: {},
          result: null,
        },
      },
      { type: "DELIVERED", body: { repos: { [act.repo]: delivered } } },
    ]);
  } catch (error) {
    if (!isFailure(error) || !SETTLES.has(error.code)) throw error;
    await record(deps, id, by, [
      { type: "STEP_FAILED", body: { ...where, evidence: [], after: {}, cause: error.message, result: null } },
    ]);
  }
}

/** Asks git first: a branch that has gone on from the delivered commit is not touched. What is called finished, git has. */
async function finish(
  deps: EngineDependencies,
  task: string,
  source: string,
  act: DeliverAct,
  candidate: CandidateOf,
): Promise<DeliveredTo> {
  if (act.way === "patch") return (await arrive(deps, task, source, act, candidate)).delivered;
  const look = () => deps.workspaces.outlook({ task, repo: act.repo }, source, act.branch, act.to, act.to);
  const before = await look();
  if (before.relation === "contains" && before.head !== act.to)
    return {
      way: act.way,
      branch: act.branch,
      from: act.from,
      to: act.to,
      tree: act.tree,
      checkoutFollowed: false,
    };
  const { delivered } = await arrive(deps, task, source, act, candidate);
  const { relation, head } = await look();
  if (relation !== "contains")
    throw new Failure(
      "delivery/refused",
      `${act.branch} of ${act.repo} is at ${head ?? "no commit"}, not at ${act.to}`,
    );
  return delivered;
}
