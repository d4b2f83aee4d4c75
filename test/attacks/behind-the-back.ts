import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";

/** Opens the database as its owner can: the guards go, the work is done, and unless said otherwise the guards come back. */
export function behindTheBack(home: string, work: (sql: BetterSqlite3.Database) => void, hides = true): void {
  const sql = new BetterSqlite3(join(home, "agentos.db"));
  sql.pragma("foreign_keys = 0");
  sql.pragma("synchronous = 0");
  const guards = sql.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all() as {
    readonly name: string;
    readonly sql: string;
  }[];
  for (const { name } of guards) sql.exec(`DROP TRIGGER ${name}`);
  try {
    work(sql);
  } finally {
    if (hides) for (const guard of guards) sql.exec(guard.sql);
    sql.close();
  }
}
