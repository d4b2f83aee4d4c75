import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import type { TreeId } from "../../ports/workspaces.ts";
import { type ByteName, baseOf, nameInTree, onDisk, parentOf, toByteName } from "./names.ts";
import { type Git, GitError } from "./run.ts";
import { type Entry, type StatMark, type Walk, walking } from "./walk.ts";

/**
 * A workspace tree is a git tree of two entries:
 *
 *     content         the files, links and non-empty directories, names written as `nameInTree` says
 *     manifest.json   what git has no place for: empty directories and directories that are not 0755, files that are
 *                     neither 0644 nor 0755, each as [path, octal mode], sorted by bytes; a path has one character per byte
 *
 * Contents are stored byte for byte, without conversions. Owner, times, extended attributes and hard links are no part of the
 * value; neither are sockets, pipes and devices.
 */
export interface Manifest {
  readonly version: 1;
  readonly directories: readonly (readonly [ByteName, string])[];
  readonly files: readonly (readonly [ByteName, string])[];
}

export interface Snapshot {
  readonly id: TreeId;
  readonly walk: Walk;
  /** Blob of each file and link. */
  readonly blobs: ReadonlyMap<ByteName, string>;
}

/**
 * What the last snapshot of a directory knew, so that the next one reads only what changed. Filled after the sync, so that
 * nothing is taken as stored that a power cut could have taken away.
 */
export interface StatCache {
  readonly files: ReadonlyMap<ByteName, { readonly mark: StatMark; readonly blob: string }>;
  readonly trees: ReadonlyMap<ByteName, { readonly text: string; readonly tree: string }>;
  readonly manifest: StoredManifest | null;
}

interface StoredManifest {
  readonly text: string;
  readonly blob: string;
}

export const EMPTY_CACHE: StatCache = { files: new Map(), trees: new Map(), manifest: null };

/** The kernel stamps with a clock that ticks up to every 10 ms: a file changed this recently may change again unseen. */
const RACY_MS = 20;
const ATTEMPTS_MAX = 3;

export interface Taken {
  readonly snapshot: Snapshot;
  readonly cache: StatCache;
}

export const snapshot = (
  git: Git,
  gitDir: string,
  root: ByteName,
  exclude: ReadonlySet<ByteName>,
  cache: StatCache,
): Promise<Taken> => walkingAgain(root, exclude, (found) => snapshotOf(git, gitDir, root, found, cache));

