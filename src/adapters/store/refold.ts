import { projectStream, taskStream } from "../../domain/stream.ts";
import { type Tx, textOf } from "./database.ts";
import { foldProject, foldTask } from "./fold.ts";
import { JOURNAL_COLUMNS, journalRowFrom, recordedFrom } from "./journal-row.ts";
import { seal } from "./seal.ts";

/**
 * Every task's stored state once more from its events, in the caller's transaction. A program that knows more facts of a task than the
 * one that stored it would otherwise read states in which they are missing.
 */
export async function refoldTasks(tx: Tx): Promise<void> {
  let last = "";
  for (;;) {
    const rows = await tx.query("SELECT id FROM tasks WHERE id > ? ORDER BY id LIMIT ?", [last, PAGE_ROWS]);
    for (const row of rows) {
      last = textOf(row, "id");
      const events = await tx.query(`SELECT ${JOURNAL_COLUMNS} FROM events WHERE stream = ? ORDER BY seq`, [
        taskStream(last),
      ]);
      const task = foldTask(
        last,
        null,
        events.map((event) => recordedFrom(journalRowFrom(event))),
      );
      await tx.query("UPDATE tasks SET state = ? WHERE id = ?", [seal(task).text, last]);
    }
    if (rows.length < PAGE_ROWS) return;
  }
}

/** And every project's. */
export async function refoldAll(tx: Tx): Promise<void> {
  await refoldTasks(tx);
  for (const row of await tx.query("SELECT id FROM projects ORDER BY id")) {
    const id = textOf(row, "id");
    const events = await tx.query(`SELECT ${JOURNAL_COLUMNS} FROM events WHERE stream = ? ORDER BY seq`, [
      projectStream(id),
    ]);
    const project = foldProject(
      id,
      null,
      events.map((event) => recordedFrom(journalRowFrom(event))),
    );
    await tx.query("UPDATE projects SET state = ? WHERE id = ?", [seal(project).text, id]);
  }
}

const PAGE_ROWS = 500;
