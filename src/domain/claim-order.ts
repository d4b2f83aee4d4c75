import { PRIORITIES, type Priority, rankOf } from "./priority.ts";

/** A queued task that nothing forbids to take up. */
export interface Claimable {
  readonly id: string;
  readonly project: string;
  readonly priority: Priority;
  readonly queuedAtMs: number;
  /** How many tasks of its project may run at the same time; null: as many as there is room for. */
  readonly projectTasksMax: number | null;
  /** One that it lets go first is in the queue too. */
  readonly givesWay: boolean;
}

export interface Underway {
  /** Tasks in hand, by project. */
  readonly running: ReadonlyMap<string, number>;
  /** When a task of this project and priority was taken up last, by `classOf`. */
  readonly servedAtMs: ReadonlyMap<string, number>;
  readonly nowMs: number;
}

/** A kind of task that is passed over for so long counts as one priority higher, and so on up to the highest. */
export const AGING_MS = 10 * 60_000;

export const classOf = ({ project, priority }: Pick<Claimable, "project" | "priority">): string =>
  `${priority} ${project}`;

/**
 * Which of the tasks to take up, at most `most`, first things first:
 *
 * 1. the higher priority. One that has been passed over counts for more with time, so that none waits for ever. Passed over is what
 *    waits while nothing of the same project and priority is taken up: a project with a long queue does not gain on the others by it;
 * 2. the project with the fewest tasks running, so that no project keeps another from working;
 * 3. the one that gives way to none it suggests to go first;
 * 4. the one that has waited longest.
 *
 * A project never has more running than its own limit.
 */
export function inClaimOrder(
  claimable: readonly Claimable[],
  { running, servedAtMs, nowMs }: Underway,
  most: number,
): readonly Claimable[] {
  const left = new Set(claimable);
  const busy = new Map(running);
  const served = new Map(servedAtMs);
  const chosen: Claimable[] = [];
  const busyIn = (project: string): number => busy.get(project) ?? 0;
  const level = (one: Claimable): number => {
    const passedOverMs = nowMs - Math.max(one.queuedAtMs, served.get(classOf(one)) ?? 0);
    return Math.min(PRIORITIES.length - 1, rankOf(one.priority) + Math.max(0, Math.floor(passedOverMs / AGING_MS)));
  };
  const isBefore = (one: Claimable, other: Claimable): boolean => {
    const [mine, theirs] = [sortKey(one), sortKey(other)];
    const at = mine.findIndex((value, index) => value !== theirs[index]);
    return at === -1 ? one.id < other.id : (mine[at] ?? 0) < (theirs[at] ?? 0);
  };
  const sortKey = (one: Claimable): readonly number[] => [
    -level(one),
    busyIn(one.project),
    one.givesWay ? 1 : 0,
    one.queuedAtMs,
  ];
  while (chosen.length < most) {
    let next: Claimable | null = null;
    for (const one of left) {
      if (one.projectTasksMax !== null && busyIn(one.project) >= one.projectTasksMax) continue;
      if (next === null || isBefore(one, next)) next = one;
    }
    if (next === null) break;
    left.delete(next);
    chosen.push(next);
    busy.set(next.project, busyIn(next.project) + 1);
    served.set(classOf(next), nowMs);
  }
  return chosen;
}
