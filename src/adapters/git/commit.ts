import { Failure } from "../../domain/failure.ts";
import type { CommitId, Identity } from "../../ports/workspaces.ts";
import type { Git, GitCall } from "./run.ts";

/** Writes a commit; the committer is AgentOS, and equal arguments give the equal commit. */
export async function writeCommit(
  git: Git,
  call: GitCall,
  tree: string,
  parents: readonly CommitId[],
  message: string,
  author: Identity,
  atMs: number,
): Promise<CommitId> {
  const date = `@${Math.floor(atMs / 1000)} +0000`;
  return git.line(["commit-tree", tree, ...parents.flatMap((parent) => ["-p", parent]), "-F", "-"], {
    ...call,
    input: message.endsWith("\n") ? message : `${message}\n`,
    environment: {
      ...call.environment,
      GIT_AUTHOR_NAME: plain(author.name, "unknown"),
      GIT_AUTHOR_EMAIL: plain(author.email, "unknown@localhost"),
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_DATE: date,
    },
  });
}

/** Git takes these characters away itself, and refuses a name of which nothing is left. */
function plain(text: string, otherwise: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  const left = text.replace(/[\x00-\x1f<>]/g, " ").replace(/^[\s.,:;"'\\]+|[\s.,:;"'\\]+$/g, "");
  return left === "" ? otherwise : left;
}

const KEPT = "refs/agentos/keep/";

/** Names exactly these objects under `refs/agentos/keep`; a missing one is `Failure("store/corrupt")`, and then nothing changes. */
export async function keepExactly(git: Git, gitDir: string, ids: ReadonlySet<string>): Promise<void> {
  const checked = await git.line(["cat-file", "--batch-check=%(objecttype)"], {
    gitDir,
    input: [...ids].map((id) => `${id}\n`).join(""),
  });
  const missing = checked.split("\n").find((line) => line.endsWith(" missing"));
  if (missing !== undefined)
    throw new Failure(
      "store/corrupt",
      `${missing.slice(0, missing.indexOf(" "))} is not in the private clone ${gitDir}`,
    );
  const listed = await git.line(["for-each-ref", "--format=%(refname) %(objectname)", KEPT], { gitDir });
  const there = new Set(listed.split("\n").filter((line) => line !== ""));
  const wanted = new Set([...ids].map((id) => `${KEPT}${id} ${id}`));
  const lines = [
    ...[...there].filter((ref) => !wanted.has(ref)).map((ref) => `delete ${ref.split(" ")[0]}\0\0`),
    ...[...wanted].filter((ref) => !there.has(ref)).map((ref) => `update ${ref.replace(" ", "\0")}\0\0`),
  ];
  if (lines.length > 0) await git.run(["update-ref", "-z", "--stdin"], { gitDir, input: lines.join("") });
}

/** Makes refs point somewhere, whatever they pointed to: for our own names only. */
export async function setRefs(git: Git, call: GitCall, refs: readonly (readonly [string, string])[]): Promise<void> {
  if (refs.length === 0) return;
  const lines = refs.map(([ref, id]) => `update ${ref}\0${id}\0\0`).join("");
  await git.run(["update-ref", "-z", "--stdin"], { ...call, input: lines });
}
