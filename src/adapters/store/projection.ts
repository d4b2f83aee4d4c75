import type { FrozenSpec, Recorded, TaskEvent } from "../../domain/event.ts";
import { Failure } from "../../domain/failure.ts";
import type { Project } from "../../domain/project.ts";
import type { Provider } from "../../domain/provider.ts";
import type { Seal } from "../../domain/seal.ts";
import type { Task } from "../../domain/task.ts";
import { ERASED_TEXT } from "./blob-content.ts";
import type { Written } from "./canonical-state.ts";
import type { Queries, Value } from "./database.ts";
import { refuseCircle } from "./dependency-edges.ts";
import { foldProject, foldProvider, foldTask } from "./fold.ts";
import { isTaskEvent } from "./journal-row.ts";
import { seal as sealed, sha256Hex } from "./seal.ts";
import { keepFinished, outlineOf } from "./task-state.ts";
import { keepWords, renameProjectInWords, saysOtherWords, type TextOf } from "./task-words.ts";

export interface Projecting {
  readonly seal: Seal;
  /** Text of a blob that is stored or arrives with the same append; null when it was erased. */
  readonly textOf: TextOf;
}

/**
 * The tables that are derived from the journal, changed in the appending transaction. The same functions fill the shadow
 * database that an audit compares with: there one call gets the whole stream, here it gets one append.
 */
export const PROJECTED_TABLES = [
  "projects",
  "repos",
  "tasks",
  "specs",
  "plans",
  "steps",
  "finished_steps",
  "task_dependencies",
  "task_words",
  "task_forks",
  "providers",
] as const;

/** A task as its stream stands, with its outline where that was written out already. */
export interface KnownTask {
  readonly task: Task;
  readonly outline: Written<Task> | null;
}

export async function projectTask(
  queries: Queries,
  { textOf }: Projecting,
  id: string,
  known: KnownTask | null,
  recorded: readonly Recorded[],
): Promise<KnownTask> {
  const before = known?.task ?? null;
  const task = foldTask(id, before, recorded);
  const last = recorded.at(-1);
  if (last === undefined) return { task, outline: null };
  const outline = outlineOf(task, known?.outline);
  const moved = { updated_at_ms: last.atMs, seq: last.seq, state: outline.text };
  // Most events only move a task on: then no index but the one by time is touched, and its words are not read again.
  if (before !== null && !saysOtherWords(before, task) && sameColumns(columnsOf(before), columnsOf(task)))
    await queries.query("UPDATE tasks SET updated_at_ms = ?, seq = ?, state = ? WHERE id = ?", [
      ...Object.values(moved),
      id,
    ]);
  else {
    const title = (await textOf(task.title)) ?? ERASED_TEXT;
    await upsert(queries, "tasks", { id, title, title_folded: folded(title), ...columnsOf(task), ...moved });
    if (before === null || saysOtherWords(before, task)) await keepWords(queries, textOf, task, title);
  }
  await keepFinished(queries, before, task);
  for (const one of recorded) if (isTaskEvent(one)) await projectHappening(queries, textOf, id, one);
  // After the whole append: what was added and removed again within a stream that is replayed closes no circle.
  if (recorded.some(({ event }) => event.type === "DEPENDENCY_ADDED")) await refuseCircle(queries, id);
  return { task, outline };
}

const columnsOf = (task: Task): Readonly<Record<string, Value>> => ({
  session: task.session,
  status: task.status,
  phase: task.phase,
  attempt: task.attempt,
  priority: task.priority,
  block_reason: task.status === "blocked" ? task.reason : null,
  block_detail: task.status === "blocked" ? task.detail : null,
  exit_reason: "exitReason" in task ? task.exitReason : null,
  project_id: task.project?.id ?? null,
  created_by: task.createdBy,
  created_at_ms: task.createdAtMs,
  queued_at_ms: task.status === "queued" ? task.sinceMs : null,
});

const sameColumns = (one: Readonly<Record<string, Value>>, other: Readonly<Record<string, Value>>): boolean =>
  Object.keys(one).every((column) => one[column] === other[column]);

export async function projectProject(
  queries: Queries,
  { seal }: Projecting,
  id: string,
  before: Project | null,
  recorded: readonly Recorded[],
): Promise<Project> {
  const project = foldProject(id, before, recorded);
  const last = recorded.at(-1);
  if (last === undefined) return project;
  if (!project.deleted) await refuseTakenName(queries, project);
  await upsert(queries, "projects", {
    id,
    name: project.name,
    deleted: project.deleted ? 1 : 0,
    created_at_ms: project.createdAtMs,
    tasks_max: project.settings.tasksMax,
    paused: project.paused === null ? 0 : 1,
    seq: last.seq,
    state: seal(project).text,
  });
  if (before !== null && before.name !== project.name) await renameProjectInWords(queries, id, project.name);
  await queries.query("DELETE FROM repos WHERE project_id = ?", [id]);
  for (const [ordinal, repo] of project.repos.entries())
    await queries.query("INSERT INTO repos (id, project_id, ordinal, name, path, state) VALUES (?, ?, ?, ?, ?, ?)", [
      repo.id,
      id,
      ordinal,
      repo.name,
      repo.path,
      seal(repo).text,
    ]);
  return project;
}

