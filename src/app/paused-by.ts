import type { Pause } from "../domain/pause.ts";
import type { TaskOutline } from "../domain/task.ts";
import type { AppDependencies } from "./deps.ts";
import { allPaused } from "./pause-all.ts";

/** What keeps these tasks from being taken up by a person's word, by task. Only one in the queue is held by it; what holds all comes first. */
export async function pausedBy(
  deps: AppDependencies,
  tasks: readonly TaskOutline[],
): Promise<Readonly<Record<string, Pause>>> {
  const queued = tasks.filter(({ status }) => status === "queued");
  if (queued.length === 0) return {};
  const all = await allPaused(deps);
  if (all !== null) return Object.fromEntries(queued.map(({ id }) => [id, { project: null, ...all }]));
  const found: Record<string, Pause> = {};
  const known = new Map<string, Pause | null>();
  for (const { id, project } of queued) {
    if (project === null) continue;
    const paused = known.get(project.id) ?? (known.has(project.id) ? null : await pauseOf(deps, project.id));
    known.set(project.id, paused);
    if (paused !== null) found[id] = paused;
  }
  return found;
}

async function pauseOf(deps: AppDependencies, id: string): Promise<Pause | null> {
  const project = (await deps.store.projects.project(id))?.project;
  if (project === undefined || project.paused === null) return null;
  const { sinceMs, by, reason } = project.paused;
  const bytes = reason === null ? null : await deps.store.get(reason);
  return { project: project.name, sinceMs, by, reason: bytes === null ? null : new TextDecoder().decode(bytes) };
}
