import type { Found } from "./audit-stream.ts";
import { integerOf, type Queries, textOf, textOrNull } from "./database.ts";

const PAGE_ROWS = 1_000;

/** Positions 1, 2, 3 … without gaps, one per event, each with its event's hash, and in each stream in the order of seq. */
export async function auditOrder(queries: Queries, found: Found): Promise<void> {
  const newest = new Map<string, number>();
  let last = 0;
  for (;;) {
    const rows = await queries.query(LEAVES, [last, PAGE_ROWS]);
    for (const row of rows) {
      const position = integerOf(row, "position");
      const stream = textOf(row, "stream");
      const seq = integerOf(row, "seq");
      const at = (problem: string): void => found({ stream, seq, problem });
      if (position !== last + 1)
        at(`stands at position ${position} where ${last + 1} is next: a position is missing or was renumbered`);
      last = position;
      const before = newest.get(stream) ?? 0;
      if (seq !== before + 1)
        at(`stands at position ${position}, after seq ${before} of its stream: it was moved in the order`);
      newest.set(stream, Math.max(before, seq));
      const hash = textOrNull(row, "event_hash");
      if (hash === null) at(`has position ${position}, but the event is not there`);
      else if (hash !== textOf(row, "hash")) at(`position ${position} has another hash than the event`);
    }
    if (rows.length < PAGE_ROWS) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const row of await queries.query(WITHOUT_POSITION))
    found({
      stream: textOf(row, "stream"),
      seq: integerOf(row, "seq"),
      problem: "has no position in the order of events",
    });
}

const LEAVES = `
SELECT log_leaves.position, log_leaves.stream, log_leaves.seq, log_leaves.hash, events.hash AS event_hash
FROM log_leaves LEFT JOIN events ON events.stream = log_leaves.stream AND events.seq = log_leaves.seq
WHERE log_leaves.position > ? ORDER BY log_leaves.position LIMIT ?`;

const WITHOUT_POSITION = `
SELECT stream, seq FROM events
WHERE NOT EXISTS (SELECT 1 FROM log_leaves WHERE log_leaves.stream = events.stream AND log_leaves.seq = events.seq)
ORDER BY stream, seq`;
