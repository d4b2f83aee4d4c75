import type { BlobRef } from "../../domain/blob.ts";
import type { Task, TaskOutline } from "../../domain/task.ts";
import { ERASED_TEXT } from "./blob-content.ts";
import { type Queries, type Tx, textOf } from "./database.ts";

/** Text of a blob; null when it was erased. */
export type TextOf = (ref: BlobRef) => Promise<string | null>;

/**
 * The words a task can be found by, a projection like any other: title, intent and criteria as they were said last (frozen, else as the
 * draft), and the name of its project. The full-text index over them is kept by triggers; it is operational, outside
 * the comparison with a replay, and `INSERT INTO task_search (task_search) VALUES ('rebuild')` makes it anew from these rows.
 */
export async function keepWords(queries: Queries, said: TextOf, task: TaskOutline, title: string): Promise<void> {
  const { intent, criteria } = spoken(await said(task.spec?.text ?? task.draft));
  const [project] =
    task.project === null ? [] : await queries.query("SELECT name FROM projects WHERE id = ?", [task.project.id]);
  await queries.query(
    `INSERT INTO task_words (task, title, intent, criteria, project) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (task) DO UPDATE SET title = excluded.title, intent = excluded.intent, criteria = excluded.criteria, project = excluded.project`,
    [task.id, title, intent, criteria, project === undefined ? "" : textOf(project, "name")],
  );
}

/** Whether what a task is found by may differ between two of its states. */
export const saysOtherWords = (before: Task, after: Task): boolean =>
  before.title.digest !== after.title.digest ||
  before.draft.digest !== after.draft.digest ||
  before.spec?.hash !== after.spec?.hash ||
  before.project?.id !== after.project?.id;

/** A project that got another name is found by it, and its tasks with it. */
export async function renameProjectInWords(queries: Queries, project: string, name: string): Promise<void> {
  await queries.query("UPDATE task_words SET project = ? WHERE task IN (SELECT id FROM tasks WHERE project_id = ?)", [
    name,
    project,
  ]);
}

/** For a task of a database from before there were words. */
export async function fillWords(tx: Tx, said: TextOf, task: TaskOutline): Promise<void> {
  const [row] = await tx.query("SELECT title FROM tasks WHERE id = ?", [task.id]);
  if (row !== undefined) await keepWords(tx, said, task, textOf(row, "title"));
}

/** Drafts and specs name both alike. What is no such text (it is the caller's, not ours) says nothing to search for. */
function spoken(text: string | null): { readonly intent: string; readonly criteria: string } {
  if (text === null) return { intent: ERASED_TEXT, criteria: ERASED_TEXT };
  const said = parsed(text);
  if (typeof said !== "object" || said === null) return { intent: "", criteria: "" };
  const intent = "intent" in said && typeof said.intent === "string" ? said.intent : "";
  const criteria = "criteria" in said && Array.isArray(said.criteria) ? said.criteria : [];
  return { intent, criteria: criteria.map(criterionText).join("\n") };
}

const criterionText = (one: unknown): string =>
  typeof one === "object" && one !== null && "text" in one && typeof one.text === "string" ? one.text : "";

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // whoever appended it stored no JSON: there are no fields to find it by
  }
}
