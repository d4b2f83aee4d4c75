import { randomUUID } from "node:crypto";
import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Failure } from "../../domain/failure.ts";
import type { CommitId } from "../../ports/workspaces.ts";
import { toByteName } from "./names.ts";
import type { Person } from "./program.ts";
import { isCode, removeTree } from "./removal.ts";
import type { Git } from "./run.ts";
import { checkedOutBranch, makeGitDirectory, type Source } from "./source.ts";

const ATTEMPTS_MAX = 4;
const ALTERNATES_DEPTH_MAX = 5;

/**
 * Makes the private clone of a person's repository, or finds it and adds what it lacks. Its objects are hard links where
 * that is possible (nothing ever writes an object file in place), copies elsewhere. No git runs in the person's
 * repository, not even upload-pack: its settings have no say.
 *
 * A `git gc` of the person's may take files away in the middle; then the objects are looked through again. What is added to a clone that
 * was there is durable once the caller has synced it, as it does for the refs that name it.
 */
export async function cloneObjects(
  git: Git,
  source: Source,
  gitDir: string,
  commit: CommitId,
  owner: Person | null,
): Promise<void> {
  if (await isWhole(git, gitDir, commit)) return;
  if (lstatSync(gitDir, { throwIfNoEntry: false }) === undefined) {
    mkdirSync(dirname(gitDir), { recursive: true, mode: 0o700 });
    const made = `${gitDir}.new-${randomUUID()}`;
    try {
      // Others must be able to read the objects through the mount, whatever the daemon's umask is.
      makeGitDirectory(made, source.format, ["\tsharedRepository = 0644"]);
      await addObjects(git, source, made, commit, owner);
      const branch = await checkedOutBranch(git, source);
      writeFileSync(`${made}/HEAD`, branch === null ? `${commit}\n` : `ref: refs/heads/${branch}\n`);
      await git.sync(made);
      renameSync(made, gitDir);
    } finally {
      await removeTree(toByteName(made));
    }
  } else await addObjects(git, source, gitDir, commit, owner);
}

async function addObjects(
  git: Git,
  source: Source,
  gitDir: string,
  commit: CommitId,
  owner: Person | null,
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    for (const store of storesOf(source.objects)) await linkStore(store, `${gitDir}/objects`, owner);
    if (await isWhole(git, gitDir, commit)) return;
  }
  throw new Failure("repo/refused", `commit ${commit} is not whole in ${source.root}`, {
    next: "Run git fsck there, and git fetch when objects are missing.",
  });
}

/** Whether a commit and all files of it are there. Its history came with the same stores. */
async function isWhole(git: Git, gitDir: string, commit: CommitId): Promise<boolean> {
  if (lstatSync(gitDir, { throwIfNoEntry: false }) === undefined) return false;
  const walked = await git.run(["rev-list", "--objects", "--no-walk", "--quiet", `${commit}^{commit}`], {
    gitDir,
    answers: [128],
  });
  if (walked.code === 0) return true;
  const type = await git.run(["cat-file", "-t", commit], { gitDir, answers: [128] });
  if (type.code === 0 && type.stdout.toString("latin1").trim() !== "commit")
    throw new Failure("repo/refused", `${commit} is not a commit`);
  return false;
}

/** The object store and those it borrows from. */
function storesOf(objects: string, depth = 0): string[] {
  if (depth > ALTERNATES_DEPTH_MAX)
    throw new Failure(
      "repo/unsupported",
      `${objects} borrows objects over more than ${ALTERNATES_DEPTH_MAX} steps: run git repack -a -d there`,
    );
  const file = `${objects}/info/alternates`;
  const stats = lstatSync(file, { throwIfNoEntry: false });
  const lines = stats?.isFile() ? readFileSync(file, "utf8").split("\n") : [];
  const borrowed = lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => (isAbsolute(line) ? line : resolve(objects, line)));
  return [
    objects,
    ...borrowed.flatMap((path) =>
      statSync(path, { throwIfNoEntry: false })?.isDirectory() ? storesOf(realpathSync(path), depth + 1) : [],
    ),
  ];
}

const BATCH = 500;

async function linkStore(from: string, to: string, owner: Person | null): Promise<void> {
  const directories = namesIn(from).filter((name) => name === "pack" || /^[0-9a-f]{2}$/.test(name));
  let count = 0;
  for (const directory of directories) {
    mkdirSync(`${to}/${directory}`, { recursive: true });
    chmodSync(`${to}/${directory}`, 0o755);
    // An index without its pack would be a promise not kept: packs first.
    const names = namesIn(`${from}/${directory}`).filter((name) =>
      directory === "pack" ? PACK_FILE.test(name) : /^[0-9a-f]+$/.test(name),
    );
    for (const name of names.sort((a, b) => Number(a.endsWith(".idx")) - Number(b.endsWith(".idx")))) {
      linkOrCopy(`${from}/${directory}/${name}`, `${to}/${directory}/${name}`, owner !== null);
      if (++count % BATCH === 0) await setImmediate();
    }
  }
}

const PACK_FILE = /^pack-[0-9a-f]+\.(pack|rev|idx)$/;

/** What is gone by now was taken away by the person's own git. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isCode(error, "ENOENT")) return [];
    throw error;
  }
}

function linkOrCopy(from: string, to: string, forOthers: boolean): void {
  try {
    const stats = lstatSync(from);
    if (!stats.isFile()) return;
    if (forOthers && (stats.mode & 0o044) !== 0o044) copy(from, to);
    else linkSync(from, to);
  } catch (error) {
    if (isCode(error, "EEXIST", "ENOENT")) return;
    // Another file system, or a file the kernel does not let this user link.
    if (!isCode(error, "EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP")) throw error;
    copy(from, to);
  }
}

function copy(from: string, to: string): void {
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) return;
  const beside = `${to}.tmp-${randomUUID()}`;
  try {
    copyFileSync(from, beside, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    chmodSync(beside, 0o444);
    renameSync(beside, to);
  } catch (error) {
    if (lstatSync(beside, { throwIfNoEntry: false }) !== undefined) unlinkSync(beside);
    if (!isCode(error, "ENOENT")) throw error;
  }
}

/**
 * Takes away what a killed git of ours left in a private git directory: lock files, and temporary files. Nobody else writes
 * there, and this runs before the first git of this process does.
 */
export async function recoverLocks(gitDir: string): Promise<void> {
  for (const name of readdirSync(gitDir))
    if (name.startsWith("agentos-")) await removeTree(toByteName(`${gitDir}/${name}`));
  const rest = [gitDir];
  for (let directory = rest.pop(); directory !== undefined; directory = rest.pop()) {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = `${directory}/${entry.name}`;
      const ofObjects =
        directory.startsWith(`${gitDir}/objects`) && (entry.name.startsWith("tmp_") || entry.name.includes(".tmp-"));
      if (entry.name.endsWith(".lock") || ofObjects) await removeTree(toByteName(path));
      else if (entry.isDirectory()) rest.push(path);
    }
  }
}
