import { type FailureCode, isFailure } from "../domain/failure.ts";
import type { Spec } from "../domain/spec.ts";
import type { BlockReason } from "../domain/waiting.ts";
import type { Agent } from "../ports/agent.ts";
import { LeaseLost } from "../ports/store.ts";
import type { EngineDependencies } from "./deps.ts";
import { type Hold, holdTask, PutDown, type Wishes } from "./hold.ts";
import { implementPlan } from "./implementation.ts";
import { PrepareFailed } from "./layers.ts";
import { planTask } from "./planning.ts";
import { recover } from "./recover.ts";
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
  const claimed = await deps.log.give(
    id,
    { type: "claim", by, worker: deps.worker, epoch },
    { lease: { kind: "acquire", task: id, worker: deps.worker, epoch, owner: deps.self } },
  );
  const spec = await frozenSpec(deps, id, claimed.task.spec);
  if (spec === null) {
    const detail = `the stored spec does not have the frozen hash ${claimed.task.spec?.hash ?? ""}`;
    await deps.log.give(
      id,
      {
        type: "report",
        by,
        worker: deps.worker,
        epoch,
        report: { type: "block", reason: "integrity", detail, step: null },
      },
      { lease: { kind: "release", task: id, epoch } },
    );
    return;
  }
  const hold = holdTask(deps, claimed.task, spec, epoch, signal, wishes);
  try {
    if (await recover(deps, hold)) await work(deps, hold);
  } catch (error) {
    await putDown(deps, hold, error);
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
  return JSON.parse(stored.text) as Spec;
}

/** Failures a person can act on, and what the task then waits for. */
const WAITS_FOR: Readonly<Partial<Record<FailureCode, BlockReason>>> = {
  "sandbox/missing": "sandbox_missing",
  "store/full": "storage_full",
  "store/corrupt": "integrity",
  "repo/refused": "repo_missing",
  "repo/unsupported": "repo_missing",
  "repo/not-found": "repo_missing",
  "project/not-found": "repo_missing",
  "act/denied": "approval_needed",
  "agent/failed": "agent_failed",
  "plan/invalid": "agent_failed",
};

async function putDown(deps: EngineDependencies, hold: Hold, error: unknown): Promise<void> {
  try {
    if (error instanceof LeaseLost) return;
    if (error instanceof PutDown) {
      if (error.why === "shutdown") await hold.report({ type: "release" });
      else await hold.report({ type: "stop", why: error.why });
    } else if (error instanceof PrepareFailed)
      await hold.report({ type: "block", reason: "prepare_failed", detail: error.message, step: null });
    else if (isFailure(error) && WAITS_FOR[error.code] !== undefined)
      await hold.report({
        type: "block",
        reason: WAITS_FOR[error.code] ?? "agent_failed",
        detail: error.message,
        step: null,
      });
    else {
      deps.warn(`task ${hold.id} hit a bug`, error);
      await hold.report({
        type: "fail",
        exitReason: "bug",
        detail: `AgentOS failed while it worked on this: ${error instanceof Error ? error.name : "unknown"}; the daemon's log has the details`,
      });
    }
  } catch (worse) {
    // The journal could not take the end of this hold. The task stays `running` there, and the next start recovers it.
    if (!(worse instanceof LeaseLost)) deps.warn(`task ${hold.id} could not be put down`, worse);
  }
}
