import { chmodSync, chownSync, copyFileSync, linkSync, lstatSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { Failure } from "../../domain/failure.ts";
import type { CommitId } from "../../ports/workspaces.ts";
import { inTheWay } from "./in-the-way.ts";
import { type ByteName, records, toText } from "./names.ts";
import { isCode } from "./removal.ts";
import type { Git, GitCall } from "./run.ts";
import { readSmall, type Source, workingTrees } from "./source.ts";

export interface Holder extends Source {
  readonly state: "checked-out" | "rebase" | "bisect";
}

/** The working trees in which a branch is checked out, or that are in the middle of something with it. */
export function holders(source: Source, branch: string): Holder[] {
  const ref = `refs/heads/${branch}`;
  return workingTrees(source).flatMap((tree): Holder[] => {
    if (readSmall(`${tree.gitDir}/HEAD`)?.trim() === `ref: ${ref}`) return [{ ...tree, state: "checked-out" }];
    const rebased = ["rebase-merge/head-name", "rebase-apply/head-name"].some(
      (file) => readSmall(`${tree.gitDir}/${file}`)?.trim() === ref,
    );
    if (rebased) return [{ ...tree, state: "rebase" }];
    return readSmall(`${tree.gitDir}/BISECT_START`)?.trim() === branch ? [{ ...tree, state: "bisect" }] : [];
  });
}

/**
 * Lets the checkouts of a branch go from one commit to another, with `move` (the branch itself) in between, when nothing can
 * stand in the way any more. See `moveBranchOf` for the order. With `move` null it only sees whether anything stands in the way.
 *
 * @param view a git directory of ours over the person's objects: no filter driver, no hook
 */
export async function follow(
  git: Git,
  view: GitCall,
  places: readonly Holder[],
  from: CommitId,
  to: CommitId,
  move: (() => Promise<void>) | null,
): Promise<void> {
  const locks: IndexLock[] = [];
  try {
    for (const place of places) locks.push(lockIndex(place));
    const differing = ["diff-tree", "-r", "--name-only", "-z", "--no-renames"];
    const touched = [...(await namesOf(git, view, [...differing, from, to]))];
    const added = [...(await namesOf(git, view, [...differing, "--diff-filter=A", from, to]))];
    const steps = [];
    for (const [at, place] of places.entries()) {
      const lock = locks[at];
      if (lock !== undefined && !(await isThere(git, view, place, lock, touched, to)))
        steps.push(await planStep(git, view, place, lock, { from, to, touched, added }));
    }
    if (move === null) return;
    await move();
    for (const step of steps) await step();
  } finally {
    for (const lock of locks) lock.release();
  }
}

interface Move {
  readonly from: CommitId;
  readonly to: CommitId;
  /** Every path that differs, and those of them that come new. */
  readonly touched: readonly ByteName[];
  readonly added: readonly ByteName[];
}

interface IndexLock {
  /** Our copy of the person's index, beside it. */
  readonly copy: string;
  install(): void;
  release(): void;
}

/**
 * Takes git's own lock on an index, so that no git of the person's changes it meanwhile. The lock file is a hard link to a
 * file of ours: after a crash that tells our stale lock from a living one of theirs.
 */
function lockIndex(place: Holder): IndexLock {
  const index = `${place.gitDir}/index`;
  const lock = `${index}.lock`;
  const mark = `${place.gitDir}/agentos-lock`;
  const copy = `${place.gitDir}/agentos-index`;
  const stats = lstatSync(index, { throwIfNoEntry: false });
  if (!stats?.isFile())
    throw new Failure("delivery/refused", `${place.root} has no index: nothing is checked out there`);

  dropDeadLock(place);
  for (const path of [copy, `${copy}.lock`]) rmSync(path, { force: true });

  copyFileSync(index, mark);
  try {
    linkSync(mark, lock);
  } catch (error) {
    unlinkSync(mark);
    if (!isCode(error, "EEXIST")) throw error;
    throw new Failure("delivery/refused", `another git is working in ${place.root} (${lock} exists)`, {
      next: "Wait for it to end, or remove that file when no git runs there, and deliver again.",
    });
  }
  copyFileSync(index, copy);
  if (place.person !== null) chownSync(copy, place.person.uid, place.person.gid);
  return {
    copy,
    install: () => {
      chmodSync(copy, stats.mode & 0o777);
      renameSync(copy, index);
    },
    release: () => {
      for (const path of [copy, lock, mark]) rmSync(path, { force: true });
    },
  };
}

/** The lock that a crashed call of ours left on an index, known by its mark. Another's lock stays. */
export function dropDeadLock({ gitDir }: Holder): void {
  const mark = `${gitDir}/agentos-lock`;
  const lock = `${gitDir}/index.lock`;
  const left = lstatSync(mark, { throwIfNoEntry: false });
  if (left === undefined) return;
  if (lstatSync(lock, { throwIfNoEntry: false })?.ino === left.ino) unlinkSync(lock);
  unlinkSync(mark);
}

/** Whether the index already has everything of `to` that the delivery touches: an earlier call got that far. */
async function isThere(
  git: Git,
  view: GitCall,
  place: Holder,
  lock: IndexLock,
  touched: readonly ByteName[],
  to: CommitId,
): Promise<boolean> {
  const call: GitCall = { ...view, workTree: place.root, index: lock.copy };
  const differing = await namesOf(git, call, ["diff-index", "--cached", "--name-only", "-z", to, "--"]);
  return touched.every((path) => !differing.has(path));
}

const namesOf = async (git: Git, call: GitCall, args: readonly string[]): Promise<Set<ByteName>> =>
  new Set(records((await git.run(args, call)).stdout));

/** Checks that the files can follow and returns what makes them. */
async function planStep(
  git: Git,
  view: GitCall,
  place: Holder,
  lock: IndexLock,
  { from, to, touched, added }: Move,
): Promise<() => Promise<void>> {
  const call: GitCall = { ...view, workTree: place.root, index: lock.copy };
  await refuseFiltered(git, call, place, touched);
  const canFollow = async (): Promise<boolean> => {
    await git.run(["update-index", "-q", "--refresh"], { ...call, answers: [1] });
    const tried = await git.run(["read-tree", "-n", "-m", "-u", from, to], { ...call, answers: [1, 128] });
    return tried.code === 0 && (await inTheWay(git, call, added)).length === 0;
  };
  let can = await canFollow();
  if (!can && (await acceptArrived(git, call, lock, touched, to))) can = await canFollow();
  if (!can) {
    const unknown = await inTheWay(git, call, added);
    const dirty = new Set([
      ...(await namesOf(git, call, ["diff-index", "--cached", "--name-only", "-z", from, "--"])),
      ...(await namesOf(git, call, ["diff-files", "--name-only", "-z"])),
      ...unknown,
    ]);
    const named = [...new Set([...touched.filter((path) => dirty.has(path)), ...unknown])].map(toText);
    throw new Failure(
      "delivery/refused",
      `files that the delivery touches have uncommitted changes in ${place.root}: ${named.slice(0, 5).join(", ") || "see git status"}`,
      {
        next: "Commit them, stash them or move them away there, or deliver to another branch.",
        facts: { paths: named },
      },
    );
  }
  return async () => {
    await git.run(["read-tree", "-m", "-u", from, to], { ...call, diesWithUs: true });
    await git.run(["update-index", "-q", "--refresh"], { ...call, answers: [1] });
    lock.install();
  };
}

/** Files that a crashed call already wrote look like somebody's changes; being exactly what is coming, they are not. Whether there were any. */
async function acceptArrived(
  git: Git,
  call: GitCall,
  lock: IndexLock,
  touched: readonly ByteName[],
  to: CommitId,
): Promise<boolean> {
  const trial: GitCall = { ...call, index: `${lock.copy}-trial` };
  try {
    await git.run(["read-tree", to], trial);
    await git.run(["update-index", "-q", "--refresh"], { ...trial, answers: [1] });
    const differing = await namesOf(git, trial, ["diff-files", "--name-only", "-z"]);
    const wanted = new Map(
      records((await git.run(["ls-files", "-z", "--stage"], trial)).stdout).map(
        (record) => [record.slice(record.indexOf("\t") + 1), record] as const,
      ),
    );
    const arrived = touched.flatMap((path) => (differing.has(path) ? [] : (wanted.get(path) ?? [])));
    if (arrived.length === 0) return false;
    const lines = arrived.map((record) => `${record}\0`).join("");
    await git.run(["update-index", "-z", "--index-info"], { ...call, input: Buffer.from(lines, "latin1") });
    return true;
  } finally {
    for (const path of [`${lock.copy}-trial`, `${lock.copy}-trial.lock`]) rmSync(path, { force: true });
  }
}

/** A filter of the person's would have to run to write such a file right, and we run none. */
async function refuseFiltered(git: Git, call: GitCall, place: Holder, touched: readonly ByteName[]): Promise<void> {
  const drivers = new Set(
    [...place.config.keys()].flatMap((key) => /^filter\.(.+)\.(clean|smudge|process)$/.exec(key)?.[1] ?? []),
  );
  if (drivers.size === 0 || touched.length === 0) return;
  const input = Buffer.from(touched.map((path) => `${path}\0`).join(""), "latin1");
  const told = records((await git.run(["check-attr", "-z", "--stdin", "filter"], { ...call, input })).stdout);
  for (let at = 0; at + 2 < told.length; at += 3) {
    const [path = "", , driver = ""] = told.slice(at, at + 3);
    if (drivers.has(driver))
      throw new Failure(
        "delivery/refused",
        `${toText(path)} goes through the filter ${driver} of ${place.root}, which AgentOS does not run`,
        { next: "Deliver to another branch and merge it yourself." },
      );
  }
}
