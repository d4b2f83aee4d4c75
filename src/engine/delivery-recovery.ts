import type { Actor } from "../domain/actor.ts";
import { moves } from "../domain/delivery.ts";
import type { CandidateOf } from "../domain/event.ts";
import { Failure, type FailureCode, isFailure } from "../domain/failure.ts";
import { checkoutsOf } from "../domain/gate.ts";
import type { OpenStep } from "../domain/step.ts";
import type { In } from "../domain/task.ts";
import { type Arrived, record, sourceOf } from "./delivery-desk.ts";
import { allOrNone, evidenceOf } from "./delivery-together.ts";
import { arrive, arrivedAt, type DeliverAct } from "./delivery-travel.ts";
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
  const { act } = open;
  if (act.kind === "deliver") await finishDelivery(deps, task, open, [act], () => finishOne(deps, task, act));
  else if (act.kind === "deliver_together") {
    for (const { repo, branch } of act.moves.filter(moves)) await freeLocks(deps, task, repo, branch);
    const { step, turnedBack, torn } = open;
    await finishDelivery(deps, task, open, act.moves, (by) =>
      allOrNone(deps, task, { step, planned: act.moves, turnedBack, torn }, by),
    );
  } else await giveUp(deps, task, open);
}

/** A person's word that a delivery that stands half-way is to be left as it is: the step is closed, and no branch moves. */
export async function leaveAsIs(deps: EngineDependencies, id: string, by: Actor): Promise<void> {
  const { task } = await deps.log.load(id);
  const torn = task.openStep?.torn ?? null;
  if (task.openStep === null || torn === null)
    throw new Failure("delivery/refused", `no delivery of task ${id} stands half-way: there is nothing to leave`, {
      next: `agentos task show ${id}`,
    });
  const { step, run } = task.openStep;
  await record(deps, id, by, [
    { type: "OUTCOME_SETTLED", body: { step, outcome: "abort", reason: null } },
    {
      type: "STEP_FAILED",
      body: { step, run, evidence: [], after: {}, cause: "a person left the branches as they are", result: null },
    },
  ]);
}

async function giveUp(deps: EngineDependencies, task: In<"succeeded">, open: OpenStep): Promise<void> {
  const { act, step, run } = open;
  const at = { task: task.id, epoch: task.epoch };
  if (act.kind === "gate")
    for (const { repo, name } of checkoutsOf(step, act)) await deps.workspaces.dropGateCheckout({ ...at, repo }, name);
  if (act.kind === "prepare") {
    await deps.workspaces.dropGateCheckout({ ...at, repo: act.repo }, `prepare-${step}`);
    await deps.layers.discard(act.key);
  }
  await record(deps, task.id, workerOf(deps), [
    { type: "STEP_LOST", body: { step, run, cause: "worker_died", rescued: {}, partialOutput: null } },
  ]);
}

const workerOf = (deps: EngineDependencies): Actor => ({ kind: "worker", name: deps.worker });

async function finishDelivery(
  deps: EngineDependencies,
  task: In<"succeeded">,
  { step, run }: OpenStep,
  what: Parameters<typeof evidenceOf>[0],
  finish: (by: Actor) => Promise<Arrived>,
): Promise<void> {
  const by = workerOf(deps);
  try {
    const { events, blobs } = await finish(by);
    const body = { step, run, evidence: evidenceOf(what), after: {}, result: null };
    await record(deps, task.id, by, [{ type: "STEP_COMPLETED", body }, ...events], blobs);
  } catch (error) {
    if (!isFailure(error) || !SETTLES.has(error.code)) throw error;
    const body = { step, run, evidence: [], after: {}, cause: error.message, result: null };
    await record(deps, task.id, by, [{ type: "STEP_FAILED", body }]);
  }
}

/** What a dead call left locked would hinder the person's own git, also where this delivery moves nothing any more. */
async function freeLocks(deps: EngineDependencies, task: In<"succeeded">, repo: string, branch: string): Promise<void> {
  try {
    await deps.workspaces.freeLocks((await sourceOf(deps, task, repo)).path, branch);
  } catch (error) {
    if (!isFailure(error)) throw error; // a repository that is not there has no lock; that it is not there is said where it is read
  }
}

/** Asks git first: a branch that has gone on from the delivered commit is not touched. What is called finished, git has. */
async function finishOne(deps: EngineDependencies, task: In<"succeeded">, act: DeliverAct): Promise<Arrived> {
  const candidate = candidateOf(task, act.repo);
  const source = (await sourceOf(deps, task, act.repo)).path;
  if (act.way === "patch") return arrive(deps, task.id, source, act, candidate);
  const look = () => deps.workspaces.outlook({ task: task.id, repo: act.repo }, source, act.branch, act.to, act.to);
  const before = await look();
  if (before.relation === "contains" && before.head !== act.to) return arrivedAt(act, false);
  const arrived = await arrive(deps, task.id, source, act, candidate);
  const { relation, head } = await look();
  if (relation !== "contains")
    throw new Failure(
      "delivery/refused",
      `${act.branch} of ${act.repo} is at ${head ?? "no commit"}, not at ${act.to}`,
    );
  return arrived;
}

function candidateOf(task: In<"succeeded">, repo: string): CandidateOf {
  const candidate = task.candidate?.[repo];
  if (candidate === undefined) throw new Error(`task ${task.id} delivers ${repo}, of which it has no candidate`);
  return candidate;
}
