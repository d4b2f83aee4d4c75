import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { Failure } from "../../domain/failure.ts";
import { type ByteName, join, onDisk, toByteName, toText } from "./names.ts";
import type { Person } from "./program.ts";
import { isCode } from "./removal.ts";

/**
 * Single files of a working directory, whose content is not to be trusted and may change while we look. Each directory on
 * the way is opened without following links and the next name is looked up *in what was opened*, so a link put in
 * the way, even between two steps, is refused and never followed.
 */
export function readFileIn(root: string, path: string, bytesMax: number): Uint8Array | null {
  const parts = partsOf(path);
  return within(root, parts, null, (directory, name) => {
    const file = tryOpen(
      `${directory}/${name}`,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      path,
    );
    if (file === null) return null;
    try {
      const stats = fstatSync(file);
      if (!stats.isFile()) throw new Failure("act/denied", `${path} is not a regular file`);
      const content = Buffer.alloc(Math.min(stats.size, bytesMax) + 1);
      let bytes = 0;
      for (let got = -1; got !== 0 && bytes < content.length; bytes += got)
        got = readSync(file, content, bytes, content.length - bytes, null);
      if (stats.size > bytesMax || bytes > bytesMax)
        throw new Failure("act/denied", `${path} is ${stats.size} bytes, more than the ${bytesMax} that may be read`);
      return content.subarray(0, bytes);
    } finally {
      closeSync(file);
    }
  });
}

/** Replaces the file whole, by a rename beside it: never through a link, nor into what other hard links share. */
export function writeFileIn(
  root: string,
  path: string,
  content: Uint8Array | null,
  executable: boolean | undefined,
  owner: Person | null,
): void {
  const parts = partsOf(path);
  if (parts.some((part) => part.toLowerCase() === ".git"))
    throw new Failure("act/denied", `${path} is git's own: edit files, not .git`);
  const write = (directory: ByteName, name: ByteName): null => {
    const at = onDisk(`${directory}/${name}`);
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (stats?.isDirectory()) throw new Failure("act/denied", `${path} is a directory`);
    if (content === null) {
      if (stats !== undefined) unlinkSync(at);
      return null;
    }
    if (stats !== undefined && !stats.isFile())
      throw new Failure("act/denied", `${path} is not a regular file${stats.isSymbolicLink() ? " but a link" : ""}`);
    const kept = stats === undefined ? 0o644 : stats.mode & 0o777;
    const mode = executable === undefined ? kept : executable ? kept | 0o111 : kept & ~0o111;
    const beside = onDisk(`${directory}/.agentos-${randomUUID()}`);
    const file = openSync(
      beside,
      constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      for (let done = 0; done < content.length; ) done += writeSync(file, content, done);
      if (owner !== null) fchownSync(file, owner.uid, owner.gid);
      fchmodSync(file, mode);
      renameSync(beside, at);
    } catch (error) {
      unlinkSync(beside);
      throw error;
    } finally {
      closeSync(file);
    }
    return null;
  };
  try {
    within(root, parts, content === null ? null : { owner }, write);
  } catch (error) {
    // An ordinary user's own agent can make a directory that it may not write to.
    if (isCode(error, "EACCES", "EPERM"))
      throw new Failure("act/denied", `${path} may not be written`, { cause: error });
    throw error;
  }
}

