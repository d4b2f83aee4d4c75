import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isFailure } from "../../domain/failure.ts";
import type { Database, Tx } from "./database.ts";
import { openSqlite } from "./sqlite.ts";
import { WAITING_MAX, type WriterQueue, writerQueue } from "./writer-queue.ts";

let directory: string;
let database: Database;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "agentos-queue-"));
  database = openSqlite(join(directory, "x.db"), "write");
  await database.query("CREATE TABLE notes (text TEXT NOT NULL UNIQUE) STRICT");
});
afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

const note =
  (text: string) =>
  (tx: Tx): Promise<unknown> =>
    tx.query("INSERT INTO notes (text) VALUES (?)", [text]);
const noted = async (): Promise<readonly unknown[]> =>
  (await database.query("SELECT substr(text, 1, 9) AS text FROM notes ORDER BY rowid")).map((row) => row["text"]);
const queue = (over: Partial<Database> = {}, more: Partial<Parameters<typeof writerQueue>[1]> = {}): WriterQueue =>
  writerQueue({ ...database, ...over }, { place: "x.db", ...more });
const sqliteError = (code: string): Error => Object.assign(new Error(`as SQLite says ${code}`), { code });

test("writes that wait share a commit, and are answered in order", async () => {
  const commits: number[] = [];
  const told: string[] = [];
  const writer = queue({}, { onCommit: (writes) => commits.push(writes) });
  const asked = (text: string, name = text): Promise<unknown> =>
    writer.write(note(text)).then(
      () => told.push(name),
      () => told.push(`${name} refused`),
    );
  await Promise.all([asked("a"), asked("a", "a again"), asked("b")]);
  expect(commits).toEqual([2]);
  expect(told).toEqual(["a", "a again refused", "b"]);
  expect(await noted()).toEqual(["a", "b"]);
});

describe("when input or output fails at the commit", () => {
  const failing = (): { readonly writer: WriterQueue; readonly fatal: unknown[]; readonly error: Error } => {
    const error = sqliteError("SQLITE_IOERR_FSYNC");
    const fatal: unknown[] = [];
    const writer = queue(
      {
        transaction: async (work) => {
          await database.transaction(work);
          throw error;
        },
      },
      { onFatal: (one) => fatal.push(one) },
    );
    return { writer, fatal, error };
  };

  test("nothing of it is acknowledged, nor anything after it, and the process is told once", async () => {
    const { writer, fatal, error } = failing();
    const answers = await Promise.allSettled([writer.write(note("a")), writer.write(note("b"))]);
    expect(answers).toEqual([
      { status: "rejected", reason: error },
      { status: "rejected", reason: error },
    ]);
    await expect(writer.write(note("c"))).rejects.toBe(error);
    expect(fatal).toEqual([error]);
    await writer.close();
  });

  test("those who wait for a later batch are not acknowledged either", async () => {
    const { writer, fatal, error } = failing();
    const answers = await Promise.allSettled(
      Array.from({ length: 600 }, (_, index) => writer.write(note(`n${index}`))),
    );
    for (const one of answers) expect(one).toEqual({ status: "rejected", reason: error });
    expect(fatal).toHaveLength(1);
  });
});

describe("when there is no space left", () => {
  const LARGE = "x".repeat(400_000);

  test("the large write is refused as a whole, the small ones beside it are not, and later ones fit again", async () => {
    // A database that may not grow any more is a full disk as far as SQLite is concerned.
    const [pages] = await database.query("PRAGMA page_count");
    await database.query(`PRAGMA max_page_count = ${Number(pages?.["page_count"]) + 8}`);
    const writer = queue();
    const answers = await Promise.allSettled([
      writer.write(note("a")),
      writer.write(note(LARGE)),
      writer.write(note("b")),
    ]);
    expect(answers.map((one) => one.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(answers[1]).toMatchObject({ reason: { code: "store/full" } });
    await writer.write(note("c"));
    expect(await noted()).toEqual(["a", "b", "c"]);
  });
});

describe("when the lock is another's", () => {
  test("each waits its own time, then is told to come again", async () => {
    const writer = queue({ transaction: () => Promise.reject(sqliteError("SQLITE_BUSY")) }, { busyMs: 60 });
    const answers = await Promise.allSettled([writer.write(note("a")), writer.write(note("b"))]);
    for (const one of answers) expect(one.status === "rejected" && isFailure(one.reason, "store/busy")).toBe(true);
    expect(await noted()).toEqual([]);
  });

  test("at the commit too it is tried again from the beginning", async () => {
    let tries = 0;
    const writer = queue({
      transaction: (work) => {
        tries += 1;
        return database.transaction(async (tx) => {
          const result = await work(tx);
          if (tries < 3) throw sqliteError("SQLITE_BUSY");
          return result;
        });
      },
    });
    await Promise.all([writer.write(note("a")), writer.write(note("b"))]);
    expect(tries).toBe(3);
    expect(await noted()).toEqual(["a", "b"]);
  });
});

test("more than the bound may not wait", async () => {
  const writer = queue();
  const waiting = Array.from({ length: WAITING_MAX }, (_, index) => writer.write(note(`n${index}`)));
  await expect(writer.write(note("one too many"))).rejects.toSatisfy((error) => isFailure(error, "store/busy"));
  await Promise.all(waiting);
  await writer.write(note("now"));
  expect((await noted()).length).toBe(WAITING_MAX + 1);
});

test("closing lets those who wait finish, and nobody else begin", async () => {
  const writer = queue();
  const waiting = writer.write(note("a"));
  const closing = writer.close();
  await expect(writer.write(note("b"))).rejects.toThrow("closed");
  await closing;
  await waiting;
  expect(await noted()).toEqual(["a"]);
});
