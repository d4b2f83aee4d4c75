import { DEPENDENCY_KINDS } from "../../domain/dependency.ts";
import { PHASES, type Phase } from "../../domain/phase.ts";
import { PRIORITIES } from "../../domain/priority.ts";
import type { DependencyNow } from "../../domain/standing.ts";
import { taskStream } from "../../domain/stream.ts";
import { STATUSES, type Status, type TaskOutline } from "../../domain/task.ts";
import { BLOCK_REASONS, type BlockReason } from "../../domain/waiting.ts";
import type { DependenciesOf, StepRow, TaskReads, TaskRow } from "../../ports/store.ts";
import { integerOf, integerOrNull, type Queries, type Row, textOf, textOrNull, type Value } from "./database.ts";
import { isTaskEvent } from "./journal-row.ts";
import { oneOf } from "./one-of.ts";
import { readStream } from "./read-stream.ts";
import { type TextOf, taskTampered } from "./task-integrity.ts";
import { cursorAfter, listing, ROW_COLUMNS } from "./task-listing.ts";
import { outlineFrom, storedTask } from "./task-state.ts";

/** `scan` answers what may have to look at every row: another connection, so that it keeps nobody waiting. */
export function taskReads(queries: Queries, scan: Queries, textOfBlob: TextOf): TaskReads {
  return {
    task: (id) => storedTask(queries, id),

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
      const rows = await queries.query(STEPS, [task, task]);
      return rows.map(stepRowFrom);
    },

    async before(tasks) {
      const before: Record<string, readonly DependencyNow[]> = {};
      for (let from = 0; from < tasks.length; from += BEFORE_PAGE) {
        const page = tasks.slice(from, from + BEFORE_PAGE);
        // Always as many placeholders: a statement is kept per text.
        const padded = Array.from({ length: BEFORE_PAGE }, (_, at) => page[at] ?? page[0] ?? "");
        for (const row of await queries.query(BEFORE, padded)) {
          const one: DependencyNow = {
            on: textOf(row, "on_task"),
            kind: oneOf(DEPENDENCY_KINDS, textOf(row, "kind")),
            title: textOf(row, "title"),
            status: oneOf(STATUSES, textOf(row, "status")),
            exitReason: textOrNull(row, "exit_reason"),
          };
          before[textOf(row, "task")] = [...(before[textOf(row, "task")] ?? []), one];
        }
      }
      return before;
    },

    async requiredBy(task) {
      const rows = await queries.query(
        "SELECT task FROM task_dependencies WHERE on_task = ? AND kind = 'requires' ORDER BY task",
        [task],
      );
      return rows.map((row) => textOf(row, "task"));
    },

    async forks(root) {
      const rows = await queries.query("SELECT task FROM task_forks WHERE root = ? ORDER BY task", [root]);
      return rows.map((row) => textOf(row, "task"));
    },

    async dependencies(of, most) {
      const { sql, params } = "around" in of ? { sql: AROUND, params: [of.around, of.around] } : within(of);
      const rows = await queries.query(`${sql} ORDER BY edge.task, edge.on_task LIMIT ?`, [...params, most]);
      return rows.map((row) => ({
        task: textOf(row, "task"),
        kind: oneOf(DEPENDENCY_KINDS, textOf(row, "kind")),
        on: textOf(row, "on_task"),
      }));
    },

    spec: (task, version) =>
      textOfVersion(queries, "SELECT hash, text FROM specs WHERE task = ? AND version = ?", task, version),
    plan: (task, version) =>
      textOfVersion(queries, "SELECT hash, text FROM plans WHERE task = ? AND version = ?", task, version),
    events: async (task, afterSeq, most) =>
      (await readStream(queries, taskStream(task), afterSeq, most)).filter(isTaskEvent),
    tampered: (id) => taskTampered(queries, textOfBlob, id),
  };
}

const BEFORE_PAGE = 50;
const BEFORE = `
SELECT edge.task, edge.on_task, edge.kind, earlier.title, earlier.status, earlier.exit_reason
FROM task_dependencies edge JOIN tasks earlier ON earlier.id = edge.on_task
WHERE edge.task IN (${Array.from({ length: BEFORE_PAGE }, () => "?").join(", ")}) ORDER BY edge.task, edge.seq`;

/** Everything before the task and everything after it; what only stands beside it is not looked at. */
const AROUND = `
WITH RECURSIVE
  before_it (id) AS (SELECT id FROM tasks WHERE id = ? UNION SELECT edge.on_task FROM task_dependencies edge JOIN before_it ON edge.task = before_it.id),
  after_it (id) AS (SELECT id FROM tasks WHERE id = ? UNION SELECT edge.task FROM task_dependencies edge JOIN after_it ON edge.on_task = after_it.id)
SELECT edge.task, edge.on_task, edge.kind FROM task_dependencies edge
WHERE edge.task IN (SELECT id FROM before_it) OR edge.on_task IN (SELECT id FROM after_it)`;

/** With either end in the project or session: what comes from outside is part of the picture. */
function within({ project, session }: Extract<DependenciesOf, { readonly project: string | null }>): {
  readonly sql: string;
  readonly params: readonly Value[];
} {
  const conditions: string[] = [];
  const params: Value[] = [];
  for (const [column, value] of [
    ["project_id", project],
    ["session", session],
  ] as const)
    if (value !== null) {
      conditions.push(`(later.${column} = ? OR earlier.${column} = ?)`);
      params.push(value, value);
    }
  return {
    sql: `
SELECT edge.task, edge.on_task, edge.kind FROM task_dependencies edge
JOIN tasks later ON later.id = edge.task JOIN tasks earlier ON earlier.id = edge.on_task${
      conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`
    }`,
    params,
  };
}

const STEPS = `
SELECT task, started_seq, step, run, item, kind, started_at_ms, status, ended_seq, ended_at_ms FROM ended_steps WHERE task = ?
UNION ALL SELECT task, started_seq, step, run, item, kind, started_at_ms, 'open', NULL, NULL FROM open_steps WHERE task = ?
ORDER BY started_seq`;

const TASK_ROWS = `SELECT ${ROW_COLUMNS} FROM tasks LEFT JOIN projects ON projects.id = tasks.project_id`;

const stateFrom = (row: Row): TaskOutline | null => {
  const [moving, lasting] = [textOrNull(row, "state"), textOrNull(row, "lasting")];
  return moving === null || lasting === null ? null : outlineFrom(moving, lasting);
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
