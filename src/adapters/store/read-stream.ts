import type { JournalRow } from "../../domain/chain.ts";
import type { Recorded } from "../../domain/event.ts";
import type { Positioned } from "../../ports/store.ts";
import { integerOf, type Queries } from "./database.ts";
import { JOURNAL_COLUMNS, journalRowFrom, recordedFrom } from "./journal-row.ts";

const PAGE_ROWS = 500;

export async function readStream(
  queries: Queries,
  stream: string,
  afterSeq: number,
  most: number,
): Promise<readonly Recorded[]> {
  const rows = await queries.query(
    `SELECT ${JOURNAL_COLUMNS} FROM events WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ?`,
    [stream, afterSeq, most],
  );
  return rows.map((row) => recordedFrom(journalRowFrom(row)));
}

export async function latestOf(
  queries: Queries,
  stream: string,
  types: readonly string[] | null,
): Promise<Recorded | null> {
  const among = types === null ? "" : ` AND type IN (${types.map(() => "?").join(", ")})`;
  const [row] = await queries.query(
    `SELECT ${JOURNAL_COLUMNS} FROM events WHERE stream = ?${among} ORDER BY seq DESC LIMIT 1`,
    [stream, ...(types ?? [])],
  );
  return row === undefined ? null : recordedFrom(journalRowFrom(row));
}

export async function readSince(queries: Queries, position: number, most: number): Promise<readonly Positioned[]> {
  const rows = await queries.query(
    `SELECT log_leaves.position, ${JOURNAL_COLUMNS.replaceAll(/\w+/g, "events.$&")}
     FROM log_leaves JOIN events ON events.stream = log_leaves.stream AND events.seq = log_leaves.seq
     WHERE log_leaves.position > ? ORDER BY log_leaves.position LIMIT ?`,
    [position, most],
  );
  return rows.map((row) => {
    const event = journalRowFrom(row);
    return { position: integerOf(row, "position"), stream: event.stream, recorded: recordedFrom(event) };
  });
}

/** All rows of one stream or of the whole journal, by stream and seq, as they stand there; a page at a time. */
export async function* readJournal(queries: Queries, stream: string | null): AsyncGenerator<JournalRow> {
  let after = { stream: stream ?? "", seq: 0 };
  for (;;) {
    const rows = await queries.query(stream === null ? PAGE_OF_ALL : PAGE_OF_ONE, [after.stream, after.seq, PAGE_ROWS]);
    for (const row of rows) yield journalRowFrom(row);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    const { stream: lastStream, seq } = journalRowFrom(last);
    after = { stream: lastStream, seq };
    // A long journal must not keep everybody else in the process waiting.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const PAGE_OF_ONE = `SELECT ${JOURNAL_COLUMNS} FROM events WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ?`;
const PAGE_OF_ALL = `SELECT ${JOURNAL_COLUMNS} FROM events WHERE (stream, seq) > (?, ?) ORDER BY stream, seq LIMIT ?`;
