import type { CommitId, Moved } from "../../ports/workspaces.ts";
import { branchHeadOf } from "./deliver.ts";
import { records, toText } from "./names.ts";
import type { Git, GitCall } from "./run.ts";
import { asId, type Source, withView } from "./source.ts";

/**
 * What a branch has gained since a base, and whether work on top of that base would merge with it. Everything is computed in a directory
 * of its own: neither the clone nor the person's repository gains an object.
 */
export async function movedSince(
  git: Git,
  views: string,
  gitDir: string,
  source: Source,
  branch: string,
  base: CommitId,
  candidate: CommitId | null,
): Promise<Moved> {
  const head = await branchHeadOf(git, source, branch);
  if (head === null || head === base) return { head, commits: 0, conflicts: [] };
  return withView(views, source, async (view) => {
    const call: GitCall = { ...view.call, alternates: [source.objects, `${gitDir}/objects`] };
    const [known, mine] = [asId(base), asId(candidate ?? base)];
    const counted = await git.line(["rev-list", "--count", head, `^${known}`, `^${mine}`], call);
    const merged = await git.run(["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", head, mine], {
      ...call,
      answers: [1],
    });
    const [, ...paths] = merged.code === 1 ? records(merged.stdout) : [];
    return {
      head,
      commits: Number(counted),
      conflicts: [...new Set(paths.filter((path) => path !== "").map(toText))].sort(),
    };
  });
}
