import { circleThrough, type DependencyKind } from "../../domain/dependency.ts";
import { Failure } from "../../domain/failure.ts";
import { STANDING, type Standing } from "../../domain/standing.ts";
import type { Status } from "../../domain/task.ts";
import { type Queries, textOf } from "./database.ts";

/**
 * No task waits for itself, whatever lies between. Checked in the appending transaction, over the table: of two additions that only together
 * make a circle, in the streams of two tasks, the later one meets the row of the first. Throws `task/refused` with the path.
 */
export async function refuseCircle(queries: Queries, task: string): Promise<void> {
  const rows = await queries.query(WAITS_FROM, [task]);
  const circle = circleThrough(
    task,
    rows.map((row) => ({ task: textOf(row, "task"), on: textOf(row, "on_task") })),
  );
  if (circle === null) return;
  throw new Failure(
    "task/refused",
    `then no task of this circle could ever begin, each waiting for the next: ${circle.join(" → ")}`,
    {
      next: `agentos task deps ${task} shows what depends on what; remove one of these first.`,
      facts: { circle },
    },
  );
}

/** Everything the task waits for, directly or through others. A suggestion holds nobody, so it closes no circle. */
const WAITS_FROM = `
WITH RECURSIVE reached (task, on_task) AS (
  SELECT task, on_task FROM task_dependencies WHERE kind <> 'suggests' AND task = ?
  UNION
  SELECT next.task, next.on_task FROM task_dependencies next JOIN reached ON next.task = reached.on_task WHERE next.kind <> 'suggests'
) SELECT task, on_task FROM reached ORDER BY task, on_task`;

/** SQL that is true of a row of task_dependencies `edge` and the other task `earlier` where they stand so, by the domain's table. */
function stands(wanted: Standing): string {
  const kinds = (Object.keys(STANDING) as DependencyKind[]).flatMap((kind) => {
    const statuses = (Object.keys(STANDING[kind]) as Status[]).filter((status) => STANDING[kind][status] === wanted);
    return statuses.length === 0
      ? []
      : [`(edge.kind = '${kind}' AND earlier.status IN (${statuses.map((status) => `'${status}'`).join(", ")}))`];
  });
  return `(${kinds.join(" OR ")})`;
}

// In this order (CROSS JOIN keeps it): from the earlier tasks' side, each queued task would be held against every other.
const withEarlier = (task: string): string =>
  `SELECT 1 FROM task_dependencies edge CROSS JOIN tasks earlier ON earlier.id = edge.on_task WHERE edge.task = ${task}.id`;

/** True of a row of tasks, called `task` in the query, that nothing before it holds, now or for ever. */
export const heldByNothing = (task: string): string =>
  `NOT EXISTS (${withEarlier(task)} AND (${stands("holds")} OR ${stands("failed")}))`;

/** 1 for a row of tasks, called `task`, when one that it lets go first is in the queue too, else 0. */
export const givesWay = (task: string): string =>
  `EXISTS (${withEarlier(task)} AND edge.kind = 'suggests' AND earlier.status = 'queued')`;

/** Queued tasks whose required task ended otherwise than by success. */
export const MISSED = `
SELECT tasks.id AS task, edge.on_task, earlier.status, earlier.exit_reason
FROM tasks JOIN task_dependencies edge ON edge.task = tasks.id JOIN tasks earlier ON earlier.id = edge.on_task
WHERE tasks.status = 'queued' AND ${stands("failed")} ORDER BY tasks.queued_at_ms, tasks.id, edge.on_task LIMIT ?`;
