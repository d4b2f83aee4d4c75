import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Report } from "./report.ts";
import { sha256 } from "./repository.ts";

/** A row of the journal, its body parsed, with its place in the order over all streams. */
export interface Event {
  readonly position: number;
  readonly stream: string;
  readonly seq: number;
  readonly type: string;
  readonly atMs: number;
  readonly actor: string;
  readonly body: Body;
}
// biome-ignore lint/suspicious/noExplicitAny: bodies are looked at as data, without the product's types
export type Body = Readonly<Record<string, any>>;
export type Row = Readonly<Record<string, string | number | bigint | Uint8Array | null>>;

export interface Database {
  rows(sql: string, ...params: (string | number)[]): readonly Row[];
  close(): void;
}

/** The database, opened so that nothing can be written through it. */
export function openDatabase(home: string): Database | null {
  const file = join(home, "agentos.db");
  if (!existsSync(file)) return null;
  const connection = new DatabaseSync(file, { readOnly: true });
  return {
    rows: (sql, ...params) => connection.prepare(sql).all(...params) as Row[],
    close: () => connection.close(),
  };
}

/** The whole journal in its order. Every row, chain and place is checked on the way. */
export function readJournal(database: Database, { found }: Report): readonly Event[] {
  const events: Event[] = [];
  const heads = new Map<string, { seq: number; hash: string }>();
  for (const row of database.rows("SELECT * FROM events ORDER BY stream, seq")) {
    const stream = String(row["stream"]);
    const seq = Number(row["seq"]);
    const where = `${stream} ${seq}`;
    const head = heads.get(stream) ?? { seq: 0, hash: "0".repeat(64) };
    if (seq !== head.seq + 1) found("chain", where, `comes after ${head.seq}`);
    if (row["prev_hash"] !== head.hash) found("chain", where, "does not name the hash of the row before it");
    const { hash, ...rest } = row;
    if (sha256(canonical(rest)) !== hash) found("chain", where, "does not have the hash it says");
    heads.set(stream, { seq, hash: String(hash) });
    const text = String(row["body"]);
    let body: Body = {};
    try {
      body = JSON.parse(text) as Body;
    } catch {
      found("chain", where, "has a body that is no JSON");
    }
    if (canonical(body) !== text) found("chain", where, "has a body that is not in canonical form");
    events.push({
      position: 0,
      stream,
      seq,
      type: String(row["type"]),
      atMs: Number(row["at_ms"]),
      actor: String(row["actor"]),
      body,
    });
  }
  return inOrder(database, events, found);
}

function inOrder(database: Database, events: readonly Event[], found: Report["found"]): readonly Event[] {
  const hashes = new Map(
    database.rows("SELECT stream, seq, hash FROM events").map((row) => [`${row["stream"]} ${row["seq"]}`, row["hash"]]),
  );
  const positions = new Map<string, number>();
  const heads = new Map<string, number>();
  let last = 0;
  for (const row of database.rows("SELECT position, stream, seq, hash FROM log_leaves ORDER BY position")) {
    const position = Number(row["position"]);
    const where = `${row["stream"]} ${row["seq"]}`;
    if (position !== last + 1) found("order", where, `is at ${position}, after ${last}`);
    if (hashes.get(where) !== row["hash"]) found("order", where, "has another hash in the order than in the journal");
    const head = heads.get(String(row["stream"])) ?? 0;
    if (Number(row["seq"]) !== head + 1) found("order", where, `comes after ${head} of its stream`);
    heads.set(String(row["stream"]), Number(row["seq"]));
    positions.set(where, position);
    last = position;
  }
  for (const { stream, seq } of events)
    if (!positions.has(`${stream} ${seq}`)) found("order", `${stream} ${seq}`, "has no place in the order");
  for (const row of database.rows("SELECT stream, seq FROM stream_heads")) {
    const stream = String(row["stream"]);
    if (Number(row["seq"]) !== heads.get(stream))
      found("order", `${stream} ${row["seq"]}`, `is noted as the end of a stream that ends with ${heads.get(stream)}`);
    heads.delete(stream);
  }
  for (const [stream, seq] of heads) found("order", `${stream} ${seq}`, "is an end that was not noted");
  return events
    .map((event) => ({ ...event, position: positions.get(`${event.stream} ${event.seq}`) ?? 0 }))
    .sort((a, b) => a.position - b.position);
}

/** RFC 8785 for what a journal holds: names in order of their UTF-16 units, numbers and strings as ECMAScript writes them. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null)
    return `{${Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`)
      .join(",")}}`;
  return JSON.stringify(value);
}
