import { randomUUID } from "node:crypto";
import { lstatSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Failure, isFailure } from "../../domain/failure.ts";
import { parseRemote, type Remote } from "../../domain/remote.ts";
import type { CommitId, RepoState } from "../../ports/workspaces.ts";
import { recoverLocks } from "./clone.ts";
import { setRefs } from "./commit.ts";
import type { RemoteAccess } from "./credentials.ts";
import { branchRef } from "./deliver.ts";
import { unsupportedContent } from "./inspect.ts";
import type { Layout } from "./layout.ts";
import { toByteName } from "./names.ts";
import { talk } from "./network.ts";
import { refusalOfPush } from "./remote-trouble.ts";
import { removeTree } from "./removal.ts";
import type { Git, GitCall } from "./run.ts";
import { findSource, isId, makeGitDirectory, resolveRef, type Source, withView } from "./source.ts";

/** What a remote repository said it has. */
export interface Advertised {
  /** Branch its HEAD names; null when it has none. */
  readonly branch: string | null;
  /** Commit per full ref name, branches and tags. */
  readonly refs: ReadonlyMap<string, CommitId>;
}

/**
 * Bare mirrors of remote repositories, one per url, outside of every sandbox. A mirror holds the remote's branches and tags as they were
 * when it was last refreshed, and beside them `refs/agentos/*` of ours, which a refresh never touches. Whatever the rest of this adapter
 * does with a person's local repository it does with the mirror of a remote one; only `push` changes the remote.
 */
export interface Mirrors {
  /** As it lies there, without asking the remote; fetched first when there is none yet. */
  source(url: string): Promise<Source>;
  /** Null where nothing was ever fetched. */
  known(url: string): Promise<Source | null>;
  /** Brought up to what the remote has now. `Failure("remote/…")` when that cannot be had. */
  refreshed(url: string): Promise<Source>;
  inspect(url: string, branch: string | null): Promise<Omit<RepoState, "below">>;
  advertised(url: string): Promise<Advertised & { readonly credentials: string }>;
  /**
   * Moves (or creates, `from: null`) a branch of the remote, forward only, and only if it is exactly at `from` there in the moment it
   * moves. Already at `to`: nothing is sent. `Failure("remote/moved")` when somebody was faster.
   */
  push(url: string, branch: string, from: CommitId | null, to: CommitId): Promise<void>;
}

