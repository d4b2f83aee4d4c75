import type { ProcessMark } from "../../ports/sandbox.ts";
import type { Operations } from "../../ports/store.ts";
import { type Appending, appendIn, type PreparedAppend } from "./append.ts";
import { integerOf, type Tx, textOf } from "./database.ts";

/** Everything that is ever written, as data: it is asked for in one thread and written in another. */
export type Write =
  | { readonly kind: "append"; readonly append: PreparedAppend }
  | { readonly kind: "mark_process"; readonly task: string; readonly step: string; readonly mark: ProcessMark }
  | { readonly kind: "forget_dead_leases" }
  | {
      readonly kind: "reserve";
      readonly key: string;
      readonly requestDigest: string;
      readonly id: string;
      readonly atMs: number;
    }
  | {
      readonly kind: "remember_answer";
      readonly key: string;
      readonly requestDigest: string;
      readonly status: number;
      readonly body: string;
      readonly atMs: number;
    }
  | {
      readonly kind: "take";
      readonly key: string;
      readonly points: Parameters<Operations["take"]>[1];
      readonly atMs: number;
    };

export type WriteOf<K extends Write["kind"]> = Extract<Write, { readonly kind: K }>;

/** What each is answered with. */
export interface Answers {
  readonly append: { readonly seq: number; readonly position: number };
  readonly mark_process: null;
  readonly forget_dead_leases: null;
  readonly reserve: string;
  readonly remember_answer: null;
  readonly take: number | null;
}

/** Where writes are handed in: settles after the commit that made it durable, and in the order in which they were written. */
export interface Writer {
  write<K extends Write["kind"]>(write: WriteOf<K>): Promise<Answers[K]>;
}

/** One write in the caller's transaction. It may be called again when the commit did not come about: it changes nothing but the database. */
export function perform(tx: Tx, appending: Appending, write: Write): Promise<Answers[Write["kind"]]> {
  const how = HOW[write.kind] as (tx: Tx, write: Write, appending: Appending) => Promise<Answers[Write["kind"]]>;
  return how(tx, write, appending);
}

/** For how long the answer to a keyed request is remembered. */
const ANSWERS_KEPT_MS = 24 * 60 * 60_000;

const HOW: { readonly [K in Write["kind"]]: (tx: Tx, write: WriteOf<K>, appending: Appending) => Promise<Answers[K]> } =
  {
    append: (tx, { append }, appending) => appendIn(tx, appending, append),

    async mark_process(tx, { task, step, mark }) {
      await tx.query(
        `INSERT INTO processes (task, step, pid, start_ticks, boot_id) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (task, pid, start_ticks, boot_id) DO UPDATE SET step = excluded.step`,
        [task, step, mark.pid, mark.startTicks, mark.bootId],
      );
      return null;
    },

    // Under the daemon lock every lease and process that is there belongs to a daemon that is dead.
    async forget_dead_leases(tx) {
      await tx.query("DELETE FROM leases");
      await tx.query("DELETE FROM processes");
      return null;
    },

    async reserve(tx, { key, requestDigest, id, atMs }) {
      await tx.query(
        "INSERT INTO idempotency (key, request_digest, status, body, at_ms) VALUES (?, ?, 0, ?, ?) ON CONFLICT (key) DO NOTHING",
        [key, requestDigest, id, atMs],
      );
      const [row] = await tx.query("SELECT body FROM idempotency WHERE key = ? AND status = 0", [key]);
      return row === undefined ? id : textOf(row, "body");
    },

    async remember_answer(tx, { key, requestDigest, status, body, atMs }) {
      await tx.query("DELETE FROM idempotency WHERE at_ms < ?", [atMs - ANSWERS_KEPT_MS]);
      await tx.query(
        "INSERT INTO idempotency (key, request_digest, status, body, at_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET status = excluded.status, body = excluded.body, at_ms = excluded.at_ms WHERE idempotency.status = 0",
        [key, requestDigest, status, body, atMs],
      );
      return null;
    },

    take: takeIn,
  };

/**
 * Every use is remembered until its window has passed it, so in any stretch of `windowMs` there are at most `most` points. More
 * points than a window can ever hold would be told to wait for the whole window every time: whoever asks refuses them before.
 */
async function takeIn(tx: Tx, { key, points, atMs }: WriteOf<"take">): Promise<number | null> {
  await tx.query("DELETE FROM limits WHERE expires_at_ms <= ?", [atMs]);
  // The clock was set back since: what was used then counts from now on, else it would count for as long as the clock was set back.
  await tx.query("UPDATE limits SET at_ms = ?, expires_at_ms = ? + window_ms WHERE at_ms > ?", [atMs, atMs, atMs]);
  let waitMs: number | null = null;
  for (const window of points) {
    const used = await tx.query(
      "SELECT expires_at_ms, points FROM limits WHERE key = ? AND window_ms = ? ORDER BY expires_at_ms",
      [key, window.windowMs],
    );
    let over = used.reduce((sum, row) => sum + integerOf(row, "points"), window.points) - window.most;
    if (over <= 0) continue;
    let needed = window.windowMs;
    for (const row of used) {
      over -= integerOf(row, "points");
      if (over > 0) continue;
      needed = integerOf(row, "expires_at_ms") - atMs;
      break;
    }
    waitMs = Math.max(waitMs ?? 0, needed);
  }
  if (waitMs !== null) return waitMs;
  for (const window of points)
    await tx.query("INSERT INTO limits (key, window_ms, at_ms, expires_at_ms, points) VALUES (?, ?, ?, ?, ?)", [
      key,
      window.windowMs,
      atMs,
      atMs + window.windowMs,
      window.points,
    ]);
  return null;
}
