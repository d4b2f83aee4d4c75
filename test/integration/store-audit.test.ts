import { cp, mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { auditStore } from "../../src/adapters/store/audit.ts";
import { blobFile } from "../../src/adapters/store/blob-content.ts";
import { storePaths } from "../../src/adapters/store/home.ts";
import { placed } from "../../src/adapters/store/journal-row.ts";
import { openStore } from "../../src/adapters/store/open.ts";
import { seal } from "../../src/adapters/store/seal.ts";
import { rowHash } from "../../src/domain/chain.ts";
import type { AuditFinding } from "../../src/ports/store.ts";
import { deny, event, freeze, givenProject, givenTask, rowsOf, stepStarted, utf8 } from "../contract/store-given.ts";

/*
 * Somebody with the file in hand, who drops the guards, changes one thing and puts the guards back. Streams: project/p 1–2 at
 * positions 1–2, task/a 1–6 at 3–8, task/b 1–2 at 9–10. The frozen spec is large, so it lies in a file.
 */
const LARGE = "x".repeat(70_000);
let original: string;
let home: string;

beforeAll(async () => {
  original = await mkdtemp(join(tmpdir(), "agentos-store-"));
  const store = await openStore({ home: original, now: () => 0 });
  await givenProject(store, "p");
  await givenTask(store, "a");
  await store.append(event("a", 1, { type: "BOUND", body: { project: "p", repos: {} } }));
  await freeze(store, seal, "a", 2, 1, { intent: LARGE });
  await store.append(event("a", 3, stepStarted("s", 1)));
  const plan = seal({ items: [] });
  const text = await store.stage(utf8(plan.text));
  await store.append(
    event(
      "a",
      4,
      { type: "PLAN_PROPOSED", body: { version: 1, hash: plan.sha256, text: text.ref, items: [], witness: [] } },
      [text],
    ),
  );
  await store.append(deny("a", 5));
  await givenTask(store, "b");
  await store.append(deny("b", 1));
  await store.close();
});
afterAll(() => rm(original, { recursive: true, force: true }));
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "agentos-store-"));
  await cp(original, home, { recursive: true });
});
afterEach(() => rm(home, { recursive: true, force: true }));

const audit = async (): Promise<readonly AuditFinding[]> => (await auditStore(home, { seal })).findings;

/** Changes the database behind the guards' back and puts them up again as they were. */
function tamper(...statements: readonly string[]): void {
  const connection = new BetterSqlite3(storePaths(home).database);
  connection.pragma("foreign_keys = 0");
  connection.pragma("ignore_check_constraints = 1");
  const guards = connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all() as {
    name: string;
    sql: string;
  }[];
  for (const { name } of guards) connection.exec(`DROP TRIGGER ${name}`);
  for (const statement of statements)
    if (connection.prepare(statement).run().changes === 0) throw new Error(`nothing changed: ${statement}`);
  for (const { sql } of guards) connection.exec(sql);
  connection.close();
}

test("an untouched journal has no findings, and the audit says what it looked at", async () => {
  expect(await auditStore(home, { seal })).toEqual({
    streams: 3,
    events: 10,
    blobs: 6,
    erased: 0,
    findings: [],
    backwards: [],
  });
});

