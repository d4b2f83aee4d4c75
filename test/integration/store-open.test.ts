import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { auditStore } from "../../src/adapters/store/audit.ts";
import type { Tx } from "../../src/adapters/store/database.ts";
import { writeDurably } from "../../src/adapters/store/durable-file.ts";
import { storePaths } from "../../src/adapters/store/home.ts";
import { copyBefore, keepCopy } from "../../src/adapters/store/keep-copy.ts";
import { migrate } from "../../src/adapters/store/migrate.ts";
import { openStore } from "../../src/adapters/store/open.ts";
import { openReadOnly } from "../../src/adapters/store/read-only.ts";
import { refoldProjects, refoldTasks } from "../../src/adapters/store/refold.ts";
import { MIGRATIONS } from "../../src/adapters/store/schema.ts";
import { seal } from "../../src/adapters/store/seal.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { TaskEvent } from "../../src/domain/event.ts";
import { isFailure } from "../../src/domain/failure.ts";
import type { Store } from "../../src/ports/store.ts";
import { deny, event, givenRunning, givenTask, stepStarted, utf8 } from "../contract/store-given.ts";
import { storeChild } from "./store-process.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "agentos-store-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const open = (at: string = home): Promise<Store> => openStore({ home: at, now: () => 0 });
const database = (): string => storePaths(home).database;
const failsWith = (code: Parameters<typeof isFailure>[1]) => (error: unknown) => isFailure(error, code);

/** Every file below the data directory with its size and time of change. */
async function everything(directory: string = home): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const { mtimeNs, size, mode } = await stat(path, { bigint: true });
    found.push(`${path} ${mode.toString(8)} ${size} ${mtimeNs}`);
    if ((await stat(path)).isDirectory()) found.push(...(await everything(path)));
  }
  return found.sort();
}

describe("a new store", () => {
  test("is readable by its owner only, whatever the umask says", async () => {
    const before = process.umask(0);
    const nested = join(home, "new", "home");
    const store = await open(nested);
    try {
      await givenTask(store, "a", { draft: await store.stage(new Uint8Array(100_000)) });
      const modes = (await everything(nested)).map((line) => line.split(" ")[1]?.slice(-3));
      expect(new Set(modes)).toEqual(new Set(["600", "700"]));
      expect(((await stat(nested)).mode & 0o777).toString(8)).toBe("700");
    } finally {
      process.umask(before);
      await store.close();
    }
  });

  test("is found again through a symbolic link", async () => {
    const link = `${home}-link`;
    await symlink(home, link);
    const store = await open(link);
    await givenTask(store, "a");
    await store.close();
    await rm(link);
    const again = await open();
    expect((await again.tasks.task("a"))?.seq).toBe(1);
    await again.close();
  });

  test("leaves nothing beside the database when it is closed", async () => {
    await (await open()).close();
    expect((await readdir(home)).sort()).toEqual(["agentos.db", "blobs"]);
  });
});

describe("a connection", () => {
  test("acknowledges only what is synced, and never waits for a lock", async () => {
    const write = openSqlite(database(), "write");
    const setting = async (name: string): Promise<unknown> =>
      Object.values((await write.query(`PRAGMA ${name}`))[0] ?? {})[0];
    expect(await setting("journal_mode")).toBe("wal");
    expect(await setting("synchronous")).toBe(2);
    expect(await setting("foreign_keys")).toBe(1);
    expect(await setting("busy_timeout")).toBe(0);
    await write.close();
  });

  test("for reading cannot write", async () => {
    await (await open()).close();
    for (const access of ["read", "offline"] as const) {
      const reader = openSqlite(database(), access);
      await expect(reader.query("DELETE FROM limits")).rejects.toThrow("readonly");
      await reader.close();
    }
  });
});