export function mirrorsUnder(git: Git, layout: Layout, access: RemoteAccess): Mirrors {
  const turns = new Map<string, Promise<unknown>>();
  const recovered = new Set<string>();

  /** Of several who want the same mirror changed, one at a time. */
  const alone = <T>(url: string, work: () => Promise<T>): Promise<T> => {
    const next = (turns.get(url) ?? Promise.resolve()).then(work, work);
    const settled = next
      .catch(() => undefined)
      .finally(() => {
        if (turns.get(url) === settled) turns.delete(url);
      });
    turns.set(url, settled);
    return next;
  };

  const known = async (url: string): Promise<Source | null> => {
    const gitDir = layout.mirror(url);
    if (lstatSync(gitDir, { throwIfNoEntry: false }) === undefined) return null;
    if (!recovered.has(gitDir)) {
      recovered.add(gitDir);
      await recoverLocks(gitDir);
    }
    return findSource(git, gitDir);
  };

  const advertised = async (remote: Remote) => {
    const { answer, credentials } = await talk(
      git,
      remote,
      access,
      ["ls-remote", "--symref", "--", remote.url, "HEAD", "refs/heads/*", "refs/tags/*"],
      { gitDir: null },
      "look",
    );
    return { ...advertisedIn(answer.stdout.toString("utf8")), credentials: credentials.kind };
  };

  const fetch = (remote: Remote, gitDir: string): Promise<unknown> =>
    talk(
      git,
      remote,
      access,
      [
        "fetch",
        "-q",
        "--prune",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-recurse-submodules",
        "--no-auto-maintenance",
        "--",
        remote.url,
        "+refs/heads/*:refs/heads/*",
        "+refs/tags/*:refs/tags/*",
      ],
      { gitDir },
      "transfer",
    );

  const setHead = async (gitDir: string, branch: string | null): Promise<void> => {
    if (branch !== null) await git.run(["symbolic-ref", "HEAD", `refs/heads/${branch}`], { gitDir });
    await git.sync(gitDir);
  };

  const make = async (remote: Remote, there: Advertised): Promise<void> => {
    const gitDir = layout.mirror(remote.url);
    mkdirSync(dirname(gitDir), { recursive: true, mode: 0o700 });
    const made = `${gitDir}.new-${randomUUID()}`;
    try {
      const [anId = ""] = there.refs.values();
      makeGitDirectory(made, anId.length === 64 ? "sha256" : "sha1", ["\tsharedRepository = 0644"]);
      writeFileSync(`${made}/description`, `${remote.url}\n`);
      await fetch(remote, made);
      await setHead(made, there.branch);
      renameSync(made, gitDir);
      await git.sync(dirname(gitDir));
    } finally {
      await removeTree(toByteName(made));
    }
  };

  const refreshed = (url: string): Promise<Source> =>
    alone(url, async () => {
      const remote = parseRemote(url);
      const there = await advertised(remote);
      const mirror = await known(url);
      if (mirror === null) await make(remote, there);
      else if (!(await isEqual(git, mirror, there))) {
        await fetch(remote, mirror.gitDir);
        await setHead(mirror.gitDir, there.branch);
      }
      return findSource(git, layout.mirror(url));
    });

  const send = async (remote: Remote, { gitDir }: Source, branch: string, lease: string, refspec: string) => {
    const { answer, credentials } = await talk(
      git,
      remote,
      access,
      ["push", "--porcelain", lease, "--", remote.url, refspec],
      { gitDir, answers: [1] },
      "transfer",
    );
    const refused = /^!\t\S+\t(.*)$/m.exec(answer.stdout.toString("utf8"))?.[1];
    if (answer.code !== 0 || refused !== undefined)
      throw refusalOfPush(remote, branch, refused ?? "", answer.stderr, credentials.secrets);
  };

  return {
    known,
    refreshed,
    source: async (url) => (await known(url)) ?? refreshed(url),
    advertised: (url) => advertised(parseRemote(url)),
    async inspect(url, wanted) {
      const source = await refreshed(url);
      const branch = wanted ?? (await headBranch(git, source));
      const head = branch === null ? null : await resolveRef(git, source, await branchRef(git, branch));
      const facts = { root: url, head, branch, dirty: [] };
      if (head === null)
        return {
          ...facts,
          unsupported: [
            branch === null || wanted === null
              ? "it has no commit on its default branch yet: push something first"
              : `it has no branch ${branch}: name another default branch`,
          ],
        };
      const unsupported = await withView(layout.views, source, (view) =>
        unsupportedContent(git, view.call, source, head),
      );
      return { ...facts, unsupported };
    },
    push: (url, branch, from, to) =>
      alone(url, async () => {
        const remote = parseRemote(url);
        const ref = await branchRef(git, branch);
        const mirror = await known(url);
        if (mirror === null) throw new Failure("repo/refused", `nothing of ${url} was ever fetched`);
        const call: GitCall = { gitDir: mirror.gitDir };
        if (from !== null && !(await isForward(git, call, from, to)))
          throw new Failure(
            "delivery/refused",
            `${to} does not build on ${from}: moving ${branch} there would throw commits away`,
          );
        const isThere = async (): Promise<boolean> => (await advertised(remote)).refs.get(ref) === to;
        if (!(await isThere()))
          try {
            await send(remote, mirror, branch, `--force-with-lease=${ref}:${from ?? ""}`, `${to}:${ref}`);
          } catch (error) {
            // A connection may break after the remote has taken everything: what counts is what is there.
            if (!isFailure(error) || !(await isThere().catch(() => false))) throw error;
          }
        await setRefs(git, call, [[ref, to]]);
        await git.sync(mirror.gitDir);
      }),
  };
}

/** `git ls-remote --symref`: `ref: refs/heads/main<TAB>HEAD`, then `<id><TAB><ref>`; peeled tags (`^{}`) are not refs. */
function advertisedIn(text: string): Advertised {
  let branch: string | null = null;
  const refs = new Map<string, CommitId>();
  for (const line of text.split("\n")) {
    const [first = "", name = ""] = line.split("\t");
    if (first.startsWith("ref: refs/heads/") && name === "HEAD") branch = first.slice("ref: refs/heads/".length);
    else if (isId(first) && /^refs\/(heads|tags)\//.test(name) && !name.endsWith("^{}")) refs.set(name, first);
  }
  return { branch, refs };
}

async function isEqual(git: Git, mirror: Source, { branch, refs }: Advertised): Promise<boolean> {
  const listed = await git.line(["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags"], {
    gitDir: mirror.gitDir,
  });
  const lines = listed.split("\n").filter((line) => line !== "");
  return (
    (branch === null || branch === (await headBranch(git, mirror))) &&
    lines.length === refs.size &&
    lines.every((line) => refs.get(line.slice(line.indexOf(" ") + 1)) === line.slice(0, line.indexOf(" ")))
  );
}

async function headBranch(git: Git, { gitDir }: Source): Promise<string | null> {
  const ref = await git.line(["symbolic-ref", "-q", "HEAD"], { gitDir, answers: [1] });
  return ref.startsWith("refs/heads/") && ref !== "refs/heads/none" ? ref.slice("refs/heads/".length) : null;
}

const isForward = async (git: Git, call: GitCall, from: CommitId, to: CommitId): Promise<boolean> =>
  (await git.run(["merge-base", "--is-ancestor", from, to], { ...call, answers: [1, 128] })).code === 0;
