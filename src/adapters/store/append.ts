import type { BlobRef } from "../../domain/blob.ts";
import { GENESIS_HASH, type JournalRow } from "../../domain/chain.ts";
import type { Project } from "../../domain/project.ts";
import type { Seal } from "../../domain/seal.ts";
import { streamId, streamKind } from "../../domain/stream.ts";
import { type Append, type Positioned, StreamMoved } from "../../ports/store.ts";
import { blobContent, isKept, keepBlob } from "./blob-content.ts";
import { blobRefsIn } from "./blob-refs.ts";
import { integerOf, integerOrNull, type Queries, type Row, type Tx, textOf } from "./database.ts";
import { foldProject, foldTask } from "./fold.ts";
import {
  JOURNAL_COLUMNS,
  journalRowFrom,
  placed,
  recordedFrom,
  type SealedEvent,
  sealEvent,
  streamKindOf,
} from "./journal-row.ts";
import { changeLease, requireLease } from "./lease.ts";
import { type KnownTask, projectProject, projectProvider, projectTask } from "./projection.ts";
import type { Recent } from "./recent.ts";
import { storedTask } from "./task-state.ts";

/** What can be done before the transaction: the canonical bodies and the content they name. */
export interface PreparedAppend extends Omit<Append, "events"> {
  readonly sealed: readonly SealedEvent[];
  readonly named: readonly BlobRef[];
}

export interface Appending {
  readonly seal: Seal;
  readonly blobDirectory: string;
  readonly tasks: Recent<Folded<KnownTask>>;
  readonly projects: Recent<Folded<Project>>;
}

/** A state and the row it is the state after. The hash of that row fixes everything before it, so an equal hash is an equal state. */
export interface Folded<S> {
  readonly hash: string;
  readonly state: S;
}

/** Throws when an event does not belong in that kind of stream or has no canonical form. */
export function prepareAppend(seal: Seal, append: Append): PreparedAppend {
  const kind = streamKind(append.stream);
  for (const { event } of append.events)
    if (streamKindOf(event.type) !== kind)
      throw new Error(`${event.type} does not belong in the stream ${append.stream}`);
  const named = new Map(append.events.flatMap(({ event }) => blobRefsIn(event.body)).map((ref) => [ref.digest, ref]));
  // What comes with the append is there once the append is.
  for (const { ref } of append.blobs) if (named.get(ref.digest)?.bytes === ref.bytes) named.delete(ref.digest);
  const { events, ...rest } = append;
  return { ...rest, sealed: events.map((event) => sealEvent(seal, event)), named: [...named.values()] };
}

/** What listeners are told of an append that is durable: its events as they are stored, `position` being the last one's place. */
export const toldOf = ({ stream, expected, sealed }: PreparedAppend, position: number): readonly Positioned[] =>
  sealed.map((event, index) => ({
    position: position - sealed.length + index + 1,
    stream,
    recorded: recordedFrom({ stream, seq: expected + index + 1, ...event }),
  }));

/**
 * One append in the caller's transaction: lease, content, journal rows with their positions, projections. Throws `StreamMoved`
 * when the stream is not where the caller knew it, `LeaseLost` when the task is another's.
 */
export async function appendIn(
  tx: Tx,
  appending: Appending,
  append: PreparedAppend,
): Promise<{ readonly seq: number; readonly position: number }> {
  const { stream, expected, lease } = append;
  const { epoch, ...head } = await headOf(tx, stream, lease?.task ?? null);
  if (lease !== null) requireLease(lease, epoch);
  if (head.seq !== expected) throw new StreamMoved(stream, expected);
  for (const blob of append.blobs) await keepBlob(tx, blob);
  for (const ref of append.named)
    if (!(await isKept(tx, ref))) throw new Error(`${stream} names content ${ref.digest} that was never stored`);
  const rows = await insertRows(tx, appending.seal, append, head);
  await project(tx, appending, stream, head, rows);
  // Last: a new lease names its task by foreign key, and the task may be new in this very append.
  if (lease !== null) await changeLease(tx, lease);
  return { seq: expected + rows.length, position: rows.at(-1)?.position ?? head.position };
}

export async function lastPosition(queries: Queries): Promise<number> {
  const [row] = await queries.query("SELECT COALESCE(MAX(position), 0) AS position FROM log_leaves");
  return row === undefined ? 0 : integerOf(row, "position");
}

/** The last event of a stream, and the position of the last event of all. */
interface Head {
  readonly seq: number;
  readonly hash: string;
  readonly position: number;
}

interface PlacedRow extends JournalRow {
  readonly position: number;
}

/** Also the epoch of the lease on a task; null: there is none. */
async function headOf(
  tx: Tx,
  stream: string,
  leased: string | null,
): Promise<Head & { readonly epoch: number | null }> {
  const [row] = await tx.query(HEAD, [leased, stream]);
  if (row !== undefined) return { seq: integerOf(row, "seq"), hash: textOf(row, "hash"), ...besideOf(row) };
  const [beside = {}] = await tx.query(BESIDE, [leased]);
  return { seq: 0, hash: GENESIS_HASH, ...besideOf(beside) };
}

