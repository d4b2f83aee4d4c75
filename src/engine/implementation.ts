import { Failure } from "../domain/failure.ts";
import { inOrder, type OpenPlan, planFrom } from "../domain/plan.ts";
import type { Agent } from "../ports/agent.ts";
import type { StagedBlob } from "../ports/store.ts";
import { type AttemptEnd, endAttempt } from "./attempt.ts";
import type { EngineDependencies } from "./deps.ts";
import { setDesk } from "./desk.ts";
import type { Hold } from "./hold.ts";
import { ensureLayers } from "./layers.ts";

/** A cause is one sentence; what a command put out lies in its step's evidence. */
const CAUSE_MAX = 500;

/** Works through the approved plan, item by item, each in its place. Says whether the task is still in hand. */
export async function implementPlan(deps: EngineDependencies, hold: Hold, agent: Agent): Promise<AttemptEnd> {
  const plan = await approvedPlan(deps, hold);
  await ensureLayers(deps, hold, "implementation", "base");
  for (const item of inOrder(plan.items)) {
    const state = hold.task().items[item.id];
    if (state?.status === "completed" || state?.status === "skipped") continue;
    if (state?.status === "failed") return endAttempt(deps, hold, agent, "work_item");
    hold.boundary();
    if (hold.runMode() === "interactive" && state?.approved !== true) {
      await hold.report({ type: "propose_item", item: item.id });
      return "put-down";
    }
    if (state?.status !== "running") await hold.report({ type: "start_item", item: item.id });
    const desk = await setDesk(deps, hold, "implementation", `${hold.task().attempt}.item-${item.id}`, item, "base");
    // Where a repo may not be changed, the kernel's word for it stands before the item's first act.
    await deps.broker.witness(desk, "by-scope");
    const told: { last: string } = { last: "" };
    const can = deps.broker.working(desk);
    const outcome = await agent.work(item, {
      ...can,
      run: async (repo, command) => {
        const result = await can.run(repo, command);
        told.last = [result.stdout, result.stderr].join("\n").trim();
        return result;
      },
    });
    if (outcome.done) await hold.report({ type: "complete_item", item: item.id });
    else {
      const output: StagedBlob | null =
        told.last === "" ? null : await deps.store.stage(new TextEncoder().encode(told.last));
      await hold.report(
        {
          type: "fail_item",
          item: item.id,
          cause: outcome.cause.slice(0, CAUSE_MAX).toWellFormed(),
          output: output?.ref ?? null,
        },
        output === null ? [] : [output],
      );
      return endAttempt(deps, hold, agent, "work_item");
    }
  }
  hold.boundary();
  await hold.report({ type: "enter_phase", phase: "verification" });
  return "goes-on";
}

/** The plan whose hash was approved, read back and checked: what is worked on is what was agreed on. */
async function approvedPlan(deps: EngineDependencies, hold: Hold): Promise<OpenPlan> {
  const { plan, approval, spec } = hold.task();
  if (plan === null || approval === null || spec === null)
    throw new Error(`task ${hold.id} is worked on without an approved plan`);
  if (approval.plan !== plan.hash || approval.spec !== spec.hash)
    throw new Failure("store/corrupt", `the approval of task ${hold.id} is for another plan or spec`);
  const stored = await deps.store.tasks.plan(hold.id, plan.version);
  if (stored === null || deps.digest(new TextEncoder().encode(stored.text)) !== plan.hash)
    throw new Failure("store/corrupt", `the stored plan of task ${hold.id} does not have the approved hash`);
  return planFrom(stored.text);
}
