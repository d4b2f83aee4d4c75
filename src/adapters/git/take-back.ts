import { Failure } from "../../domain/failure.ts";
import type { CommitId } from "../../ports/workspaces.ts";
import { branchRef, compareAndSet, moved, quietHolders } from "./deliver.ts";
import { follow } from "./follow.ts";
import type { Git } from "./run.ts";
import { asId, resolveRef, type Source, withPersonsView } from "./source.ts";

/**
 * Undoes `moveBranchOf(from, to)` in the same order: the branch first, by compare-and-set, then its files, then the index, so that a
 * crash anywhere is finished by the same call. What the way there left half-done is finished before: only from a whole checkout is it
 * clear which file is whose. Never forced: a branch that is not exactly at `to`, and files with somebody's changes, are refused.
 */
export async function takeBackOf(
  git: Git,
  source: Source,
  branch: string,
  from: CommitId | null,
  to: CommitId,
  how: "go" | "try",
): Promise<void> {
  const ref = await branchRef(git, branch);
  asId(to);
  if (from !== null) asId(from);
  const places = quietHolders(source, branch);
  await withPersonsView(source, async (view) => {
    const now = await resolveRef(git, source, ref);
    if (now !== to && now !== from) throw moved(branch, to, now);
    const move = async (): Promise<void> => {
      if (now === to) await compareAndSet(git, source, branch, to, from);
    };
    if (from === null || places.length === 0) {
      if (from === null && places[0] !== undefined && now !== null)
        throw new Failure("delivery/refused", `${branch} is checked out in ${places[0].root} by now`);
      if (how === "go") await move();
    } else {
      if (now === to) await follow(git, view.call, places, from, to, async () => undefined);
      await follow(git, view.call, places, to, from, how === "go" ? move : null);
    }
    await git.sync(source.commonDir);
  });
}