const BESIDE = `
SELECT (SELECT COALESCE(MAX(position), 0) FROM log_leaves) AS position, (SELECT epoch FROM leases WHERE task = ?) AS epoch`;
const HEAD = `${BESIDE}, seq, hash FROM stream_heads WHERE stream = ?`;

const besideOf = (row: Row) => ({ position: integerOf(row, "position"), epoch: integerOrNull(row, "epoch") });

async function insertRows(
  tx: Tx,
  seal: Seal,
  { stream, expected, sealed }: PreparedAppend,
  head: Head,
): Promise<PlacedRow[]> {
  const rows: PlacedRow[] = [];
  let previous = head.hash;
  for (const [index, event] of sealed.entries()) {
    const row = placed(seal, event, stream, expected + index + 1, previous);
    const position = head.position + index + 1;
    await tx.query(INSERT_EVENT, [
      row.stream,
      row.seq,
      row.type,
      row.v,
      row.atMs,
      row.actor,
      row.body,
      row.prevHash,
      row.hash,
    ]);
    await tx.query("INSERT INTO log_leaves (position, stream, seq, hash) VALUES (?, ?, ?, ?)", [
      position,
      stream,
      row.seq,
      row.hash,
    ]);
    rows.push({ ...row, position });
    previous = row.hash;
  }
  const last = rows.at(-1);
  if (last !== undefined) await tx.query(head.seq === 0 ? FIRST_HEAD : NEXT_HEAD, [last.seq, last.hash, stream]);
  return rows;
}

const INSERT_EVENT = `INSERT INTO events (${JOURNAL_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const FIRST_HEAD = "INSERT INTO stream_heads (seq, hash, stream) VALUES (?, ?, ?)";
const NEXT_HEAD = "UPDATE stream_heads SET seq = ?, hash = ? WHERE stream = ?";

async function project(
  tx: Tx,
  appending: Appending,
  stream: string,
  head: Head,
  rows: readonly JournalRow[],
): Promise<void> {
  const last = rows.at(-1);
  if (last === undefined) return;
  const id = streamId(stream);
  // As they are stored, not as they were given: what is projected is what a replay gives.
  const recorded = rows.map(recordedFrom);
  const projecting = { seal: appending.seal, textOf: textFrom(tx, appending.blobDirectory) };
  switch (streamKind(stream)) {
    case "task": {
      const before = await taskAt(tx, appending.tasks, stream, head);
      const state = await projectTask(tx, projecting, id, before, recorded);
      appending.tasks.remember(stream, { hash: last.hash, state });
      return;
    }
    case "project": {
      const before = await projectAt(tx, appending.projects, stream, head);
      const state = await projectProject(tx, projecting, id, before, recorded);
      appending.projects.remember(stream, { hash: last.hash, state });
      return;
    }
    case "provider":
      // Such a stream is short and grows seldom: it is folded anew each time.
      await projectProvider(tx, id, null, (await allOf(tx, stream)).map(recordedFrom));
      return;
    default:
      // Other streams have no tables: they are read as events only.
      return;
  }
}

export const textFrom =
  (queries: Queries, blobDirectory: string) =>
  async (ref: BlobRef): Promise<string | null> => {
    const bytes = await blobContent(queries, blobDirectory, ref);
    return bytes === null ? null : new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  };

async function taskAt(
  tx: Tx,
  recent: Recent<Folded<KnownTask>>,
  stream: string,
  head: Head,
): Promise<KnownTask | null> {
  if (head.seq === 0) return null;
  const known = recent.get(stream);
  if (known?.hash === head.hash) return known.state;
  const stored = await storedTask(tx, streamId(stream));
  if (stored?.seq === head.seq) return { task: stored.task, written: null };
  return { task: foldTask(streamId(stream), null, (await allOf(tx, stream)).map(recordedFrom)), written: null };
}

async function projectAt(tx: Tx, recent: Recent<Folded<Project>>, stream: string, head: Head): Promise<Project | null> {
  if (head.seq === 0) return null;
  const known = recent.get(stream);
  if (known?.hash === head.hash) return known.state;
  const [row] = await tx.query("SELECT seq, state FROM projects WHERE id = ?", [streamId(stream)]);
  if (row !== undefined && integerOf(row, "seq") === head.seq) return JSON.parse(textOf(row, "state")) as Project;
  return foldProject(streamId(stream), null, (await allOf(tx, stream)).map(recordedFrom));
}

async function allOf(tx: Tx, stream: string): Promise<readonly JournalRow[]> {
  const rows = await tx.query(`SELECT ${JOURNAL_COLUMNS} FROM events WHERE stream = ? ORDER BY seq`, [stream]);
  return rows.map(journalRowFrom);
}
