import type { AppDependencies } from "./deps.ts";
import { type Pins, pinRepo } from "./pin-repo.ts";
import { findProject } from "./projects.ts";

/** What a spec frozen now would pin for one repository. */
export interface OfferedGates extends Pins {
  readonly repo: string;
  readonly root: string;
}

const NOTHING_NAMED = { prepare: [] };

/** For the repository around a path, in a project or not. `toolPath`: the person's PATH; null: that of the repo's project, else the daemon's. */
export async function detectGates(
  deps: AppDependencies,
  path: string,
  toolPath: readonly string[] | null,
): Promise<OfferedGates> {
  const { root } = await deps.workspaces.inspect(path);
  const project = await deps.store.projects.projectOfPath(root);
  const known = project?.repos.find((repo) => repo.path === root);
  const repo = {
    id: known?.id ?? "",
    ...(known?.directory !== undefined && { directory: known.directory }),
    name: known?.name ?? root.split("/").findLast((part) => part !== "") ?? "repo",
    path: root,
    toolPath: toolPath ?? known?.toolPath ?? deps.toolPath,
  };
  return {
    repo: repo.name,
    root,
    ...(await pinRepo(deps, repo, known?.defaultBranch ?? null, [], NOTHING_NAMED, true)),
  };
}

/** For every repo of a project. */
export async function gatesOfProject(deps: AppDependencies, wanted: string): Promise<readonly OfferedGates[]> {
  const project = await findProject(deps, wanted);
  const offered: OfferedGates[] = [];
  for (const repo of project.repos)
    offered.push({
      repo: repo.name,
      root: repo.path,
      ...(await pinRepo(deps, repo, repo.defaultBranch, [], NOTHING_NAMED, project.repos.length === 1)),
    });
  return offered;
}
