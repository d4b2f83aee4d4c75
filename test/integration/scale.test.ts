import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { auditStore } from "../../src/adapters/store/audit.ts";
import type { Queries } from "../../src/adapters/store/database.ts";
import { foldTask } from "../../src/adapters/store/fold.ts";
import { openStore } from "../../src/adapters/store/open.ts";
import { operations } from "../../src/adapters/store/operations.ts";
import { projectReads } from "../../src/adapters/store/project-reads.ts";
import { projectTask } from "../../src/adapters/store/projection.ts";
import { readSince, readStream } from "../../src/adapters/store/read-stream.ts";
import { seal } from "../../src/adapters/store/seal.ts";
import { listing } from "../../src/adapters/store/task-listing.ts";
import { taskReads } from "../../src/adapters/store/task-reads.ts";
import { writtenTask } from "../../src/adapters/store/task-state.ts";
import type { Operations, Store, TaskFilter } from "../../src/ports/store.ts";
import { ALL } from "../contract/store-given.ts";
import { type Made, makeManyTasks } from "../support/many-tasks.ts";

/*
 * What keeps lists and starts quick however many tasks there are: no plan that passes over a whole table or sorts, where an index gives
 * the order. Plans and counts, no times; those are measured at full size (npm run test:scale:full, docs/guarantees/scale.md).
 */

const TASKS = 1_000;
const EVENTS = 12_000;

let home: string;
let store: Store;
let made: Made;
let database: BetterSqlite3.Database;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "agentos-scale-"));
  store = await openStore({ home, now: () => 0 });
  made = await makeManyTasks(store, seal, {
    tasks: TASKS,
    events: EVENTS,
    seed: 1,
    longest: 1_000,
    repo: "/nonexistent/app",
  });
  database = new BetterSqlite3(join(home, "agentos.db"), { readonly: true });
});
afterAll(async () => {
  database.close();
  await store.close();
  await rm(home, { recursive: true, force: true });
});

const planOf = (sql: string, params: readonly unknown[]): readonly string[] =>
  database
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all(...params)
    .map((row) => (row as { readonly detail: string }).detail);
const PROJECT_OF_ROW = "SEARCH projects USING INDEX sqlite_autoindex_projects_1 (id=?) LEFT-JOIN";
const LASTING_OF_ROW = "SEARCH lasting_facts USING PRIMARY KEY (task=?) LEFT-JOIN";

const OPEN_STEP_OF_ROW = ["CORRELATED SCALAR SUBQUERY 1", "SEARCH open_steps USING PRIMARY KEY (task=?)"];
const PLANS: readonly (readonly [string, Partial<TaskFilter>, string])[] = [
  ["by default", {}, "SCAN tasks USING INDEX tasks_by_created"],
  ["oldest first", { direction: "asc" }, "SCAN tasks USING INDEX tasks_by_created"],
  ["by the last change", { order: "updated" }, "SCAN tasks USING INDEX tasks_by_updated"],
  ["by title", { order: "title", direction: "asc" }, "SCAN tasks USING INDEX tasks_by_title"],
  ["by status", { order: "status" }, "SCAN tasks USING INDEX tasks_by_status"],
  ["of one status", { status: ["blocked"] }, "SEARCH tasks USING INDEX tasks_by_status (status=?)"],
  ["of several", { status: ["blocked", "failed"] }, "SCAN tasks USING INDEX tasks_by_created"],
  ["of a project", { project: "p" }, "SEARCH tasks USING INDEX tasks_by_project (project_id=?)"],
  ["of a session", { session: "s" }, "SEARCH tasks USING INDEX tasks_by_session (session=?)"],
  ["by its maker", { createdBy: "ada" }, "SCAN tasks USING INDEX tasks_by_created"],
  ["by why it waits", { blockReason: ["paused"] }, "SCAN tasks USING INDEX tasks_by_created"],
  ["by how it ended", { exitReason: ["done"], order: "updated" }, "SCAN tasks USING INDEX tasks_by_updated"],
  [
    "of some days",
    { createdFromMs: 1, createdBeforeMs: 2 },
    "SEARCH tasks USING INDEX tasks_by_created (created_at_ms>? AND created_at_ms<?)",
  ],
];

