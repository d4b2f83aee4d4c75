import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { TreeId } from "../../ports/workspaces.ts";
import { type Named, namedBy } from "./named.ts";
import { type ByteName, onDisk, parentOf } from "./names.ts";
import { type ObjectSink, readObjects } from "./objects.ts";
import type { Person } from "./program.ts";
import { emptyTree, removeTree } from "./removal.ts";
import type { Git } from "./run.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Makes a directory hold exactly what a workspace tree names. `now` is what was found there, and is still open. Files are
 * never written in place: an old one may be a hard link into a layer that others share.
 *
 * Order: take away, make directories, write contents, and last the directories' modes, deepest first, because one that
 * forbids writing can only be filled before. A crash in between leaves something that the same call puts right.
 *
 * @returns `whole: false` when the tree names something below an excluded path, which stays away
 */
export async function makeEqual(
  git: Git,
  gitDir: string,
  root: ByteName,
  now: Snapshot,
  target: TreeId,
  exclude: ReadonlySet<ByteName>,
  owner: Person | null,
): Promise<{ readonly whole: boolean }> {
  const named = await namedBy(git, gitDir, target);
  const wanted = new Map([...named].filter(([path]) => !isBelow(path, exclude)));
  for (const path of exclude) await emptyExcluded(root, path, now);

  const remaining = new Map(now.walk);
  for (const [path, entry] of [...now.walk].reverse()) {
    const want = wanted.get(path);
    if (path === "" || (want?.kind === entry.kind && !isOutdated(path, want, now))) continue;
    remaining.delete(path);
    if (entry.kind === "directory") {
      // What is still below it is excluded or has no place in a tree.
      await removeTree(`${root}/${path}`);
    } else if (entry.kind === "left-out") await removeTree(`${root}/${path}`);
    else unlinkSync(onDisk(`${root}/${path}`));
  }

  const missing = [...wanted].filter(([path]) => !remaining.has(path));
  for (const [path, want] of missing) if (want.kind === "directory") makeDirectory(`${root}/${path}`, owner);
  const contents = missing.flatMap(([path, want]) => (want.kind === "directory" ? [] : [{ path, want }]));
  await readObjects(
    git,
    { gitDir },
    contents.map(({ want }) => want.blob),
    (at) => {
      const content = contents[at];
      if (content === undefined) throw new Error("more objects than asked for");
      const path = `${root}/${content.path}`;
      return content.want.kind === "file" ? fileSink(path, content.want.mode, owner) : linkSink(path, owner);
    },
  );

  for (const [path, want] of [...wanted].reverse()) {
    const at = path === "" ? root : `${root}/${path}`;
    if (want.kind === "link") continue;
    if ((lstatSync(onDisk(at)).mode & 0o7777) !== want.mode) chmodSync(onDisk(at), want.mode);
  }
  return { whole: wanted.size === named.size };
}

function isBelow(path: ByteName, exclude: ReadonlySet<ByteName>): boolean {
  if (exclude.size === 0) return false;
  for (let up = path; up !== ""; up = parentOf(up)) if (exclude.has(up)) return true;
  return false;
}

/** Another content, or only another mode on a file that has other names too: `chmod` would change those. */
function isOutdated(path: ByteName, want: Named, now: Snapshot): boolean {
  if (want.kind === "directory") return false;
  if (now.blobs.get(path) !== want.blob) return true;
  const entry = now.walk.get(path);
  return want.kind === "file" && entry?.kind === "file" && entry.mode !== want.mode && entry.links > 1;
}

/** Caches and mounted layers start empty; the place itself stays, because something may be mounted on it. */
async function emptyExcluded(root: ByteName, path: ByteName, now: Snapshot): Promise<void> {
  if (now.walk.get(parentOf(path))?.kind !== "directory") return;
  await emptyTree(`${root}/${path}`);
}

function makeDirectory(path: ByteName, owner: Person | null): void {
  mkdirSync(onDisk(path), { mode: 0o700 });
  if (owner !== null) lchownSync(onDisk(path), owner.uid, owner.gid);
}

function fileSink(path: ByteName, mode: number, owner: Person | null): ObjectSink {
  let file = -1;
  return {
    begin: () => {
      file = openSync(
        onDisk(path),
        constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW,
        0o600,
      );
    },
    piece: (bytes) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    },
    end: () => {
      // The owner first: changing it takes special bits away.
      if (owner !== null) fchownSync(file, owner.uid, owner.gid);
      fchmodSync(file, mode);
      closeSync(file);
    },
    drop: () => closeSync(file),
  };
}

function linkSink(path: ByteName, owner: Person | null): ObjectSink {
  const pieces: Buffer[] = [];
  return {
    begin: () => {},
    piece: (bytes) => {
      pieces.push(Buffer.from(bytes));
    },
    end: () => {
      symlinkSync(Buffer.concat(pieces), onDisk(path));
      if (owner !== null) lchownSync(onDisk(path), owner.uid, owner.gid);
    },
    drop: () => {},
  };
}
