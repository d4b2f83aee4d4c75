import { type Act, crashPolicy } from "../domain/step.ts";
import type { StagedBlob } from "../ports/store.ts";
import type { EngineDependencies } from "./deps.ts";
import { type Hold, OutcomeUnknown } from "./hold.ts";
import { repairRefs } from "./repair-refs.ts";
import { settledResult } from "./settled-result.ts";
import { undoOpenStep } from "./undo.ts";
import { excludedPaths } from "./workspace-value.ts";

const PARTIAL_BYTES = 256 * 1024;
const DEATHS_MAX = 3;

/**
 * What a claim finds is not believed but made true: the working directories become those of this epoch, a step that was in flight is
 * closed by its crash policy, and every workspace has the id of the last checkpoint. Returns false when the task waits for a person.
 */
export async function recover(deps: EngineDependencies, hold: Hold): Promise<boolean> {
  const { deaths } = hold.task();
  // First of all: whatever kills the system here, a restore included, must not get a fourth chance by itself.
  if (deaths >= DEATHS_MAX) {
    await hold.report({
      type: "block",
      reason: "crash_loop",
      detail: `the system died ${deaths} times in a row while this task ran, without a finished step between`,
      step: null,
    });
    return false;
  }
  await repairRefs(deps, hold);
  await takeOverDirectories(deps, hold);
  await closeOpenStep(deps, hold);
  await returnToCheckpoint(deps, hold);
  return true;
}

async function takeOverDirectories(deps: EngineDependencies, hold: Hold): Promise<void> {
  const task = hold.task();
  if (task.bases === null) return;
  for (const [repo, base] of Object.entries(task.bases)) {
    const workspace = { task: hold.id, repo, epoch: hold.epoch };
    if (await deps.workspaces.exists(workspace)) continue;
    const earlier = await newestBefore(deps, hold, repo);
    if (earlier !== null) await deps.workspaces.handOver({ ...workspace, epoch: earlier }, hold.epoch);
    else await deps.workspaces.checkout(workspace, base.commit);
  }
}

async function newestBefore(deps: EngineDependencies, hold: Hold, repo: string): Promise<number | null> {
  for (let epoch = hold.epoch - 1; epoch >= 1; epoch -= 1)
    if (await deps.workspaces.exists({ task: hold.id, repo, epoch })) return epoch;
  return null;
}

async function closeOpenStep(deps: EngineDependencies, hold: Hold): Promise<void> {
  const open = hold.task().openStep;
  if (open === null) return;
  if (crashPolicy(open.act) === "ask_a_person" && open.settled === null && !hold.canceled())
    throw new OutcomeUnknown(
      open.step,
      open.act.kind === "command" ? open.act.argv.join(" ").slice(0, 300).toWellFormed() : open.act.kind,
    );
  const output = await deps.partialOutput(hold.id, open.step, open.run, PARTIAL_BYTES);
  const partial = output === null ? null : await deps.store.stage(output);
  const blobs = partial === null ? [] : [partial];
  if (open.settled === "done") {
    const after: Record<string, string> = {};
    for (const repo of Object.keys(open.before))
      after[repo] = await deps.workspaces.snapshot(
        { task: hold.id, repo, epoch: hold.epoch },
        excludedPaths(hold.spec, repo),
      );
    const told = await stageSettled(deps, open.act, "done");
    await hold.report(
      {
        type: "complete_step",
        step: { step: open.step, run: open.run, evidence: [], after, result: told.ref },
        followedBy: [{ type: "CHECKPOINTED", body: { step: open.step, trees: after } }],
      },
      [...blobs, told],
    );
    return;
  }
  const rescued = await undoOpenStep(deps, hold, open);
  if (open.settled === "abort") {
    const told = await stageSettled(deps, open.act, "abort");
    await hold.report(
      {
        type: "fail_step",
        step: {
          step: open.step,
          run: open.run,
          evidence: [],
          after: {},
          cause: "aborted by a person",
          result: told.ref,
        },
      },
      [...blobs, told],
    );
  } else
    await hold.report(
      {
        type: "lose_step",
        step: {
          step: open.step,
          run: open.run,
          cause: hold.canceled() ? "canceled" : "worker_died",
          rescued,
          partialOutput: partial?.ref ?? null,
        },
      },
      blobs,
    );
  return;
}

const stageSettled = (deps: EngineDependencies, act: Act, said: "done" | "abort"): Promise<StagedBlob> =>
  deps.store.stage(new TextEncoder().encode(JSON.stringify(settledResult(act, said))));

/** Also what a person (or a stray process) changed in a working directory between two claims is undone, and kept as a rescue. */
export async function returnToCheckpoint(deps: EngineDependencies, hold: Hold): Promise<void> {
  for (const [repo, tree] of Object.entries(hold.task().trees))
    await deps.workspaces.restore({ task: hold.id, repo, epoch: hold.epoch }, tree, excludedPaths(hold.spec, repo));
}
