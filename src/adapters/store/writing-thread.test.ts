import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { migrate } from "./migrate.ts";
import { openSqlite } from "./sqlite.ts";
import { type WritingThread, writingThread } from "./writing-thread.ts";

let home: string;
let database: string;
let thread: WritingThread;
const fatal: unknown[] = [];
const commits: number[] = [];
const told = { onCommit: (writes: number) => commits.push(writes), onFatal: (error: unknown) => fatal.push(error) };
const reserved = (key: string) =>
  thread.write({ kind: "reserve", key, requestDigest: "d", id: `id of ${key}`, atMs: 1 });

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "agentos-writer-"));
  database = join(home, "agentos.db");
  const connection = openSqlite(database, "write");
  await migrate(connection, { nowMs: 0, keepCopy: async () => {}, said: () => async () => null });
  await connection.close();
  fatal.length = 0;
  commits.length = 0;
});
afterEach(async () => {
  await thread.close();
  await rm(home, { recursive: true, force: true });
});

test("writes and answers, ends when it is quiet, and begins again with the next write", {
  timeout: 60_000,
}, async () => {
  thread = writingThread({ database, blobs: home, busyMs: 1_000 }, told, 1);
  await thread.open();
  expect(await Promise.all([reserved("a"), reserved("b")])).toEqual(["id of a", "id of b"]);
  await vi.waitFor(() => expect(thread.isRunning()).toBe(false), { timeout: 20_000 });
  expect(await reserved("a")).toBe("id of a");
  expect(thread.isRunning()).toBe(true);
  await thread.close();
  await expect(reserved("c")).rejects.toThrow("is closed");
  expect(commits.reduce((sum, one) => sum + one, 0)).toBe(3);
  expect(fatal).toEqual([]);
});

test("that cannot open says why to whoever waits, and the next write tries anew", { timeout: 60_000 }, async () => {
  thread = writingThread({ database, blobs: home, busyMs: 1 }, told, 1);
  await thread.open();
  await vi.waitFor(() => expect(thread.isRunning()).toBe(false), { timeout: 20_000 });
  await rm(home, { recursive: true });
  await expect(reserved("a")).rejects.toThrow("directory does not exist");
  await vi.waitFor(() => expect(thread.isRunning()).toBe(false), { timeout: 20_000 });
  expect(fatal).toEqual([]);
});
