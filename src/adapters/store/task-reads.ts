import { Failure } from "../../domain/failure.ts";
import { PHASES, type Phase } from "../../domain/phase.ts";
import { PRIORITIES } from "../../domain/priority.ts";
import { taskStream } from "../../domain/stream.ts";
import { STATUSES, type Status, type Task } from "../../domain/task.ts";
import { BLOCK_REASONS, type BlockReason } from "../../domain/waiting.ts";
import type { StepRow, TaskFilter, TaskReads, TaskRow } from "../../ports/store.ts";
import { integerOf, integerOrNull, type Queries, type Row, textOf, textOrNull, type Value } from "./database.ts";
import { isTaskEvent } from "./journal-row.ts";
import { oneOf } from "./one-of.ts";
import { folded } from "./projection.ts";
import { readStream } from "./read-stream.ts";

/** `scan` answers what may have to look at every row: another connection, so that it keeps nobody waiting. */
export function taskReads(queries: Queries, scan: Queries): TaskReads {
  return {
    async task(id) {
      const [row] = await queries.query("SELECT state, seq FROM tasks WHERE id = ?", [id]);
      return row === undefined ? null : { task: JSON.parse(textOf(row, "state")) as Task, seq: integerOf(row, "seq") };
    },

    async tasks(filter) {
      const { sql, params } = listing(filter);
      const found = await (filter.text === null ? queries : scan).query(sql, params);
      const rows = found.slice(0, filter.most).map(taskRowFrom);
      const last = rows.at(-1);
      return { rows, next: found.length > filter.most && last !== undefined ? cursorAfter(last) : null };
    },

    async taskRow(id) {
      const [row] = await queries.query(`${TASK_ROWS} WHERE tasks.id = ?`, [id]);
      return row === undefined ? null : taskRowFrom(row);
    },

    async counts() {
      const rows = await queries.query("SELECT status, COUNT(*) AS number FROM tasks GROUP BY status");
      const counts = new Map(rows.map((row) => [textOf(row, "status"), integerOf(row, "number")]));
      return Object.fromEntries(STATUSES.map((status) => [status, counts.get(status) ?? 0])) as Record<Status, number>;
    },

    async steps(task) {
      const rows = await queries.query("SELECT * FROM steps WHERE task = ? ORDER BY started_seq", [task]);
      return rows.map(stepRowFrom);
    },

    spec: (task, version) =>
      textOfVersion(queries, "SELECT hash, text FROM specs WHERE task = ? AND version = ?", task, version),
    plan: (task, version) =>
      textOfVersion(queries, "SELECT hash, text FROM plans WHERE task = ? AND version = ?", task, version),
    events: async (task, afterSeq, most) =>
      (await readStream(queries, taskStream(task), afterSeq, most)).filter(isTaskEvent),
  };
}

const TASK_ROWS = `
SELECT tasks.id, tasks.title, tasks.session, tasks.status, tasks.phase, tasks.attempt, tasks.block_reason, tasks.block_detail,
  tasks.exit_reason, tasks.priority, tasks.project_id, projects.name AS project_name, tasks.created_by, tasks.created_at_ms, tasks.updated_at_ms, tasks.seq
FROM tasks LEFT JOIN projects ON projects.id = tasks.project_id`;

/** One row more than asked for is read: whether there is one tells whether there is a next page. */
function listing(filter: TaskFilter): { readonly sql: string; readonly params: readonly Value[] } {
  const conditions: string[] = [];
  const params: Value[] = [];
  const where = (condition: string, ...values: readonly Value[]): void => {
    conditions.push(condition);
    params.push(...values);
  };
  if (filter.status !== null)
    where(
      filter.status.length === 0 ? "1 = 0" : `tasks.status IN (${filter.status.map(() => "?").join(", ")})`,
      ...filter.status,
    );
  if (filter.project !== null) where("tasks.project_id = ?", filter.project);
  if (filter.session !== null) where("tasks.session = ?", filter.session);
  if (filter.text !== null)
    where("tasks.title_folded LIKE ? ESCAPE '!'", `%${folded(filter.text).replaceAll(/[!%_]/g, "!$&")}%`);
  if (filter.after !== null) {
    const after = cursorFrom(filter.after);
    where("(tasks.created_at_ms, tasks.id) < (?, ?)", after.createdAtMs, after.id);
  }
  const where_ = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  return {
    sql: `${TASK_ROWS}${where_} ORDER BY tasks.created_at_ms DESC, tasks.id DESC LIMIT ?`,
    params: [...params, filter.most + 1],
  };
}

const cursorAfter = (row: TaskRow): string => `${row.createdAtMs}.${row.id}`;

function cursorFrom(cursor: string): { readonly createdAtMs: number; readonly id: string } {
  const [, createdAtMs, id] = /^(\d{1,16})\.(.+)$/.exec(cursor) ?? [];
  if (createdAtMs === undefined || id === undefined)
    throw new Failure("input/invalid", `${JSON.stringify(cursor)} is not a cursor that a list of tasks gave`);
  return { createdAtMs: Number(createdAtMs), id };
}

function taskRowFrom(row: Row): TaskRow {
  const project = textOrNull(row, "project_id");
  const blockReason = textOrNull(row, "block_reason");
  return {
    id: textOf(row, "id"),
    title: textOf(row, "title"),
    session: textOf(row, "session"),
    status: oneOf(STATUSES, textOf(row, "status")),
    phase: oneOf(PHASES, textOf(row, "phase")) satisfies Phase,
    attempt: integerOf(row, "attempt"),
    blockReason: blockReason === null ? null : oneOf(REASONS, blockReason),
    blockDetail: textOrNull(row, "block_detail"),
    exitReason: textOrNull(row, "exit_reason"),
    priority: oneOf(PRIORITIES, textOf(row, "priority")),
    project: project === null ? null : { id: project, name: textOf(row, "project_name") },
    createdBy: textOf(row, "created_by"),
    createdAtMs: integerOf(row, "created_at_ms"),
    updatedAtMs: integerOf(row, "updated_at_ms"),
    seq: integerOf(row, "seq"),
  };
}

const REASONS = Object.keys(BLOCK_REASONS) as readonly BlockReason[];
const STEP_STATUSES = ["open", "completed", "failed", "lost"] as const satisfies readonly StepRow["status"][];

const stepRowFrom = (row: Row): StepRow => ({
  task: textOf(row, "task"),
  step: textOf(row, "step"),
  run: integerOf(row, "run"),
  item: textOrNull(row, "item"),
  kind: textOf(row, "kind"),
  status: oneOf(STEP_STATUSES, textOf(row, "status")),
  startedSeq: integerOf(row, "started_seq"),
  endedSeq: integerOrNull(row, "ended_seq"),
  startedAtMs: integerOf(row, "started_at_ms"),
  endedAtMs: integerOrNull(row, "ended_at_ms"),
});

async function textOfVersion(
  queries: Queries,
  sql: string,
  task: string,
  version: number,
): Promise<{ readonly text: string; readonly hash: string } | null> {
  const [row] = await queries.query(sql, [task, version]);
  return row === undefined ? null : { text: textOf(row, "text"), hash: textOf(row, "hash") };
}
