import { Failure } from "../domain/failure.ts";
import type { EngineDependencies } from "./deps.ts";
import type { Hold } from "./hold.ts";

/**
 * The journal names the states a task may go back to; refs only keep git from losing them. Each claim makes the refs say what the journal
 * says. After a death it also reads those states whole, because what a power cut took is better known now than in the middle of a restore.
 */
export async function repairRefs(deps: EngineDependencies, hold: Hold): Promise<void> {
  const task = hold.task();
  for (const [repo, base] of Object.entries(task.bases ?? {})) {
    const clone = { task: hold.id, repo };
    const candidate = task.candidate?.[repo];
    const trees = [task.baseTrees[repo], task.trees[repo], task.openStep?.before[repo]].filter(
      (tree) => tree !== undefined,
    );
    await deps.workspaces.keep(clone, [
      base.commit,
      ...trees,
      ...(candidate === undefined ? [] : [candidate.base, candidate.commit]),
    ]);
    if (task.deaths === 0) continue;
    for (const tree of new Set(trees))
      if (!(await deps.workspaces.verifyTree(clone, tree)))
        throw new Failure(
          "store/corrupt",
          `the state ${tree} of ${repo}, which the journal names, is not whole any more`,
          {
            next: `agentos task revise ${hold.id} begins again from the repository as it is now.`,
          },
        );
  }
}
