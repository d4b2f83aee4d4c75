import { durationText } from "../domain/duration.ts";
import { LeaseLost } from "../ports/store.ts";
import type { EngineDependencies } from "./deps.ts";
import type { Hold, Wishes } from "./hold.ts";

/** At this share of its time the task says so. */
const WARN_SHARE = 0.8;
/** What a timer can count. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** How long the task may work in all; null: as long as it takes. */
const limitOf = (hold: Hold): number | null => {
  const { taskMs } = hold.spec.limits;
  return taskMs === null ? null : taskMs + hold.task().worked.grantedMs;
};

/**
 * Watches the time of a claimed task: what it has worked before stands in its journal, what it works now is counted here. Warns once, and
 * when the time is up ends the open effect; the next boundary puts the task down. Returns how to end the watch.
 */
export function watchTime(deps: EngineDependencies, hold: Hold, wishes: Wishes, abort: () => void): () => void {
  const limitMs = limitOf(hold);
  if (limitMs === null) return () => undefined;
  const { ms, warned } = hold.task().worked;
  if (ms >= limitMs) {
    wishes.timeUp = true;
    return () => undefined;
  }
  const warn = (): void => {
    hold
      .report({ type: "warn_time", warning: { spentMs: Math.round(limitMs * WARN_SHARE), limitMs } })
      .catch((error: unknown) => {
        if (!(error instanceof LeaseLost)) deps.warn(`task ${hold.id} could not say that its time runs out`, error);
      });
  };
  const timers = [
    setTimeout(
      () => {
        wishes.timeUp = true;
        abort();
      },
      Math.min(limitMs - ms, TIMER_MS_MAX),
    ),
    ...(warned ? [] : [setTimeout(warn, Math.min(Math.max(0, limitMs * WARN_SHARE - ms), TIMER_MS_MAX))]),
  ];
  return () => timers.forEach(clearTimeout);
}

export const timeUpDetail = (hold: Hold): string =>
  `it has worked ${durationText(hold.task().worked.ms)}, and its time is ${durationText(limitOf(hold) ?? 0)}`;
