import type { Found } from "./audit-stream.ts";
import { integerOf, integerOrNull, type Queries, textOf, textOrNull } from "./database.ts";

const PAGE_ROWS = 1_000;

/**
 * Positions 1, 2, 3 … without gaps, one per event, each with its event's hash, and in each stream in the order of seq; and each stream's
 * noted end.
 */
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
  for (const row of await queries.query(OTHER_HEADS)) {
    const [seq, head] = [integerOrNull(row, "seq"), integerOrNull(row, "head")];
    found({
      stream: textOf(row, "stream"),
      seq: seq ?? head,
      problem:
        head === null
          ? "is the last event of a stream of which no end was noted"
          : seq === null
            ? `is noted as the end of a stream without events`
            : seq === head
              ? "is noted as the end of its stream with another hash"
              : `is the last event of its stream, of which ${head} is noted as the end`,
    });
  }
}

const LEAVES = `
SELECT log_leaves.position, log_leaves.stream, log_leaves.seq, log_leaves.hash, events.hash AS event_hash
FROM log_leaves LEFT JOIN events ON events.stream = log_leaves.stream AND events.seq = log_leaves.seq
WHERE log_leaves.position > ? ORDER BY log_leaves.position LIMIT ?`;

// First by position, which is an event's rowid: only what is not found there is looked for in the whole order.
const WITHOUT_POSITION = `
WITH elsewhere (stream, seq) AS MATERIALIZED (
  SELECT events.stream, events.seq FROM events LEFT JOIN log_leaves leaf
  ON leaf.position = events.rowid AND leaf.stream = events.stream AND leaf.seq = events.seq
  WHERE leaf.position IS NULL
)
SELECT elsewhere.stream, elsewhere.seq FROM elsewhere
LEFT JOIN log_leaves leaf ON leaf.stream = elsewhere.stream AND leaf.seq = elsewhere.seq
WHERE leaf.position IS NULL ORDER BY elsewhere.stream, elsewhere.seq`;

const OTHER_HEADS = `
WITH ends (stream, seq, hash) AS MATERIALIZED (SELECT stream, MAX(seq), hash FROM events GROUP BY stream)
SELECT COALESCE(ends.stream, head.stream) AS stream, ends.seq, head.seq AS head
FROM ends FULL JOIN stream_heads head ON head.stream = ends.stream
WHERE ends.seq IS NOT head.seq OR ends.hash IS NOT head.hash ORDER BY 1`;