const AT_A3 = "WHERE stream = 'task/a' AND seq = 3";
const CHANGED: readonly (readonly [what: string, stream: string, seq: number, statements: readonly string[]])[] = [
  ["an event's type", "task/a", 3, [`UPDATE events SET type = 'READY' ${AT_A3}`]],
  ["an event's type to one nobody knows", "task/a", 3, [`UPDATE events SET type = 'NOTHING' ${AT_A3}`]],
  ["an event's format", "task/a", 3, [`UPDATE events SET v = 2 ${AT_A3}`]],
  ["an event's time", "task/a", 3, [`UPDATE events SET at_ms = at_ms + 1 ${AT_A3}`]],
  ["an event's actor", "task/a", 3, [`UPDATE events SET actor = 'person:eve' ${AT_A3}`]],
  ["an event's body", "task/a", 3, [`UPDATE events SET body = replace(body, '"version":1', '"version":2') ${AT_A3}`]],
  ["an event's body to no JSON", "task/a", 3, [`UPDATE events SET body = '{' ${AT_A3}`]],
  ["an event's body to another order", "task/a", 3, [`UPDATE events SET body = body || ' ' ${AT_A3}`]],
  ["an event's hash", "task/a", 3, [`UPDATE events SET hash = '${"0".repeat(64)}' ${AT_A3}`]],
  ["an event's previous hash", "task/a", 3, [`UPDATE events SET prev_hash = '${"0".repeat(64)}' ${AT_A3}`]],
  ["an event's stream", "task/a", 6, ["UPDATE events SET stream = 'task/c' WHERE stream = 'task/a' AND seq = 6"]],
  ["an event's seq", "task/a", 16, ["UPDATE events SET seq = 16 WHERE stream = 'task/a' AND seq = 6"]],
  [
    "two events to each other's place",
    "task/a",
    4,
    [
      "UPDATE events SET seq = 99 WHERE stream = 'task/a' AND seq = 3",
      "UPDATE events SET seq = 3 WHERE stream = 'task/a' AND seq = 4",
      "UPDATE events SET seq = 4 WHERE stream = 'task/a' AND seq = 99",
    ],
  ],
  ["an event in the middle to nothing", "task/a", 3, [`DELETE FROM events ${AT_A3}`]],
  ["a first event to nothing", "task/b", 1, ["DELETE FROM events WHERE stream = 'task/b' AND seq = 1"]],
  ["a last event to nothing", "task/a", 6, ["DELETE FROM events WHERE stream = 'task/a' AND seq = 6"]],
  [
    "a last event and its position to nothing",
    "task/b",
    1,
    [
      "DELETE FROM events WHERE stream = 'task/b' AND seq = 2",
      "DELETE FROM log_leaves WHERE stream = 'task/b' AND seq = 2",
    ],
  ],
  ["a position to nothing", "task/a", 3, ["DELETE FROM log_leaves WHERE stream = 'task/a' AND seq = 3"]],
  ["a position's number", "task/b", 2, ["UPDATE log_leaves SET position = 77 WHERE position = 10"]],
  ["a position's hash", "task/a", 3, [`UPDATE log_leaves SET hash = '' WHERE stream = 'task/a' AND seq = 3`]],
  [
    "two positions to each other's place",
    "task/a",
    5,
    [
      "UPDATE log_leaves SET position = 99 WHERE position = 7",
      "UPDATE log_leaves SET position = 7 WHERE position = 8",
      "UPDATE log_leaves SET position = 8 WHERE position = 99",
    ],
  ],
  [
    "a position to another stream's",
    "task/a",
    6,
    ["UPDATE log_leaves SET stream = 'task/z' WHERE stream = 'task/a' AND seq = 6"],
  ],
  ["a task's status", "task/a", 6, ["UPDATE tasks SET status = 'draft' WHERE id = 'a'"]],
  [
    "a task's state",
    "task/a",
    6,
    [`UPDATE tasks SET state = replace(state, '"openStep":{', '"openStep":{"x":0,') WHERE id = 'a'`],
  ],
  [
    "what lasts of a task",
    "task/a",
    6,
    [`UPDATE lasting_facts SET state = replace(state, '"denials":1', '"denials":0') WHERE task = 'a'`],
  ],
  ["what lasts of a task to nothing", "task/a", 6, ["DELETE FROM lasting_facts WHERE task = 'a'"]],
  ["a task's title", "task/a", 6, ["UPDATE tasks SET title = 'other' WHERE id = 'a'"]],
  ["a task's last seq", "task/a", 6, ["UPDATE tasks SET seq = 5 WHERE id = 'a'"]],
  ["a task's row to nothing", "task/b", 2, ["DELETE FROM tasks WHERE id = 'b'"]],
  [
    "a task that never was",
    "task/z",
    2,
    [
      "INSERT INTO tasks (id, title, title_folded, session, status, phase, attempt, block_reason, block_detail, exit_reason, project_id, created_by, created_at_ms, updated_at_ms, queued_at_ms, seq, state) SELECT 'z', title, title_folded, session, status, phase, attempt, block_reason, block_detail, exit_reason, project_id, created_by, created_at_ms, updated_at_ms, queued_at_ms, seq, state FROM tasks WHERE id = 'b'",
    ],
  ],
  ["a frozen spec's text", "task/a", 3, ["UPDATE specs SET text = '{}' WHERE task = 'a'"]],
  [
    "a frozen spec's text and hash",
    "task/a",
    3,
    [`UPDATE specs SET text = '{}', hash = '${seal({}).sha256}' WHERE task = 'a'`],
  ],
  ["a plan's text", "task/a", 5, ["UPDATE plans SET text = '{}' WHERE task = 'a'"]],
  ["an open step's name", "task/a", 4, ["UPDATE open_steps SET step = 'other' WHERE task = 'a'"]],
  ["an open step to nothing", "task/a", 4, ["DELETE FROM open_steps WHERE task = 'a'"]],
  [
    "an open step to a completed one",
    "task/a",
    4,
    [
      `INSERT INTO ended_steps (task, started_seq, step, run, item, kind, started_at_ms, status, ended_seq, ended_at_ms, finished)
       SELECT task, started_seq, step, run, item, kind, started_at_ms, 'completed', 6, started_at_ms, '{}' FROM open_steps`,
      "DELETE FROM open_steps",
    ],
  ],
  [
    "a finished step that never was",
    "task/a",
    2,
    [
      `INSERT INTO ended_steps (task, started_seq, step, run, item, kind, started_at_ms, status, ended_seq, ended_at_ms, finished)
       SELECT task, 2, 's9', run, item, kind, started_at_ms, 'completed', 3, started_at_ms, '{}' FROM open_steps`,
    ],
  ],
  ["a refusal that never was", "task/a", 5, ["INSERT INTO refused_steps VALUES ('a', 5, 's9', '{}')"]],
  ["where a stream ends", "task/a", 6, ["UPDATE stream_heads SET seq = 5 WHERE stream = 'task/a'"]],
  ["with which hash a stream ends", "task/a", 6, ["UPDATE stream_heads SET hash = '' WHERE stream = 'task/a'"]],
  ["a stream's end to nothing", "task/a", 6, ["DELETE FROM stream_heads WHERE stream = 'task/a'"]],
  ["the end of a stream that never was", "task/z", 2, ["INSERT INTO stream_heads VALUES ('task/z', 2, '')"]],
  ["a task's words", "task/a", 6, ["UPDATE task_words SET intent = 'other' WHERE task = 'a'"]],
  ["a task's words to nothing", "task/b", 2, ["DELETE FROM task_words WHERE task = 'b'"]],
  ["a project's name", "project/p", 2, ["UPDATE projects SET name = 'other'"]],
  ["a repo's path", "project/p", 2, ["UPDATE repos SET path = '/other'"]],
  ["a repo to nothing", "project/p", 2, ["DELETE FROM repos"]],
  [
    "small content",
    "task/b",
    1,
    [
      "UPDATE blobs SET content = x'00' WHERE digest = (SELECT json_extract(body, '$.title.digest') FROM events WHERE stream = 'task/b' AND seq = 1)",
    ],
  ],
  [
    "what size content is said to have",
    "task/b",
    1,
    [
      "UPDATE blobs SET bytes = bytes + 1 WHERE digest = (SELECT json_extract(body, '$.title.digest') FROM events WHERE stream = 'task/b' AND seq = 1)",
    ],
  ],
  [
    "content's salt",
    "task/b",
    1,
    [
      "UPDATE blobs SET salt = x'00' WHERE digest = (SELECT json_extract(body, '$.draft.digest') FROM events WHERE stream = 'task/b' AND seq = 1)",
    ],
  ],
  [
    "content to nothing",
    "task/b",
    1,
    [
      "DELETE FROM blobs WHERE digest = (SELECT json_extract(body, '$.draft.digest') FROM events WHERE stream = 'task/b' AND seq = 1)",
    ],
  ],
];