describe("a schema", () => {
  const NEXT = {
    version: (MIGRATIONS.at(-1)?.version ?? 0) + 1,
    name: "next",
    sql: "CREATE TABLE next (id INTEGER PRIMARY KEY) STRICT;",
  };

  const migrated = async (migrations: typeof MIGRATIONS): Promise<void> => {
    const connection = openSqlite(database(), "write");
    try {
      await migrate(connection, {
        nowMs: 7,
        migrations,
        keepCopy: (before) => keepCopy(connection, database(), before),
        said: () => async () => null,
      });
    } finally {
      await connection.close();
    }
  };
  const rows = (file: string, sql: string): unknown[] => {
    const connection = new BetterSqlite3(file, { readonly: true });
    try {
      return connection.prepare(sql).raw().all();
    } finally {
      connection.close();
    }
  };

  /** Every row of every table of our own, by table. */
  const everyTable = (file: string): Readonly<Record<string, unknown[]>> =>
    Object.fromEntries(
      (rows(file, TABLES) as [string][]).map(([table]) => [
        table,
        rows(file, `SELECT * FROM ${table}`).map((row) => JSON.stringify(row)),
      ]),
    );
  const TABLES = `SELECT name FROM sqlite_schema WHERE type = 'table'
    AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'task_search%' AND name <> 'schema_migrations' ORDER BY name`;

  /** The same history in a database as the migrations up to `version` made it: in its place, and of states only that there are some. */
  const makeOlder = async (file: string, version: number): Promise<void> => {
    await rename(file, `${file}.today`);
    await migrated(MIGRATIONS.filter((one) => one.version <= version));
    const connection = new BetterSqlite3(file);
    connection.pragma("foreign_keys = 0");
    connection.exec(`ATTACH '${file}.today' AS today`);
    for (const [table] of rows(file, TABLES) as [string][]) {
      if (["steps", "finished_steps"].includes(table)) continue;
      const columns = connection.prepare(`SELECT name FROM pragma_table_info('${table}')`).pluck().all().join(", ");
      connection.exec(`INSERT INTO ${table} (${columns}) SELECT ${columns} FROM today.${table}`);
    }
    connection.exec(`
      UPDATE tasks SET state = '{}';
      INSERT INTO steps SELECT task, started_seq, step, run, item, kind, 'open', NULL, started_at_ms, NULL FROM today.open_steps;
      INSERT INTO steps SELECT task, started_seq, step, run, item, kind, status, ended_seq, started_at_ms, ended_at_ms FROM today.ended_steps;
      INSERT INTO finished_steps SELECT task, step, ended_seq, finished FROM today.ended_steps WHERE finished IS NOT NULL;
      INSERT INTO finished_steps SELECT task, step, seq, finished FROM today.refused_steps;`);
    connection.close();
    await rm(`${file}.today`);
  };

  test("is migrated step by step, with a whole copy of what was there before", async () => {
    const store = await open();
    await givenTask(store, "a");
    await store.close();
    await migrated([...MIGRATIONS, NEXT]);
    expect(rows(database(), "SELECT version, name, at_ms FROM schema_migrations")).toEqual([
      ...MIGRATIONS.map(({ version, name }) => [version, name, 0]),
      [NEXT.version, "next", 7],
    ]);
    const copy = copyBefore(database(), NEXT.version);
    expect(rows(copy, "SELECT version FROM schema_migrations")).toEqual(MIGRATIONS.map(({ version }) => [version]));
    expect(rows(copy, "SELECT id FROM tasks")).toEqual([["a"]]);
    expect(((await stat(copy)).mode & 0o777).toString(8)).toBe("600");
    expect((await readdir(home)).filter((name) => name.endsWith(".copying"))).toEqual([]);
  });

  test("that came with new facts has them for what happened before, from the journal", async () => {
    const store = await open();
    await givenRunning(store, "a");
    await givenTask(store, "b");
    await store.close();
    const states = () => [
      ...rows(database(), "SELECT id, state FROM tasks"),
      ...rows(database(), "SELECT task, state FROM lasting_facts"),
      ...rows(database(), "SELECT id, state FROM projects"),
    ];
    const whole = states();
    const connection = new BetterSqlite3(database());
    connection.exec("UPDATE tasks SET state = json_remove(state, '$.worked', '$.seenMs')");
    connection.exec("UPDATE lasting_facts SET state = json_remove(state, '$.priority', '$.dependencies')");
    connection.exec("UPDATE projects SET state = json_remove(state, '$.paused')");
    connection.close();
    expect(states()).not.toEqual(whole);
    const fill = async (tx: Tx): Promise<void> => {
      await refoldTasks(tx);
      await refoldProjects(tx);
    };
    await migrated([...MIGRATIONS, { ...NEXT, fill }]);
    expect(states()).toEqual(whole);
  });

  test("from before what lasts, what is open and where streams end had tables becomes what it would be today", async () => {
    const store = await open();
    await givenRunning(store, "a");
    let seq = 4;
    const push = async (one: TaskEvent): Promise<void> => {
      await store.append(event("a", seq, one));
      seq += 1;
    };
    const ended = { run: 1, evidence: [], after: {}, result: null };
    await push(stepStarted("s1", 1));
    await push({ type: "STEP_COMPLETED", body: { step: "s1", ...ended } });
    await push({ type: "PHASE_ENTERED", body: { phase: "planning", from: "intent" } });
    await push(stepStarted("s2", 1));
    await push({ type: "STEP_COMPLETED", body: { step: "s2", ...ended } });
    await push(stepStarted("s3", 1));
    await push({ type: "STEP_FAILED", body: { step: "s3", ...ended, cause: "x", told: "act/denied" } });
    await push({ type: "DENIED", body: { act: "a", rule: "r", reason: "x", item: null, step: "s4", input: "i" } });
    await push(stepStarted("s5", 1));
    const known = await store.tasks.task("a");
    await store.close();
    const today = everyTable(database());
    await makeOlder(database(), 9);
    expect(Object.keys(everyTable(database()))).not.toContain("stream_heads");
    const again = await open();
    expect(Object.keys(known?.task.finished ?? {})).toEqual(["s2", "s3", "s4"]);
    expect(await again.tasks.task("a")).toEqual(known);
    await again.close();
    expect(everyTable(database())).toEqual(today);
    expect((await auditStore(home, { seal })).findings).toEqual([]);
  });

  test("from before refusals had rows: a task that was refused something can be claimed again", async () => {
    const store = await open();
    await givenRunning(store, "a");
    const refusal = { act: "a", rule: "r", reason: "x", item: null, step: "s1", input: "i" };
    await store.append(event("a", 4, { type: "DENIED", body: refusal }));
    await store.close();
    const today = everyTable(database());
    const connection = new BetterSqlite3(database());
    connection.exec("DROP TABLE refused_steps; DELETE FROM schema_migrations WHERE version = 11");
    connection.close();
    const again = await open();
    expect(await again.tasks.tampered("a")).toBeNull();
    await again.close();
    expect(everyTable(database())).toEqual(today);
  });

  test("is not changed at all by a step that fails", async () => {
    await (await open()).close();
    const before = rows(database(), "SELECT name FROM sqlite_schema");
    await expect(migrated([...MIGRATIONS, { ...NEXT, sql: `${NEXT.sql} CREATE TABLE events (id);` }])).rejects.toThrow(
      "already exists",
    );
    expect(rows(database(), "SELECT name FROM sqlite_schema")).toEqual(before);
    await migrated([...MIGRATIONS, NEXT]);
  });

  test("newer than this program is refused, to read and to write", async () => {
    await (await open()).close();
    await migrated([...MIGRATIONS, NEXT]);
    await expect(open()).rejects.toSatisfy(failsWith("store/newer"));
    await expect(openReadOnly(home)).rejects.toSatisfy(failsWith("store/newer"));
  });

  test("whose steps are not the ones this program knows is refused", async () => {
    await (await open()).close();
    const connection = new BetterSqlite3(database());
    connection.exec("UPDATE schema_migrations SET checksum = 'other'");
    connection.close();
    await expect(open()).rejects.toSatisfy(failsWith("store/corrupt"));
  });

  test("of another program's database is left alone", async () => {
    const connection = new BetterSqlite3(database());
    connection.exec("CREATE TABLE recipes (id)");
    connection.close();
    await expect(open()).rejects.toSatisfy(failsWith("store/corrupt"));
  });
});

