import { Failure } from "../../domain/failure.ts";
import type { Status } from "../../domain/task.ts";
import type { Direction, TaskOrder } from "../../domain/task-list.ts";
import type { TaskFilter } from "../../ports/store.ts";
import type { Row, Value } from "./database.ts";
import { folded } from "./projection.ts";
import { searchTerms } from "./search-terms.ts";

/*
 * A page of a list is read along an index in its order, from the cursor on, and stops when the page is full. Every index named here
 * holds each column that a list can be narrowed by, so what is left out costs a step in the index and never a row. SQLite would at
 * times rather collect all matches and sort them, which grows with the number of tasks: so the index is said.
 */

export interface Listing {
  readonly sql: string;
  readonly params: readonly Value[];
}

export const ROW_COLUMNS = `tasks.id, tasks.title, tasks.session, tasks.status, tasks.phase, tasks.attempt, tasks.block_reason, tasks.block_detail,
  tasks.exit_reason, tasks.priority, tasks.project_id, projects.name AS project_name, tasks.created_by, tasks.created_at_ms, tasks.updated_at_ms, tasks.seq`;

/** One row more than asked for is read: whether there is one tells whether there is a next page. */
export function listing(filter: TaskFilter): Listing {
  const conditions: string[] = [];
  const params: Value[] = [];
  const where = (condition: string, ...values: readonly Value[]): void => {
    conditions.push(condition);
    params.push(...values);
  };
  const oneOf = (column: string, values: readonly string[] | null): void => {
    if (values === null) return;
    where(values.length === 0 ? "1 = 0" : `tasks.${column} IN (${values.map(() => "?").join(", ")})`, ...values);
  };
  oneOf("status", filter.status);
  oneOf("block_reason", filter.blockReason);
  oneOf("exit_reason", filter.exitReason);
  if (filter.project !== null) where("tasks.project_id = ?", filter.project);
  if (filter.session !== null) where("tasks.session = ?", filter.session);
  if (filter.createdBy !== null) where("tasks.created_by = ?", filter.createdBy);
  if (filter.createdFromMs !== null) where("tasks.created_at_ms >= ?", filter.createdFromMs);
  if (filter.createdBeforeMs !== null) where("tasks.created_at_ms < ?", filter.createdBeforeMs);
  if (filter.text !== null)
    where(
      "tasks.id IN (SELECT id FROM tasks INDEXED BY tasks_by_title WHERE title_folded LIKE ? ESCAPE '!')",
      `%${folded(filter.text).replaceAll(/[!%_]/g, "!$&")}%`,
    );
  const terms = filter.search === null ? null : searchTerms(filter.search);
  if (terms === "") where("1 = 0");
  else if (terms !== null)
    where(
      "tasks.id IN (SELECT task FROM task_words WHERE number IN (SELECT rowid FROM task_search WHERE task_search MATCH ?))",
      terms,
    );
  const keys = ORDERS[filter.order].columns;
  if (filter.after !== null) {
    const places = [...keys, "id"];
    where(
      `(${places.map((column) => `tasks.${column}`).join(", ")}) ${filter.direction === "desc" ? "<" : ">"} (${places.map(() => "?").join(", ")})`,
      ...placeIn(filter, filter.after),
    );
  }
  const order = [...keys, "id"].map((column) => `tasks.${column} ${filter.direction === "desc" ? "DESC" : "ASC"}`);
  return {
    sql: `SELECT ${ROW_COLUMNS}, tasks.state, lasting_facts.state AS lasting, tasks.title_folded
FROM tasks INDEXED BY ${indexFor(filter)} LEFT JOIN projects ON projects.id = tasks.project_id
LEFT JOIN lasting_facts ON lasting_facts.task = tasks.id
  AND (tasks.status IN (${WAITING}) OR EXISTS (SELECT 1 FROM open_steps WHERE open_steps.task = tasks.id))
${conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`} ORDER BY ${order.join(", ")} LIMIT ?`,
    params: [...params, filter.most + 1],
  };
}

export const cursorAfter = ({ order, direction }: TaskFilter, last: Row): string =>
  Buffer.from(
    JSON.stringify([order, direction, ...ORDERS[order].columns.map((column) => last[column]), last["id"]]),
  ).toString("base64url");

/** Statuses in which a task stands still, for a person or for another task, or in which its open step may. In others only an open step does. */
const WAITING = (
  ["draft", "queued", "running", "awaiting_approval", "blocked", "failed"] as const satisfies readonly Status[]
)
  .map((status) => `'${status}'`)
  .join(", ");

interface Order {
  /** What the list is ordered by, before the id. */
  readonly columns: readonly string[];
  readonly types: readonly ("number" | "string")[];
  readonly index: string;
}

const ORDERS: Readonly<Record<TaskOrder, Order>> = {
  created: { columns: ["created_at_ms"], types: ["number"], index: "tasks_by_created" },
  updated: { columns: ["updated_at_ms"], types: ["number"], index: "tasks_by_updated" },
  title: { columns: ["title_folded"], types: ["string"], index: "tasks_by_title" },
  status: { columns: ["status", "created_at_ms"], types: ["string", "number"], index: "tasks_by_status" },
};

/** In the order of creation, what belongs to one session, status or project stands together in an index of its own. */
function indexFor({ order, session, status, project }: TaskFilter): string {
  if (order !== "created") return ORDERS[order].index;
  if (session !== null) return "tasks_by_session";
  if (status?.length === 1) return "tasks_by_status";
  return project === null ? ORDERS.created.index : "tasks_by_project";
}

/** The place a cursor names: the values of the order's columns and the id of the last task of the page before. */
function placeIn(
  { order, direction }: { readonly order: TaskOrder; readonly direction: Direction },
  cursor: string,
): readonly Value[] {
  const invalid = (problem: string): Failure =>
    new Failure("input/invalid", `${JSON.stringify(cursor)} is not a cursor that ${problem}`, {
      next: "Give `next` of the page before with the same order, or begin without a cursor.",
    });
  const said = decoded(cursor);
  if (!Array.isArray(said)) throw invalid("a list of tasks gave");
  const [ofOrder, ofDirection, ...place]: readonly unknown[] = said;
  if (ofOrder !== order || ofDirection !== direction) throw invalid(`a list by ${order}, ${direction}, gave`);
  const types = [...ORDERS[order].types, "string"];
  if (place.length !== types.length || place.some((value, at) => typeof value !== types[at]))
    throw invalid("a list of tasks gave");
  return place as readonly Value[];
}

function decoded(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    return null; // no JSON: then it is no cursor of ours
  }
}
