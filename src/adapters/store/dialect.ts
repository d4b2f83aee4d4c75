/** What a driver's error means to the code both stores share. */
export type Trouble =
  /** Another connection has the lock: worth trying again. */
  | "busy"
  /** No space left; the transaction was undone. */
  | "full"
  /** Input, output or the file itself is broken: what was being written may or may not be there. */
  | "broken"
  /** A row with that key exists. */
  | "unique"
  /** Another rule of the schema refused it. */
  | "rule";

/** Everything SQLite and PostgreSQL disagree on. What is not here, both stores share. */
export interface Dialect {
  readonly name: "sqlite" | "postgres";
  placeholder(position: number): string;
  /** Begins a transaction that will write, so that it cannot fail later for want of the lock. */
  readonly beginWrite: string;
  /** Begins one whose reads all see the same moment. */
  readonly beginSnapshot: string;
  /** SQL that lists the database's own tables by `name`. */
  readonly tables: string;
  /** Null: not the database's error but somebody's bug. */
  trouble(error: unknown): Trouble | null;
}

export const SQLITE: Dialect = {
  name: "sqlite",
  // A bare `?` compared with a column is looked at by the planner, and each new value then has the statement prepared anew (30 µs).
  // What `likely` holds is not looked at; below a comparison it says nothing and costs nothing.
  placeholder: () => "likely(?)",
  beginWrite: "BEGIN IMMEDIATE",
  beginSnapshot: "BEGIN DEFERRED",
  tables: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
  trouble(error) {
    const code = codeOf(error);
    if (code === null) return null;
    const [, trouble] = SQLITE_TROUBLES.find(([prefix]) => code === prefix || code.startsWith(`${prefix}_`)) ?? [];
    return trouble ?? null;
  },
};

/** By result code, extended codes by their beginning; the first match counts. */
const SQLITE_TROUBLES: readonly (readonly [string, Trouble])[] = [
  ["SQLITE_BUSY", "busy"],
  ["SQLITE_LOCKED", "busy"],
  ["SQLITE_FULL", "full"],
  ["SQLITE_IOERR", "broken"],
  ["SQLITE_CORRUPT", "broken"],
  ["SQLITE_NOTADB", "broken"],
  ["SQLITE_CANTOPEN", "broken"],
  ["SQLITE_READONLY", "broken"],
  ["SQLITE_CONSTRAINT_UNIQUE", "unique"],
  ["SQLITE_CONSTRAINT_PRIMARYKEY", "unique"],
  ["SQLITE_CONSTRAINT_ROWID", "unique"],
  ["SQLITE_CONSTRAINT", "rule"],
];

const codeOf = (error: unknown): string | null =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;

/** The same SQL with the dialect's placeholders. Quoted text with a question mark in it does not occur in our statements. */
export function withPlaceholders(dialect: Dialect, sql: string): string {
  let position = 0;
  return sql.replaceAll("?", () => {
    position += 1;
    return dialect.placeholder(position);
  });
}
