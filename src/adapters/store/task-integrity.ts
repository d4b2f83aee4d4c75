import type { BlobRef } from "../../domain/blob.ts";
import { GENESIS_HASH, rowHash } from "../../domain/chain.ts";
import { isFailure } from "../../domain/failure.ts";
import { taskStream } from "../../domain/stream.ts";
import type { Task } from "../../domain/task.ts";
import type { Tampered } from "../../ports/store.ts";
import { integerOf, type Queries, textOf, textOrNull } from "./database.ts";
import { foldTask } from "./fold.ts";
import { recordedFrom } from "./journal-row.ts";
import { readJournal } from "./read-stream.ts";
import { seal, sha256Hex } from "./seal.ts";
import { storedTask, writtenTask } from "./task-state.ts";

export type TextOf = (ref: BlobRef) => Promise<string | null>;

/** How often it looks again because the task went on meanwhile; each time is another's progress. */
const LOOKS = 20;

/**
 * What is stored of one task against its journal, before anybody works by it: the chain of its events and their places in the order, the
 * row that says where it stands, and the frozen spec and the proposed plan as row and as content. Everything here can also be found by an
 * audit of the whole; this is the part that has to be known before anything runs. It sees no journal that was made anew as a whole.
 */
export async function taskTampered(queries: Queries, textOfBlob: TextOf, id: string): Promise<Tampered | null> {
  for (let look = 1; ; look += 1) {
    const before = await headOf(queries, id);
    const found = await lookAt(queries, textOfBlob, id);
    if (found === null || look === LOOKS || (await headOf(queries, id)) === before) return found;
  }
}

async function headOf(queries: Queries, id: string): Promise<number> {
  const [row] = await queries.query("SELECT COALESCE(MAX(seq), 0) AS seq FROM events WHERE stream = ?", [
    taskStream(id),
  ]);
  return row === undefined ? 0 : integerOf(row, "seq");
}

async function lookAt(queries: Queries, textOfBlob: TextOf, id: string): Promise<Tampered | null> {
  const journal = await replayed(queries, id);
  if ("problem" in journal) return { ...journal, status: null };
  const { task, seq } = journal;
  const problem =
    (await differentRow(queries, task, seq)) ??
    (await differentText(queries, textOfBlob, "spec", task)) ??
    (await differentText(queries, textOfBlob, "plan", task));
  return problem === null ? null : { problem, status: task.status };
}

interface Replayed {
  readonly task: Task;
  readonly seq: number;
}

async function replayed(queries: Queries, id: string): Promise<Replayed | { readonly problem: string }> {
  const stream = taskStream(id);
  const order = await queries.query(ORDER, [stream]);
  const [head] = await queries.query("SELECT seq, hash FROM stream_heads WHERE stream = ?", [stream]);
  let task: Task | null = null;
  let seq = 0;
  let previous = GENESIS_HASH;
  for await (const row of readJournal(queries, stream)) {
    seq += 1;
    const at = `event ${row.seq} of its journal`;
    if (row.seq !== seq) return { problem: `${at} stands where ${seq} should` };
    if (row.prevHash !== previous) return { problem: `${at} does not name the one before it` };
    if (rowHash(seal, row) !== row.hash) return { problem: `${at} was changed after it was written` };
    const place = order[seq - 1];
    if (place === undefined || textOrNull(place, "hash") !== row.hash)
      return { problem: `${at} is not the one that the order of all events names` };
    previous = row.hash;
    try {
      task = foldTask(id, task, [recordedFrom(row)]);
    } catch {
      // Sound by its hash and yet no event that can follow: whoever wrote it, it was not AgentOS.
      return { problem: `${at} cannot follow the ones before it` };
    }
  }
  if (task === null) return { problem: "it has no journal" };
  if (head === undefined || integerOf(head, "seq") !== seq || textOf(head, "hash") !== previous)
    return { problem: `its journal ends with event ${seq}, and another end was noted` };
  return { task, seq };
}

// An event's position is its rowid.
const ORDER = `
SELECT leaf.hash FROM events LEFT JOIN log_leaves leaf
ON leaf.position = events.rowid AND leaf.stream = events.stream AND leaf.seq = events.seq
WHERE events.stream = ? ORDER BY events.seq`;

async function differentRow(queries: Queries, task: Task, seq: number): Promise<string | null> {
  const [row] = await queries.query(ROW, [task.id]);
  if (row === undefined) return "its row is gone";
  const { moving, lasting } = writtenTask(task);
  if (
    integerOf(row, "seq") !== seq ||
    textOf(row, "status") !== task.status ||
    textOf(row, "state") !== moving.text ||
    textOrNull(row, "lasting") !== lasting.text
  )
    return "its row is not what its journal gives";
  const stored = await storedTask(queries, task.id);
  return stored !== null && seal(stored.task.finished).text === seal(task.finished).text
    ? null
    : "its finished steps are not those of its journal";
}

const ROW = `
SELECT tasks.seq, tasks.status, tasks.state, lasting_facts.state AS lasting
FROM tasks LEFT JOIN lasting_facts ON lasting_facts.task = tasks.id WHERE tasks.id = ?`;

async function differentText(
  queries: Queries,
  textOfBlob: TextOf,
  what: "spec" | "plan",
  task: Task,
): Promise<string | null> {
  const agreed = task[what];
  if (agreed === null) return null;
  const [row] = await queries.query(ROW_OF[what], [task.id, agreed.version]);
  if (row === undefined) return `the row of its ${what} is gone`;
  const text = textOf(row, "text");
  if (textOf(row, "hash") !== agreed.hash || sha256Hex(text) !== agreed.hash)
    return `the stored ${what} does not have the hash ${agreed.hash}`;
  try {
    const content = await textOfBlob(agreed.text);
    return content === null || content === text ? null : `the content of its ${what} is another one than its row`;
  } catch (error) {
    if (!isFailure(error, "store/corrupt")) throw error;
    return `the content of its ${what} was changed after it was written`;
  }
}

const ROW_OF = {
  spec: "SELECT hash, text FROM specs WHERE task = ? AND version = ?",
  plan: "SELECT hash, text FROM plans WHERE task = ? AND version = ?",
} as const;