/** Files and links below a directory (or the file itself), by name, without `.git`; at most `most`. */
export function listFilesIn(root: string, prefix: string, most: number): string[] {
  const top = prefix.replace(/\/+$/, "");
  const found: string[] = [];
  const list = (directory: ByteName, path: ByteName): void => {
    for (const entry of readdirSync(onDisk(directory), { encoding: "latin1", withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      if (found.length >= most) return;
      if (entry.name.toLowerCase() === ".git") continue;
      const child = join(path, entry.name);
      if (entry.isFile() || entry.isSymbolicLink()) found.push(toText(child));
      else if (entry.isDirectory()) listOpened(`${directory}/${entry.name}`, child);
    }
  };
  const listOpened = (at: ByteName, path: ByteName): void => {
    const opened = tryOpen(at, DIRECTORY, toText(path));
    if (opened === null) return;
    try {
      list(here(opened, at), path);
    } finally {
      closeSync(opened);
    }
  };
  const parts = top === "" ? [] : partsOf(top);
  within(root, parts, null, (directory, name) => {
    const kind = name === "" ? null : lstatSync(onDisk(`${directory}/${name}`), { throwIfNoEntry: false });
    if (kind?.isFile() || kind?.isSymbolicLink()) found.push(top);
    else if (kind === null) list(directory, "");
    else if (kind?.isDirectory()) listOpened(`${directory}/${name}`, toByteName(top));
    return null;
  });
  return found.slice(0, most);
}

const PARTS_MAX = 200;

/** A relative path that stays inside; what people and models write to climb out is refused, in whatever spelling. */
function partsOf(path: string): ByteName[] {
  const parts = path.split("/");
  const climbs = parts.some((part) => part === "" || part === "." || /^(\.|%2e)(\.|%2e)$/i.test(part));
  if (
    climbs ||
    parts.length > PARTS_MAX ||
    /[\0\\]/.test(path) ||
    path.startsWith("~") ||
    (/^[a-z]+:/i.test(path) && path.includes("//"))
  )
    throw new Failure("act/denied", `${JSON.stringify(path.slice(0, 200))} is not a path inside the working directory`);
  const names = parts.map(toByteName);
  const long = names.find((name) => name.length > NAME_BYTES_MAX);
  if (long !== undefined)
    throw new Failure(
      "act/denied",
      `a name of ${long.length} bytes is longer than a file's can be (${NAME_BYTES_MAX})`,
    );
  return names;
}

const NAME_BYTES_MAX = 255;

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A path that means what was opened, wherever its name points by now. Without /proc there is only the name. */
const here = (directory: number, name: ByteName): ByteName =>
  process.platform === "linux" ? `/proc/self/fd/${directory}` : name;

/** Opens the directories on the way and calls `use` with the last of them. Missing directories: made, or null without `make`. */
function within<T>(
  root: string,
  parts: readonly ByteName[],
  make: { readonly owner: Person | null } | null,
  use: (directory: ByteName, name: ByteName) => T | null,
): T | null {
  let opened = openSync(onDisk(toByteName(root)), DIRECTORY);
  let place = here(opened, toByteName(root));
  try {
    for (const part of parts.slice(0, -1)) {
      const at = `${place}/${part}`;
      const shown = toText(parts.slice(0, parts.indexOf(part) + 1).join("/"));
      let next = tryOpen(at, DIRECTORY, shown);
      if (next === null && make !== null) {
        mkdirSync(onDisk(at), { mode: 0o755 });
        next = openSync(onDisk(at), DIRECTORY);
        fchmodSync(next, 0o755);
        if (make.owner !== null) fchownSync(next, make.owner.uid, make.owner.gid);
      }
      if (next === null) return null;
      closeSync(opened);
      opened = next;
      place = here(opened, at);
    }
    return use(place, parts.at(-1) ?? "");
  } finally {
    closeSync(opened);
  }
}

/** Nothing there: null. A link, or something else than asked for: denied. */
function tryOpen(path: ByteName, flags: number, shown: string): number | null {
  try {
    return openSync(onDisk(path), flags);
  } catch (error) {
    if (isCode(error, "ENOENT")) return null;
    if (isCode(error, "ELOOP")) throw new Failure("act/denied", `${shown} is a link, and links are not followed`);
    if (isCode(error, "ENOTDIR")) throw new Failure("act/denied", `${shown} is not a directory`);
    if (isCode(error, "ENXIO", "EACCES", "ENAMETOOLONG"))
      throw new Failure("act/denied", `${shown} cannot be opened`, { cause: error });
    throw error;
  }
}
