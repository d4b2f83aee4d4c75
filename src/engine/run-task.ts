import { Failure, type FailureCode, isFailure } from "../domain/failure.ts";
import type { WorkReport } from "../domain/lifecycle.ts";
import { type Spec, specFrom } from "../domain/spec.ts";
import type { BlockReason } from "../domain/waiting.ts";
import type { Agent } from "../ports/agent.ts";
import { LeaseLost } from "../ports/store.ts";
import { metBefore, tooMuchBefore } from "./before.ts";
import { Asked } from "./consult.ts";
import type { EngineDependencies } from "./deps.ts";
import { type Hold, holdTask, OutcomeUnknown, PutDown, type PutDownReason, type Wishes } from "./hold.ts";
import { implementPlan } from "./implementation.ts";
import { PrepareFailed } from "./layers.ts";
import { phaseWithoutModel } from "./models-needed.ts";
import { planTask } from "./planning.ts";
import { recover } from "./recover.ts";
import { rest } from "./rest.ts";
import { isClaimable, refuseToTouch, tamperedText } from "./tampered.ts";
import { timeUpDetail, watchTime } from "./task-time.ts";
import { verifyTask } from "./verification.ts";

/** One claim, from taking the task up to putting it down. Never throws for what happens to the task: that is in its journal. */
export async function runTask(
  deps: EngineDependencies,
  id: string,
  epoch: number,
  signal: AbortSignal,
  wishes: Wishes,
): Promise<void> {
  const by = { kind: "worker", name: deps.worker } as const;
  const { task: before } = await deps.log.load(id);
  const tampered = await deps.store.tasks.tampered(id);
  if (tampered !== null && !isClaimable(tampered.status)) throw await refuseToTouch(deps, before, tampered);
  // What was tampered with is claimed for one thing only: to say so. Nothing it says of itself is read.
  const spec = tampered === null ? await frozenSpec(deps, id, before.spec) : null;
  const met = tampered === null ? await metBefore(deps, before) : [];
  if (tampered === null && (await tooMuchBefore(deps, before, met))) return;
  const claimed = await deps.log
    .give(
      id,
      { type: "claim", by, worker: deps.worker, epoch, met },
      { lease: { kind: "acquire", task: id, worker: deps.worker, epoch, owner: deps.self } },
    )
    .catch(async (error: unknown) => {
      throw tampered !== null && isFailure(error, "task/refused") ? await refuseToTouch(deps, before, tampered) : error;
    });
  const time = new AbortController();
  // A claim and a revised spec exclude each other: from `draft` nothing is claimed, so this is the spec that was read.
  const hold = holdTask(deps, claimed, spec, epoch, AbortSignal.any([signal, time.signal]), wishes);
  let unwatch = (): void => undefined;
  try {
    if (tampered !== null) throw new Failure("store/corrupt", tamperedText(id, tampered));
    unwatch = watchTime(deps, hold, wishes, () => time.abort());
    if (await recover(deps, hold)) await work(deps, hold);
  } catch (error) {
    await putDown(deps, hold, error, signal);
  } finally {
    unwatch();
  }
}

async function work(deps: EngineDependencies, hold: Hold): Promise<void> {
  const agent: Agent | undefined = hold.spec.agent.kind === "none" ? undefined : deps.agents[hold.spec.agent.kind];
  if (agent === undefined) {
    await hold.report({
      type: "block",
      reason: "no_model",
      detail: "this task names no agent, and no model or agent is configured",
      step: null,
    });
    return;
  }
  const without = await phaseWithoutModel(deps, hold);
  if (without !== null) throw new Failure("model/none", `no model is configured for the phase ${without} of this task`);
  for (;;) {
    hold.boundary();
    const { phase, approval } = hold.task();
    switch (phase) {
      case "intent":
        await hold.report({ type: "enter_phase", phase: "planning" });
        break;
      case "planning":
        if (approval !== null) await hold.report({ type: "enter_phase", phase: "implementation" });
        else {
          await planTask(deps, hold, agent);
          return;
        }
        break;
      case "implementation":
        if ((await implementPlan(deps, hold, agent)) === "put-down") return;
        break;
      case "verification":
        if ((await verifyTask(deps, hold, agent)) === "put-down") return;
        break;
    }
  }
}

/** The frozen spec, read back and checked against the hash in the journal; null when it is not what was frozen. */
async function frozenSpec(
  deps: EngineDependencies,
  id: string,
  frozen: { readonly version: number; readonly hash: string } | null,
): Promise<Spec | null> {
  const stored = frozen === null ? null : await deps.store.tasks.spec(id, frozen.version);
  if (stored === null || deps.digest(new TextEncoder().encode(stored.text)) !== frozen?.hash) return null;
  return specFrom(stored.text);
}

/**
 * What a task waits for after a failure. Each code has its row, so that no new one ends tasks unnoticed: `bug` is said of those that nothing
 * a task does while it runs should end in.
 */
