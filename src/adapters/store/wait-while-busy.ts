import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../../domain/failure.ts";
import type { Dialect } from "./dialect.ts";

/** How long a write or read waits for another's lock before it is given up, unless said otherwise. */
export const BUSY_MS = 30_000;

/** What a client is told to wait when the lock was not given back in that time. */
const RETRY_AFTER_SECONDS = 5;

const SHORTEST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 40;

/** Waits a little, longer from try to try, and never in step with others who wait for the same lock. */
export async function pauseBeforeTry(tries: number): Promise<void> {
  const most = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(tries, 8));
  await delay(most / 2 + Math.random() * (most / 2));
}

export const busyFailure = (waitedMs: number, cause: unknown): Failure =>
  new Failure("store/busy", `another process held the database's lock for more than ${Math.round(waitedMs)} ms`, {
    next: "Nothing was written; send it again. If it stays so, look for a program that keeps the database open.",
    facts: { retryAfterSeconds: RETRY_AFTER_SECONDS },
    cause,
  });

export const overfullFailure = (waiting: number): Failure =>
  new Failure("store/busy", `${waiting} writes are waiting already`, {
    next: "Nothing was written; send it again.",
    facts: { retryAfterSeconds: RETRY_AFTER_SECONDS },
  });

/** Tries again while the database is busy, without blocking the event loop. Throws `Failure("store/busy")` after `busyMs`. */
export async function waitWhileBusy<T>(dialect: Dialect, busyMs: number, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  for (let tries = 0; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (dialect.trouble(error) !== "busy") throw error;
      if (performance.now() - begun >= busyMs) throw busyFailure(busyMs, error);
      await pauseBeforeTry(tries);
    }
  }
}