test.each(CHANGED)("changing %s is found at %s %i", async (_what, stream, seq, statements) => {
  tamper(...statements);
  const findings = await audit();
  expect(findings).toContainEqual({ stream, seq, problem: expect.any(String) });
});

test("an event with a right hash, slipped in behind the last, is found", async () => {
  const store = await openStore({ home, now: () => 0 });
  const last = (await rowsOf(store, "task/b")).at(-1);
  await store.close();
  if (last === undefined) throw new Error("task b is empty");
  const forged = { ...last, seq: 3, prevHash: last.hash, actor: "person:eve" };
  const hash = rowHash(seal, forged);
  tamper(
    `INSERT INTO events VALUES ('task/b', 3, '${forged.type}', 1, ${forged.atMs}, 'person:eve', '${forged.body}', '${forged.prevHash}', '${hash}')`,
  );
  expect(await audit()).toContainEqual({ stream: "task/b", seq: 3, problem: "has no position in the order of events" });
});

test("a body in another order than its canonical form is found, even with every hash made right", async () => {
  const store = await openStore({ home, now: () => 0 });
  const last = (await rowsOf(store, "task/b")).at(-1);
  await store.close();
  if (last === undefined) throw new Error("task b is empty");
  const body = `${last.body} `;
  const hash = rowHash(seal, { ...last, body });
  tamper(
    `UPDATE events SET body = '${body}', hash = '${hash}' WHERE stream = 'task/b' AND seq = 2`,
    `UPDATE log_leaves SET hash = '${hash}' WHERE stream = 'task/b' AND seq = 2`,
    `UPDATE stream_heads SET hash = '${hash}' WHERE stream = 'task/b'`,
  );
  expect(await audit()).toEqual([{ stream: "task/b", seq: 2, problem: "its body is not in canonical form" }]);
});

