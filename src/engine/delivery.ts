import type { DeliveredTo } from "../domain/event.ts";
import { Failure } from "../domain/failure.ts";
import { FINDINGS } from "../domain/finding.ts";
import { isRemote } from "../domain/remote.ts";
import type { Spec } from "../domain/spec.ts";
import type { Act } from "../domain/step.ts";
import { suspicions } from "../domain/suspicion.ts";
import type { In, Task } from "../domain/task.ts";
import type { Delivered, Delivery, DeliveryRequest } from "../ports/delivery.ts";
import { deliveryDesk, sourceOf, specOf, stopped } from "./delivery-desk.ts";
import { finishOpen, leaveAsIs } from "./delivery-recovery.ts";
import { proveMerged, type Route, routeOf } from "./delivery-route.ts";
import { deliverTogether } from "./delivery-together.ts";
import { travel } from "./delivery-travel.ts";
import type { EngineDependencies } from "./deps.ts";
import { changedFiles } from "./inspection.ts";
import { refuseToTouch } from "./tampered.ts";

/**
 * Brings a proven tree to where people see it. First every repo's route is decided (and, where the target moved on, the merged tree is
 * built and proven by the same gates); only when all are decided does the first branch move, by compare-and-set inside a durable step.
 * Several repos are one step: all of them move, or none does.
 */
export function createDelivery(deps: EngineDependencies): Delivery {
  const busy = new Map<string, Promise<unknown>>();
  const stopping = new AbortController();

  const one = <T>(task: string, work: () => Promise<T>): Promise<T> => {
    // Free again before whoever asked is answered: what they do next must not meet their own delivery.
    const mine = (busy.get(task) ?? Promise.resolve()).then(work, work).finally(() => {
      if (busy.get(task) === settled) busy.delete(task);
    });
    const settled = mine.catch(() => undefined);
    busy.set(task, settled);
    return mine;
  };

  return {
    deliver: (request) =>
      one(request.task, async () => {
        if (stopping.signal.aborted) throw stopped(request.task);
        if (request.leave) {
          await leaveAsIs(deps, request.task, request.by);
          return { repos: {}, notes: ["the branches stay as they are"] };
        }
        await finishOpen(deps, request.task);
        return deliverTask(deps, request, stopping.signal);
      }),
    finish: (task) =>
      one(task, async () => {
        if (stopping.signal.aborted) throw stopped(task);
        await finishOpen(deps, task);
      }),
    async alone(task, work) {
      if (busy.has(task))
        throw new Failure("task/refused", `task ${task} is being delivered just now`, {
          next: `agentos task show ${task} says when it is through.`,
        });
      return one(task, work);
    },
    async recover() {
      for (const id of await deps.store.operations.succeededWithOpenStep()) {
        const { act } = (await deps.log.load(id)).task.openStep ?? {};
        const finished = one(id, () => finishOpen(deps, id)).catch((error: unknown) =>
          deps.warn(`the interrupted delivery of task ${id} could not be finished; its step stays open`, error),
        );
        // A push is asked of a remote, which may be away: the start does not wait for it, the next delivery of the task does.
        if (!isPushed(act)) await finished;
      }
    },
    async stop() {
      stopping.abort();
      while (busy.size > 0) await Promise.all(busy.values());
    },
  };
}

const isPushed = (act: Act | undefined): boolean =>
  act?.kind === "deliver_together"
    ? act.moves.some(({ way }) => way === "push")
    : act?.kind === "deliver" && act.way === "push";

