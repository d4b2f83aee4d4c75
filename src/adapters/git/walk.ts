import { type BigIntStats, chmodSync, lstatSync, readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { type ByteName, join, onDisk } from "./names.ts";

/** What the stat of a file says; equal marks mean equal content, see `StatCache`. */
export interface StatMark {
  readonly inode: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly mode: number;
}

export type Entry =
  | { readonly kind: "directory"; readonly mode: number }
  | { readonly kind: "file"; readonly mode: number; readonly mark: StatMark; readonly links: number }
  | { readonly kind: "link"; readonly mark: StatMark }
  /** What no tree can hold: it is removed by a restore and named where a person looks. */
  | { readonly kind: "left-out"; readonly reason: string };

/** Every path below a directory, parents before children, the directory itself as "". */
export type Walk = ReadonlyMap<ByteName, Entry>;

/** One system call takes no longer path; agents can still make deeper ones by going down step by step. */
const PATH_BYTES_MAX = 4000;
const BUSY_MS_MAX = 10;

/**
 * Lists a directory that no other process is writing to, following no link, and runs `use` on what it found. A directory
 * without permission for its owner (only an ordinary user notices) is opened up until `use` is done, or has said, by
 * calling `settled`, that it gave every directory its mode itself.
 *
 * @param exclude paths that are passed over with all that is below them
 */
export async function walking<T>(
  root: ByteName,
  exclude: ReadonlySet<ByteName>,
  use: (found: Walk, settled: () => void) => Promise<T>,
): Promise<T> {
  const closed: { readonly at: ByteName; readonly mode: number }[] = [];
  try {
    const found = await list(root, exclude, (at, mode) => closed.push({ at, mode }));
    return await use(found, () => {
      closed.length = 0;
    });
  } finally {
    for (const { at, mode } of closed.reverse()) {
      // What `use` removed or gave another mode is none of ours any more.
      const now = lstatSync(onDisk(at), { throwIfNoEntry: false });
      if (now?.isDirectory() && (now.mode & 0o7777) === (mode | OPEN)) chmodSync(onDisk(at), mode);
    }
  }
}

const OPEN = 0o700;
const seesPermissions = process.getuid?.() !== 0;

async function list(
  root: ByteName,
  exclude: ReadonlySet<ByteName>,
  onOpened: (at: ByteName, mode: number) => void,
): Promise<Walk> {
  const found = new Map<ByteName, Entry>([["", entryOf(lstatSync(onDisk(root), { bigint: true }))]]);
  const rest: ByteName[] = [""];
  let since = performance.now();
  for (let path = rest.pop(); path !== undefined; path = rest.pop()) {
    const at = path === "" ? root : `${root}/${path}`;
    const directory = found.get(path);
    if (directory?.kind !== "directory") continue;
    if (seesPermissions && (directory.mode & OPEN) !== OPEN) {
      chmodSync(onDisk(at), directory.mode | OPEN);
      onOpened(at, directory.mode);
    }
    const below: ByteName[] = [];
    for (const name of readdirSync(onDisk(at), { encoding: "latin1" }).sort()) {
      const child = join(path, name);
      if (exclude.has(child)) continue;
      const entry = entryOf(stat(at, name));
      found.set(child, entry);
      if (entry.kind === "directory") below.push(child);
    }
    rest.push(...below.reverse());
    // The listing blocks; a daemon that serves people takes a breath in between.
    if (performance.now() - since > BUSY_MS_MAX) {
      await setImmediate();
      since = performance.now();
    }
  }
  return found;
}

const stat = (directory: ByteName, name: ByteName): BigIntStats | null => {
  const path = `${directory}/${name}`;
  return path.length > PATH_BYTES_MAX ? null : lstatSync(onDisk(path), { bigint: true });
};

function entryOf(stats: BigIntStats | null): Entry {
  if (stats === null) return { kind: "left-out", reason: "its path is too long" };
  if (stats.isDirectory()) return { kind: "directory", mode: modeOf(stats) };
  const mark: StatMark = {
    inode: stats.ino,
    size: stats.size,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    mode: Number(stats.mode),
  };
  if (stats.isFile()) return { kind: "file", mode: modeOf(stats), mark, links: Number(stats.nlink) };
  if (stats.isSymbolicLink()) return { kind: "link", mark };
  if (stats.isFIFO()) return { kind: "left-out", reason: "it is a named pipe" };
  if (stats.isSocket()) return { kind: "left-out", reason: "it is a socket" };
  return { kind: "left-out", reason: "it is a device" };
}

const modeOf = (stats: BigIntStats): number => Number(stats.mode) & 0o7777;
