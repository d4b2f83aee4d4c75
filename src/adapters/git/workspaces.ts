import { chmodSync, chownSync, lstatSync, mkdirSync, realpathSync, renameSync } from "node:fs";
import { dirname, relative } from "node:path";
import { Failure } from "../../domain/failure.ts";
import { isRemote } from "../../domain/remote.ts";
import type { CloneRef, TreeId, WorkspaceRef, Workspaces } from "../../ports/workspaces.ts";
import { movedSince } from "./behind.ts";
import { makeCandidate } from "./candidate.ts";
import { checkOut, UNFINISHED } from "./checkout.ts";
import {
  bytesBelow,
  keepElsewhere,
  findOrNull as localOrNull,
  mirrorsOf,
  namesIn,
  notInGit,
  packLoose,
  reposOf,
  useOf,
  worksOf,
} from "./clean.ts";
import { cloneObjects, recoverLocks } from "./clone.ts";
import { keepExactly, setRefs } from "./commit.ts";
import { NO_ACCESS, type RemoteAccess } from "./credentials.ts";
import { branchHeadOf, mergeOf, moveBranchOf, outlookOf, publish, standingIn } from "./deliver.ts";
import { captureDirty } from "./dirty.ts";
import { listFilesIn, readFileIn, writeFileIn } from "./files.ts";
import { dropDeadLock, holders } from "./follow.ts";
import {
  changedTexts,
  changesBetween,
  diffBetween,
  digestsIn,
  isTreeWhole,
  patchOf,
  pathsIn,
  textAt,
  treeOfCommit,
} from "./history.ts";
import { inspectSource } from "./inspect.ts";
import { withPathsOf } from "./kept.ts";
import { layoutUnder, objectsInside } from "./layout.ts";
import { mirrorsUnder } from "./mirror.ts";
import { treeDifferences } from "./named.ts";
import { type ByteName, toByteName } from "./names.ts";
import { probeLocal, probeRemote } from "./probe.ts";
import type { Person } from "./program.ts";
import { removeTree } from "./removal.ts";
import { makeEqual } from "./restore.ts";
import { hardenedGit } from "./run.ts";
import { EMPTY_CACHE, type Snapshot, type StatCache, snapshot, snapshotOf } from "./snapshot.ts";
import { asId, findSource, type Source, sourceAt, withView } from "./source.ts";
import { excluded } from "./stage.ts";
import { takeBackOf } from "./take-back.ts";
import { type Walk, walking } from "./walk.ts";

/** Lock files of large repositories have tens of MiB. What is larger is refused, because a file passed over would count as absent. */
const TEXT_BYTES_MAX = 64 * 1024 * 1024;
const PATHS_MAX = 100_000;
/** Workspaces whose stat cache is kept: the ones being worked on. */
const CACHES_MAX = 32;

/**
 * Workspaces as git repositories under `<home>/workspaces` (see layout.ts).
 *
 * @param options.owner whom the files of working directories belong to, when that is not the daemon's own user
 * @param options.remotes how remote repositories are reached; without it only those that ask for nothing
 * @param options.toolPath PATH on which git and coreutils are looked for; the system's directories by default
 */
