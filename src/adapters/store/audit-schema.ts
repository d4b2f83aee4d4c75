import { DATABASE, type Found } from "./audit-stream.ts";
import { type Queries, type Row, type Tx, textOf, textOrNull } from "./database.ts";
import { applyMigration } from "./migrate.ts";
import { MIGRATIONS } from "./schema.ts";

/** An empty database as the migrations make it. */
export async function madeBySchema(tx: Tx): Promise<void> {
  for (const migration of MIGRATIONS) await applyMigration(tx, migration, 0, async () => null);
}

/** The file is sound, and its tables, indexes and above all the triggers that guard the journal are the ones the migrations make. */
export async function auditSchema(queries: Queries, made: Queries, found: Found): Promise<void> {
  const say = (problem: string): void => found({ stream: DATABASE, seq: null, problem });
  for (const row of await queries.query("PRAGMA quick_check(20)")) {
    const said = textOf(row, "quick_check");
    if (said !== "ok") say(`is damaged: ${said}`);
  }
  for (const row of await queries.query("PRAGMA foreign_key_check"))
    say(`a row of ${textOf(row, "table")} names a row of ${textOf(row, "parent")} that is not there`);
  const actual = byName(await queries.query(OBJECTS));
  const expected = byName(await made.query(OBJECTS));
  for (const [name, sql] of expected)
    if (!actual.has(name)) say(`the ${name} is missing`);
    else if (actual.get(name) !== sql) say(`the ${name} is not as AgentOS made it`);
  for (const name of actual.keys()) if (!expected.has(name)) say(`the ${name} is not AgentOS's`);
}

/** Without the tables the full-text index keeps inside itself: how those look is SQLite's own, and may change with it. */
const OBJECTS = `SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'
AND NOT (type = 'table' AND name IN ('task_search_data', 'task_search_idx', 'task_search_docsize', 'task_search_config'))
ORDER BY type, name`;

const byName = (rows: readonly Row[]): ReadonlyMap<string, string | null> =>
  new Map(rows.map((row) => [`${textOf(row, "type")} ${textOf(row, "name")}`, textOrNull(row, "sql")]));
