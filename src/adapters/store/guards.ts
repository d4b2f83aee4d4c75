import { Failure } from "../../domain/failure.ts";
import { type Queries, textOf } from "./database.ts";
import { MIGRATIONS } from "./schema.ts";

/** Each trigger as the migrations leave it: SQLite keeps the text of the statement, and the last one that made it counts. */
const GUARDS: ReadonlyMap<string, string> = new Map(
  MIGRATIONS.flatMap(({ sql }) =>
    [...sql.matchAll(/CREATE TRIGGER (\w+)[\s\S]*?\bEND(?=;)/g)].map(([text, name = ""]) => [name, text] as const),
  ),
);

/**
 * The triggers that keep journal, frozen specs and proposed plans as they are stand as they were made. Somebody who takes them away wants
 * to change what they guard: `Failure("store/corrupt")`, and nobody works on such a store.
 */
export async function requireGuards(database: Queries): Promise<void> {
  const rows = await database.query("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'");
  const standing = new Map(rows.map((row) => [textOf(row, "name"), textOf(row, "sql")]));
  for (const [name, sql] of GUARDS)
    if (standing.get(name) !== sql)
      throw new Failure(
        "store/corrupt",
        standing.has(name)
          ? `the guard ${name} of the database is not as AgentOS made it`
          : `the guard ${name} of the database was taken away`,
      );
}