describe("the schema", () => {
  test("without a guard is found, each one by name", async () => {
    const connection = new BetterSqlite3(storePaths(home).database);
    const guards = connection
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
      .pluck()
      .all() as string[];
    for (const guard of guards) connection.exec(`DROP TRIGGER ${guard}`);
    connection.close();
    expect(guards).toHaveLength(18);
    expect((await audit()).map((finding) => finding.problem).sort()).toEqual(
      guards.map((guard) => `the trigger ${guard} is missing`).sort(),
    );
  });

  test("with a guard that guards nothing is found", async () => {
    const connection = new BetterSqlite3(storePaths(home).database);
    connection.exec(
      "DROP TRIGGER events_keep_their_content; CREATE TRIGGER events_keep_their_content BEFORE UPDATE ON events BEGIN SELECT 1; END",
    );
    connection.exec("CREATE TRIGGER extra AFTER INSERT ON tasks BEGIN SELECT 1; END");
    connection.close();
    expect(await audit()).toEqual([
      { stream: "agentos.db", seq: null, problem: "the trigger events_keep_their_content is not as AgentOS made it" },
      { stream: "agentos.db", seq: null, problem: "the trigger extra is not AgentOS's" },
    ]);
  });
});

describe("content in files", () => {
  const digestOf = async (): Promise<string> => {
    const connection = new BetterSqlite3(storePaths(home).database);
    const digest = connection.prepare("SELECT digest FROM blobs WHERE content IS NULL").pluck().get() as string;
    connection.close();
    return digest;
  };

  test("that is gone is found where it is named", async () => {
    const digest = await digestOf();
    await rm(blobFile(storePaths(home).blobs, digest));
    expect(await audit()).toEqual([{ stream: "task/a", seq: 3, problem: `content ${digest} lost its file` }]);
  });

  test("that was changed is found where it is named", async () => {
    const digest = await digestOf();
    await writeFile(blobFile(storePaths(home).blobs, digest), "other");
    expect(await audit()).toEqual([
      { stream: "task/a", seq: 3, problem: `content ${digest} was changed after it was written` },
    ]);
  });

  test("that was erased is counted, and is no finding", async () => {
    const digest = await digestOf();
    await rm(blobFile(storePaths(home).blobs, digest));
    tamper(`UPDATE blobs SET salt = NULL WHERE digest = '${digest}'`);
    expect(await auditStore(home, { seal })).toEqual({
      streams: 3,
      events: 10,
      blobs: 5,
      erased: 1,
      findings: [],
      backwards: [],
    });
  });
});

