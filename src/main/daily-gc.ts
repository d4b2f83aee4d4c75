import { lastNotedMs } from "../app/system-journal.ts";
import { SYSTEM } from "../domain/actor.ts";
import { isFailure } from "../domain/failure.ts";
import type { System } from "./system.ts";

const DAY_MS = 86_400_000;
/** Not in the first minutes of a start: then tasks are taken up. */
const AFTER_START_MS = 600_000;

/**
 * Cleans up once a day, by the journal's own record of the last time, so that a daemon that is started every morning neither forgets nor
 * repeats it. What goes wrong is told and tried again the next day.
 */
export async function startDailyGc(
  system: Pick<System, "store" | "cases">,
  warn: (sentence: string, error: unknown) => void,
  nowMs: () => number = Date.now,
): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();

  const schedule = (inMs: number): void => {
    if (stopping.signal.aborted) return;
    timer = setTimeout(() => {
      running = system.cases
        .gc(SYSTEM, false, stopping.signal)
        .then(() => undefined)
        .catch((error: unknown) => {
          // A person's own clean-up at this very moment does the same.
          if (!isFailure(error, "store/busy")) warn("the daily clean-up did not come to its end", error);
        })
        .finally(() => schedule(DAY_MS));
    }, inMs);
    timer.unref();
  };

  const last = await lastNotedMs(system.store, "SPACE_RECLAIMED");
  schedule(Math.max(AFTER_START_MS, Math.min(DAY_MS, (last ?? 0) + DAY_MS - nowMs())));
  return {
    async stop() {
      stopping.abort();
      if (timer !== null) clearTimeout(timer);
      await running;
    },
  };
}
