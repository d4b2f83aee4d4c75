import { Failure } from "../../domain/failure.ts";
import type { TreeId } from "../../ports/workspaces.ts";
import { type ByteName, parentOf, pathFromTree, records, toText } from "./names.ts";
import { readWhole } from "./objects.ts";
import type { Git } from "./run.ts";

/** One path of a workspace tree (see snapshot.ts). */
export type Named =
  | { readonly kind: "directory"; readonly mode: number }
  | { readonly kind: "file"; readonly mode: number; readonly blob: string }
  | { readonly kind: "link"; readonly blob: string };

/** Everything a workspace tree names, parents before children. One that is not whole: `Failure("store/corrupt")`. */
export async function namedBy(git: Git, gitDir: string, target: TreeId): Promise<Map<ByteName, Named>> {
  const wanted = new Map<ByteName, Named>([["", { kind: "directory", mode: 0o755 }]]);
  const listed = await git.run(["ls-tree", "-r", "-t", "-z", `${target}:content`], { gitDir, answers: [128] });
  const [manifest] = listed.code === 0 ? await readWhole(git, { gitDir }, [`${target}:manifest.json`]) : [];
  if (manifest === undefined) throw new Failure("store/corrupt", `workspace tree ${target} is not whole in ${gitDir}`);
  for (const record of records(listed.stdout)) {
    const tab = record.indexOf("\t");
    const [mode, , id] = record.slice(0, tab).split(" ");
    const path = pathFromTree(record.slice(tab + 1));
    if (id === undefined) throw new Error(`ls-tree said ${record}`);
    if (mode === "040000") wanted.set(path, { kind: "directory", mode: 0o755 });
    else if (mode === "120000") wanted.set(path, { kind: "link", blob: id });
    else wanted.set(path, { kind: "file", mode: mode === "100755" ? 0o755 : 0o644, blob: id });
  }
  const said: unknown = JSON.parse(manifest.toString("utf8"));
  for (const [path, mode] of pairsOf(said, "directories")) wanted.set(path, { kind: "directory", mode });
  for (const [path, mode] of pairsOf(said, "files")) {
    const file = wanted.get(path);
    if (file?.kind === "file") wanted.set(path, { ...file, mode });
  }
  // Sorting puts each directory before what is in it; reversed, after.
  return new Map([...wanted].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function pairsOf(manifest: unknown, field: "directories" | "files"): (readonly [ByteName, number])[] {
  const list: unknown = typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, field) : null;
  if (!Array.isArray(list)) throw new Failure("store/corrupt", `the manifest of a workspace tree has no ${field}`);
  return list.map((pair: unknown) => {
    const [path, mode]: readonly unknown[] = Array.isArray(pair) ? pair : [];
    if (typeof path !== "string" || typeof mode !== "string")
      throw new Failure("store/corrupt", `the manifest of a workspace tree has odd ${field}`);
    return [path, Number.parseInt(mode, 8)] as const;
  });
}

/** Paths that two workspace trees do not have alike, without anything of a `.git`; a directory only when it is empty or its mode differs. */
export async function treeDifferences(git: Git, gitDir: string, from: TreeId, to: TreeId): Promise<string[]> {
  const [before, after] = [await namedBy(git, gitDir, from), await namedBy(git, gitDir, to)];
  const differing = new Set<ByteName>();
  for (const [one, other] of [
    [before, after],
    [after, before],
  ] as const) {
    const parents = new Set([...one.keys()].map(parentOf));
    for (const [path, named] of one) {
      const there = other.get(path);
      if (there === undefined && named.kind === "directory" && parents.has(path)) continue;
      if (there === undefined || !isSame(named, there)) differing.add(path);
    }
  }
  return [...differing]
    .filter((path) => !path.split("/").includes(".git"))
    .map((path) => (path === "" ? "." : toText(path)))
    .sort();
}

const isSame = (a: Named, b: Named): boolean =>
  a.kind === b.kind &&
  (a.kind === "link" || b.kind === "link" || a.mode === b.mode) &&
  (a.kind === "directory" || b.kind === "directory" || a.blob === b.blob);
