import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import BetterSqlite3 from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { auditStore } from "../../src/adapters/store/audit.ts";
import { seal } from "../../src/adapters/store/seal.ts";
import { openWorld } from "./driver.ts";
import { delivered } from "./journeys.ts";

/* The history of a real, delivered task, in the hands of somebody with the database file. */
const top = mkdtempSync(join(tmpdir(), "agentos-audit-"));
const home = join(top, "world", "home");
const database = join(home, "agentos.db");
const AGENTOS = fileURLToPath(new URL("../../agentos", import.meta.url));
const CLI = ["/usr/bin/sqlite3", "/bin/sqlite3", "/usr/local/bin/sqlite3"].find((path) => existsSync(path)) ?? null;
let stream = "";

beforeAll(async () => {
  mkdirSync(join(top, "world"));
  const world = openWorld(join(top, "world"), { codeCache: join(top, "code") });
  await world.travel(delivered, "delivered", []);
  await world.close();
  stream = `task/${query("SELECT id FROM tasks")}`;
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

/** Every way somebody could try to change a row, each by itself. */
const CHANGES: readonly (readonly [what: string, sql: string])[] = [
  ["UPDATE of an event", "UPDATE events SET body = '{}'"],
  ["UPDATE of an event's time", "UPDATE events SET at_ms = 0 WHERE seq = 3"],
  ["DELETE of an event", "DELETE FROM events WHERE seq = 3"],
  ["DELETE of all events", "DELETE FROM events"],
  [
    "REPLACE of an event",
    "REPLACE INTO events SELECT stream, seq, type, v, 0, actor, body, prev_hash, hash FROM events WHERE seq = 3",
  ],
  [
    "INSERT between events",
    "INSERT INTO events SELECT stream, seq + 1000, type, v, 0, actor, body, prev_hash, hash FROM events WHERE seq = 3",
  ],
  ["UPDATE of the order", "UPDATE log_leaves SET hash = ''"],
  ["DELETE of the order", "DELETE FROM log_leaves"],
  ["UPDATE of a frozen spec", "UPDATE specs SET text = ''"],
  ["DELETE of a frozen spec", "DELETE FROM specs"],
];

describe("while the guards stand", () => {
  test.each(CHANGES)("%s is refused", (_, sql) => {
    const before = query("SELECT group_concat(hash) FROM (SELECT hash FROM events ORDER BY stream, seq)");
    expect(run(sql)).toMatch(/the journal is append-only|a frozen spec is never/);
    expect(query("SELECT group_concat(hash) FROM (SELECT hash FROM events ORDER BY stream, seq)")).toBe(before);
  });

  test("an audit finds nothing", async () => {
    const { findings, events } = await auditStore(home, { seal });
    expect({ findings, enough: events > 20 }).toEqual({ findings: [], enough: true });
    expect(verify()).toMatchObject({ status: 0, findings: [] });
  });
});

describe("when the guards were dropped and a row was changed, an audit names task and sequence:", () => {
  test.each([
    ["another content", "UPDATE events SET body = replace(body, 'a.txt', 'b.txt') WHERE stream = ? AND seq = ?"],
    ["another actor", "UPDATE events SET actor = 'person:mallory' WHERE stream = ? AND seq = ?"],
    ["another type", "UPDATE events SET type = 'STEP_FAILED' WHERE stream = ? AND seq = ?"],
    ["another hash", "UPDATE events SET hash = prev_hash WHERE stream = ? AND seq = ?"],
  ])("%s", async (_, sql) => {
    const seq = Number(
      query(
        `SELECT seq FROM events WHERE stream = '${stream}' AND type = 'STEP_COMPLETED' AND body LIKE '%a.txt%' ORDER BY seq DESC LIMIT 1`,
      ),
    );
    const connection = new BetterSqlite3(database);
    const row = connection.prepare("SELECT * FROM events WHERE stream = ? AND seq = ?").get(stream, seq) as Record<
      string,
      unknown
    >;
    const triggers = connection
      .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'events'")
      .all() as { name: string; sql: string }[];
    for (const { name } of triggers) connection.exec(`DROP TRIGGER ${name}`);
    expect(connection.prepare(sql).run(stream, seq).changes).toBe(1);
    // Who wants to hide it puts the guards back.
    for (const trigger of triggers) connection.exec(trigger.sql);
    try {
      const { findings } = await auditStore(home, { seal });
      expect(findings.map((finding) => [finding.stream, finding.seq])).toContainEqual([stream, seq]);
      const said = verify();
      expect(said.status).not.toBe(0);
      expect(said.text).toContain(stream.slice("task/".length));
      expect(said.text).toMatch(new RegExp(`\\b${seq}\\b`));
    } finally {
      for (const { name } of triggers) connection.exec(`DROP TRIGGER ${name}`);
      connection
        .prepare("UPDATE events SET body = ?, actor = ?, type = ?, hash = ? WHERE stream = ? AND seq = ?")
        .run(row["body"], row["actor"], row["type"], row["hash"], stream, seq);
      for (const trigger of triggers) connection.exec(trigger.sql);
      connection.close();
    }
    expect((await auditStore(home, { seal })).findings).toEqual([]);
  });
});

/** What SQLite says to it: through its own program where there is one, else through a second connection. */
function run(sql: string): string {
  if (CLI !== null) return spawnSync(CLI, [database, sql], { encoding: "utf8" }).stderr;
  const connection = new BetterSqlite3(database);
  try {
    connection.exec(sql);
    return "";
  } catch (error) {
    return String(error);
  } finally {
    connection.close();
  }
}

function query(sql: string): string {
  const connection = new BetterSqlite3(database, { readonly: true });
  try {
    return String(connection.prepare(sql).pluck().get());
  } finally {
    connection.close();
  }
}

/** `agentos audit verify`, as typed. */
function verify(): { readonly status: number | null; readonly text: string; readonly findings: unknown } {
  const { status, stdout, stderr } = spawnSync(AGENTOS, ["audit", "verify", "--json"], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: top, AGENTOS_HOME: home },
  });
  const told =
    stdout === ""
      ? {}
      : (JSON.parse(stdout) as {
          readonly result?: { readonly findings?: unknown };
          readonly data?: { readonly findings?: unknown };
        });
  return { status, text: `${stdout}${stderr}`, findings: (told.result ?? told.data)?.findings };
}
