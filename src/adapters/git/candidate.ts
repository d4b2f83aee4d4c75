import { randomUUID } from "node:crypto";
import type { Candidate, CommitId, Identity } from "../../ports/workspaces.ts";
import { setRefs, writeCommit } from "./commit.ts";
import { changesBetween, treeOfCommit } from "./history.ts";
import { type ByteName, toByteName, toText } from "./names.ts";
import { removeTree } from "./removal.ts";
import type { Git, GitCall } from "./run.ts";
import { type LeftOut, stageAll } from "./stage.ts";
import { walking } from "./walk.ts";

/** What git would commit of a working directory on top of a base; see `Workspaces.candidate`. */
export async function makeCandidate(
  git: Git,
  gitDir: string,
  root: string,
  base: CommitId,
  message: string,
  author: Identity,
  atMs: number,
  exclude: ReadonlySet<ByteName>,
): Promise<Candidate> {
  const specials = await specialsIn(root, exclude);
  const index = `${gitDir}/agentos-index-${randomUUID()}`;
  const call: GitCall = { gitDir, workTree: root, index };
  try {
    await git.run(["read-tree", base], call);
    const leftOut = await stageAll(git, call, exclude);
    const tree = await git.line(["write-tree"], call);
    const commit = await writeCommit(git, { gitDir }, tree, [base], message, author, atMs);
    await setRefs(git, { gitDir }, [[`refs/agentos/candidate/${commit}`, commit]]);
    await git.sync(gitDir);
    const changed =
      tree === (await treeOfCommit(git, { gitDir }, base)) ? [] : await changesBetween(git, { gitDir }, base, commit);
    const all = [...specials, ...leftOut].sort((a, b) => (a.path < b.path ? -1 : 1));
    return { commit, tree, changed, leftOut: all };
  } finally {
    await removeTree(toByteName(index));
  }
}

/** Sockets, pipes, devices and paths too deep: git passes over them without a word. */
const specialsIn = (root: string, exclude: ReadonlySet<ByteName>): Promise<LeftOut[]> =>
  walking(toByteName(root), new Set([...exclude, ".git"]), async (found) =>
    [...found].flatMap(([path, entry]) =>
      entry.kind === "left-out" ? [{ path: toText(path), reason: entry.reason }] : [],
    ),
  );