export function gitWorkspaces(options: {
  readonly home: string;
  readonly owner: Person | null;
  readonly toolPath?: string;
  readonly remotes?: RemoteAccess;
}): Workspaces {
  const { home, owner } = options;
  const git = hardenedGit(options.toolPath);
  const layout = layoutUnder(home);
  const caches = new Map<string, StatCache>();
  const recovered = new Map<string, Promise<void>>();

  mkdirSync(layout.top, { recursive: true, mode: 0o700 });

  /** The private clone's git directory, rid of what a killed git of an earlier process left there. */
  const cloneOf = async (clone: CloneRef): Promise<string> => {
    const gitDir = layout.clone(clone);
    if (lstatSync(gitDir, { throwIfNoEntry: false }) === undefined)
      throw new Failure("repo/not-found", `task ${clone.task} has no clone of ${clone.repo}`, {
        next: `Its workspace was removed; what is recorded of the task stays (agentos task show ${clone.task}). agentos task fork ${clone.task} has the work done again, from the same base.`,
      });
    const recovering = recovered.get(gitDir) ?? recoverLocks(gitDir);
    recovered.set(gitDir, recovering);
    await recovering;
    return gitDir;
  };

  const mirrors = mirrorsUnder(git, layout, options.remotes ?? NO_ACCESS);
  /** A person's repository, or the mirror of a remote one as it was last seen. */
  const sourceOf = (place: string): Promise<Source> => (isRemote(place) ? mirrors.source(place) : sourceAt(git, place));
  /** The same, as it is now. */
  const presentOf = (place: string): Promise<Source> =>
    isRemote(place) ? mirrors.refreshed(place) : sourceAt(git, place);
  const findOrNull = async (place: string | undefined): Promise<Source | null> =>
    place !== undefined && isRemote(place) ? mirrors.known(place) : localOrNull(git, place);

  const usable = async (path: string): Promise<Source> => {
    if (isRemote(path)) return mirrors.source(path);
    const source = await sourceAt(git, path);
    if (source.bare)
      throw new Failure("repo/unsupported", `${source.root} is a bare repository`, {
        next: "Clone it and add the clone.",
      });
    return source;
  };

  const remember = (work: string, cache: StatCache): void => {
    caches.delete(work);
    caches.set(work, cache);
    for (const oldest of caches.keys()) {
      if (caches.size <= CACHES_MAX) break;
      caches.delete(oldest);
    }
  };

  const present = (workspace: WorkspaceRef): string => {
    const work = layout.work(workspace);
    if (lstatSync(work, { throwIfNoEntry: false })?.isDirectory()) return work;
    throw new Failure(
      "repo/not-found",
      `task ${workspace.task} has no working directory of ${workspace.repo} in epoch ${workspace.epoch}`,
    );
  };

  const take = async (workspace: WorkspaceRef, exclude: ReadonlySet<ByteName>): Promise<Snapshot> => {
    const gitDir = await cloneOf(workspace);
    const work = present(workspace);
    const taken = await snapshot(git, gitDir, toByteName(work), exclude, caches.get(work) ?? EMPTY_CACHE);
    remember(work, taken.cache);
    return taken.snapshot;
  };

  const rescue = async (workspace: WorkspaceRef, tree: TreeId): Promise<string> => {
    const gitDir = await cloneOf(workspace);
    const listed = await git.line(["for-each-ref", "--format=%(objectname) %(refname)", "refs/agentos/rescue"], {
      gitDir,
    });
    const refs = listed.split("\n").map((line) => line.split(" "));
    const same = refs.find(([id]) => id === tree)?.[1];
    if (same !== undefined) return same;
    const taken = new Set(refs.map(([, ref]) => ref));
    let number = 1;
    while (taken.has(`refs/agentos/rescue/${workspace.epoch}-${number}`)) number += 1;
    const ref = `refs/agentos/rescue/${workspace.epoch}-${number}`;
    await setRefs(git, { gitDir }, [[ref, tree]]);
    await git.sync(gitDir);
    return ref;
  };

  /** What moves branches of one repository takes turns: to the next call, the lock of a living one would look like a dead one's. */
  const moving = new Map<string, Promise<unknown>>();
  const aloneIn = async <T>(source: Source, work: (source: Source) => Promise<T>): Promise<T> => {
    const before = moving.get(source.commonDir) ?? Promise.resolve();
    const mine = before.then(() => work(source));
    const ended = mine.catch(() => undefined); // told to whoever asked for it; the next one only waits for its end
    moving.set(source.commonDir, ended);
    try {
      return await mine;
    } finally {
      if (moving.get(source.commonDir) === ended) moving.delete(source.commonDir);
    }
  };

  const restoreOpened = async (workspace: WorkspaceRef, tree: TreeId, exclude: ReadonlySet<ByteName>, found: Walk) => {
    const gitDir = await cloneOf(workspace);
    const work = layout.work(workspace);
    const before = await snapshotOf(git, gitDir, toByteName(work), found, caches.get(work) ?? EMPTY_CACHE);
    const rescued = before.snapshot.id === tree ? null : await rescue(workspace, before.snapshot.id);
    remember(work, before.cache);
    const { whole } = await makeEqual(git, gitDir, toByteName(work), before.snapshot, tree, exclude, owner);
    return { rescued, whole };
  };

  const discard = async (workspace: WorkspaceRef): Promise<void> => {
    const work = layout.work(workspace);
    if (lstatSync(work, { throwIfNoEntry: false }) === undefined) return;
    await rescue(workspace, (await take(workspace, new Set())).id);
    caches.delete(work);
    await removeTree(toByteName(work));
  };

  return {
    inspect: async (place, branch = null) => {
      if (isRemote(place)) return { ...(await mirrors.inspect(place, branch)), below: "" };
      const source = await findSource(git, place);
      return { ...(await inspectSource(git, layout.views, source)), below: relative(source.root, realpathSync(place)) };
    },
    probe: async (place, branch) =>
      isRemote(place)
        ? probeRemote(git, layout, mirrors, options.remotes ?? NO_ACCESS, place, branch)
        : probeLocal(git, layout, place),
    fileAt: async (source, commit, path, bytesMax = TEXT_BYTES_MAX) =>
      withView(layout.views, await sourceOf(source), (view) => textAt(git, view.call, asId(commit), path, bytesMax)),
    pathsAt: async (source, commit, prefix = "", most = PATHS_MAX) =>
      withView(layout.views, await sourceOf(source), (view) => pathsIn(git, view.call, asId(commit), prefix, most)),

    adopt: async (clone, path, base, includeDirty, label = "1") => {
      const source = await usable(path);
      const gitDir = layout.clone(clone);
      asId(base);
      if (lstatSync(gitDir, { throwIfNoEntry: false }) !== undefined) await cloneOf(clone);
      await cloneObjects(git, source, gitDir, base, owner);
      await setRefs(git, { gitDir }, [[`refs/agentos/base/${base}`, base]]);
      // A remote repository has no files that somebody could have left uncommitted.
      const adopted =
        includeDirty && !isRemote(path)
          ? await captureDirty(git, layout.views, gitDir, source, base, owner, label)
          : base;
      await git.sync(gitDir);
      return adopted;
    },

    checkout: async (workspace, commit) => {
      const gitDir = await cloneOf(workspace);
      await discard(workspace);
      const aside = layout.epoch(workspace.task, workspace.epoch);
      mkdirSync(aside, { recursive: true, mode: 0o700 });
      for (const name of namesIn(aside))
        if (name.startsWith(UNFINISHED)) await removeTree(toByteName(`${aside}/${name}`));
      const to = layout.work(workspace);
      await checkOut(git, { gitDir, commit: asId(commit), to, aside, objectsInside: objectsInside(workspace), owner });
      await setRefs(git, { gitDir }, [[`refs/agentos/checkout/${workspace.epoch}`, commit]]);
      return (await take(workspace, new Set())).id;
    },

    handOver: async (from, toEpoch) => {
      const old = layout.work(from);
      const to = layout.work({ ...from, epoch: toEpoch });
      const [before, after] = [old, to].map((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
      if (!before && after) return;
      if (after) throw new Error(`${to} exists already: a handed-over working directory would bury it`);
      present(from);
      const gitDir = await cloneOf(from);
      mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
      const base = await git.run(["rev-parse", "--verify", "-q", `refs/agentos/checkout/${from.epoch}`], {
        gitDir,
        answers: [1],
      });
      if (base.code === 0)
        await setRefs(git, { gitDir }, [[`refs/agentos/checkout/${toEpoch}`, base.stdout.toString("latin1").trim()]]);
      renameSync(old, to);
      const cache = caches.get(old);
      caches.delete(old);
      if (cache !== undefined) remember(to, cache);
      await git.sync(dirname(to));
    },

    exists: async (workspace) => lstatSync(layout.work(workspace), { throwIfNoEntry: false })?.isDirectory() === true,
    path: (workspace) => layout.work(workspace),
    objectsPath: (clone) => `${layout.clone(clone)}/objects`,
    objectsInside,

    snapshot: async (workspace, exclude) => (await take(workspace, excluded(exclude))).id,

    restore: async (workspace, tree, exclude) => {
      const skipped = excluded(exclude);
      const work = layout.work(workspace);
      asId(tree);
      if (lstatSync(work, { throwIfNoEntry: false }) === undefined) {
        mkdirSync(work, { recursive: true, mode: 0o700 });
        chmodSync(work, 0o755);
        if (owner !== null) chownSync(work, owner.uid, owner.gid);
      }
      const { rescued, whole } = await walking(toByteName(work), skipped, async (found, settled) => {
        const done = await restoreOpened(workspace, tree, skipped, found);
        settled();
        return done;
      });
      const after = await take(workspace, skipped);
      if (whole && after.id !== tree) throw new Error(`${work} is ${after.id} after restoring ${tree}`);
      return { rescued };
    },

    verifyTree: async (clone, tree) => isTreeWhole(git, { gitDir: await cloneOf(clone) }, tree),

    readFile: async (workspace, path, bytesMax) => readFileIn(present(workspace), path, bytesMax),
    writeFile: async (workspace, path, content, executable) =>
      writeFileIn(present(workspace), path, content, executable, owner),
    listFiles: async (workspace, prefix, most) => listFilesIn(present(workspace), prefix, most),

    candidate: async (workspace, base, message, author, atMs, exclude) =>
      makeCandidate(
        git,
        await cloneOf(workspace),
        present(workspace),
        asId(base),
        message,
        author,
        atMs,
        excluded(exclude),
      ),

    gateCheckout: async (workspace, commit, name) => {
      const gitDir = await cloneOf(workspace);
      const to = layout.gate(workspace, name);
      await removeTree(toByteName(dirname(to)));
      mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
      await checkOut(git, {
        gitDir,
        commit: asId(commit),
        to,
        aside: dirname(to),
        objectsInside: objectsInside(workspace),
        owner,
      });
      return { path: to, tree: await treeOfCommit(git, { gitDir }, commit) };
    },
    dropGateCheckout: async (workspace, name) => removeTree(toByteName(dirname(layout.gate(workspace, name)))),

    treeOf: async (clone, commit) => treeOfCommit(git, { gitDir: await cloneOf(clone) }, commit),
    diff: async (clone, from, to, bytesMax) => diffBetween(git, { gitDir: await cloneOf(clone) }, from, to, bytesMax),
    changes: async (clone, from, to) => changesBetween(git, { gitDir: await cloneOf(clone) }, from, to),
    textAt: async (clone, commit, path, bytesMax = TEXT_BYTES_MAX) =>
      textAt(git, { gitDir: await cloneOf(clone) }, asId(commit), path, bytesMax),
    changedTexts: async (clone, from, to, most, bytesMax) =>
      changedTexts(git, { gitDir: await cloneOf(clone) }, asId(from), asId(to), most, bytesMax),
    withPathsOf: async (clone, commit, base, paths) =>
      withPathsOf(git, await cloneOf(clone), asId(commit), asId(base), paths),
    treeChanges: async (clone, from, to) => treeDifferences(git, await cloneOf(clone), asId(from), asId(to)),
    digestsAt: async (clone, commit, paths) => digestsIn(git, { gitDir: await cloneOf(clone) }, commit, paths),

    outlook: async (clone, source, branch, base, candidate) =>
      outlookOf(git, layout.views, await cloneOf(clone), await presentOf(source), branch, asId(base), asId(candidate)),
    movedSince: async (clone, source, branch, base, candidate) =>
      movedSince(git, layout.views, await cloneOf(clone), await presentOf(source), branch, base, candidate),
    mergeWith: async (clone, source, branch, candidate, message, author, atMs) =>
      mergeOf(git, await cloneOf(clone), await sourceOf(source), branch, candidate, message, author, atMs, owner),
    publishRef: async (clone, source, commit, name) =>
      publish(git, await cloneOf(clone), await sourceOf(source), [[`refs/agentos/${name}`, commit]]),
    moveBranch: async (place, branch, from, to) => {
      if (!isRemote(place))
        return aloneIn(await sourceAt(git, place), (source) => moveBranchOf(git, source, branch, from, to));
      await mirrors.push(place, branch, from === null ? null : asId(from), asId(to));
      return { checkoutFollowed: false };
    },
    tryMove: async (place, branch, from, to) => {
      // What a remote would say to a push is known when it is pushed; where its branch is was asked just now.
      if (isRemote(place)) return;
      await aloneIn(await sourceAt(git, place), (source) => moveBranchOf(git, source, branch, from, to, "try"));
    },
    takeBack: async (place, branch, from, to, only = "go") => {
      if (isRemote(place))
        throw new Failure(
          "delivery/refused",
          `${branch} of ${place} was pushed, and what is pushed is never taken back`,
        );
      await aloneIn(await sourceAt(git, place), (source) => takeBackOf(git, source, branch, from, to, only));
    },
    freeLocks: async (place, branch) => {
      if (isRemote(place)) return;
      await aloneIn(await sourceAt(git, place), async (source) => {
        for (const holder of holders(source, branch)) dropDeadLock(holder);
      });
    },
    standing: async (clone, source, branch, commit) =>
      standingIn(git, await cloneOf(clone), await presentOf(source), branch, asId(commit)),
    patch: async (clone, base, commit) => patchOf(git, { gitDir: await cloneOf(clone) }, base, commit),
    branchHead: async (source, branch) => branchHeadOf(git, await presentOf(source), branch),

    keep: async (clone, ids) => {
      await keepExactly(git, await cloneOf(clone), new Set(ids.map(asId)));
    },

    use: async () => useOf(layout),
    asideUse: async () => ({ mirrors: await mirrorsOf(git, layout), rescuedBytes: await bytesBelow(layout.rescued) }),
    repack: async (task) => {
      for (const repo of reposOf(layout, task)) await packLoose(git, await cloneOf({ task, repo }));
    },
    removeMirror: async (url) => {
      const mirror = (await mirrorsOf(git, layout)).find((one) => one.url === url);
      if (mirror === undefined) return;
      if (mirror.rescues > 0)
        throw new Failure("repo/refused", `the mirror of ${url} holds ${mirror.rescues} rescued states`);
      await removeTree(toByteName(layout.mirror(url)));
    },

    remove: async (task, sources) => {
      const rescued: string[] = [];
      for (const repo of reposOf(layout, task)) {
        const clone: CloneRef = { task, repo };
        const gitDir = await cloneOf(clone);
        const repository = await findOrNull(sources[repo]);
        const captured = await notInGit(
          git,
          gitDir,
          repository,
          worksOf(layout, clone),
          layout.work,
          async (workspace) => (await take(workspace, new Set())).id,
        );
        rescued.push(...(await keepElsewhere(git, layout, clone, repository, captured)));
      }
      const top = layout.task(task);
      const bytes = await bytesBelow(top);
      for (const path of [...caches.keys()]) if (path.startsWith(`${top}/`)) caches.delete(path);
      for (const path of [...recovered.keys()]) if (path.startsWith(`${top}/`)) recovered.delete(path);
      // The clones last: until they go, the same call can do all of it again.
      for (const name of namesIn(top)) if (name !== "git") await removeTree(toByteName(`${top}/${name}`));
      await removeTree(toByteName(top));
      return { rescued, bytes };
    },
  };
}