const WAITS_FOR: Readonly<Record<FailureCode, BlockReason | "bug">> = {
  "sandbox/missing": "sandbox_missing",
  "doctor/unready": "sandbox_missing",
  "store/full": "storage_full",
  "store/busy": "storage_full",
  "store/corrupt": "integrity",
  "repo/refused": "repo_missing",
  "repo/unsupported": "repo_missing",
  "repo/not-found": "repo_missing",
  "project/not-found": "repo_missing",
  "remote/auth-needed": "repo_missing",
  "remote/auth-refused": "repo_missing",
  "remote/host-unknown": "repo_missing",
  "remote/not-found": "repo_missing",
  "remote/unreachable": "repo_missing",
  "remote/timeout": "repo_missing",
  "remote/failed": "repo_missing",
  "spec/invalid": "approval_needed",
  "act/denied": "approval_needed",
  "agent/failed": "agent_failed",
  "agent/missing": "agent_missing",
  "budget/exhausted": "budget_exhausted",
  "model/none": "no_model",
  "model/unavailable": "provider_unavailable",
  "model/rate-limited": "provider_unavailable",
  "model/timeout": "provider_unavailable",
  "model/refused": "provider_unavailable",
  "model/not-found": "provider_unavailable",
  "model/bad-answer": "provider_unavailable",
  "model/endless": "provider_unavailable",
  "model/invalid": "provider_unavailable",
  "model/context-overflow": "agent_failed",
  "provider/not-found": "provider_unavailable",
  "provider/refused": "provider_unavailable",
  "provider/failed": "provider_unavailable",
  "secret/unreadable": "provider_unavailable",
  "plan/invalid": "agent_failed",
  "input/invalid": "agent_failed",
  // Said to people and programs that ask for something, not to work.
  "input/too-large": "bug",
  "input/media-type": "bug",
  "route/not-found": "bug",
  "host/refused": "bug",
  "peer/refused": "bug",
  "origin/refused": "bug",
  "rate/limited": "bug",
  "idempotency/mismatch": "bug",
  "project/refused": "bug",
  "artifact/not-found": "bug",
  "policy/invalid": "bug",
  "policy/unexpected": "bug",
  "audit/broken": "bug",
  "daemon/running": "bug",
  "daemon/unreachable": "bug",
  "store/unwritable": "bug",
  "store/newer": "bug",
  // The machine refuses what the holder of a lease says, or there is no such task: then the two do not agree on where it stands.
  "task/not-found": "bug",
  "task/refused": "bug",
  "task/changed": "bug",
  // Of a delivery, which is made of a task that has succeeded.
  "remote/moved": "bug",
  "remote/protected": "bug",
  "delivery/refused": "bug",
  "delivery/torn": "bug",
};

/** The operating system's own words for a full disk, where no adapter translated them. */
const FULL: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT"]);

/** The disk itself fails: what was written before may be lost as well. No word about the task could be trusted; the next start finds out. */
const BROKEN: ReadonlySet<unknown> = new Set(["EIO", "EROFS"]);

/** The end of a hold as one report. A step may stay open behind a wait; the next claim closes it. */
function endOf(deps: EngineDependencies, hold: Hold, error: unknown): WorkReport | null {
  if (error instanceof LeaseLost || error instanceof Asked) return null;
  if (error instanceof PutDown) return putDownAs(hold, error.why);
  if (error instanceof OutcomeUnknown) {
    const detail = `step ${error.step} (${error.doing}) was interrupted; it may or may not have taken effect outside`;
    return { type: "block", reason: "outcome_unknown", detail, step: error.step };
  }
  if (error instanceof PrepareFailed)
    return { type: "block", reason: "prepare_failed", detail: error.message, step: null };
  const reason = isFailure(error) ? WAITS_FOR[error.code] : "bug";
  if (reason !== "bug" && isFailure(error))
    return { type: "block", reason, detail: error.message.slice(0, DETAIL_MAX).toWellFormed(), step: null };
  if (error instanceof Error && "code" in error && FULL.has(error.code))
    return { type: "block", reason: "storage_full", detail: "the disk is full", step: null };
  if (error instanceof Error && "code" in error && BROKEN.has(error.code)) {
    deps.fatal(error);
    return null;
  }
  deps.warn(`task ${hold.id} hit a bug`, error);
  const name = error instanceof Error ? error.name : "unknown";
  return {
    type: "fail",
    exitReason: "bug",
    detail: `AgentOS failed while it worked on this (${name}); the daemon's log has the details`,
  };
}

function putDownAs(hold: Hold, why: PutDownReason): WorkReport {
  switch (why) {
    case "pause":
    case "cancel":
      return { type: "stop", why };
    case "time_up":
      return { type: "block", reason: "budget_exhausted", detail: timeUpDetail(hold), step: null };
    case "shutdown":
      return { type: "release", cause: "worker_stopped" };
    case "project_paused":
    case "daemon_paused":
      return { type: "release", cause: why };
  }
}

const DETAIL_MAX = 1_000;
const AGAIN_MS = 5_000;

/** Says how the hold ended, again and again while the store cannot take it: only the end of the worker ends that, and then the next start recovers. */
async function putDown(deps: EngineDependencies, hold: Hold, error: unknown, stopping: AbortSignal): Promise<void> {
  const report = endOf(deps, hold, error);
  if (report === null) return;
  if (report.type === "block" && report.reason === "storage_full") await makeRoom(deps);
  for (;;) {
    try {
      await hold.report(report);
      return;
    } catch (worse) {
      if (worse instanceof LeaseLost) return;
      const passing = isFailure(worse, "store/full") || isFailure(worse, "store/busy");
      if (!passing) {
        deps.warn(`task ${hold.id} could not be put down`, worse);
        return;
      }
      if (stopping.aborted) return;
      if (isFailure(worse, "store/full")) await makeRoom(deps);
      await rest(AGAIN_MS, stopping);
    }
  }
}

const makeRoom = (deps: EngineDependencies): Promise<void> =>
  deps.storage.ranOut().catch((error: unknown) => deps.warn("the reserve could not be given up", error));