test("a page overwritten in the file is found, not stumbled over", async () => {
  const connection = new BetterSqlite3(storePaths(home).database);
  const page = connection.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'events'").pluck().get() as number;
  connection.close();
  const file = await open(storePaths(home).database, "r+");
  await file.write(Buffer.alloc(4096, 7), 0, 4096, (page - 1) * 4096);
  await file.close();
  expect((await audit()).some((finding) => finding.stream === "agentos.db")).toBe(true);
});

test("content that was changed in the file is never handed out, not even at the same length", async () => {
  const [row] = query("SELECT digest, bytes FROM blobs WHERE content IS NOT NULL ORDER BY digest LIMIT 1") as {
    readonly digest: string;
    readonly bytes: number;
  }[];
  if (row === undefined) throw new Error("there is no small content");
  tamper(`UPDATE blobs SET content = zeroblob(${row.bytes}) WHERE digest = '${row.digest}'`);
  const store = await openStore({ home, now: () => 0 });
  await expect(store.get(row)).rejects.toMatchObject({ code: "store/corrupt" });
  await store.close();
});

function query(sql: string): unknown[] {
  const connection = new BetterSqlite3(storePaths(home).database, { readonly: true });
  const rows = connection.prepare(sql).all();
  connection.close();
  return rows;
}

test("an event that is sound by its hashes and cannot follow was not written by AgentOS: its task is not worked on", async () => {
  const connection = new BetterSqlite3(storePaths(home).database);
  const last = connection.prepare("SELECT * FROM events WHERE stream = 'task/b' AND seq = 2").get() as { hash: string };
  const first = connection.prepare("SELECT * FROM events WHERE stream = 'task/b' AND seq = 1").get() as Created;
  const { type, v, at_ms, actor, body } = first;
  const row = placed(seal, { type, v, atMs: at_ms, actor, body }, "task/b", 3, last.hash);
  connection
    .prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
    .run(row.stream, row.seq, row.type, row.v, row.atMs, row.actor, row.body, row.prevHash, row.hash);
  connection.prepare("INSERT INTO log_leaves VALUES (11, 'task/b', 3, ?)").run(row.hash);
  connection.prepare("UPDATE stream_heads SET seq = 3, hash = ? WHERE stream = 'task/b'").run(row.hash);
  connection.close();
  const store = await openStore({ home, now: () => 0 });
  try {
    expect(await store.tasks.tampered("b")).toEqual({
      problem: "event 3 of its journal cannot follow the ones before it",
      status: null,
    });
    expect(await store.tasks.tampered("a")).toBeNull();
  } finally {
    await store.close();
  }
});

interface Created {
  readonly type: "CREATED";
  readonly v: number;
  readonly at_ms: number;
  readonly actor: string;
  readonly body: string;
}

test("content that cannot be read is neither whole nor changed: the audit does not come to an end", async () => {
  const connection = new BetterSqlite3(storePaths(home).database, { readonly: true });
  const digest = connection.prepare("SELECT digest FROM blobs WHERE content IS NULL").pluck().get() as string;
  connection.close();
  const file = blobFile(storePaths(home).blobs, digest);
  await rm(file);
  await mkdir(file);
  await expect(audit()).rejects.toMatchObject({ code: "EISDIR" });
  const store = await openStore({ home, now: () => 0 });
  try {
    await expect(store.get({ digest, bytes: LARGE.length })).rejects.toMatchObject({ code: "EISDIR" });
  } finally {
    await store.close();
  }
});
