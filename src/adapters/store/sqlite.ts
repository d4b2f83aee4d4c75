import { basename } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { Failure } from "../../domain/failure.ts";
import type { Database, Row, Value } from "./database.ts";
import { SQLITE, withPlaceholders } from "./dialect.ts";

/** `write` is the one writer, `read` a reader beside it, `offline` opens the file so that nothing can be written through it. */
export type Access = "write" | "read" | "offline";

/** Older ones can corrupt a database whose WAL is reset under load. */
const OLDEST_SOUND = "3.51.3";

/** Settings of every connection, each read back: a setting that SQLite silently ignores would cost acknowledged commits. */
const SETTINGS: Readonly<Record<Access, readonly (readonly [pragma: string, value: string | number])[]>> = {
  write: [
    ["journal_mode", "wal"],
    ["synchronous", 2],
    ["fullfsync", 1],
    ["foreign_keys", 1],
    ["recursive_triggers", 1],
    ["temp_store", 2],
    ["trusted_schema", 0],
    ["journal_size_limit", 64 * 1024 ** 2],
    // The same pages are written again and again: the longer the log may grow, the fewer of them are copied into the file and synced there.
    ["wal_autocheckpoint", 4_000],
    // In KiB. With less, what one commit wrote is no longer in memory when the next one needs it.
    ["cache_size", -8_192],
    ["busy_timeout", 0],
  ],
  read: [
    ["journal_mode", "wal"],
    ["synchronous", 2],
    ["foreign_keys", 1],
    ["query_only", 1],
    ["temp_store", 2],
    ["trusted_schema", 0],
    ["busy_timeout", 0],
  ],
  offline: [
    ["query_only", 1],
    ["temp_store", 2],
    ["trusted_schema", 0],
    ["busy_timeout", 0],
  ],
};

/**
 * A connection. It never waits for a lock (that would stop the event loop); `busy` is the caller's to wait out. Statements are
 * prepared once per text, so all SQL here is constant text.
 */
export function openSqlite(file: string, access: Access): Database {
  const connection = new BetterSqlite3(file, {
    timeout: 0,
    fileMustExist: access !== "write",
    readonly: access === "offline",
  });
  try {
    configure(connection, file, access);
    return overConnection(connection);
  } catch (error) {
    connection.close();
    // Whatever lies there: with other files beside it, it may have been the database once.
    if (SQLITE.trouble(error) === "broken")
      throw new Failure(
        "store/corrupt",
        `${basename(file)} cannot be read as a database: ${(error as Error).message}`,
        {
          next: "Put a copy in its place (agentos.db.before-N beside it is one), or point AGENTOS_HOME elsewhere.",
          cause: error,
        },
      );
    throw error;
  }
}

/**
 * A private database that is gone when it is closed: SQLite keeps it in memory and spills to a nameless file. Its foreign keys
 * are not enforced, so that it can be filled stream by stream.
 */
export function openScratch(): Database {
  const connection = new BetterSqlite3("", { timeout: 0 });
  connection.pragma("foreign_keys = 0");
  return overConnection(connection);
}

function configure(connection: BetterSqlite3.Database, file: string, access: Access): void {
  const version = String(connection.prepare("SELECT sqlite_version()").pluck().get());
  if (!isAtLeast(version, OLDEST_SOUND))
    throw new Error(`SQLite is ${version}; before ${OLDEST_SOUND} it can corrupt a database in WAL mode`);
  for (const [pragma, value] of SETTINGS[access]) {
    connection.pragma(`${pragma} = ${value}`);
    const actual = connection.pragma(pragma, { simple: true });
    if (actual !== value) throw new Error(`${file}: PRAGMA ${pragma} is ${actual}, not ${value}`);
  }
}

function overConnection(connection: BetterSqlite3.Database): Database {
  const prepared = new Map<string, BetterSqlite3.Statement>();
  const run = (sql: string, params: readonly Value[] = []): readonly Row[] => {
    let statement = prepared.get(sql);
    if (statement === undefined) {
      statement = connection.prepare(withPlaceholders(SQLITE, sql));
      prepared.set(sql, statement);
    }
    if (statement.reader) return statement.all(...params) as Row[];
    statement.run(...params);
    return [];
  };
  const query = async (sql: string, params?: readonly Value[]): Promise<readonly Row[]> => run(sql, params);
  const bracketed = async <T>(begin: string, end: string, work: () => Promise<T>): Promise<T> => {
    run(begin);
    try {
      const result = await work();
      run(end);
      return result;
    } catch (error) {
      // Some errors (a full disk, failed I/O) make SQLite roll back by itself; then there is nothing left to undo.
      if (connection.inTransaction) run("ROLLBACK");
      throw error;
    }
  };
  const savepoint = async <T>(work: () => Promise<T>): Promise<T> => {
    run("SAVEPOINT append");
    try {
      const result = await work();
      run("RELEASE append");
      return result;
    } catch (error) {
      if (connection.inTransaction) {
        run("ROLLBACK TO append");
        run("RELEASE append");
      }
      throw error;
    }
  };
  const script = async (sql: string): Promise<void> => {
    connection.exec(sql);
  };
  return {
    dialect: SQLITE,
    query,
    transaction: (work) => bracketed(SQLITE.beginWrite, "COMMIT", () => work({ query, savepoint, script })),
    snapshot: (work) => bracketed(SQLITE.beginSnapshot, "ROLLBACK", () => work({ query })),
    close: async () => {
      connection.close();
    },
  };
}

function isAtLeast(version: string, wanted: string): boolean {
  const actual = version.split(".").map(Number);
  for (const [place, least] of wanted.split(".").map(Number).entries()) {
    const part = actual[place] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}
