import type { FinishedStep } from "../../domain/step.ts";
import type { Task, TaskOutline } from "../../domain/task.ts";
import { changedKeys, rewritten, type Written, written } from "./canonical-state.ts";
import { integerOf, type Queries, textOf, textOrNull } from "./database.ts";
import { seal } from "./seal.ts";

/*
 * How a task's state lies in the database, so that an event writes little more than what it changes: in the task's row what nearly every
 * event of a task at work changes, in `lasting_facts` what few do (spec, plan, bases and the like, which may be long), and what a finished
 * step gave beside that step, for as long as it may be asked for again; that of a step that was refused, and so never begun, in
 * `refused_steps`.
 */

type FactOf<T> = T extends unknown ? keyof T : never;

/** What has a column of its own is none of these: while only these change, no other column does. */
const MOVING: ReadonlySet<string> = new Set<FactOf<Task>>(["openStep", "runs", "seenMs", "spent", "worked"]);

/** A task written out, but for its finished steps. */
export interface WrittenTask {
  readonly task: Task;
  readonly moving: Written;
  readonly lasting: Written;
}

/** Sooner with that of the task it was folded from. */
export function writtenTask(task: Task, before: WrittenTask | null = null): WrittenTask {
  const changed = before === null ? null : changedKeys(before.task, task);
  return before === null || changed === null
    ? {
        task,
        moving: written(task, (fact) => MOVING.has(fact)),
        lasting: written(task, (fact) => fact !== "finished" && !MOVING.has(fact)),
      }
    : {
        task,
        moving: rewritten(before.moving, task, changed),
        lasting: rewritten(before.lasting, task, changed),
      };
}

/** Of the two texts that `writtenTask` gives. */
export const outlineFrom = (moving: string, lasting: string): TaskOutline =>
  ({ ...JSON.parse(lasting), ...JSON.parse(moving) }) as TaskOutline;

/** The task as the database holds it at one moment, and the seq of its last event; null when there is none. */
export async function storedTask(
  queries: Queries,
  id: string,
): Promise<{ readonly task: Task; readonly seq: number } | null> {
  const rows = await queries.query(STORED, [id, id, id]);
  const own = rows.find((row) => row["step"] === null);
  if (own === undefined) return null;
  const finished: Record<string, FinishedStep> = {};
  for (const row of rows) {
    const step = textOrNull(row, "step");
    if (step !== null) finished[step] = JSON.parse(textOf(row, "state")) as FinishedStep;
  }
  const outline = outlineFrom(textOf(own, "state"), textOf(own, "lasting"));
  return { task: { ...outline, finished }, seq: integerOf(own, "seq") };
}

// One statement, so that all parts are of the same moment.
const STORED = `
SELECT NULL AS step, tasks.seq, tasks.state, lasting_facts.state AS lasting
FROM tasks JOIN lasting_facts ON lasting_facts.task = tasks.id WHERE tasks.id = ?
UNION ALL SELECT step, ended_seq, finished, NULL FROM ended_steps WHERE task = ? AND finished IS NOT NULL
UNION ALL SELECT step, seq, finished, NULL FROM refused_steps WHERE task = ?`;

/** Writes what lasts of a task. */
export async function keepLasting(queries: Queries, id: string, { lasting }: WrittenTask): Promise<void> {
  await queries.query(
    "INSERT INTO lasting_facts (task, state) VALUES (?, ?) ON CONFLICT (task) DO UPDATE SET state = excluded.state",
    [id, lasting.text],
  );
}

/** What the step that ended with this event gave, as its row holds it; null when it is not asked for again. */
export function finishedText({ finished }: Task, step: string, seq: number): string | null {
  const one = finished[step];
  return one?.seq === seq ? seal(one).text : null;
}

/** The row of a step that was refused with this event, unless it is not asked for again. */
export async function keepRefused(queries: Queries, task: Task, step: string, seq: number): Promise<void> {
  const text = finishedText(task, step, seq);
  if (text !== null)
    await queries.query("INSERT INTO refused_steps (task, seq, step, finished) VALUES (?, ?, ?, ?)", [
      task.id,
      seq,
      step,
      text,
    ]);
}

/** Clears what no longer may be asked for again from the rows of steps; `before` is the task they are of now. */
export async function forgetFinished(queries: Queries, before: Task, after: Task): Promise<void> {
  const gone = Object.values(before.finished).filter(({ step, seq }) => after.finished[step]?.seq !== seq);
  if (gone.length === 0) return;
  if (Object.keys(after.finished).length === 0) await forgetAll(queries, after.id);
  else
    for (const { seq } of gone) {
      await queries.query("UPDATE ended_steps SET finished = NULL WHERE task = ? AND ended_seq = ?", [after.id, seq]);
      await queries.query("DELETE FROM refused_steps WHERE task = ? AND seq = ?", [after.id, seq]);
    }
}

/** Writes all of them, those of ended steps into rows that are there already. */
export async function keepFinished(queries: Queries, task: Task): Promise<void> {
  await forgetAll(queries, task.id);
  const ended = await queries.query("SELECT ended_seq FROM ended_steps WHERE task = ?", [task.id]);
  const rows = new Set(ended.map((row) => integerOf(row, "ended_seq")));
  for (const one of Object.values(task.finished))
    if (rows.has(one.seq))
      await queries.query("UPDATE ended_steps SET finished = ? WHERE task = ? AND ended_seq = ?", [
        seal(one).text,
        task.id,
        one.seq,
      ]);
    else await keepRefused(queries, task, one.step, one.seq);
}

async function forgetAll(queries: Queries, task: string): Promise<void> {
  await queries.query("UPDATE ended_steps SET finished = NULL WHERE task = ? AND finished IS NOT NULL", [task]);
  await queries.query("DELETE FROM refused_steps WHERE task = ?", [task]);
}
