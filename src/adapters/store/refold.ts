import { projectStream, taskStream } from "../../domain/stream.ts";
import type { Task } from "../../domain/task.ts";
import { type Tx, textOf } from "./database.ts";
import { foldProject, foldTask } from "./fold.ts";
import { JOURNAL_COLUMNS, journalRowFrom, recordedFrom } from "./journal-row.ts";
import { seal } from "./seal.ts";
import { keepFinished, keepLasting, writtenTask } from "./task-state.ts";

/**
 * Every task's stored state once more from its events, in the caller's transaction. A program that knows more facts of a task than the
 * one that stored it, or keeps them elsewhere, would otherwise read states in which they are missing. Where several migrations change
 * what a state holds, the last one does it for all of them.
 */
export const refoldTasks = (tx: Tx): Promise<void> =>
  eachTask(tx, async (task) => {
    const written = writtenTask(task);
    await tx.query("UPDATE tasks SET state = ? WHERE id = ?", [written.moving.text, task.id]);
    await keepLasting(tx, task.id, written);
    await keepFinished(tx, task);
  });

/** For each task as its events give it, in the order of their ids. */
export async function eachTask(tx: Tx, then: (task: Task) => Promise<unknown>): Promise<void> {
  let last = "";
  for (;;) {
    const rows = await tx.query("SELECT id FROM tasks WHERE id > ? ORDER BY id LIMIT ?", [last, PAGE_ROWS]);
    for (const row of rows) {
      last = textOf(row, "id");
      const events = await tx.query(`SELECT ${JOURNAL_COLUMNS} FROM events WHERE stream = ? ORDER BY seq`, [
        taskStream(last),
      ]);
      await then(
        foldTask(
          last,
          null,
          events.map((event) => recordedFrom(journalRowFrom(event))),
        ),
      );
    }
    if (rows.length < PAGE_ROWS) return;
  }
}

/** And every project's. */
export async function refoldProjects(tx: Tx): Promise<void> {
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
