import type { Seal } from "./seal.ts";

/** A journal row. `body` is the exact RFC 8785 text of the event's content, the same bytes that were hashed. */
export interface JournalRow {
  readonly stream: string;
  readonly seq: number;
  readonly type: string;
  /** Format of the event's body; old formats are read by upcasters, never rewritten. */
  readonly v: number;
  readonly atMs: number;
  readonly actor: string;
  readonly body: string;
  readonly prevHash: string;
  readonly hash: string;
}

export const GENESIS_HASH = "0".repeat(64);

/** SHA-256 over the canonical form of all other columns, by their column names. */
export function rowHash(seal: Seal, row: Omit<JournalRow, "hash">): string {
  return seal({
    actor: row.actor,
    at_ms: row.atMs,
    body: row.body,
    prev_hash: row.prevHash,
    seq: row.seq,
    stream: row.stream,
    type: row.type,
    v: row.v,
  }).sha256;
}

export interface ChainBreak {
  readonly stream: string;
  readonly seq: number;
  readonly problem: string;
}

/**
 * Checks one stream's rows in order of seq: numbered 1, 2, 3 … without gaps, each naming the hash before it, each hash
 * right. Returns the first break, or null.
 */
export function firstBreak(seal: Seal, rows: Iterable<JournalRow>): ChainBreak | null {
  let previous = GENESIS_HASH;
  let expected = 1;
  for (const row of rows) {
    const at = (problem: string): ChainBreak => ({ stream: row.stream, seq: row.seq, problem });
    if (row.seq !== expected)
      return at(`expected seq ${expected}, found ${row.seq}: a row is missing, doubled or moved`);
    if (row.prevHash !== previous) return at("does not name the hash of the row before it");
    if (rowHash(seal, row) !== row.hash)
      return at("its content does not have its hash: it was changed after it was written");
    previous = row.hash;
    expected += 1;
  }
  return null;
}