test.each(PLANS)("a list %s is read along one index, without sorting", (_, filter, expected) => {
  const { sql, params } = listing({ ...ALL, ...filter });
  expect(planOf(sql, params)).toEqual([expected, PROJECT_OF_ROW, LASTING_OF_ROW, ...OPEN_STEP_OF_ROW]);
});

test("what a list is narrowed by stands in every index that gives an order: what does not match is never read", () => {
  const indexes = ["created", "updated", "title", "status", "session", "project"].map((name) => `tasks_by_${name}`);
  for (const index of indexes) {
    const columns = database.prepare(`SELECT name FROM pragma_index_info('${index}')`).pluck().all();
    expect([index, columns], index).toEqual([
      index,
      expect.arrayContaining([
        ...["id", "status", "project_id", "session", "created_by", "block_reason", "exit_reason", "created_at_ms"],
      ]),
    ]);
  }
});

test("a search looks its words up, and sorts nothing", () => {
  const { sql, params } = listing({ ...ALL, search: "login" });
  const plan = planOf(sql, params);
  expect(plan).toContain("SCAN tasks USING INDEX tasks_by_created");
  expect(plan.some((line) => line.startsWith("SCAN task_search VIRTUAL TABLE INDEX"))).toBe(true);
  expect(plan).toContain("SEARCH task_words USING INTEGER PRIMARY KEY (rowid=?)");
  expect(plan.join()).not.toMatch(/TEMP B-TREE|SCAN task_words/);
});

/** The plans of everything that is asked of the database meanwhile. */
async function plansOf(work: (queries: Queries) => Promise<unknown>): Promise<readonly string[]> {
  const plans: string[] = [];
  await work({
    query: async (sql, params = []) => {
      plans.push(...planOf(sql, params));
      return [];
    },
  });
  return plans;
}

test("what a start and every claim ask is looked up, however many tasks there are", async () => {
  const nobody = { write: () => Promise.reject(new Error("nothing is written")), close: async () => {} };
  const plans = async (ask: (asked: Operations) => Promise<unknown>): Promise<readonly string[]> =>
    plansOf((queries) => ask(operations(queries, nobody)));
  expect(await plans((asked) => asked.running())).toEqual([
    "SEARCH tasks USING COVERING INDEX tasks_by_status (status=?)",
    "SEARCH projects USING INDEX sqlite_autoindex_projects_1 (id=?)",
  ]);
  // What waits is sorted, because what gives way comes last; but the tasks are reached by the queue, and what is before one by its id.
  const claims = await plans((asked) => asked.claimable(4));
  expect(new Set(claims.filter((line) => /^(SCAN|SEARCH) (tasks|waiting|earlier|edge)\b/.test(line)))).toEqual(
    new Set([
      "SEARCH tasks USING INDEX sqlite_autoindex_tasks_1 (id=?)",
      "SEARCH waiting USING COVERING INDEX tasks_queue (project_id=? AND priority=?)",
      "SEARCH edge USING PRIMARY KEY (task=?)",
      "SEARCH earlier USING INDEX sqlite_autoindex_tasks_1 (id=?)",
    ]),
  );
  expect(await plans((asked) => asked.nextEpoch("a"))).toEqual([
    "SEARCH lasting_facts USING PRIMARY KEY (task=?)",
    "SEARCH tasks USING INDEX sqlite_autoindex_tasks_1 (id=?)",
    "SEARCH leases USING INDEX sqlite_autoindex_leases_1 (task=?) LEFT-JOIN",
  ]);
  const open = await plans((asked) => asked.succeededWithOpenStep());
  expect(open.slice(0, 2)).toEqual(["SCAN open_steps", "SEARCH tasks USING INDEX sqlite_autoindex_tasks_1 (id=?)"]);
  expect(await plansOf((queries) => taskReads(queries, queries, async () => null).counts())).toEqual([
    "SCAN tasks USING COVERING INDEX tasks_by_status",
  ]);
  expect(await plansOf((queries) => projectReads(queries).livingTasks("p"))).toEqual([
    "SEARCH tasks USING COVERING INDEX tasks_by_project (project_id=?)",
  ]);
  expect((await plansOf((queries) => readSince(queries, 5, 10))).join()).not.toMatch(/SCAN|TEMP B-TREE/);
  expect((await plansOf((queries) => readStream(queries, "task/a", 5, 10))).join()).not.toMatch(/SCAN|TEMP B-TREE/);
});

