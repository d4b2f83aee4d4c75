import type { Actor } from "../domain/actor.ts";
import { Failure } from "../domain/failure.ts";
import type { Project } from "../domain/project.ts";
import type { Loaded } from "../ports/task-log.ts";
import type { AppDependencies } from "./deps.ts";
import { freezeTask } from "./freeze-task.ts";
import { findProject } from "./projects.ts";

/**
 * Binds a draft to a project. A spec that was frozen without a project had no repository to pin its gates on, so it is completed
 * from the project and frozen again as a new version.
 */
export async function bindTask(deps: AppDependencies, by: Actor, id: string, wanted: string): Promise<Loaded> {
  const project = await findProject(deps, wanted);
  const { task } = await deps.log.load(id);
  const bound = await deps.log.give(id, { type: "bind", by, ...bindingTo(project) });
  return task.spec === null ? bound : freezeTask(deps, by, id);
}

/** What being bound to the project means: its id, and each repo's id by name. A project without a repository takes no task. */
export function bindingTo(project: Project): {
  readonly project: string;
  readonly repos: Readonly<Record<string, string>>;
} {
  if (project.repos.length === 0)
    throw new Failure("project/refused", `the project ${project.name} has no repository`, {
      next: `agentos repo add PATH --project ${project.name}`,
    });
  return { project: project.id, repos: Object.fromEntries(project.repos.map((repo) => [repo.name, repo.id])) };
}