describe("reading without a daemon", () => {
  test("writes and makes nothing in the data directory", async () => {
    const store = await open();
    await givenTask(store, "a", { title: "Mend it" });
    await store.close();
    const before = await everything();
    const reads = await openReadOnly(home);
    expect((await reads.tasks.taskRow("a"))?.title).toBe("Mend it");
    await reads.close();
    expect((await auditStore(home, { seal })).findings).toEqual([]);
    expect(await everything()).toEqual(before);
  });

  test("of a directory that has no database makes none", async () => {
    await expect(openReadOnly(home)).rejects.toSatisfy(failsWith("doctor/unready"));
    await expect(openReadOnly(join(home, "none"))).rejects.toSatisfy(failsWith("doctor/unready"));
    expect(await readdir(home)).toEqual([]);
  });

  test("sees what a running daemon acknowledged, and does not disturb it", async () => {
    const store = await open();
    await givenTask(store, "a");
    const reads = await openReadOnly(home);
    expect((await reads.tasks.task("a"))?.seq).toBe(1);
    await store.append(deny("a", 1));
    expect((await reads.tasks.task("a"))?.seq).toBe(2);
    const auditing = auditStore(home, { seal });
    for (let seq = 2; seq < 40; seq += 1) await store.append(deny("a", seq));
    expect((await auditing).findings).toEqual([]);
    await store.close();
    expect((await reads.tasks.task("a"))?.seq).toBe(40);
    await reads.close();
  });

  test("sees what a killed daemon acknowledged", async () => {
    const writer = storeChild("append", home);
    let said: unknown;
    for (let heard = 0; heard < 30; heard += 1) said = await writer.said();
    await writer.kill();
    const { task, seq } = said as { readonly task: string; readonly seq: number };
    const before = (await readFile(database())).toString("latin1");
    const reads = await openReadOnly(home);
    expect((await reads.tasks.task(task))?.seq).toBeGreaterThanOrEqual(seq);
    await reads.close();
    expect((await readFile(database())).toString("latin1")).toBe(before);
  });
});

test("content is in its file, whole and under its name, before the name is given away", async () => {
  const store = await open();
  const staged = await store.stage(utf8("x".repeat(70_000)));
  const directory = join(storePaths(home).blobs, staged.ref.digest.slice(0, 2));
  expect(await readdir(directory)).toEqual([staged.ref.digest]);
  expect(staged.inline).toBeNull();
  await store.close();
});

test("a directory that cannot be made is no empty store", async () => {
  await mkdir(join(home, "agentos.db"));
  await expect(open()).rejects.toThrow();
});

test("a file that cannot be put in its place leaves nothing beside it", async () => {
  const place = join(home, "taken");
  await mkdir(join(place, "by-another"), { recursive: true });
  await expect(writeDurably(place, utf8("content"))).rejects.toThrow();
  expect(await readdir(home, { recursive: true })).toEqual(["taken", join("taken", "by-another")]);
  await writeDurably(join(home, "deep", "down", "file"), utf8("content"));
  expect(await readFile(join(home, "deep", "down", "file"), "utf8")).toBe("content");
});
