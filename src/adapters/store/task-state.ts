import type { FinishedStep } from "../../domain/step.ts";
import type { Task, TaskOutline } from "../../domain/task.ts";
import { type Written, written } from "./canonical-state.ts";
import { integerOf, type Queries, textOf, textOrNull } from "./database.ts";
import { seal } from "./seal.ts";

/*
 * How a task's state lies in the database: its outline as one text in its row, and beside it a row for each finished step that may be
 * asked for again. A task keeps one of those per step it has done, so written into the outline they would make every step dearer than
 * the one before it.
 */

/** The outline of a task, as its row holds it; sooner with that of the task it was folded from. */
export const outlineOf = (task: Task, before: Written<Task> | null = null): Written<Task> =>
  written(task, "finished", before);

export const outlineFrom = (text: string): TaskOutline => JSON.parse(text) as TaskOutline;

/** The task as the database holds it at one moment, and the seq of its last event; null when there is none. */
export async function storedTask(
  queries: Queries,
  id: string,
): Promise<{ readonly task: Task; readonly seq: number } | null> {
  const rows = await queries.query(STORED, [id, id]);
  const own = rows.find((row) => row["step"] === null);
  if (own === undefined) return null;
  const finished: Record<string, FinishedStep> = {};
  for (const row of rows) {
    const step = textOrNull(row, "step");
    if (step !== null) finished[step] = JSON.parse(textOf(row, "state")) as FinishedStep;
  }
  return { task: { ...outlineFrom(textOf(own, "state")), finished }, seq: integerOf(own, "seq") };
}

// One statement, so that both parts are of the same moment.
const STORED = `
SELECT NULL AS step, seq, state FROM tasks WHERE id = ?
UNION ALL SELECT step, seq, state FROM finished_steps WHERE task = ?`;

/** Makes the rows of the finished steps those of `after`; `before` is the task they are of now, null where there are none. */
export async function keepFinished(queries: Queries, before: Task | null, after: Task): Promise<void> {
  const earlier = before?.finished ?? {};
  if (earlier === after.finished) return;
  if (Object.keys(after.finished).length === 0) {
    if (Object.keys(earlier).length > 0) await queries.query("DELETE FROM finished_steps WHERE task = ?", [after.id]);
    return;
  }
  for (const step of Object.keys(earlier))
    if (after.finished[step] === undefined)
      await queries.query("DELETE FROM finished_steps WHERE task = ? AND step = ?", [after.id, step]);
  for (const [step, one] of Object.entries(after.finished))
    if (earlier[step] !== one)
      await queries.query(
        `INSERT INTO finished_steps (task, step, seq, state) VALUES (?, ?, ?, ?)
         ON CONFLICT (task, step) DO UPDATE SET seq = excluded.seq, state = excluded.state`,
        [after.id, step, one.seq, seal(one).text],
      );
}
