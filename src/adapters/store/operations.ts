import { PRIORITIES } from "../../domain/priority.ts";
import type { Operations } from "../../ports/store.ts";
import { integerOf, integerOrNull, type Queries, textOf, textOrNull } from "./database.ts";
import { givesWay, heldByNothing, MISSED } from "./dependency-edges.ts";
import { oneOf } from "./one-of.ts";
import { outlineFrom } from "./task-state.ts";
import type { Writer } from "./writes.ts";

export function operations(queries: Queries, writer: Writer): Operations {
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
        `SELECT tasks.id FROM open_steps CROSS JOIN tasks ON tasks.id = open_steps.task
         WHERE +tasks.status = 'succeeded' ORDER BY tasks.created_at_ms, tasks.id`,
      ),

    async nextEpoch(task) {
      const [row] = await queries.query(
        `SELECT tasks.state, lasting_facts.state AS lasting, leases.epoch
         FROM tasks JOIN lasting_facts ON lasting_facts.task = tasks.id LEFT JOIN leases ON leases.task = tasks.id WHERE tasks.id = ?`,
        [task],
      );
      if (row === undefined) return 1;
      const { epoch } = outlineFrom(textOf(row, "state"), textOf(row, "lasting"));
      return Math.max(epoch, integerOrNull(row, "epoch") ?? 0) + 1;
    },

    async markProcess(task, step, mark) {
      await writer.write({ kind: "mark_process", task, step, mark });
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

    async forgetDeadLeases() {
      await writer.write({ kind: "forget_dead_leases" });
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

    reserve: (key, requestDigest, id, atMs) => writer.write({ kind: "reserve", key, requestDigest, id, atMs }),
    async rememberAnswer(key, requestDigest, status, body, atMs) {
      await writer.write({ kind: "remember_answer", key, requestDigest, status, body, atMs });
    },
    take: (key, points, atMs) => writer.write({ kind: "take", key, points, atMs }),
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
