import { lstat, opendir, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize, relative, sep } from "node:path";
import { Failure } from "../../domain/failure.ts";
import type { Browsed } from "../../ports/providers.ts";

const ENTRIES_MAX = 1_000;

/**
 * Names in a directory, for a person who points at a program or at models. Nothing but names and kinds is told, only below a root, and no
 * link is followed: a path with one in it is refused, and links are not listed.
 */
export async function browse(wanted: string, roots: readonly string[]): Promise<Browsed> {
  if (wanted.includes("\0") || !isAbsolute(wanted) || normalize(withoutEnd(wanted)) !== withoutEnd(wanted))
    throw refused(wanted, "is not a plain absolute path", roots);
  const path = withoutEnd(wanted);
  // Roots are named by the system or a person, and may lie behind links themselves (/home on some machines).
  const real = await Promise.all(
    roots.map(async (root) => ({ root: withoutEnd(root), at: await realpath(root).catch(() => null) })),
  );
  const within = real.find(({ root, at }) => at !== null && (isBelow(root, path) || isBelow(at, path)));
  if (within === undefined || within.at === null)
    throw refused(path, "is in none of the directories that may be looked into", roots);
  const below = relative(isBelow(within.root, path) ? within.root : within.at, path);
  let at = within.at;
  for (const part of below === "" ? [] : below.split(sep)) {
    at = join(at, part);
    const found = await lstat(at).catch(() => null);
    if (found === null) throw refused(path, "is not there", roots);
    if (found.isSymbolicLink()) throw refused(path, "goes through a link", roots);
    if (!found.isDirectory()) throw refused(path, "is no directory", roots);
  }
  return { path: at, parent: below === "" ? null : dirname(at), ...(await namesIn(at, path, roots)) };
}

async function namesIn(at: string, path: string, roots: readonly string[]): Promise<Pick<Browsed, "entries" | "more">> {
  const entries: Browsed["entries"][number][] = [];
  let more = false;
  try {
    for await (const entry of await opendir(at)) {
      if (!entry.isDirectory() && !entry.isFile()) continue;
      if (entries.length === ENTRIES_MAX) {
        more = true;
        break;
      }
      entries.push({ name: entry.name, kind: entry.isDirectory() ? "directory" : "file" });
    }
  } catch {
    throw refused(path, "may not be read by this user", roots);
  }
  entries.sort((one, other) =>
    one.kind === other.kind ? (one.name < other.name ? -1 : 1) : one.kind === "directory" ? -1 : 1,
  );
  return { entries, more };
}

const isBelow = (root: string, path: string): boolean =>
  path === root || path.startsWith(root === sep ? root : `${root}${sep}`);

const withoutEnd = (path: string): string => (path.length > 1 && path.endsWith(sep) ? path.slice(0, -1) : path);

const refused = (path: string, why: string, roots: readonly string[]): Failure =>
  new Failure("input/invalid", `${path.replaceAll("\0", "␀")} ${why}`, {
    next: `These can be looked into: ${roots.join(", ")}.`,
  });
