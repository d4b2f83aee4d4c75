import type { CandidateOf, DeliveredTo } from "../domain/event.ts";
import type { DeliveryEvent } from "../domain/lifecycle.ts";
import type { Act } from "../domain/step.ts";
import type { In } from "../domain/task.ts";
import type { Desk } from "../ports/broker.ts";
import type { Arrived } from "./delivery-desk.ts";
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
  const arrived = (await desk.steps.perform({
    input: deps.seal(act).sha256,
    open: async () => ({ act, blobs: [] }),
    effect: async () => {
      const result = await arrive(deps, task.id, route.source, act, route.candidate);
      return {
        evidence: [{ kind: "commit", repo: route.repo, commit: route.to, tree: route.tree }],
        touched: [],
        result,
        failed: null,
        blobs: result.blobs,
      };
    },
  })) as Arrived;
  const { [route.repo]: delivered } = arrived.repos;
  if (delivered === undefined) throw new Error(`${route.repo} arrived nowhere`);
  return delivered;
}

/** The effect itself, safe to repeat: objects first, then one compare-and-set. */
export async function arrive(
  deps: EngineDependencies,
  task: string,
  source: string,
  act: Omit<DeliverAct, "kind">,
  candidate: CandidateOf,
): Promise<Arrived> {
  const clone = { task, repo: act.repo };
  if (act.way === "patch") {
    const text = await deps.workspaces.patch(clone, candidate.base, candidate.commit);
    const patch = await deps.store.stage(new TextEncoder().encode(text));
    const stored: DeliveryEvent = {
      type: "ARTIFACT_STORED",
      body: { name: `${act.repo}.patch`, mediaType: "text/x-patch", content: patch.ref, step: null },
    };
    return arrivedAt(act, false, [stored], [patch]);
  }
  await deps.workspaces.publishRef(clone, source, act.to, `tasks/${task}`);
  const { checkoutFollowed } =
    act.from === act.to
      ? { checkoutFollowed: false }
      : await deps.workspaces.moveBranch(source, act.branch, act.from, act.to);
  return arrivedAt(act, checkoutFollowed);
}

/** One repo's arrival, as it is recorded. */
export function arrivedAt(
  { repo, way, branch, from, to, tree }: Omit<DeliverAct, "kind">,
  checkoutFollowed: boolean,
  before: Arrived["events"] = [],
  blobs: Arrived["blobs"] = [],
): Arrived {
  const repos = {
    [repo]: { way, branch: branch === "" ? null : branch, from, to, tree, checkoutFollowed },
  };
  return { repos, events: [...before, { type: "DELIVERED", body: { repos } }], blobs };
}