export async function projectProvider(
  queries: Queries,
  id: string,
  before: Provider | null,
  recorded: readonly Recorded[],
): Promise<Provider> {
  const provider = foldProvider(id, before, recorded);
  const last = recorded.at(-1);
  if (last === undefined) return provider;
  await upsert(queries, "providers", {
    id,
    kind: provider.facts.kind,
    status: provider.status,
    removed: provider.removed ? 1 : 0,
    created_at_ms: provider.createdAtMs,
    seq: last.seq,
    state: sealed(provider).text,
  });
  return provider;
}

/** Letter case and forms of the same letter do not matter when titles are searched, in any script and in both stores. */
export const folded = (text: string): string => text.normalize("NFKC").toLowerCase();

async function projectHappening(
  queries: Queries,
  textOf: Projecting["textOf"],
  task: string,
  { event, seq, atMs }: Recorded<TaskEvent>,
): Promise<void> {
  switch (event.type) {
    case "SPEC_FROZEN":
      return keepText(queries, textOf, "specs", task, seq, event.body);
    case "PLAN_PROPOSED":
      return keepText(queries, textOf, "plans", task, seq, event.body);
    case "STEP_STARTED":
      await loseOpenSteps(queries, task, seq, atMs);
      await queries.query(
        "INSERT INTO steps (task, started_seq, step, run, item, kind, status, ended_seq, started_at_ms, ended_at_ms) VALUES (?, ?, ?, ?, ?, ?, 'open', NULL, ?, NULL)",
        [task, seq, event.body.step, event.body.run, event.body.item, event.body.act.kind, atMs],
      );
      return;
    case "STEP_COMPLETED":
      return endStep(queries, task, seq, atMs, event.body, "completed");
    case "STEP_FAILED":
      return endStep(queries, task, seq, atMs, event.body, "failed");
    case "STEP_LOST":
      return endStep(queries, task, seq, atMs, event.body, "lost");
    case "DEPENDENCY_ADDED":
      await queries.query("INSERT INTO task_dependencies (task, on_task, kind, seq) VALUES (?, ?, ?, ?)", [
        task,
        event.body.on,
        event.body.kind,
        seq,
      ]);
      return;
    case "FORKED":
      await queries.query("INSERT INTO task_forks (task, origin, root, seq) VALUES (?, ?, ?, ?)", [
        task,
        event.body.origin,
        event.body.root,
        seq,
      ]);
      return;
    case "DEPENDENCY_REMOVED":
      await queries.query("DELETE FROM task_dependencies WHERE task = ? AND on_task = ?", [task, event.body.on]);
      return;
    case "SPEC_REVISED":
      // A new beginning forgets the step that was open; its row must not stay open for ever.
      return loseOpenSteps(queries, task, seq, atMs);
    default:
      return;
  }
}

async function keepText(
  queries: Queries,
  textOf: Projecting["textOf"],
  table: "specs" | "plans",
  task: string,
  seq: number,
  { version, hash, text: ref }: FrozenSpec,
): Promise<void> {
  const text = await textOf(ref);
  if (text !== null && sha256Hex(text) !== hash)
    throw new Error(
      `version ${version} of the ${table === "specs" ? "spec" : "plan"} of task ${task} does not have the hash ${hash}`,
    );
  await queries.query(KEEP_TEXT[table], [task, version, seq, hash, text ?? ERASED_TEXT]);
}

const KEEP_TEXT = {
  specs: "INSERT INTO specs (task, version, seq, hash, text) VALUES (?, ?, ?, ?, ?)",
  plans: "INSERT INTO plans (task, version, seq, hash, text) VALUES (?, ?, ?, ?, ?)",
} as const;

// By the index of open steps, of which a task has one at most: by its key, each step would pass over all steps before it.
const endStep = async (
  queries: Queries,
  task: string,
  seq: number,
  atMs: number,
  { step, run }: { readonly step: string; readonly run: number },
  status: "completed" | "failed" | "lost",
): Promise<void> => {
  await queries.query(
    "UPDATE steps INDEXED BY steps_open SET status = ?, ended_seq = ?, ended_at_ms = ? WHERE task = ? AND status = 'open' AND step = ? AND run = ?",
    [status, seq, atMs, task, step, run],
  );
};

const loseOpenSteps = async (queries: Queries, task: string, seq: number, atMs: number): Promise<void> => {
  await queries.query(
    "UPDATE steps INDEXED BY steps_open SET status = 'lost', ended_seq = ?, ended_at_ms = ? WHERE task = ? AND status = 'open'",
    [seq, atMs, task],
  );
};

/** Two living projects cannot share a name. Said before the unique index says it, so that a person can read it. */
async function refuseTakenName(queries: Queries, { id, name }: Project): Promise<void> {
  const taken = await queries.query("SELECT id FROM projects WHERE name = ? AND deleted = 0 AND id <> ?", [name, id]);
  if (taken.length > 0)
    throw new Failure("project/refused", `there is a project called ${name} already`, { next: "Choose another name." });
}

async function upsert(
  queries: Queries,
  table: "tasks" | "projects" | "providers",
  columns: Readonly<Record<string, Value>>,
): Promise<void> {
  const names = Object.keys(columns);
  const changes = names.filter((name) => name !== "id").map((name) => `${name} = excluded.${name}`);
  await queries.query(
    `INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")}) ON CONFLICT (id) DO UPDATE SET ${changes.join(", ")}`,
    Object.values(columns),
  );
}
