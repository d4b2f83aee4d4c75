import { PRIORITIES } from "../../domain/priority.ts";
import type { Operations } from "../../ports/store.ts";
import { integerOf, integerOrNull, type Queries, type Tx, textOf, textOrNull } from "./database.ts";
import { givesWay, heldByNothing, MISSED } from "./dependency-edges.ts";
import { oneOf } from "./one-of.ts";
import { outlineFrom } from "./task-state.ts";
import type { WriterQueue } from "./writer-queue.ts";

/** For how long the answer to a keyed request is remembered. */
const ANSWERS_KEPT_MS = 24 * 60 * 60_000;

export function operations(queries: Queries, writer: WriterQueue): Operations {
  const ids = async (sql: string, ...params: readonly (number | string)[]): Promise<readonly string[]> =>
    (await queries.query(sql, params)).map((row) => textOf(row, "id"));
  return {
    async claimable(most) {
      return (await queries.query(CLAIMABLE, [most])).map((row) => ({
        id: textOf(row, "id"),
        project: textOf(row, "project_id"),
        priority: oneOf(PRIORITIES, textOf(row, "priority")),
        queuedAtMs: integerOf(row, "queued_at_ms"),
        projectTasksMax: integerOrNull(row, "tasks_max"),
        givesWay: integerOf(row, "gives_way") === 1,
      }));
    },
    async running() {
      const rows = await queries.query(
        `SELECT tasks.id, tasks.project_id FROM tasks JOIN projects ON projects.id = tasks.project_id
         WHERE tasks.status = 'running' AND projects.paused = 0 ORDER BY tasks.created_at_ms, tasks.id`,
      );
      return rows.map((row) => ({ id: textOf(row, "id"), project: textOf(row, "project_id") }));
    },
    async missed(most) {
      const rows = await queries.query(MISSED, [most]);
      return rows.map((row) => ({
        task: textOf(row, "task"),
        on: textOf(row, "on_task"),
        status: textOf(row, "status"),
        exitReason: textOrNull(row, "exit_reason"),
      }));
    },
    blockedBy: (reason) =>
      ids(
        "SELECT id FROM tasks WHERE status = 'blocked' AND block_reason = ? ORDER BY updated_at_ms, created_at_ms, id",
        reason,
      ),
    succeededWithOpenStep: () =>
      ids(
        // From the few open steps to their tasks: from the tasks, every one that succeeded would be asked at each start.
        `SELECT tasks.id FROM steps CROSS JOIN tasks ON tasks.id = steps.task
         WHERE steps.status = 'open' AND +tasks.status = 'succeeded' GROUP BY tasks.id ORDER BY tasks.created_at_ms, tasks.id`,
      ),

    async nextEpoch(task) {
      const [row] = await queries.query(
        "SELECT tasks.state, leases.epoch FROM tasks LEFT JOIN leases ON leases.task = tasks.id WHERE tasks.id = ?",
        [task],
      );
      if (row === undefined) return 1;
      return Math.max(outlineFrom(textOf(row, "state")).epoch, integerOrNull(row, "epoch") ?? 0) + 1;
    },

    async markProcess(task, step, mark) {
      await writer.write((tx) =>
        tx.query(
          `INSERT INTO processes (task, step, pid, start_ticks, boot_id) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (task, pid, start_ticks, boot_id) DO UPDATE SET step = excluded.step`,
          [task, step, mark.pid, mark.startTicks, mark.bootId],
        ),
      );
    },

    async processes() {
      const rows = await queries.query(
        "SELECT task, step, pid, start_ticks, boot_id FROM processes ORDER BY task, pid",
      );
      return rows.map((row) => ({
        task: textOf(row, "task"),
        step: textOf(row, "step"),
        mark: { pid: integerOf(row, "pid"), startTicks: integerOf(row, "start_ticks"), bootId: textOf(row, "boot_id") },
      }));
    },

    // Under the daemon lock every lease and process that is there belongs to a daemon that is dead.
    async forgetDeadLeases() {
      await writer.write(async (tx) => {
        await tx.query("DELETE FROM leases");
        await tx.query("DELETE FROM processes");
      });
    },

    async idempotent(key) {
      const [row] = await queries.query("SELECT request_digest, status, body FROM idempotency WHERE key = ?", [key]);
      if (row === undefined) return null;
      return {
        requestDigest: textOf(row, "request_digest"),
        status: integerOf(row, "status"),
        body: textOf(row, "body"),
      };
    },

    reserve: (key, requestDigest, id, atMs) =>
      writer.write(async (tx) => {
        await tx.query(
          "INSERT INTO idempotency (key, request_digest, status, body, at_ms) VALUES (?, ?, 0, ?, ?) ON CONFLICT (key) DO NOTHING",
          [key, requestDigest, id, atMs],
        );
        const [row] = await tx.query("SELECT body FROM idempotency WHERE key = ? AND status = 0", [key]);
        return row === undefined ? id : textOf(row, "body");
      }),

    async rememberAnswer(key, requestDigest, status, body, atMs) {
      await writer.write(async (tx) => {
        await tx.query("DELETE FROM idempotency WHERE at_ms < ?", [atMs - ANSWERS_KEPT_MS]);
        await tx.query(
          "INSERT INTO idempotency (key, request_digest, status, body, at_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET status = excluded.status, body = excluded.body, at_ms = excluded.at_ms WHERE idempotency.status = 0",
          [key, requestDigest, status, body, atMs],
        );
      });
    },

    take: (key, points, atMs) => writer.write((tx) => takeIn(tx, key, points, atMs)),
  };
}

