import { type Spec, specFrom } from "../domain/spec.ts";
import type { Task } from "../domain/task.ts";
import type { TaskRow } from "../ports/store.ts";
import type { AppDependencies } from "./deps.ts";
import { attemptsOf } from "./fork-task.ts";

export interface Compared {
  readonly row: TaskRow;
  readonly task: Task;
  readonly agent: Spec["agent"]["kind"] | null;
  /** How long a worker had it in hand, all claims together; until now for one that runs. */
  readonly workedMs: number;
  /** What it changed, over all repos; null while there is no candidate, or once its workspace was removed. */
  readonly change: { readonly files: number; readonly linesAdded: number; readonly linesRemoved: number } | null;
}

/** Attempts side by side: the named ones, or with one name all attempts at what that task is for. */
export async function compareTasks(deps: AppDependencies, named: readonly string[]): Promise<readonly Compared[]> {
  const [only, ...others] = [...new Set(named)];
  const ids = only === undefined ? [] : others.length === 0 ? await attemptsOf(deps, only) : [only, ...others];
  const compared: Compared[] = [];
  for (const id of ids) {
    const { task } = await deps.log.load(id);
    const row = await deps.store.tasks.taskRow(id);
    if (row === null) throw new Error(`task ${id} has a state and no row`);
    const spec = task.spec === null ? null : await deps.store.tasks.spec(id, task.spec.version);
    compared.push({
      row,
      task,
      agent: spec === null ? null : specFrom(spec.text).agent.kind,
      workedMs: await workedMs(deps, id),
      change: await changeOf(deps, task),
    });
  }
  return compared;
}

const PAGE = 1_000;
/** Events that give the task back from the worker that had it in hand. */
const GIVES_BACK: ReadonlySet<string> = new Set([
  "PLAN_PROPOSED",
  "WORK_ITEM_PROPOSED",
  "BLOCKED",
  "QUEUED",
  "COMPLETED",
  "FAILED",
  "CANCELED",
]);

async function workedMs(deps: AppDependencies, id: string): Promise<number> {
  let total = 0;
  let since: number | null = null;
  for (let after = 0; ; ) {
    const events = await deps.store.tasks.events(id, after, PAGE);
    for (const { event, atMs, seq } of events) {
      after = seq;
      if (event.type === "CLAIMED") since ??= atMs;
      else if (since !== null && GIVES_BACK.has(event.type)) {
        total += atMs - since;
        since = null;
      }
    }
    if (events.length < PAGE) break;
  }
  return total + (since === null ? 0 : deps.clock.nowMs() - since);
}

async function changeOf(deps: AppDependencies, task: Task): Promise<Compared["change"]> {
  if (task.candidate === null) return null;
  const total = { files: 0, linesAdded: 0, linesRemoved: 0 };
  for (const [repo, { base, commit }] of Object.entries(task.candidate)) {
    if (base === commit) continue;
    if (!(await deps.workspaces.exists({ task: task.id, repo, epoch: task.epoch }))) return null;
    for (const { linesAdded, linesRemoved } of await deps.workspaces.changes({ task: task.id, repo }, base, commit)) {
      total.files += 1;
      total.linesAdded += linesAdded ?? 0;
      total.linesRemoved += linesRemoved ?? 0;
    }
  }
  return total;
}
