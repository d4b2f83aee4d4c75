import type { DeliveredTo } from "../domain/event.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import type { In, Task } from "../domain/task.ts";
import type { Delivered, Delivery, DeliveryRequest } from "../ports/delivery.ts";
import { deliveryDesk, specOf, stopped } from "./delivery-desk.ts";
import { finishOpen } from "./delivery-recovery.ts";
import { type Route, routeOf } from "./delivery-route.ts";
import { travel } from "./delivery-travel.ts";
import type { EngineDependencies } from "./deps.ts";

/**
 * Brings a proven tree to where people see it. First every repo's route is decided (and, where the target moved on, the merged tree is
 * built and proven by the same gates); only when all are decided does the first branch move, each by compare-and-set inside a durable step.
 */
export function createDelivery(deps: EngineDependencies): Delivery {
  const busy = new Map<string, Promise<unknown>>();
  const stopping = new AbortController();

  const one = <T>(task: string, work: () => Promise<T>): Promise<T> => {
    const next = (busy.get(task) ?? Promise.resolve()).then(work, work);
    const settled = next
      .catch(() => undefined)
      .finally(() => {
        if (busy.get(task) === settled) busy.delete(task);
      });
    busy.set(task, settled);
    return next;
  };

  return {
    deliver: (request) =>
      one(request.task, async () => {
        if (stopping.signal.aborted) throw stopped(request.task);
        await finishOpen(deps, request.task);
        return deliverTask(deps, request, stopping.signal);
      }),
    async recover() {
      for (const id of await deps.store.operations.succeededWithOpenStep()) {
        const { act } = (await deps.log.load(id)).task.openStep ?? {};
        const finished = one(id, () => finishOpen(deps, id)).catch((error: unknown) =>
          deps.warn(`the interrupted delivery of task ${id} could not be finished; its step stays open`, error),
        );
        // A push is asked of a remote, which may be away: the start does not wait for it, the next delivery of the task does.
        if (act?.kind !== "deliver" || act.way !== "push") await finished;
      }
    },
    async stop() {
      stopping.abort();
      while (busy.size > 0) await Promise.all(busy.values());
    },
  };
}

async function deliverTask(
  deps: EngineDependencies,
  request: DeliveryRequest,
  signal: AbortSignal,
): Promise<Delivered> {
  const { task } = await deps.log.load(request.task);
  const proven = provenTask(task);
  const spec = await specOf(deps, proven);
  const desk = await deliveryDesk(deps, proven, spec, request.by, signal);
  const routes: Route[] = [];
  for (const [repo, candidate] of Object.entries(proven.candidate ?? {}))
    if (candidate.tree !== candidate.baseTree)
      routes.push(await routeOf(deps, desk, proven, spec, request, repo, candidate));
  if (routes.length === 0)
    throw new Failure("delivery/refused", `task ${proven.id} changed nothing, so there is nothing to deliver`, {
      next: `agentos task artifacts ${proven.id}`,
    });
  const repos: Record<string, DeliveredTo> = {};
  for (const route of routes)
    try {
      repos[route.repo] = arrivedBefore(proven, route) ?? (await travel(deps, desk, proven, route));
    } catch (error) {
      if (!isFailure(error) || routes.length === 1) throw error;
      throw inPart(proven.id, error, repos, routes);
    }
  return { repos, notes: routes.flatMap(({ note }) => (note === null ? [] : [note])) };
}

/** Delivered there already, and still part of it: what was recorded then stands, and nothing is recorded again. */
function arrivedBefore(task: In<"succeeded">, route: Route): DeliveredTo | null {
  const before = task.delivered?.[route.repo];
  return (route.way === "merge" || route.way === "push") && route.from === route.to && before?.branch === route.branch
    ? before
    : null;
}

/** Several repos do not move as one: what did and what did not is said by name. */
function inPart(
  task: string,
  { code, message, next, facts }: Failure,
  repos: Readonly<Record<string, DeliveredTo>>,
  routes: readonly Route[],
): Failure {
  const arrived = Object.entries(repos).map(
    ([repo, { way, branch, to }]) => `${repo} (${way === "patch" ? "as a patch" : `${branch} is at ${to}`})`,
  );
  const left = routes.filter(({ repo }) => repos[repo] === undefined).map(({ repo }) => repo);
  return new Failure(
    code,
    `${message}. Delivered: ${arrived.length === 0 ? "nothing" : arrived.join(", ")}. Not delivered: ${left.join(", ")}`,
    {
      next: next ?? `agentos task deliver ${task} delivers what is left.`,
      facts: { ...facts, delivered: repos, notDelivered: left },
    },
  );
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