test("a step that begins or ends passes over no other step of its task, and a task that only moves on touches one index", async () => {
  const asked: string[] = [];
  const queries: Queries = {
    query: async (sql, params = []) => {
      asked.push(sql, ...planOf(sql, params));
      return [];
    },
  };
  const [first, ...rest] = await store.tasks.events(made.longest, 0, 1_000);
  const begun = rest.findIndex(({ event }) => event.type === "STEP_STARTED");
  const ended = rest.findIndex(({ event }) => event.type === "STEP_COMPLETED");
  const task = foldTask(
    made.longest,
    null,
    [first, ...rest.slice(0, begun)].filter((one) => one !== undefined),
  );
  const known = { task, written: writtenTask(task) };
  await projectTask(queries, { seal, textOf: async () => "" }, made.longest, known, rest.slice(begun, ended + 1));
  const said = asked.map((line) => line.trim().replace(/^(INSERT INTO \w+).*/s, "$1"));
  expect(said.filter((line) => /^(UPDATE|INSERT|DELETE|SEARCH|SCAN)/.test(line))).toEqual([
    "UPDATE tasks SET updated_at_ms = ?, seq = ?, state = ? WHERE id = ?",
    "SEARCH tasks USING INDEX sqlite_autoindex_tasks_1 (id=?)",
    "INSERT INTO open_steps",
    "INSERT INTO ended_steps",
    "SEARCH open_steps USING PRIMARY KEY (task=?)",
    "DELETE FROM open_steps WHERE task = ?",
    "SEARCH open_steps USING PRIMARY KEY (task=?)",
  ]);
});

describe("the whole data directory", () => {
  test("is one that an audit accepts", async () => {
    expect(await auditStore(home, { seal })).toEqual({
      streams: TASKS + made.projects.length,
      events: made.events,
      blobs: expect.any(Number),
      erased: 0,
      backwards: [],
      findings: [],
    });
  });

  test("has the pages of a list add up to all its tasks, in every order", async () => {
    for (const order of ["created", "updated", "title", "status"] as const) {
      const seen: string[] = [];
      for (let after: string | null = null; ; ) {
        const page = await store.tasks.tasks({ ...ALL, order, most: 300, after });
        seen.push(...page.rows.map(({ row }) => row.id));
        after = page.next;
        if (after === null) break;
      }
      expect([order, seen.length, new Set(seen).size]).toEqual([order, TASKS, TASKS]);
    }
  });

  test("finds by words exactly the tasks that have them", async () => {
    const all = await store.tasks.tasks({ ...ALL, most: TASKS });
    for (const word of ["never", "invoice", "retry"]) {
      const found = await store.tasks.tasks({ ...ALL, most: TASKS, search: `"${word}"` });
      const having = database
        .prepare(
          "SELECT task FROM task_words WHERE ' ' || lower(title || ' ' || intent || ' ' || replace(criteria, char(10), ' ')) || ' ' LIKE ?",
        )
        .pluck()
        .all(`% ${word} %`) as string[];
      expect(new Set(found.rows.map(({ row }) => row.id))).toEqual(new Set(having));
      expect(having.length).toBeGreaterThan(0);
    }
    expect(all.rows).toHaveLength(TASKS);
  });
});
