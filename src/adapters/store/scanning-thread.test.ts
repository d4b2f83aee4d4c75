import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { scanningThread } from "./scanning-thread.ts";

let directory: string;
let file: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "agentos-scan-"));
  file = join(directory, "some.db");
  const connection = new BetterSqlite3(file);
  connection.pragma("journal_mode = wal");
  connection.exec("CREATE TABLE words (word TEXT); INSERT INTO words VALUES ('one'), ('two')");
  connection.close();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test("answers questions and names what SQLite says against one, ends when it is quiet, and starts again when it is asked", async () => {
  const thread = scanningThread(file, 1);
  expect(thread.isRunning()).toBe(false);
  expect(await thread.query("SELECT word FROM words WHERE word <> ? ORDER BY word", ["x"])).toEqual([
    { word: "one" },
    { word: "two" },
  ]);
  await expect(thread.query("SELECT * FROM elsewhere")).rejects.toThrow("no such table: elsewhere");
  await vi.waitFor(() => expect(thread.isRunning()).toBe(false), { timeout: 10_000 });
  expect(await thread.query("SELECT COUNT(*) AS number FROM words")).toEqual([{ number: 2 }]);
  await thread.close();
  await expect(thread.query("SELECT 1")).rejects.toThrow("is closed");
});
