import { PHASES, type Phase } from "../../domain/phase.ts";
import { taskStream } from "../../domain/stream.ts";
import { STATUSES, type Status, type Task } from "../../domain/task.ts";
import { BLOCK_REASONS, type BlockReason } from "../../domain/waiting.ts";
import type { StepRow, TaskReads, TaskRow } from "../../ports/store.ts";
import { integerOf, integerOrNull, type Queries, type Row, textOf, textOrNull } from "./database.ts";
import { isTaskEvent } from "./journal-row.ts";
import { readStream } from "./read-stream.ts";
import { cursorAfter, listing, ROW_COLUMNS } from "./task-listing.ts";

/** `scan` answers what may have to look at every row: another connection, so that it keeps nobody waiting. */
export function taskReads(queries: Queries, scan: Queries): TaskReads {
  return {
    async task(id) {
      const [row] = await queries.query("SELECT state, seq FROM tasks WHERE id = ?", [id]);
      return row === undefined ? null : { task: JSON.parse(textOf(row, "state")) as Task, seq: integerOf(row, "seq") };
    },

    async tasks(filter) {
      const { sql, params } = listing(filter);
      // What looks through all titles or words may take long; everything else ends after a page.
      const narrow = filter.text === null && filter.search === null;
      const found = await (narrow ? queries : scan).query(sql, params);
      const rows = found.slice(0, filter.most);
      const last = rows.at(-1);
      return {
        rows: rows.map((row) => ({ row: taskRowFrom(row), state: stateFrom(row) })),
        next: found.length > filter.most && last !== undefined ? cursorAfter(filter, last) : null,
      };
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

const TASK_ROWS = `SELECT ${ROW_COLUMNS} FROM tasks LEFT JOIN projects ON projects.id = tasks.project_id`;

const stateFrom = (row: Row): Task | null => {
  const state = textOrNull(row, "state");
  return state === null ? null : (JSON.parse(state) as Task);
};

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

function oneOf<T extends string>(known: readonly T[], text: string): T {
  const found = known.find((one) => one === text);
  if (found === undefined) throw new Error(`${text} is none of ${known.join(", ")}`);
  return found;
}
