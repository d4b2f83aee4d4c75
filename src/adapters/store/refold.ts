import { projectStream, taskStream } from "../../domain/stream.ts";
import type { Task } from "../../domain/task.ts";
import { type Tx, textOf } from "./database.ts";
import { foldProject, foldTask } from "./fold.ts";
import { JOURNAL_COLUMNS, journalRowFrom, recordedFrom } from "./journal-row.ts";
import { seal } from "./seal.ts";
import { keepFinished, outlineOf } from "./task-state.ts";

/**
 * Every task's stored outline once more from its events, in the caller's transaction. A program that knows more facts of a task than the
 * one that stored it would otherwise read states in which they are missing.
 */
export const refoldTasks = (tx: Tx): Promise<void> => eachTask(tx, (task) => outlineAgain(tx, task));

/** And every task's finished steps, which lay in its outline before they had a table. */
export const refoldFinished = (tx: Tx): Promise<void> =>
  eachTask(tx, async (task) => {
    await outlineAgain(tx, task);
    await tx.query("DELETE FROM finished_steps WHERE task = ?", [task.id]);
    await keepFinished(tx, null, task);
  });

const outlineAgain = (tx: Tx, task: Task): Promise<unknown> =>
  tx.query("UPDATE tasks SET state = ? WHERE id = ?", [outlineOf(task).text, task.id]);

async function eachTask(tx: Tx, then: (task: Task) => Promise<unknown>): Promise<void> {
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
