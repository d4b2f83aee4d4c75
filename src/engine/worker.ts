import { classOf, inClaimOrder } from "../domain/claim-order.ts";
import type { AnyEvent } from "../domain/event.ts";
import { isFailure } from "../domain/failure.ts";
import { SYSTEM_STREAM, streamId } from "../domain/stream.ts";
import { LeaseLost, type Positioned } from "../ports/store.ts";
import { putDownMissed } from "./before.ts";
import type { EngineDependencies } from "./deps.ts";
import { noWishes, type Wishes } from "./hold.ts";
import { runTask } from "./run-task.ts";

export interface Worker {
  /**
   * Deals with what a dead daemon left, then works until stopped. Resolves once every task it left is taken up; what cannot be now is tried
   * again after a while.
   */
  start(): Promise<void>;
  /** Puts every task down in good order. */
  stop(): Promise<void>;
  busy(): number;
}

/** A task is in the queue, or one that others may wait for has ended, or what it waits for has changed, or how much of its project may run. */
const WAKES: ReadonlySet<AnyEvent["type"]> = new Set<AnyEvent["type"]>([
  "QUEUED",
  "COMPLETED",
  "FAILED",
  "CANCELED",
  "DEPENDENCY_ADDED",
  "DEPENDENCY_REMOVED",
  "PROJECT_CHANGED",
]);

/** A task that could not be taken up is tried again after so long, and so is reading which there are. */
const AGAIN_MS = 5_000;

interface InHand {
  readonly project: string;
  readonly abort: AbortController;
  readonly wishes: Wishes;
  readonly done: Promise<void>;
}

/**
 * Takes up queued tasks, at most `tasksMax` at a time, in the order of `inClaimOrder`. An append that queues a task, or may let one run
 * otherwise, wakes it at once; nothing polls. A task that waits for another takes no place. A cancel aborts the effect that is open; a pause, of
 * the task, its project or everything, waits for the next boundary. While everything is paused nothing is taken up, also not what a dead daemon
 * left.
 */