async function deliverTask(
  deps: EngineDependencies,
  request: DeliveryRequest,
  signal: AbortSignal,
): Promise<Delivered> {
  const { task } = await deps.log.load(request.task);
  const tampered = await deps.store.tasks.tampered(task.id);
  if (tampered !== null) throw await refuseToTouch(deps, task, tampered);
  const proven = provenTask(task);
  const spec = await specOf(deps, proven);
  const desk = await deliveryDesk(deps, proven, spec, request.by, signal);
  const changed = Object.entries(proven.candidate ?? {}).filter(([, { tree, baseTree }]) => tree !== baseTree);
  if (changed.length === 0)
    throw new Failure("delivery/refused", `task ${proven.id} changed nothing, so there is nothing to deliver`, {
      next: `agentos task artifacts ${proven.id}`,
    });
  if (request.push !== undefined)
    await refusePushToNone(
      deps,
      proven,
      request.push,
      changed.map(([repo]) => repo),
    );
  await refuseSecrets(deps, proven, spec);
  const routes: Route[] = [];
  for (const [repo, candidate] of changed)
    routes.push(await routeOf(deps, proven, spec, request, repo, candidate, changed.length > 1));
  await proveMerged(deps, desk, proven, spec, routes, request.by);
  const repos: Record<string, DeliveredTo> = {};
  for (const route of routes) {
    const before = arrivedBefore(proven, route);
    if (before !== null) repos[route.repo] = before;
  }
  const left = routes.filter(({ repo }) => repos[repo] === undefined);
  const [only, ...more] = left;
  if (only !== undefined && more.length === 0) repos[only.repo] = await travel(deps, desk, proven, only);
  else if (only !== undefined)
    Object.assign(repos, await deliverTogether(deps, desk, proven, left, request.by, signal));
  return { repos, notes: routes.flatMap(({ note }) => (note === null ? [] : [note])) };
}

/** Who names a branch to push to does not mean the branch of a local repository: where that is all there is, nothing moves. */
async function refusePushToNone(
  deps: EngineDependencies,
  task: In<"succeeded">,
  push: string,
  repos: readonly string[],
): Promise<void> {
  for (const repo of repos) if (isRemote((await sourceOf(deps, task, repo)).path)) return;
  const [only, ...more] = repos;
  throw new Failure(
    "delivery/refused",
    more.length === 0
      ? `${only} is a local repository, and --push is for remotes`
      : `${repos.join(", ")} are local repositories, and --push is for remotes`,
    {
      next: `agentos task deliver ${task.id} --way branch --branch ${push} writes that branch ${more.length === 0 ? "of it" : "in each of them"}.`,
      facts: { repos },
    },
  );
}

/** The diff itself is looked at once more before anything leaves: what is out cannot be taken back. */
async function refuseSecrets(deps: EngineDependencies, task: In<"succeeded">, spec: Spec): Promise<void> {
  if (spec.mayChange?.includes("secrets") === true) return;
  const found = Object.entries(await changedFiles(deps, task)).flatMap(([repo, files]) =>
    suspicions(repo, files, []).filter(({ kind }) => kind === "secret"),
  );
  const [first] = found;
  if (first !== undefined)
    throw new Failure("delivery/refused", `${first.about} ${FINDINGS.secret.means}: ${first.detail}`, {
      next: `Have it taken out: agentos task fork ${task.id}. What is no secret passes where the spec says --may-change secrets.`,
      facts: { paths: found.map(({ about }) => about) },
    });
}

/** Delivered there already, and still part of it: what was recorded then stands, and nothing is recorded again. */
function arrivedBefore(task: In<"succeeded">, route: Route): DeliveredTo | null {
  const before = task.delivered?.[route.repo];
  return route.way !== "patch" && route.from === route.to && before?.branch === route.branch ? before : null;
}

function provenTask(task: Task): In<"succeeded"> {
  if (task.status !== "succeeded")
    throw new Failure(
      "task/refused",
      `task ${task.id} is ${task.status}; only a task that succeeded can be delivered`,
      { facts: { status: task.status, refused: "deliver" }, next: `agentos task show ${task.id}` },
    );
  if (task.openStep !== null)
    throw new Failure("task/refused", `step ${task.openStep.step} of task ${task.id} is open`, {
      next: "Restart the daemon: it finishes or gives back an interrupted delivery.",
    });
  return task;
}
