import type BetterSqlite3 from "better-sqlite3";
import { seal } from "../../src/adapters/store/seal.ts";
import { GENESIS_HASH, rowHash } from "../../src/domain/chain.ts";

interface Stored {
  readonly stream: string;
  readonly seq: number;
  readonly type: string;
  readonly v: number;
  readonly at_ms: number;
  readonly actor: string;
  readonly body: string;
}

/** The hashes of a stream from one event on, computed anew by who knows how; with `places`, in the order of all events and at the stream's end too. */
export function rowsAgain(sql: BetterSqlite3.Database, stream: string, fromSeq: number, places: boolean): void {
  const before = sql
    .prepare("SELECT hash FROM events WHERE stream = ? AND seq = ?")
    .pluck()
    .get(stream, fromSeq - 1);
  let previous = before === undefined ? GENESIS_HASH : String(before);
  const rows = sql
    .prepare("SELECT * FROM events WHERE stream = ? AND seq >= ? ORDER BY seq")
    .all(stream, fromSeq) as Stored[];
  for (const row of rows) {
    const { at_ms: atMs, ...rest } = row;
    const hash = rowHash(seal, { ...rest, atMs, prevHash: previous });
    sql
      .prepare("UPDATE events SET prev_hash = ?, hash = ? WHERE stream = ? AND seq = ?")
      .run(previous, hash, stream, row.seq);
    if (places) sql.prepare("UPDATE log_leaves SET hash = ? WHERE stream = ? AND seq = ?").run(hash, stream, row.seq);
    previous = hash;
  }
  if (places) sql.prepare("UPDATE stream_heads SET hash = ? WHERE stream = ?").run(previous, stream);
}
