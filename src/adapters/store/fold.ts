import type { Recorded } from "../../domain/event.ts";
import { bornProject, evolveProject, type Project } from "../../domain/project.ts";
import { bornProvider, evolveProvider, type Provider } from "../../domain/provider.ts";
import { born, evolve, type Task } from "../../domain/task.ts";
import { isProjectEvent, isProviderEvent, isTaskEvent } from "./journal-row.ts";

/** The task after these events; `before` is null when they begin its stream. */
export function foldTask(id: string, before: Task | null, recorded: readonly Recorded[]): Task {
  let task = before;
  for (const one of recorded) {
    if (!isTaskEvent(one)) throw new Error(`${one.event.type} does not belong in the stream of a task`);
    task = task === null ? born(id, one) : evolve(task, one);
  }
  if (task === null) throw new Error(`task ${id} has no events`);
  return task;
}

export function foldProject(id: string, before: Project | null, recorded: readonly Recorded[]): Project {
  let project = before;
  for (const one of recorded) {
    if (!isProjectEvent(one)) throw new Error(`${one.event.type} does not belong in the stream of a project`);
    project = project === null ? bornProject(id, one) : evolveProject(project, one);
  }
  if (project === null) throw new Error(`project ${id} has no events`);
  return project;
}

export function foldProvider(id: string, before: Provider | null, recorded: readonly Recorded[]): Provider {
  let provider = before;
  for (const one of recorded) {
    if (!isProviderEvent(one)) throw new Error(`${one.event.type} does not belong in the stream of a provider`);
    provider = provider === null ? bornProvider(id, one) : evolveProvider(provider, one);
  }
  if (provider === null) throw new Error(`provider ${id} has no events`);
  return provider;
}