/**
 * Which tasks may be taken up at all, each condition on a line. In which order is for `domain/claim-order.ts` to say. Of each project and
 * priority only the first few are looked up, so that a long queue costs nothing. The order of the joins and the index are said, because
 * left to itself SQLite at times looks at every task for every project.
 */
const CLAIMABLE = `
SELECT tasks.id, tasks.project_id, tasks.priority, tasks.queued_at_ms, projects.tasks_max, ${givesWay("tasks")} AS gives_way
FROM projects
CROSS JOIN (${PRIORITIES.map((priority) => `SELECT '${priority}' AS priority`).join(" UNION ALL ")}) AS kinds
CROSS JOIN tasks ON tasks.id IN (
  SELECT waiting.id FROM tasks AS waiting INDEXED BY tasks_queue
  WHERE waiting.status = 'queued'
    AND waiting.project_id = projects.id
    AND waiting.priority = kinds.priority
    AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.task = waiting.id)
    AND ${heldByNothing("waiting")}
  ORDER BY ${givesWay("waiting")}, waiting.queued_at_ms, waiting.id LIMIT ?)
WHERE projects.paused = 0
ORDER BY gives_way, tasks.queued_at_ms, tasks.id`;

/**
 * Every use is remembered until its window has passed it, so in any stretch of `windowMs` there are at most `most` points. More
 * points than a window can ever hold wait for the whole window, every time.
 */
async function takeIn(
  tx: Tx,
  key: string,
  points: Parameters<Operations["take"]>[1],
  atMs: number,
): Promise<number | null> {
  await tx.query("DELETE FROM limits WHERE expires_at_ms <= ?", [atMs]);
  // The clock was set back since: what was used then counts from now on, else it would count for as long as the clock was set back.
  await tx.query("UPDATE limits SET at_ms = ?, expires_at_ms = ? + window_ms WHERE at_ms > ?", [atMs, atMs, atMs]);
  let waitMs: number | null = null;
  for (const window of points) {
    const used = await tx.query(
      "SELECT expires_at_ms, points FROM limits WHERE key = ? AND window_ms = ? ORDER BY expires_at_ms",
      [key, window.windowMs],
    );
    let over = used.reduce((sum, row) => sum + integerOf(row, "points"), window.points) - window.most;
    if (over <= 0) continue;
    let needed = window.windowMs;
    for (const row of used) {
      over -= integerOf(row, "points");
      if (over > 0) continue;
      needed = integerOf(row, "expires_at_ms") - atMs;
      break;
    }
    waitMs = Math.max(waitMs ?? 0, needed);
  }
  if (waitMs !== null) return waitMs;
  for (const window of points)
    await tx.query("INSERT INTO limits (key, window_ms, at_ms, expires_at_ms, points) VALUES (?, ?, ?, ?, ?)", [
      key,
      window.windowMs,
      atMs,
      atMs + window.windowMs,
      window.points,
    ]);
  return null;
}
