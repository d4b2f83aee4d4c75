import type { Dialect } from "./dialect.ts";

/** What a cell can hold. Integers are JavaScript numbers: everything stored here stays far below 2^53. */
export type Value = string | number | Uint8Array | null;
export type Row = Readonly<Record<string, Value>>;

/** One connection, as the shared code sees it. SQL is written once with `?`; the driver rewrites it to the dialect's placeholders. */
export interface Queries {
  query(sql: string, params?: readonly Value[]): Promise<readonly Row[]>;
}

export interface Tx extends Queries {
  /** What `work` wrote is undone when it throws; the transaction around it goes on. */
  savepoint<T>(work: () => Promise<T>): Promise<T>;
  /** Many statements without parameters: what a migration consists of. */
  script(sql: string): Promise<void>;
}

/**
 * Contract: `transaction` takes the write lock at its beginning, never waits for it (a driver error the dialect calls `busy`
 * instead), and settles after the commit is durable; on any throw nothing of it is there. One transaction at a time per
 * connection: the caller sees to that. `snapshot` is the same for reading: all its queries see one moment.
 */
export interface Database extends Queries {
  readonly dialect: Dialect;
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  snapshot<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new Error(`column ${column} holds ${kindOf(value)} where text belongs`);
  return value;
}

export function integerOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number" || !Number.isSafeInteger(value))
    throw new Error(`column ${column} holds ${kindOf(value)} where an integer belongs`);
  return value;
}

export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new Error(`column ${column} holds ${kindOf(value)} where bytes belong`);
  return value;
}

export const isNull = (row: Row, column: string): boolean => row[column] === null;
export const textOrNull = (row: Row, column: string): string | null =>
  isNull(row, column) ? null : textOf(row, column);
export const integerOrNull = (row: Row, column: string): number | null =>
  isNull(row, column) ? null : integerOf(row, column);
export const bytesOrNull = (row: Row, column: string): Uint8Array | null =>
  isNull(row, column) ? null : bytesOf(row, column);

const kindOf = (value: Value | undefined): string =>
  value === undefined ? "nothing" : value === null ? "null" : value instanceof Uint8Array ? "bytes" : typeof value;
