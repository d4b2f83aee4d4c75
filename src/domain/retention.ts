import type { Task } from "./task.ts";

/** How many days something stays after it was last of use. */
export interface Retention {
  readonly succeededDays: number;
  readonly failedDays: number;
  readonly canceledDays: number;
  readonly layersDays: number;
}

/** What becomes of something on disk, and why, in words. */
export interface Fate {
  readonly goes: boolean;
  readonly why: string;
}

const DAY_MS = 86_400_000;

/**
 * Whether the files of a task may go: only those of a task that ended, long enough ago, and never those of proven work that
 * nobody has delivered yet. `task` null: the journal knows no such task.
 */
export function fateOfTask(task: Task | null, retention: Retention, nowMs: number): Fate {
  if (task === null) return kept("the journal knows no such task");
  if (task.openStep !== null) return kept(`step ${task.openStep.step} is open and works there`);
  switch (task.status) {
    case "succeeded":
      return isUndelivered(task)
        ? kept("its work is proven and not delivered yet")
        : aged(task.status, task.endedAtMs, retention.succeededDays, nowMs);
    case "failed":
      return aged(task.status, task.endedAtMs, retention.failedDays, nowMs);
    case "canceled":
      return aged(task.status, task.endedAtMs, retention.canceledDays, nowMs);
    case "draft":
    case "queued":
    case "running":
    case "awaiting_approval":
    case "blocked":
      return kept(`the task is ${task.status.replace("_", " ")}`);
  }
}

/** Dependencies can always be prepared again; what a living task was prepared with stays all the same. */
export function fateOfLayer(usedAtMs: number, ofLiving: boolean, { layersDays }: Retention, nowMs: number): Fate {
  if (ofLiving) return kept("a task that has not ended uses it");
  const days = daysSince(usedAtMs, nowMs);
  return days >= layersDays
    ? { goes: true, why: `it was last used ${daysText(days)} ago` }
    : kept(`it was used within the last ${daysText(layersDays)}`);
}

/** Whether a task changed something that is in none of the person's branches. */
export const isUndelivered = (task: Task): boolean =>
  Object.entries(task.candidate ?? {}).some(
    ([repo, { tree, baseTree }]) => tree !== baseTree && task.delivered?.[repo] === undefined,
  );

function aged(status: string, endedAtMs: number, days: number, nowMs: number): Fate {
  const since = daysSince(endedAtMs, nowMs);
  return since >= days
    ? { goes: true, why: `it ${status === "canceled" ? "was" : "has"} ${status} ${daysText(since)} ago` }
    : kept(`it ended within the last ${daysText(days)}`);
}

const daysSince = (atMs: number, nowMs: number): number => Math.max(0, Math.floor((nowMs - atMs) / DAY_MS));
const daysText = (days: number): string => `${days} ${days === 1 ? "day" : "days"}`;
const kept = (why: string): Fate => ({ goes: false, why });
