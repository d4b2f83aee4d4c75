import { randomUUID } from "node:crypto";
import { accessSync, constants, lstatSync, mkdirSync } from "node:fs";
import { isFailure } from "../../domain/failure.ts";
import { parseRemote } from "../../domain/remote.ts";
import type { Probe, ProbeAnswer } from "../../ports/workspaces.ts";
import { bytesBelow } from "./clean.ts";
import { writeCommit } from "./commit.ts";
import { credentialsFor, type RemoteAccess } from "./credentials.ts";
import { inspectSource } from "./inspect.ts";
import type { Layout } from "./layout.ts";
import type { Advertised, Mirrors } from "./mirror.ts";
import { toByteName } from "./names.ts";
import { talk } from "./network.ts";
import { refusalOfPush } from "./remote-trouble.ts";
import { removeTree } from "./removal.ts";
import { AGENTOS, type Git } from "./run.ts";
import { findSource, makeGitDirectory } from "./source.ts";

/** A name no repository has a use for; a dry run makes it nowhere. */
const PROBE_REF = "refs/agentos/probe";

/** Looks whether a local repository can be read and written; nothing is written. */
export async function probeLocal(git: Git, layout: Layout, path: string): Promise<Probe> {
  const source = await findSource(git, path);
  const state = await inspectSource(git, layout.views, source);
  return {
    kind: "local",
    read: yes("its refs and its last commit were read"),
    write: mayWrite(source.objects, source.commonDir),
    branch: state.branch,
    bytes: await bytesBelow(source.objects),
    credentials: "none needed",
    notes: state.unsupported,
  };
}

function mayWrite(...directories: readonly string[]): ProbeAnswer {
  try {
    for (const directory of directories) accessSync(directory, constants.W_OK | constants.X_OK);
    return yes("the system lets the daemon write there; nothing was written");
  } catch {
    return {
      ok: false,
      code: "repo/refused",
      says: `the daemon's user may not write in ${directories.join(" and ")}`,
      next: "Deliver as a patch, or give that user access.",
    };
  }
}

/**
 * Asks a remote repository what it has, fetches it, and goes through a push up to the moment in which something would be sent. That shows
 * that these credentials may open a push; it cannot show what the server's rules say to a particular branch or commit.
 */
export async function probeRemote(
  git: Git,
  layout: Layout,
  mirrors: Mirrors,
  access: RemoteAccess,
  url: string,
  branch: string | null,
): Promise<Probe> {
  let credentials = "none found";
  const read = await answered(async () => {
    credentials = (await credentialsFor(git, parseRemote(url), access)).kind;
    const there = await mirrors.advertised(url);
    return { there, state: await mirrors.inspect(url, branch) };
  });
  if ("refused" in read)
    return {
      kind: "remote",
      read: read.refused,
      write: { ...read.refused, says: "not tried, because it could not be read" },
      branch: null,
      bytes: await sizeOf(layout, url),
      credentials,
      notes: [],
    };
  const { there, state } = read.value;
  const write = await answered(() => dryRun(git, layout, access, url, there));
  const shallow = lstatSync(`${layout.mirror(url)}/shallow`, { throwIfNoEntry: false }) !== undefined;
  return {
    kind: "remote",
    read: yes(`its branches and tags were listed and fetched (${there.refs.size})`),
    write:
      "refused" in write
        ? write.refused
        : yes(
            "a push was opened and not sent: these credentials may push; rules for single branches show only when one is pushed",
          ),
    branch: state.branch,
    bytes: await sizeOf(layout, url),
    credentials,
    notes: [...state.unsupported, ...(shallow ? ["its history is cut off on the server (a shallow repository)"] : [])],
  };
}

const yes = (says: string): ProbeAnswer => ({ ok: true, code: null, says, next: null });

async function answered<T>(ask: () => Promise<T>): Promise<{ readonly value: T } | { readonly refused: ProbeAnswer }> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { refused: { ok: false, code: error.code, says: error.message, next: error.next } };
  }
}

const sizeOf = async (layout: Layout, url: string): Promise<number | null> =>
  lstatSync(layout.mirror(url), { throwIfNoEntry: false }) === undefined ? null : bytesBelow(layout.mirror(url));

/** With an empty commit in a repository of its own, so that nothing of anybody's work could leave even by mistake. */
async function dryRun(
  git: Git,
  layout: Layout,
  access: RemoteAccess,
  url: string,
  { refs }: Advertised,
): Promise<void> {
  const remote = parseRemote(url);
  const [anId = ""] = refs.values();
  mkdirSync(layout.views, { recursive: true, mode: 0o700 });
  const gitDir = makeGitDirectory(`${layout.views}/${randomUUID()}`, anId.length === 64 ? "sha256" : "sha1");
  try {
    const tree = await git.line(["mktree"], { gitDir, input: "" });
    const commit = await writeCommit(git, { gitDir }, tree, [], "A dry run of AgentOS", AGENTOS, 0);
    const { answer, credentials } = await talk(
      git,
      remote,
      access,
      ["push", "--dry-run", "--porcelain", "--", url, `${commit}:${PROBE_REF}`],
      { gitDir, answers: [1] },
      "look",
    );
    if (answer.code !== 0)
      throw refusalOfPush(
        remote,
        PROBE_REF,
        answer.stdout.toString("utf8").slice(0, 500),
        answer.stderr,
        credentials.secrets,
      );
  } finally {
    await removeTree(toByteName(gitDir));
  }
}