export function createWorker(deps: EngineDependencies, { tasksMax }: { readonly tasksMax: number }): Worker {
  /** Tasks that could not be taken up, until it is worth trying again. */
  const resting = new Map<string, NodeJS.Timeout | null>();
  /** Set while the store is to be read again, because it could not be. */
  let lookingAgain: NodeJS.Timeout | null = null;
  const running = new Map<string, InHand>();
  /** Only since the start of this worker: after a restart whatever waits counts as passed over, once. */
  const servedAtMs = new Map<string, number>();
  let paused = false;
  /** As heard since the start: what is read from the store may be older. */
  const pausedProjects = new Set<string>();
  let stopping = false;
  let filling: Promise<void> | null = null;
  const adopting = new Set<Promise<void>>();
  let again = false;
  let unsubscribe = (): void => {};

  const takeUp = ({ id, project }: { readonly id: string; readonly project: string }): void => {
    const abort = new AbortController();
    const wishes = { ...noWishes(), hold: holdOf(project) };
    const done = (async () => {
      const epoch = await deps.store.operations.nextEpoch(id);
      await runTask(deps, id, epoch, abort.signal, wishes);
    })()
      .catch(async (error: unknown) => {
        // Another claim was faster, or the task moved on meanwhile: both leave nothing to do here.
        if (error instanceof LeaseLost || isFailure(error, "task/refused")) return;
        if (isFailure(error, "store/full")) await deps.storage.ranOut();
        deps.warn(`task ${id} could not be taken up`, error);
        // What was tampered with does not mend itself: the next start looks again.
        if (isFailure(error, "store/corrupt")) resting.set(id, null);
        else rest(id);
      })
      .finally(() => {
        running.delete(id);
        wake();
      });
    running.set(id, { project, abort, wishes, done });
  };

  const rest = (id: string): void => {
    if (stopping) return;
    const timer = setTimeout(() => {
      resting.delete(id);
      // It may be one that a dead daemon left running: the queue does not know of it.
      takeUpLeft();
    }, AGAIN_MS);
    timer.unref();
    resting.set(id, timer);
  };

  const lookAgain = (): void => {
    if (stopping || lookingAgain !== null) return;
    lookingAgain = setTimeout(() => {
      lookingAgain = null;
      takeUpLeft();
    }, AGAIN_MS);
    lookingAgain.unref();
  };

  const fill = async (): Promise<void> => {
    do {
      again = false;
      for (const id of await putDownMissed(deps)) if (!resting.has(id)) rest(id);
      if (stopping || paused || running.size >= tasksMax || deps.storage.scarce()) return;
      const found = await deps.store.operations.claimable(tasksMax + resting.size);
      if (stopping || paused) return;
      const claimable = found.filter((one) => isFree(one) && !resting.has(one.id));
      const nowMs = deps.clock.nowMs();
      const underway = { running: busyByProject(), servedAtMs, nowMs };
      for (const one of inClaimOrder(claimable, underway, tasksMax - running.size)) {
        servedAtMs.set(classOf(one), nowMs);
        takeUp(one);
      }
    } while (again);
  };

  const isFree = ({ id, project }: { readonly id: string; readonly project: string }): boolean =>
    !running.has(id) && !pausedProjects.has(project);

  const busyByProject = (): ReadonlyMap<string, number> => {
    const busy = new Map<string, number>();
    for (const { project } of running.values()) busy.set(project, (busy.get(project) ?? 0) + 1);
    return busy;
  };

  const wake = (): void => {
    if (stopping) return;
    if (filling !== null) {
      again = true;
      return;
    }
    filling = fill()
      .catch((error: unknown) => {
        deps.warn("queued tasks could not be read", error);
        lookAgain();
      })
      .finally(() => {
        filling = null;
        if (again) wake();
      });
  };

  /** Takes up what a dead daemon left running, as far as nothing of it is paused. */
  const adopt = async (): Promise<void> => {
    if (stopping || paused || deps.storage.scarce()) return;
    for (const one of await deps.store.operations.running())
      if (!stopping && !paused && isFree(one) && !resting.has(one.id)) takeUp(one);
  };

  const adoptOrLater = (): Promise<void> => {
    const done = adopt()
      .catch((error: unknown) => {
        deps.warn("tasks that a dead daemon left could not be read", error);
        lookAgain();
      })
      .finally(() => adopting.delete(done));
    adopting.add(done);
    return done;
  };

  /** All that can be taken up now, what a dead daemon left first: it was begun before anything that is queued. */
  const takeUpLeft = (): void => void adoptOrLater().then(wake);

  const holdOf = (project: string): Wishes["hold"] =>
    paused ? "daemon_paused" : pausedProjects.has(project) ? "project_paused" : null;

  /** Pauses changed: who works is told, and where one ended, what waited for that is taken up. */
  const pausesChanged = (mayTakeUp: boolean): void => {
    for (const { project, wishes } of running.values()) wishes.hold = holdOf(project);
    if (mayTakeUp) takeUpLeft();
  };

  const hear = ({ stream, recorded: { event } }: Positioned): void => {
    if (WAKES.has(event.type)) wake();
    switch (event.type) {
      case "PAUSE_REQUESTED": {
        const held = running.get(streamId(stream));
        if (held !== undefined) held.wishes.pause = true;
        return;
      }
      case "RUN_MODE_CHANGED": {
        const held = running.get(streamId(stream));
        if (held !== undefined) held.wishes.runMode = event.body.mode;
        return;
      }
      case "CANCEL_REQUESTED": {
        const held = running.get(streamId(stream));
        if (held === undefined) return;
        held.wishes.cancel = true;
        held.abort.abort();
        return;
      }
      case "PROJECT_PAUSED":
        pausedProjects.add(streamId(stream));
        pausesChanged(false);
        return;
      case "PROJECT_RESUMED":
        pausedProjects.delete(streamId(stream));
        pausesChanged(true);
        return;
      case "SYSTEM_PAUSED":
        paused = true;
        pausesChanged(false);
        return;
      case "SYSTEM_RESUMED":
        paused = false;
        pausesChanged(true);
        return;
      default:
        return;
    }
  };

  return {
    async start() {
      for (const { mark } of await deps.store.operations.processes()) await deps.sandbox.reap(mark);
      await deps.store.operations.forgetDeadLeases();
      const last = await deps.store.latest(SYSTEM_STREAM, ["SYSTEM_PAUSED", "SYSTEM_RESUMED"]);
      paused = last?.event.type === "SYSTEM_PAUSED";
      unsubscribe = deps.store.onAppended(hear);
      await adoptOrLater();
      await deps.storage.start(takeUpLeft);
      wake();
    },
    async stop() {
      stopping = true;
      unsubscribe();
      deps.storage.stop();
      for (const timer of [...resting.values(), lookingAgain]) if (timer !== null) clearTimeout(timer);
      for (const { abort } of running.values()) abort.abort();
      await Promise.all(adopting);
      await Promise.all([...running.values()].map(({ done }) => done));
      await filling;
    },
    busy: () => running.size,
  };
}
