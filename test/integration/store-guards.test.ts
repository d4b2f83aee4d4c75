import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import BetterSqlite3 from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { auditStore } from "../../src/adapters/store/audit.ts";
import { storePaths } from "../../src/adapters/store/home.ts";
import { openStore } from "../../src/adapters/store/open.ts";
import { seal } from "../../src/adapters/store/seal.ts";
import type { Store } from "../../src/ports/store.ts";
import { deny, event, freeze, givenProject, givenTask, utf8 } from "../contract/store-given.ts";

/*
 * What a program that opens the database by itself can do to it. The store is open meanwhile, as it is when somebody types
 * `sqlite3` beside a running daemon.
 */
let home: string;
let store: Store;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "agentos-store-"));
  store = await openStore({ home, now: () => 0 });
  await givenProject(store, "p");
  await givenTask(store, "a");
  await freeze(store, seal, "a", 1, 1, { intent: "x" });
  await store.append(deny("a", 2));
  const plan = seal({ items: [] });
  const text = await store.stage(utf8(plan.text));
  const proposed = { version: 1, hash: plan.sha256, text: text.ref, items: [], witness: [] };
  await store.append(event("a", 3, { type: "BOUND", body: { project: "p", repos: {} } }));
  await store.append(event("a", 4, { type: "PLAN_PROPOSED", body: proposed }, [text]));
});
afterAll(async () => {
  await store.close();
  expect((await auditStore(home, { seal })).findings).toEqual([]);
  await rm(home, { recursive: true, force: true });
});

const ROW = "'task/a', 1, 'CREATED', 1, 0, 'person:eve', '{}', '', ''";
const REFUSED: readonly (readonly [statement: string, message: string])[] = [
  ["UPDATE events SET body = '{}' WHERE stream = 'task/a' AND seq = 2", "an event is never changed"],
  ["UPDATE events SET rowid = rowid + 100", "an event is never changed"],
  ["UPDATE OR REPLACE events SET seq = 1 WHERE stream = 'task/a' AND seq = 2", "an event is never changed"],
  ["DELETE FROM events WHERE stream = 'task/a' AND seq = 5", "an event is never deleted"],
  ["DELETE FROM events", "an event is never deleted"],
  [`REPLACE INTO events VALUES (${ROW})`, "an event goes to the end of its stream"],
  [
    "REPLACE INTO events (rowid, stream, seq, type, v, at_ms, actor, body, prev_hash, hash) VALUES (1, 'task/a', 6, 'DENIED', 1, 0, 'person:eve', '{}', '', '')",
    "an event goes to the end of its stream",
  ],
  [
    "INSERT INTO events VALUES ('task/a', 9, 'DENIED', 1, 0, 'person:eve', '{}', '', '')",
    "an event goes to the end of its stream",
  ],
  [
    `INSERT INTO events VALUES (${ROW}) ON CONFLICT DO UPDATE SET body = '{}'`,
    "an event goes to the end of its stream",
  ],
  ["UPDATE log_leaves SET hash = ''", "its order is never changed"],
  ["DELETE FROM log_leaves WHERE position = 1", "its order is never changed"],
  ["REPLACE INTO log_leaves VALUES (1, 'task/a', 1, '')", "its order grows at the end"],
  ["REPLACE INTO log_leaves SELECT MAX(position) + 1, 'task/a', 1, '' FROM log_leaves", "its order grows at the end"],
  ["UPDATE stream_heads SET seq = 4 WHERE stream = 'task/a'", "a stream ends with its last event"],
  ["UPDATE stream_heads SET seq = seq + 1", "a stream ends with its last event"],
  ["UPDATE stream_heads SET stream = 'task/z'", "a stream ends with its last event"],
  ["DELETE FROM stream_heads", "a stream ends with its last event"],
  ["REPLACE INTO stream_heads SELECT stream, seq, hash FROM events", "a stream ends with its last event"],
  ["INSERT INTO stream_heads VALUES ('task/z', 1, '')", "a stream ends with its last event"],
  ["UPDATE specs SET text = '{}'", "a frozen spec is never changed"],
  ["DELETE FROM specs", "a frozen spec is never deleted"],
  ["REPLACE INTO specs VALUES ('a', 1, 2, '', '{}')", "a frozen spec is never replaced"],
  ["UPDATE plans SET text = '{}'", "a proposed plan is never changed"],
  ["DELETE FROM plans", "a proposed plan is never deleted"],
  ["REPLACE INTO plans VALUES ('a', 1, 5, '', '{}')", "a proposed plan is never replaced"],
];

describe("a second connection is refused", () => {
  test.each(REFUSED)("%s", (statement, message) => {
    const connection = new BetterSqlite3(storePaths(home).database);
    // As another program's would be: nothing switched on that our own connections switch on.
    connection.pragma("recursive_triggers = 0");
    connection.pragma("foreign_keys = 0");
    try {
      expect(() => connection.exec(statement)).toThrow(message);
    } finally {
      connection.close();
    }
  });
});

test("the sqlite3 program is refused in the same words", async (context) => {
  const run = promisify(execFile);
  if (
    !(await run("sqlite3", ["--version"]).then(
      () => true,
      () => false,
    ))
  )
    context.skip("sqlite3 is not installed here");
  for (const [statement, message] of REFUSED)
    await expect(run("sqlite3", [storePaths(home).database, statement])).rejects.toThrow(message);
});

test.each([
  ["was taken away", "DROP TRIGGER specs_keep_their_content"],
  [
    "is not as AgentOS made it",
    "DROP TRIGGER specs_keep_their_content; CREATE TRIGGER specs_keep_their_content BEFORE UPDATE ON specs BEGIN SELECT 1; END",
  ],
])("a store whose guard %s is not opened", async (what, statement) => {
  const place = await mkdtemp(join(tmpdir(), "agentos-store-"));
  try {
    await (await openStore({ home: place, now: () => 0 })).close();
    const connection = new BetterSqlite3(storePaths(place).database);
    connection.exec(statement);
    connection.close();
    await expect(openStore({ home: place, now: () => 0 })).rejects.toMatchObject({
      code: "store/corrupt",
      message: `the guard specs_keep_their_content of the database ${what}`,
    });
  } finally {
    await rm(place, { recursive: true, force: true });
  }
});
