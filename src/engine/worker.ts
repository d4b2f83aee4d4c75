import type { AnyEvent } from "../domain/event.ts";
import { isFailure } from "../domain/failure.ts";
import { streamId, streamKind } from "../domain/stream.ts";
import { LeaseLost } from "../ports/store.ts";
import { putDownMissed } from "./before.ts";
import type { EngineDependencies } from "./deps.ts";
import type { Wishes } from "./hold.ts";
import { runTask } from "./run-task.ts";

export interface Worker {
  /** Deals with what a dead daemon left, then works until stopped. Resolves once every task it left is back in a queue or taken up. */
  start(): Promise<void>;
  /** Puts every task down in good order. */
  stop(): Promise<void>;
  busy(): number;
}

/** A task is in the queue, or one that others may wait for has ended, or what it waits for has changed. */
const WAKES: ReadonlySet<AnyEvent["type"]> = new Set<AnyEvent["type"]>([
  "QUEUED",
  "COMPLETED",
  "FAILED",
  "CANCELED",
  "DEPENDENCY_ADDED",
  "DEPENDENCY_REMOVED",
]);

/** A task that could not be taken up is tried again after so long. */
const AGAIN_MS = 5_000;

/**
 * Claims queued tasks, at most `tasksMax` at a time, oldest first. An append that queues a task, or ends one that others wait for,
 * wakes it at once; nothing polls. A task that waits for another takes no place. A cancel
 * aborts the effect that is open; a pause waits for the next boundary.
 */
export function createWorker(deps: EngineDependencies, { tasksMax }: { readonly tasksMax: number }): Worker {
  /** Tasks that could not be taken up, until it is worth trying again. */
  const resting = new Map<string, NodeJS.Timeout>();
  const running = new Map<
    string,
    { readonly abort: AbortController; readonly wishes: Wishes; readonly done: Promise<void> }
  >();
  let stopping = false;
  let filling: Promise<void> | null = null;
  let again = false;
  let unsubscribe = (): void => {};

  const takeUp = (id: string): void => {
    const abort = new AbortController();
    const wishes: Wishes = { pause: false, cancel: false };
    const done = (async () => {
      const epoch = await deps.store.operations.nextEpoch(id);
      await runTask(deps, id, epoch, abort.signal, wishes);
    })()
      .catch(async (error: unknown) => {
        // Another claim was faster, or the task moved on meanwhile: both leave nothing to do here.
        if (error instanceof LeaseLost || isFailure(error, "task/refused")) return;
        if (isFailure(error, "store/full")) await deps.storage.ranOut();
        deps.warn(`task ${id} could not be taken up`, error);
        rest(id);
      })
      .finally(() => {
        running.delete(id);
        wake();
      });
    running.set(id, { abort, wishes, done });
  };

  const rest = (id: string): void => {
    if (stopping) return;
    const timer = setTimeout(() => {
      resting.delete(id);
      wake();
    }, AGAIN_MS);
    timer.unref();
    resting.set(id, timer);
  };

  const fill = async (): Promise<void> => {
    do {
      again = false;
      for (const id of await putDownMissed(deps)) if (!resting.has(id)) rest(id);
      const room = tasksMax - running.size;
      if (stopping || room <= 0 || deps.storage.scarce()) return;
      const claimable = await deps.store.operations.claimable(room + running.size + resting.size);
      for (const id of claimable) {
        if (stopping || running.size >= tasksMax) break;
        if (!running.has(id) && !resting.has(id)) takeUp(id);
      }
    } while (again);
  };

  const wake = (): void => {
    if (stopping) return;
    if (filling !== null) {
      again = true;
      return;
    }
    filling = fill()
      .catch((error: unknown) => deps.warn("queued tasks could not be read", error))
      .finally(() => {
        filling = null;
        if (again) wake();
      });
  };

  return {
    async start() {
      for (const { mark } of await deps.store.operations.processes()) await deps.sandbox.reap(mark);
      await deps.store.operations.forgetDeadLeases();
      unsubscribe = deps.store.onAppended(({ stream, recorded }) => {
        if (streamKind(stream) !== "task") return;
        if (WAKES.has(recorded.event.type)) wake();
        const entry = running.get(streamId(stream));
        if (entry === undefined) return;
        if (recorded.event.type === "PAUSE_REQUESTED") entry.wishes.pause = true;
        if (recorded.event.type === "CANCEL_REQUESTED") {
          entry.wishes.cancel = true;
          entry.abort.abort();
        }
      });
      for (const id of await deps.store.operations.running()) takeUp(id);
      await deps.storage.start(wake);
      wake();
    },
    async stop() {
      stopping = true;
      unsubscribe();
      deps.storage.stop();
      for (const timer of resting.values()) clearTimeout(timer);
      for (const { abort } of running.values()) abort.abort();
      await Promise.all([...running.values()].map(({ done }) => done));
      await filling;
    },
    busy: () => running.size,
  };
}
