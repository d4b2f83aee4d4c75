import type { Actor } from "../domain/actor.ts";
import { Failure } from "../domain/failure.ts";
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
  if (project.repos.length === 0)
    throw new Failure("project/refused", `the project ${project.name} has no repository`, {
      next: `agentos repo add PATH --project ${project.name}`,
    });
  const repos = Object.fromEntries(project.repos.map((repo) => [repo.name, repo.id]));
  const { task } = await deps.log.load(id);
  const bound = await deps.log.give(id, { type: "bind", by, project: project.id, repos });
  return task.spec === null ? bound : freezeTask(deps, by, id);
}
