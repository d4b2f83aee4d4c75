import type { Seal } from "../../domain/seal.ts";
import { projectStream, taskStream } from "../../domain/stream.ts";
import { type Queries, type Tx, textOf } from "./database.ts";
import { foldProject, foldTask } from "./fold.ts";
import { JOURNAL_COLUMNS, journalRowFrom, recordedFrom } from "./journal-row.ts";

/**
 * Makes the states of all tasks and projects again from their events, for a schema that came with new facts in them: what was projected by an
 * older program lacks these, and the journal has them. One stream at a time, in the caller's transaction.
 */
export async function refold(tx: Tx, seal: Seal): Promise<void> {
  await each(tx, "tasks", taskStream, (id, events) => seal(foldTask(id, null, events)).text);
  await each(tx, "projects", projectStream, (id, events) => seal(foldProject(id, null, events)).text);
}

type Events = readonly ReturnType<typeof recordedFrom>[];

async function each(
  tx: Tx,
  table: "tasks" | "projects",
  streamOf: (id: string) => string,
  fold: (id: string, events: Events) => string,
): Promise<void> {
  for (const row of await tx.query(`SELECT id FROM ${table} ORDER BY id`)) {
    const id = textOf(row, "id");
    const state = await folded(tx, id, streamOf(id), fold);
    if (state !== null) await tx.query(`UPDATE ${table} SET state = ? WHERE id = ?`, [state, id]);
  }
}

async function folded(
  queries: Queries,
  id: string,
  stream: string,
  fold: (id: string, events: Events) => string,
): Promise<string | null> {
  const rows = await queries.query(`SELECT ${JOURNAL_COLUMNS} FROM events WHERE stream = ? ORDER BY seq`, [stream]);
  try {
    return fold(
      id,
      rows.map((one) => recordedFrom(journalRowFrom(one))),
    );
  } catch {
    return null; // A damaged history is the audit's to name; it must not keep the program from starting for all the others.
  }
}
