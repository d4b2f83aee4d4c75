import { SYSTEM } from "../domain/actor.ts";
import type { AnyEvent } from "../domain/event.ts";
import { isFailure } from "../domain/failure.ts";
import { streamId } from "../domain/stream.ts";
import type { Room } from "../ports/room.ts";
import type { Store } from "../ports/store.ts";
import type { TaskLog } from "../ports/task-log.ts";

/** How a full disk is waited out: what is running is put down, nothing new begins, and it all goes on by itself when there is room. */
export interface StorageWait {
  /** Whether the disk was full when last looked at: no step and no task begins. */
  scarce(): boolean;
  /** A write found no space. Afterwards there is room for the words that say so, unless others have taken it. */
  ranOut(): Promise<void>;
  /** Begins to look after tasks that wait for space. `onRoom` is called when there is some again. */
  start(onRoom: () => void): Promise<void>;
  stop(): void;
}

const LOOK_MS = 1_000;
/** A task that fills the disk itself is not sent into it again and again: each time it waits twice as long. */
const AGAIN_MS_MAX = 10 * 60_000;

const ENDS: ReadonlySet<AnyEvent["type"]> = new Set<AnyEvent["type"]>(["COMPLETED", "FAILED", "CANCELED"]);

interface Waited {
  times: number;
  untilMs: number;
}

export function createStorageWait({
  log,
  store,
  room,
  warn,
}: {
  readonly log: TaskLog;
  readonly store: Store;
  readonly room: Room;
  readonly warn: (sentence: string, error: unknown) => void;
}): StorageWait {
  let scarce = false;
  let stopped = false;
  let timer: NodeJS.Timeout | null = null;
  let tell = (): void => {};
  let unsubscribe = (): void => {};
  const waited = new Map<string, Waited>();

  const lookLater = (): void => {
    if (stopped || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      look().catch((error: unknown) => {
        if (!isFailure(error, "store/full")) warn("tasks that wait for space could not be looked after", error);
        lookLater();
      });
    }, LOOK_MS);
    timer.unref();
  };

  const look = async (): Promise<void> => {
    if (!(await room.setAside())) return lookLater();
    scarce = false;
    tell();
    const waiting = await store.operations.blockedBy("storage_full");
    for (const id of waiting) if (!scarce && isDue(id)) await goOn(id);
    if ((await store.operations.blockedBy("storage_full")).length > 0) lookLater();
  };

  const isDue = (id: string): boolean => performance.now() >= (waited.get(id)?.untilMs ?? 0);

  const goOn = async (id: string): Promise<void> => {
    const times = (waited.get(id)?.times ?? 0) + 1;
    waited.set(id, { times, untilMs: performance.now() + Math.min(AGAIN_MS_MAX, LOOK_MS * 2 ** times) });
    try {
      await log.give(id, { type: "resume", by: SYSTEM, outcome: null, reason: null, restart: false, moreMs: null });
    } catch (error) {
      // A person was faster.
      if (!isFailure(error, "task/refused")) throw error;
    }
  };

  return {
    scarce: () => scarce,
    async ranOut() {
      scarce = true;
      await room.release();
      lookLater();
    },
    async start(onRoom) {
      tell = onRoom;
      unsubscribe = store.onAppended(({ stream, recorded: { event } }) => {
        if (event.type === "BLOCKED" && event.body.reason === "storage_full") lookLater();
        if (ENDS.has(event.type)) waited.delete(streamId(stream));
      });
      await room.setAside();
      if ((await store.operations.blockedBy("storage_full")).length > 0) lookLater();
    },
    stop() {
      stopped = true;
      unsubscribe();
      if (timer !== null) clearTimeout(timer);
    },
  };
}
