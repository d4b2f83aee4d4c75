import { randomUUID } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { isFailure } from "../../domain/failure.ts";
import type { CloneRef, MirrorUse, TreeId, WorkspaceRef, WorkspaceUse } from "../../ports/workspaces.ts";
import { makeCandidate } from "./candidate.ts";
import { setRefs, writeCommit } from "./commit.ts";
import { publish, tipsOf } from "./deliver.ts";
import { treeOfCommit } from "./history.ts";
import type { Layout } from "./layout.ts";
import { onDisk, toByteName } from "./names.ts";
import { givingWay } from "./removal.ts";
import { AGENTOS, type Git } from "./run.ts";
import { readSmall, type Source, sourceAt } from "./source.ts";

export const epochsOf = (layout: Layout, task: string): number[] =>
  namesIn(layout.task(task))
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);

export const reposOf = (layout: Layout, task: string): string[] =>
  namesIn(`${layout.task(task)}/git`)
    .filter((name) => name.endsWith(".git"))
    .map((name) => name.slice(0, -".git".length));

export const namesIn = (directory: string): string[] =>
  lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(directory).sort() : [];

export async function useOf(layout: Layout): Promise<WorkspaceUse[]> {
  const used: WorkspaceUse[] = [];
  for (const task of namesIn(layout.top))
    if (!task.startsWith("."))
      used.push({ task, bytes: await bytesBelow(layout.task(task)), epochs: epochsOf(layout, task) });
  return used;
}

/** Bytes on disk, each file once however many names it has here. */
export async function bytesBelow(directory: string): Promise<number> {
  const seen = new Set<number>();
  const turn = givingWay();
  let bytes = 0;
  const rest = [toByteName(directory)];
  for (let path = rest.pop(); path !== undefined; path = rest.pop()) {
    const pause = turn();
    if (pause !== null) await pause;
    const stats = lstatSync(onDisk(path), { throwIfNoEntry: false });
    if (stats === undefined || (stats.nlink > 1 && !stats.isDirectory() && seen.has(stats.ino))) continue;
    seen.add(stats.ino);
    bytes += stats.blocks * 512;
    if (stats.isDirectory()) rest.push(...namesBelow(path).map((name) => `${path}/${name}`));
  }
  return bytes;
}

/** A directory an agent closed to its owner counts as itself only. */
function namesBelow(path: string): string[] {
  try {
    return readdirSync(onDisk(path), { encoding: "latin1" });
  } catch {
    return [];
  }
}

/** Mirrors of remote repositories; what has no address is half-made. */
export async function mirrorsOf(git: Git, layout: Layout): Promise<MirrorUse[]> {
  const found: MirrorUse[] = [];
  for (const name of namesIn(layout.mirrors)) {
    const gitDir = `${layout.mirrors}/${name}`;
    const url = readSmall(`${gitDir}/description`)?.trim();
    if (url === undefined || layout.mirror(url) !== gitDir) continue;
    found.push({
      url,
      bytes: await bytesBelow(gitDir),
      // Of ours, what the remote does not have.
      rescues: (await git.line(["rev-list", "--no-walk", "--glob=refs/agentos/*", "--not", "--branches"], { gitDir }))
        .split("\n")
        .filter((line) => line !== "").length,
    });
  }
  return found;
}

/** From so many loose objects of its own on, packing a clone pays. */
const LOOSE_MIN = 1_000;

/**
 * Packs what refs name; what only the journal names stays loose, and nothing is removed that is not in a pack. Files shared with the
 * person's repository cost nothing and are not counted.
 */
export async function packLoose(git: Git, gitDir: string): Promise<void> {
  const turn = givingWay();
  let loose = 0;
  for (const directory of namesIn(`${gitDir}/objects`).filter((name) => /^[0-9a-f]{2}$/.test(name)))
    for (const name of namesIn(`${gitDir}/objects/${directory}`)) {
      const pause = turn();
      if (pause !== null) await pause;
      if (lstatSync(`${gitDir}/objects/${directory}/${name}`, { throwIfNoEntry: false })?.nlink === 1) loose += 1;
    }
  if (loose >= LOOSE_MIN) {
    await git.run(["repack", "-d", "-q"], { gitDir });
    await git.sync(gitDir);
  }
}

export const worksOf = (layout: Layout, clone: CloneRef): WorkspaceRef[] =>
  epochsOf(layout, clone.task)
    .map((epoch) => ({ ...clone, epoch }))
    .filter((workspace) => lstatSync(layout.work(workspace), { throwIfNoEntry: false })?.isDirectory());

export interface Captured {
  /** Last part of the ref's name. */
  readonly name: string;
  /** A commit, or a workspace tree, of the private clone. */
  readonly id: string;
}

