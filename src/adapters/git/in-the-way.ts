import { lstatSync, readdirSync, type Stats } from "node:fs";
import { type ByteName, join, onDisk, records, toByteName } from "./names.ts";
import type { Git, GitCall } from "./run.ts";

/**
 * Files of the person's that lie where new ones would be written, and that git does not know. Git itself protects only those that are not
 * ignored: an ignored one it overwrites without a word.
 *
 * @param call with the working tree and its index
 * @param added paths that come new
 * @returns of each path at most one that would be lost; a directory in its place loses what is below it
 */
export async function inTheWay(git: Git, call: GitCall, added: readonly ByteName[]): Promise<ByteName[]> {
  if (added.length === 0) return [];
  if (call.workTree === undefined) throw new Error("nothing is checked out in a call without a working tree");
  const root = toByteName(call.workTree);
  const known = new Set(records((await git.run(["ls-files", "-z"], call)).stdout));
  const lost = added.flatMap((path) => (known.has(path) ? [] : (lostAt(root, path, known) ?? [])));
  return [...new Set(lost)];
}

function lostAt(root: ByteName, path: ByteName, known: ReadonlySet<ByteName>): ByteName | null {
  const parts = path.split("/");
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const at = parts.slice(0, depth).join("/");
    const there = statAt(root, at);
    if (there === undefined) return null;
    if (!there.isDirectory()) return known.has(at) ? null : at;
  }
  return unknownBelow(root, path, known);
}

function unknownBelow(root: ByteName, directory: ByteName, known: ReadonlySet<ByteName>): ByteName | null {
  for (const name of readdirSync(onDisk(join(root, directory)), { encoding: "buffer" })) {
    const at = join(directory, name.toString("latin1"));
    const lost = statAt(root, at)?.isDirectory() ? unknownBelow(root, at, known) : known.has(at) ? null : at;
    if (lost !== null) return lost;
  }
  return null;
}

const statAt = (root: ByteName, path: ByteName): Stats | undefined =>
  lstatSync(onDisk(join(root, path)), { throwIfNoEntry: false });
