import { statSync } from "node:fs";
import { userInfo } from "node:os";
import { Failure } from "../../domain/failure.ts";
import type { CommitId, Identity } from "../../ports/workspaces.ts";
import { cloneObjects } from "./clone.ts";
import { setRefs, writeCommit } from "./commit.ts";
import { treeOfCommit } from "./history.ts";
import type { Person } from "./program.ts";
import type { Git, GitCall } from "./run.ts";
import { checkedOutBranch, headOf, overFiles, type Source, withView } from "./source.ts";
import { stageAll } from "./stage.ts";

/**
 * The person's changed and untracked files (ignored ones not) as a commit on top of the base, in the private clone. What
 * was captured under a label stays what it is: the same call gives the same commit, whatever the person did since. So a
 * capture that a crash cut off is finished with what was seen first, and another label sees what is there now.
 *
 * @returns the base itself when nothing is dirty
 */
export async function captureDirty(
  git: Git,
  views: string,
  gitDir: string,
  source: Source,
  base: CommitId,
  owner: Person | null,
  label: string,
): Promise<CommitId> {
  if (!/^[a-z0-9]+$/.test(label)) throw new Error(`not a label: ${label}`);
  const ref = `refs/agentos/adopted/${base}-${label}`;
  const before = await git.run(["rev-parse", "--verify", "-q", ref], { gitDir, answers: [1] });
  if (before.code === 0) return before.stdout.toString("latin1").trim();

  const head = await headOf(git, source);
  if (head !== base)
    throw new Failure(
      "repo/refused",
      `the uncommitted changes in ${source.root} are on top of ${head}, not of ${base}`,
      { next: "Let what is checked out stay as it is while the task begins, then try again." },
    );
  const branch = await checkedOutBranch(git, source);
  return withView(views, source, async (view) => {
    const call: GitCall = { ...overFiles(view.call, source), objects: `${gitDir}/objects` };
    // Asked before: what is staged counts as merged, conflict markers and all.
    const { stdout: unmerged } = await git.run(["ls-files", "-z", "--unmerged"], call);
    if (unmerged.byteLength > 0)
      throw new Failure("repo/refused", `${source.root} has an unfinished merge`, {
        next: "Finish or abort it, then try again.",
      });
    await stageAll(git, call, new Set());
    const tree = (await git.run(["write-tree"], call)).stdout.toString("latin1").trim();
    const isClean = tree === (await treeOfCommit(git, { gitDir }, base));
    const message = `uncommitted changes of ${branch ?? "a detached HEAD"}`;
    const commit = isClean
      ? base
      : await writeCommit(
          git,
          { gitDir, alternates: [source.objects] },
          tree,
          [base],
          message,
          personOf(source),
          Date.now(),
        );
    // What was staged lies in the person's objects only.
    await cloneObjects(git, source, gitDir, commit, owner);
    await setRefs(git, { gitDir }, [[ref, commit]]);
    return commit;
  });
}

/** Who the repository says its person is; else the owner of its files. */
function personOf(source: Source): Identity {
  const { uid } = statSync(source.root);
  const login = uid === process.getuid?.() ? accountName(uid) : "person";
  return {
    name: source.config.get("user.name") ?? login,
    email: source.config.get("user.email") ?? `${login}@localhost`,
  };
}

function accountName(uid: number): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${uid}`; // the system has no account of that number; there is nothing else to call it
  }
}
