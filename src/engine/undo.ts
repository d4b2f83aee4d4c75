import { checkoutsOf } from "../domain/gate.ts";
import type { OpenStep } from "../domain/step.ts";
import type { EngineDependencies } from "./deps.ts";
import type { Hold } from "./hold.ts";
import { excludedPaths } from "./workspace-value.ts";

/** Puts every workspace back to what it was before the step; what lay there is kept as a rescue. Returns the rescue names per repo. */
export async function undoOpenStep(
  deps: EngineDependencies,
  hold: Hold,
  open: OpenStep,
): Promise<Readonly<Record<string, string>>> {
  const rescued: Record<string, string> = {};
  for (const [repo, tree] of Object.entries(open.before)) {
    const workspace = { task: hold.id, epoch: hold.epoch, repo };
    const kept = await deps.workspaces.restore(workspace, tree, excludedPaths(hold.spec, repo));
    if (kept.rescued !== null) rescued[repo] = kept.rescued;
    if (open.act.kind === "prepare") await deps.workspaces.dropGateCheckout(workspace, `prepare-${open.step}`);
  }
  if (open.act.kind === "gate")
    for (const { repo, name } of checkoutsOf(open.step, open.act))
      await deps.workspaces.dropGateCheckout({ task: hold.id, epoch: hold.epoch, repo }, name);
  if (open.act.kind === "prepare") await deps.layers.discard(open.act.key);
  return rescued;
}
