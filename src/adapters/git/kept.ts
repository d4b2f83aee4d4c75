import { randomUUID } from "node:crypto";
import type { CommitId } from "../../ports/workspaces.ts";
import { setRefs, writeCommit } from "./commit.ts";
import { type ByteName, records, toByteName } from "./names.ts";
import { removeTree } from "./removal.ts";
import type { Git, GitCall } from "./run.ts";

/** Nobody wrote this commit, and it is the same whenever it is made. */
const NOBODY = { name: "AgentOS", email: "agentos@localhost" };
const WHOLE_TREE_MOST = 1_000;

/** See `Workspaces.withPathsOf`. */
export async function withPathsOf(
  git: Git,
  gitDir: string,
  commit: CommitId,
  base: CommitId,
  paths: readonly string[],
): Promise<{ readonly commit: CommitId; readonly tree: string }> {
  const index = `${gitDir}/agentos-index-${randomUUID()}`;
  const call: GitCall = { gitDir, index };
  const names = [...new Set(paths.map(toByteName))].sort();
  try {
    await git.run(["read-tree", commit], call);
    const there = await entriesOf(git, call, base, names);
    // First all are taken out: a file where a directory has to be would be in the way.
    const lines = [
      ...names.map((name) => `0 ${"0".repeat(commit.length)}\t${name}\0`),
      ...there.map((record) => `${record}\0`),
    ];
    await git.run(["update-index", "-z", "--index-info"], { ...call, input: Buffer.from(lines.join(""), "latin1") });
    const tree = await git.line(["write-tree"], call);
    const made = await writeCommit(git, { gitDir }, tree, [commit], "The tests as they were\n", NOBODY, 0);
    await setRefs(git, { gitDir }, [[`refs/agentos/kept/${made}`, made]]);
    await git.sync(gitDir);
    return { commit: made, tree };
  } finally {
    await removeTree(toByteName(index));
  }
}

/** Records of these paths as `update-index --index-info` takes them. */
async function entriesOf(git: Git, call: GitCall, base: CommitId, names: readonly ByteName[]): Promise<string[]> {
  const wanted = new Set(names);
  const found: string[] = [];
  for (let at = 0; at < names.length; at += WHOLE_TREE_MOST) {
    const part = names.slice(at, at + WHOLE_TREE_MOST);
    const listed = await git.run(["ls-tree", "-z", "--full-tree", base, "--", ...part.map(asText)], call);
    found.push(...records(listed.stdout).filter((record) => wanted.has(record.slice(record.indexOf("\t") + 1))));
  }
  return found;
}

const asText = (name: ByteName): string => Buffer.from(name, "latin1").toString("utf8");
