import type { FrozenSpec, Recorded, TaskEvent } from "../../domain/event.ts";
import { Failure } from "../../domain/failure.ts";
import type { Project } from "../../domain/project.ts";
import type { Provider } from "../../domain/provider.ts";
import type { Seal } from "../../domain/seal.ts";
import type { Task } from "../../domain/task.ts";
import { ERASED_TEXT } from "./blob-content.ts";
import type { Queries, Value } from "./database.ts";
import { refuseCircle } from "./dependency-edges.ts";
import { foldProject, foldProvider, foldTask } from "./fold.ts";
import { isTaskEvent } from "./journal-row.ts";
import { seal as sealed, sha256Hex } from "./seal.ts";
import { finishedText, forgetFinished, keepLasting, keepRefused, type WrittenTask, writtenTask } from "./task-state.ts";
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
  "lasting_facts",
  "specs",
  "plans",
  "open_steps",
  "ended_steps",
  "refused_steps",
  "task_dependencies",
  "task_words",
  "task_forks",
  "providers",
] as const;

/** A task as its stream stands, and as it was written out where that was done in this process. */
export interface KnownTask {
  readonly task: Task;
  readonly written: WrittenTask | null;
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
  if (last === undefined) return { task, written: null };
  const written = writtenTask(task, known?.written);
  const moved = { updated_at_ms: last.atMs, seq: last.seq, state: written.moving.text };
  // Most events only move a task on: then no index but the one by time is touched, and what lasts is not written again.
  const onlyMoves = written.lasting === known?.written?.lasting;
  const saidAnew = before === null || (!onlyMoves && saysOtherWords(before, task));
  if (onlyMoves || (before !== null && !saidAnew && sameColumns(columnsOf(before), columnsOf(task))))
    await queries.query("UPDATE tasks SET updated_at_ms = ?, seq = ?, state = ? WHERE id = ?", [
      ...Object.values(moved),
      id,
    ]);
  else {
    const title = (await textOf(task.title)) ?? ERASED_TEXT;
    await upsert(queries, "tasks", { id, title, title_folded: folded(title), ...columnsOf(task), ...moved });
    if (saidAnew) await keepWords(queries, textOf, task, title);
  }
  if (!onlyMoves) await keepLasting(queries, id, written);
  if (before !== null) await forgetFinished(queries, before, task);
  let open = (before?.openStep ?? null) !== null;
  for (const one of recorded) if (isTaskEvent(one)) open = await projectHappening({ queries, textOf, task, open }, one);
  // After the whole append: what was added and removed again within a stream that is replayed closes no circle.
  if (recorded.some(({ event }) => event.type === "DEPENDENCY_ADDED")) await refuseCircle(queries, id);
  return { task, written };
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

interface Happening {
  readonly queries: Queries;
  readonly textOf: TextOf;
  /** As it is after the whole append. */
  readonly task: Task;
  /** Whether a step of it is open when this happens. */
  readonly open: boolean;
}

/** True when a step is open after it. */
async function projectHappening(
  { queries, textOf, task, open }: Happening,
  { event, seq, atMs }: Recorded<TaskEvent>,
): Promise<boolean> {
  const { id } = task;
  switch (event.type) {
    case "SPEC_FROZEN":
      await keepText(queries, textOf, "specs", id, seq, event.body);
      return open;
    case "PLAN_PROPOSED":
      await keepText(queries, textOf, "plans", id, seq, event.body);
      return open;
    case "STEP_STARTED":
      if (open) await loseOpenStep(queries, id, seq, atMs);
      await queries.query(
        "INSERT INTO open_steps (task, started_seq, step, run, item, kind, started_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [id, seq, event.body.step, event.body.run, event.body.item, event.body.act.kind, atMs],
      );
      return true;
    case "STEP_COMPLETED":
      await endStep(queries, id, ["completed", seq, atMs, finishedText(task, event.body.step, seq)]);
      return false;
    case "STEP_FAILED":
      await endStep(queries, id, ["failed", seq, atMs, finishedText(task, event.body.step, seq)]);
      return false;
    case "STEP_LOST":
      await loseOpenStep(queries, id, seq, atMs);
      return false;
    case "DENIED":
      if (event.body.step !== undefined) await keepRefused(queries, task, event.body.step, seq);
      return open;
    case "SPEC_REVISED":
      // A new beginning forgets the step that was open; its row must not stay open for ever.
      if (open) await loseOpenStep(queries, id, seq, atMs);
      return false;
    case "DEPENDENCY_ADDED":
      await queries.query("INSERT INTO task_dependencies (task, on_task, kind, seq) VALUES (?, ?, ?, ?)", [
        id,
        event.body.on,
        event.body.kind,
        seq,
      ]);
      return open;
    case "FORKED":
      await queries.query("INSERT INTO task_forks (task, origin, root, seq) VALUES (?, ?, ?, ?)", [
        id,
        event.body.origin,
        event.body.root,
        seq,
      ]);
      return open;
    case "DEPENDENCY_REMOVED":
      await queries.query("DELETE FROM task_dependencies WHERE task = ? AND on_task = ?", [id, event.body.on]);
      return open;
    default:
      return open;
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

/** The row of the open step, with how it ended. */
async function endStep(
  queries: Queries,
  task: string,
  ended: readonly [status: "completed" | "failed" | "lost", seq: number, atMs: number, finished: string | null],
): Promise<void> {
  await queries.query(END_STEP, [...ended, task]);
  await queries.query("DELETE FROM open_steps WHERE task = ?", [task]);
}

const loseOpenStep = (queries: Queries, task: string, seq: number, atMs: number): Promise<void> =>
  endStep(queries, task, ["lost", seq, atMs, null]);

const END_STEP = `
INSERT INTO ended_steps (task, started_seq, step, run, item, kind, started_at_ms, status, ended_seq, ended_at_ms, finished)
SELECT task, started_seq, step, run, item, kind, started_at_ms, ?, ?, ?, ? FROM open_steps WHERE task = ?`;

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