/**
 * What of a clone the person's repository does not have: what is dirty or untracked in its working directories (whole, with
 * nested repositories, where a commit cannot hold it), candidates and merges never delivered, and what restoring set aside.
 * Ignored files of a working directory are build products and go.
 */
export async function notInGit(
  git: Git,
  gitDir: string,
  repository: Source | null,
  works: readonly WorkspaceRef[],
  workPath: (workspace: WorkspaceRef) => string,
  take: (workspace: WorkspaceRef) => Promise<TreeId>,
): Promise<Captured[]> {
  const captured: Captured[] = [];
  const known = new Set<string>();
  for (const [commit] of await refsOf(
    git,
    gitDir,
    "refs/agentos/candidate",
    "refs/agentos/merge",
    "refs/agentos/base",
    "refs/agentos/adopted",
  )) {
    const tree = await treeOfCommit(git, { gitDir }, commit);
    if (known.has(tree)) continue;
    known.add(tree);
    if (!(await isReachable(git, gitDir, repository, commit)))
      captured.push({ name: `candidate-${commit}`, id: commit });
  }
  for (const workspace of works) {
    const [base] = (await refsOf(git, gitDir, `refs/agentos/checkout/${workspace.epoch}`))[0] ?? [];
    if (base !== undefined) {
      const left = await makeCandidate(
        git,
        gitDir,
        workPath(workspace),
        base,
        "what was not committed when the workspace was removed",
        AGENTOS,
        0,
        new Set(),
      );
      if (!known.has(left.tree) && left.changed.length > 0)
        captured.push({ name: `epoch-${workspace.epoch}`, id: left.commit });
      if (left.leftOut.length === 0) continue;
    }
    captured.push({ name: `whole-${workspace.epoch}`, id: await take(workspace) });
  }
  for (const [id, ref] of await refsOf(git, gitDir, "refs/agentos/rescue"))
    captured.push({ name: ref.slice("refs/agentos/rescue/".length), id });
  return captured.filter(({ id }, at) => captured.findIndex((other) => other.id === id) === at);
}

async function refsOf(
  git: Git,
  gitDir: string,
  ...patterns: readonly string[]
): Promise<(readonly [string, string])[]> {
  const listed = await git.line(["for-each-ref", "--format=%(objectname) %(refname)", ...patterns], { gitDir });
  return listed
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)] as const);
}

/** Whether one of the person's refs keeps a commit; merely lying among their objects, it could be collected. */
async function isReachable(git: Git, gitDir: string, repository: Source | null, commit: string): Promise<boolean> {
  if (repository === null) return false;
  const tips = await tipsOf(git, gitDir, repository);
  const input = [commit, ...tips.map((tip) => `^${tip}`)].map((each) => `${each}\n`).join("");
  return (await git.line(["rev-list", "-1", "--stdin"], { gitDir, alternates: [repository.objects], input })) === "";
}

/**
 * Keeps captured states where they outlive the task: as `refs/agentos/rescue/<task>/<repo>/<name>` of the person's
 * repository, or, when that is gone, as a bundle under `rescued`.
 */
export async function keepElsewhere(
  git: Git,
  layout: Layout,
  clone: CloneRef,
  repository: Source | null,
  captured: readonly Captured[],
): Promise<string[]> {
  if (captured.length === 0) return [];
  const gitDir = layout.clone(clone);
  const refs: [string, string][] = [];
  for (const { name, id } of captured)
    refs.push([`refs/agentos/rescue/${clone.task}/${clone.repo}/${name}`, await asCommit(git, gitDir, id)]);
  if (repository !== null) {
    await publish(git, gitDir, repository, refs);
    return refs.map(([ref]) => ref);
  }
  await setRefs(git, { gitDir }, refs);
  mkdirSync(layout.rescued, { recursive: true, mode: 0o700 });
  const file = `${layout.rescued}/${clone.task}-${clone.repo}.bundle`;
  const beside = `${layout.rescued}/.new-${randomUUID()}`;
  await git.run(["bundle", "create", "-q", beside, ...refs.map(([ref]) => ref)], { gitDir });
  await git.sync(layout.rescued);
  renameSync(beside, file);
  await git.sync(layout.rescued);
  return [file];
}

/** A repository that is gone, or never was given: null. */
export async function findOrNull(git: Git, path: string | undefined): Promise<Source | null> {
  if (path === undefined) return null;
  try {
    return await sourceAt(git, path);
  } catch (error) {
    if (isFailure(error)) return null;
    throw error;
  }
}

/** A workspace tree becomes a commit without parents: people and bundles deal in commits. */
async function asCommit(git: Git, gitDir: string, id: string): Promise<string> {
  const type = await git.line(["cat-file", "-t", id], { gitDir });
  return type === "commit"
    ? id
    : writeCommit(git, { gitDir }, id, [], "AgentOS workspace: files are below content/", AGENTOS, 0);
}
