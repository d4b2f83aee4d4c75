import type { CandidateOf, DeliveredTo } from "../domain/event.ts";
import type { Act } from "../domain/step.ts";
import type { In } from "../domain/task.ts";
import type { Desk } from "../ports/broker.ts";
import type { StagedBlob } from "../ports/store.ts";
import type { Route } from "./delivery-route.ts";
import type { EngineDependencies } from "./deps.ts";

export type DeliverAct = Extract<Act, { readonly kind: "deliver" }>;

/** One repo's route, gone in a durable step. */
export async function travel(
  deps: EngineDependencies,
  desk: Desk,
  task: In<"succeeded">,
  route: Route,
): Promise<DeliveredTo> {
  const act: DeliverAct = {
    kind: "deliver",
    repo: route.repo,
    way: route.way,
    branch: route.branch,
    from: route.from,
    to: route.to,
    tree: route.tree,
  };
  return (await desk.steps.perform({
    input: deps.seal(act).sha256,
    open: async () => ({ act, blobs: [] }),
    effect: async () => {
      const arrived = await arrive(deps, task.id, route.source, act, route.candidate);
      return {
        evidence: [{ kind: "commit", repo: route.repo, commit: route.to, tree: route.tree }],
        touched: [],
        result: arrived.delivered,
        failed: null,
        blobs: arrived.blobs,
      };
    },
  })) as DeliveredTo;
}

/** The effect itself, safe to repeat: objects first, then one compare-and-set. */
export async function arrive(
  deps: EngineDependencies,
  task: string,
  source: string,
  act: DeliverAct,
  candidate: CandidateOf,
): Promise<{ readonly delivered: DeliveredTo; readonly blobs: readonly StagedBlob[] }> {
  const clone = { task, repo: act.repo };
  const told = {
    way: act.way,
    branch: act.branch === "" ? null : act.branch,
    from: act.from,
    to: act.to,
    tree: act.tree,
  };
  if (act.way === "patch") {
    const patch = await deps.store.stage(
      new TextEncoder().encode(await deps.workspaces.patch(clone, candidate.base, candidate.commit)),
    );
    await deps.log.give(
      task,
      {
        type: "record_delivery",
        by: { kind: "system", name: "agentos" },
        events: [
          {
            type: "ARTIFACT_STORED",
            body: { name: `${act.repo}.patch`, mediaType: "text/x-patch", content: patch.ref, step: null },
          },
        ],
      },
      { blobs: [patch] },
    );
    return { delivered: { ...told, checkoutFollowed: false }, blobs: [] };
  }
  await deps.workspaces.publishRef(clone, source, act.to, `tasks/${task}`);
  const moved =
    act.from === act.to
      ? { checkoutFollowed: false }
      : await deps.workspaces.moveBranch(source, act.branch, act.from, act.to);
  return { delivered: { ...told, checkoutFollowed: moved.checkoutFollowed }, blobs: [] };
}