/** Only a person with an editor can be here at the same time: when a file is gone meanwhile, everything is looked at again. */
async function walkingAgain<T>(
  root: ByteName,
  exclude: ReadonlySet<ByteName>,
  use: (found: Walk) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    let seen: Walk = new Map();
    try {
      return await walking(root, exclude, (found) => {
        seen = found;
        return use(found);
      });
    } catch (error) {
      const moved =
        error instanceof GitError &&
        [...seen.keys()].some((path) => lstatSync(onDisk(`${root}/${path}`), { throwIfNoEntry: false }) === undefined);
      if (!moved || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

/** The snapshot of a directory that was just listed and is still open. */
export async function snapshotOf(
  git: Git,
  gitDir: string,
  root: ByteName,
  found: Walk,
  cache: StatCache,
): Promise<Taken> {
  const startedMs = Date.now();
  const known = knownBlobs(found, cache);
  const unknown = [...found].filter(
    ([path, entry]) => (entry.kind === "file" || entry.kind === "link") && !known.has(path),
  );
  const text = JSON.stringify(manifestOf(found));
  const stored =
    unknown.length === 0 && cache.manifest?.text === text
      ? { blobs: [], manifest: cache.manifest.blob }
      : await storeContents(git, gitDir, root, unknown, text);
  const blobs = new Map([...known, ...stored.blobs]);
  const trees = await storeTrees(git, gitDir, found, blobs, stored.manifest, cache);
  if (unknown.length > 0 || trees.written > 0) await git.sync(gitDir);
  return {
    snapshot: { id: trees.id, walk: found, blobs },
    cache: cacheAfter(found, blobs, trees.trees, { text, blob: stored.manifest }, startedMs),
  };
}

const sameMark = (a: StatMark, b: StatMark): boolean =>
  a.inode === b.inode && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.mode === b.mode;

function knownBlobs(found: Walk, cache: StatCache): Map<ByteName, string> {
  const known = new Map<ByteName, string>();
  for (const [path, entry] of found) {
    if (entry.kind !== "file" && entry.kind !== "link") continue;
    const before = cache.files.get(path);
    if (before !== undefined && sameMark(before.mark, entry.mark)) known.set(path, before.blob);
  }
  return known;
}

function cacheAfter(
  found: Walk,
  blobs: ReadonlyMap<ByteName, string>,
  trees: StatCache["trees"],
  manifest: StatCache["manifest"],
  startedMs: number,
): StatCache {
  const trustedBefore = BigInt(startedMs - RACY_MS) * 1_000_000n;
  const files = new Map<ByteName, { mark: StatMark; blob: string }>();
  for (const [path, blob] of blobs) {
    const entry = found.get(path);
    if (entry?.kind !== "file" && entry?.kind !== "link") continue;
    if (entry.mark.ctimeNs < trustedBefore && entry.mark.mtimeNs < trustedBefore)
      files.set(path, { mark: entry.mark, blob });
  }
  return { files, trees, manifest };
}

function manifestOf(found: Walk): Manifest {
  const parents = new Set<ByteName>();
  for (const [path, entry] of found) {
    // A directory is in the git tree only when some file or link is below it.
    if (entry.kind !== "file" && entry.kind !== "link") continue;
    for (let up = path; up !== ""; ) {
      up = parentOf(up);
      if (parents.has(up)) break;
      parents.add(up);
    }
  }
  const directories: [ByteName, string][] = [];
  const files: [ByteName, string][] = [];
  for (const [path, entry] of found) {
    if (entry.kind === "directory" && (entry.mode !== 0o755 || (path !== "" && !parents.has(path))))
      directories.push([path, octal(entry.mode)]);
    if (entry.kind === "file" && entry.mode !== 0o644 && entry.mode !== 0o755) files.push([path, octal(entry.mode)]);
  }
  const byPath = (a: [ByteName, string], b: [ByteName, string]): number => (a[0] < b[0] ? -1 : 1);
  return { version: 1, directories: directories.sort(byPath), files: files.sort(byPath) };
}

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

/** One `hash-object` for all: files where they lie, link targets and the manifest from a private directory. */
async function storeContents(
  git: Git,
  gitDir: string,
  root: ByteName,
  unknown: readonly (readonly [ByteName, Entry])[],
  manifest: string,
): Promise<{ readonly blobs: Map<ByteName, string>; readonly manifest: string }> {
  const aside = mkdtempSync(`${gitDir}/agentos-`);
  const closed: (readonly [ByteName, number])[] = [];
  try {
    const targets = new Map<string, string>();
    const paths = unknown.map(([path, entry]) => {
      const at = `${root}/${path}`;
      if (entry.kind === "link") {
        const target = readlinkSync(onDisk(at), { encoding: "latin1" });
        const copy = targets.get(target) ?? `${aside}/${targets.size}`;
        if (!targets.has(target)) writeFileSync(copy, Buffer.from(target, "latin1"));
        targets.set(target, copy);
        return toByteName(copy);
      }
      if (entry.kind === "file" && (entry.mode & 0o400) === 0) {
        chmodSync(onDisk(at), entry.mode | 0o400);
        closed.push([at, entry.mode]);
      }
      return at;
    });
    writeFileSync(`${aside}/manifest`, manifest);
    paths.push(toByteName(`${aside}/manifest`));
    const answer = await git.run(["hash-object", "-w", "--no-filters", "--stdin-paths"], {
      gitDir,
      input: Buffer.from(`${paths.map(quoted).join("\n")}\n`, "latin1"),
    });
    const ids = answer.stdout.toString("latin1").trimEnd().split("\n");
    if (ids.length !== paths.length)
      throw new Error(`hash-object answered ${ids.length} ids for ${paths.length} paths`);
    const blobs = new Map(unknown.map(([path], at) => [path, ids[at] ?? ""] as const));
    return { blobs, manifest: ids.at(-1) ?? "" };
  } finally {
    for (const [path, mode] of closed)
      if (lstatSync(onDisk(path), { throwIfNoEntry: false })?.isFile()) chmodSync(onDisk(path), mode);
    rmSync(aside, { recursive: true, force: true });
  }
}

/** The line format of `--stdin-paths`: a path that would end the line, or look quoted, is quoted. */
const quoted = (path: ByteName): string =>
  /[\n\r]|^"/.test(path) ? `"${path.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n").replace(/\r/g, "\\r")}"` : path;

/**
 * Trees from the deepest up; a directory whose entries are as they were costs nothing. Their ids are computed here, so that one `mktree`
 * makes all of them, and it has to come to the same ids.
 */
async function storeTrees(
  git: Git,
  gitDir: string,
  found: Walk,
  blobs: ReadonlyMap<ByteName, string>,
  manifest: string,
  cache: StatCache,
): Promise<{ readonly id: TreeId; readonly trees: StatCache["trees"]; readonly written: number }> {
  const entries = new Map<ByteName, TreeEntry[]>([["", []]]);
  const add = (path: ByteName, mode: TreeEntry["mode"], id: string): void => {
    const entry = { mode, id, name: nameInTree(baseOf(path)) };
    const there = entries.get(parentOf(path));
    if (there === undefined) entries.set(parentOf(path), [entry]);
    else there.push(entry);
  };
  const levels: ByteName[][] = [];
  for (const [path, entry] of found) {
    if (entry.kind === "directory") {
      const depth = path === "" ? 0 : path.split("/").length;
      levels[depth] ??= [];
      levels[depth].push(path);
    } else if (entry.kind === "file")
      add(path, (entry.mode & 0o100) === 0 ? "100644" : "100755", blobs.get(path) ?? "");
    else if (entry.kind === "link") add(path, "120000", blobs.get(path) ?? "");
  }

  const trees = new Map<ByteName, { text: string; tree: string }>();
  const fresh: { readonly text: string; readonly tree: string }[] = [];
  const treeOf = (path: ByteName, holds: readonly TreeEntry[]): string => {
    const text = holds.map(({ mode, id, name }) => `${mode} ${typeOf(mode)} ${id}\t${name}\0`).join("");
    const before = cache.trees.get(path);
    const made = before?.text === text ? before : { text, tree: treeId(holds, manifest.length) };
    if (made !== before) fresh.push(made);
    trees.set(path, made);
    return made.tree;
  };
  for (const path of levels.reverse().flat()) {
    const holds = entries.get(path);
    if (path !== "" && holds !== undefined) add(path, "040000", treeOf(path, holds));
  }
  const content = treeOf("", entries.get("") ?? []);
  const id = treeOf(WRAPPER, [
    { mode: "040000", id: content, name: "content" },
    { mode: "100644", id: manifest, name: "manifest.json" },
  ]);
  if (fresh.length > 0) {
    const input = Buffer.from(fresh.map(({ text }) => `${text}\0`).join(""), "latin1");
    const answer = await git.run(["mktree", "-z", "--batch", "--missing"], { gitDir, input });
    const made = answer.stdout.toString("latin1").trimEnd().split("\n");
    const at = fresh.findIndex(({ tree }, index) => tree !== made[index]);
    if (at >= 0 || made.length !== fresh.length)
      throw new Error(`mktree made ${made[at]} of what is tree ${fresh[at]?.tree}, ${made.length} of ${fresh.length}`);
  }
  return { id, trees, written: fresh.length };
}

/** No path of a workspace has a NUL in it. */
const WRAPPER = "\0";

interface TreeEntry {
  readonly mode: "040000" | "100644" | "100755" | "120000";
  readonly id: string;
  readonly name: ByteName;
}

const typeOf = (mode: TreeEntry["mode"]): string => (mode === "040000" ? "tree" : "blob");

/**
 * The id that git gives a tree: a hash over a header and the entries, sorted by their names' bytes as if a directory's ended in a slash
 * (`base_name_compare` in git's `read-cache.c`).
 *
 * @param digits length of an id of this repository: 40 with SHA-1, 64 with SHA-256
 */
function treeId(entries: readonly TreeEntry[], digits: number): string {
  const sortedAs = ({ mode, name }: TreeEntry): string => (mode === "040000" ? `${name}/` : name);
  const content = [...entries]
    .sort((a, b) => (sortedAs(a) < sortedAs(b) ? -1 : 1))
    .flatMap(({ mode, id, name }) => [
      Buffer.from(`${mode.replace(/^0/, "")} ${name}\0`, "latin1"),
      Buffer.from(id, "hex"),
    ]);
  const hash = createHash(digits === 64 ? "sha256" : "sha1");
  hash.update(`tree ${content.reduce((sum, { length }) => sum + length, 0)}\0`);
  for (const bytes of content) hash.update(bytes);
  return hash.digest("hex");
}
