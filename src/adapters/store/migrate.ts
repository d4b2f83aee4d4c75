import { Failure } from "../../domain/failure.ts";
import type { Database, Queries, Tx } from "./database.ts";
import { integerOf, textOf } from "./database.ts";
import type { Dialect } from "./dialect.ts";
import { MIGRATIONS, type Migration } from "./schema.ts";
import { sha256Hex } from "./seal.ts";
import type { TextOf } from "./task-words.ts";

/** The schema this program works with. */
export const SCHEMA_VERSION = MIGRATIONS.at(-1)?.version ?? 0;

export interface Migrating {
  readonly nowMs: number;
  readonly migrations?: readonly Migration[];
  /** Content that events name, for steps that fill tables from it. */
  readonly said: (tx: Tx) => TextOf;
  /** Keeps a copy of an existing database before a migration changes it. */
  readonly keepCopy: (beforeVersion: number) => Promise<void>;
}

/**
 * Brings a database to the newest schema, each step in a transaction of its own. Throws `Failure("store/newer")` when it was made
 * by a newer AgentOS and `Failure("store/corrupt")` when a step it records is not the step this program knows.
 */
export async function migrate(
  database: Database,
  { nowMs, keepCopy, said, migrations = MIGRATIONS }: Migrating,
): Promise<void> {
  const applied = await appliedVersions(database.dialect, database, migrations);
  for (const migration of migrations) {
    if (applied.includes(migration.version)) continue;
    if (applied.length > 0) await keepCopy(migration.version);
    await database.transaction((tx) => applyMigration(tx, migration, nowMs, said(tx)));
  }
}

/** Throws `Failure` unless the database has exactly the schema this program reads. */
export async function requireSchema(dialect: Dialect, database: Queries): Promise<void> {
  const applied = await appliedVersions(dialect, database, MIGRATIONS);
  const newest = applied.at(-1) ?? 0;
  if (newest < SCHEMA_VERSION)
    throw new Failure(
      "doctor/unready",
      `the database has schema ${newest}, this AgentOS reads schema ${SCHEMA_VERSION}`,
      {
        next: "Start the daemon once (agentos daemon start): it migrates the database and keeps a copy.",
      },
    );
}

/** One step and its record, in the caller's transaction. */
export async function applyMigration(tx: Tx, migration: Migration, nowMs: number, said: TextOf): Promise<void> {
  await tx.script(MIGRATIONS_TABLE);
  await tx.script(migration.sql);
  await migration.fill?.(tx, said);
  await tx.query("INSERT INTO schema_migrations (version, name, checksum, at_ms) VALUES (?, ?, ?, ?)", [
    migration.version,
    migration.name,
    sha256Hex(migration.sql),
    nowMs,
  ]);
}

const MIGRATIONS_TABLE = `
CREATE TABLE IF NOT EXISTS schema_migrations (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
`;

async function appliedVersions(
  dialect: Dialect,
  database: Queries,
  migrations: readonly Migration[],
): Promise<readonly number[]> {
  const tables = await database.query(dialect.tables);
  if (tables.length === 0) return [];
  if (!tables.some((row) => textOf(row, "name") === "schema_migrations"))
    throw new Failure(
      "store/corrupt",
      `this database is not AgentOS's: it has a table ${textOf(tables[0] ?? {}, "name")} and no record of migrations`,
    );
  const rows = await database.query("SELECT version, name, checksum FROM schema_migrations ORDER BY version");
  for (const [index, row] of rows.entries()) {
    const version = integerOf(row, "version");
    const known = migrations[index];
    if (known === undefined)
      throw new Failure(
        "store/newer",
        `the database has schema ${version}, this AgentOS knows schemas up to ${migrations.at(-1)?.version ?? 0}`,
        {
          next: "Use the newer AgentOS that made it, or restore the copy agentos.db.before-<version> beside it.",
        },
      );
    if (known.version !== version || sha256Hex(known.sql) !== textOf(row, "checksum"))
      throw new Failure(
        "store/corrupt",
        `migration ${version} (${textOf(row, "name")}) in the database is not the one this AgentOS knows`,
        {
          next: "Use the AgentOS that made this database.",
        },
      );
  }
  return rows.map((row) => integerOf(row, "version"));
}
