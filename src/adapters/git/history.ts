import { Failure, isFailure } from "../../domain/failure.ts";
import type { ChangedPath, ChangedText, CommitId } from "../../ports/workspaces.ts";
import { type ByteName, records, toByteName, toText } from "./names.ts";
import { digestObjects, readObjects } from "./objects.ts";
import { remembered } from "./remembered.ts";
import type { Git, GitCall } from "./run.ts";
import { asId } from "./source.ts";

/** No diff of ours starts a program or reads through one. */
const PLAIN_DIFF = ["--no-ext-diff", "--no-textconv", "--no-renames", "--no-color"] as const;
const CHUNK = 500;

export const treeOfCommit = (git: Git, call: GitCall, commit: CommitId): Promise<string> =>
  trees(`${call.gitDir} ${commit}`, () => git.line(["rev-parse", "--verify", "-q", `${asId(commit)}^{tree}`], call));

const trees = remembered<string>(1_000);

/** One path that differs, with what is there before and after. */
interface Difference extends ChangedPath {
  readonly before: TreeEntry | null;
  readonly after: TreeEntry | null;
}

export const changesBetween = async (git: Git, call: GitCall, from: string, to: string): Promise<ChangedPath[]> =>
  (await differences(git, call, from, to)).map(({ before: _, after: __, ...change }) => change);

const differing = remembered<readonly Difference[]>(20, (_, { length }) => length > KEPT_DIFFERENCES_MAX);
const KEPT_DIFFERENCES_MAX = 2_000;

const differences = (git: Git, call: GitCall, from: string, to: string): Promise<readonly Difference[]> =>
  differing(`${call.gitDir} ${from} ${to}`, async () => {
    const args = ["diff-tree", "-r", "-z", "--raw", "--numstat", "--no-abbrev", ...PLAIN_DIFF, asId(from), asId(to)];
    const told = records((await git.run(args, call)).stdout);
    // All lines of the one form, each followed by its path, then all of the other.
    const raw: (readonly [what: string, path: ByteName])[] = [];
    let at = 0;
    for (; told[at]?.startsWith(":") === true; at += 2) raw.push([told[at] ?? "", told[at + 1] ?? ""]);
    const lines = new Map(
      told.slice(at).map((record) => {
        const [added = "-", removed = "-", ...path] = record.split("\t");
        return [path.join("\t"), { linesAdded: countOf(added), linesRemoved: countOf(removed) }] as const;
      }),
    );
    return raw.map(([what, path]): Difference => {
      const [modeBefore = "", modeAfter = "", idBefore = "", idAfter = "", letter = ""] = what.slice(1).split(" ");
      const change = CHANGES[letter[0] ?? ""];
      if (change === undefined) throw new Error(`diff-tree said ${what}`);
      return {
        path: toText(path),
        change,
        ...(lines.get(path) ?? { linesAdded: null, linesRemoved: null }),
        before: sideOf(modeBefore, idBefore),
        after: sideOf(modeAfter, idAfter),
      };
    });
  });

const sideOf = (mode: string, id: string): TreeEntry | null => (mode === "000000" ? null : { mode, id });

/** `changesBetween`, with the texts of regular files of at most `bytesMax` among the first `most` of them, read together. */
export async function changedTexts(
  git: Git,
  call: GitCall,
  from: CommitId,
  to: CommitId,
  most: number,
  bytesMax: number,
): Promise<ChangedText[]> {
  const all = await differences(git, call, from, to);
  const wanted = all.slice(0, most).flatMap(({ before, after }) => [before, after].filter(isRegular));
  const texts = await textsOf(git, call, [...new Set(wanted.map(({ id }) => id))], bytesMax);
  const textOf = (side: TreeEntry | null): string | null => (isRegular(side) ? (texts.get(side.id) ?? null) : null);
  return all.map(({ before, after, ...change }, at) => ({
    ...change,
    read: at < most,
    before: at < most ? textOf(before) : null,
    after: at < most ? textOf(after) : null,
  }));
}

const CHANGES: Readonly<Record<string, ChangedPath["change"]>> = { A: "added", M: "modified", D: "deleted", T: "type" };

/** Git writes `-` for a binary file. */
const countOf = (text: string): number | null => (text === "-" ? null : Number(text));

/** Unified diff; longer than `bytesMax` it ends at a whole line, and a last line says so. */
export async function diffBetween(
  git: Git,
  call: GitCall,
  from: string,
  to: string,
  bytesMax: number,
): Promise<string> {
  const args = ["diff-tree", "-r", "-p", ...PLAIN_DIFF, asId(from), asId(to)];
  const answer = await git.run(args, { ...call, outputBytesMax: bytesMax, cut: true });
  const text = answer.stdout.toString("utf8");
  return answer.cut
    ? `${text.slice(0, text.lastIndexOf("\n") + 1)}[the diff is longer than ${bytesMax} bytes; the rest is left out]\n`
    : text;
}

const PATCH_BYTES_MAX = 128 * 1024 * 1024;

export const patchOf = async (git: Git, call: GitCall, base: CommitId, commit: CommitId): Promise<string> => {
  const args = [
    "format-patch",
    "--stdout",
    "--binary",
    "--full-index",
    "--no-signature",
    ...PLAIN_DIFF,
    `${asId(base)}..${asId(commit)}`,
  ];
  return (
    await git.run(args, { ...call, config: [["core.quotePath", "true"]], outputBytesMax: PATCH_BYTES_MAX })
  ).stdout.toString("utf8");
};

export interface TreeEntry {
  readonly mode: string;
  readonly id: string;
}

/** All files of a commit, by path; null when it cannot be read whole. Kept, but for the largest. */
export const filesOf = (git: Git, call: GitCall, commit: CommitId): Promise<ReadonlyMap<ByteName, TreeEntry> | null> =>
  listings(`${objectsOf(call)} ${commit}`, async () => {
    const listed = await git.run(["ls-tree", "-r", "-z", "--full-tree", asId(commit)], { ...call, answers: [1, 128] });
    return listed.code === 0 ? entriesIn(listed.stdout) : null;
  });

const listings = remembered<ReadonlyMap<ByteName, TreeEntry> | null>(
  10,
  (_, files) => files === null || files.size > KEPT_FILES_MAX,
);
const KEPT_FILES_MAX = 20_000;

/** Which objects a call reads: a view of a person's has none of its own. */
const objectsOf = ({ gitDir, alternates = [] }: GitCall): string => alternates[0] ?? gitDir ?? "";

const entriesIn = (listed: Buffer): ReadonlyMap<ByteName, TreeEntry> =>
  new Map(
    records(listed).flatMap((record) => {
      const tab = record.indexOf("\t");
      const [mode, , id] = record.slice(0, tab).split(" ");
      return mode === undefined || id === undefined ? [] : [[record.slice(tab + 1), { mode, id }] as const];
    }),
  );

async function entriesAt(
  git: Git,
  call: GitCall,
  commit: CommitId,
  paths: readonly string[],
): Promise<ReadonlyMap<ByteName, TreeEntry>> {
  // An odd path is simply not there; as an argument of git's, some would mean something else.
  const names = paths.filter(isPlainPath);
  const all = listings.known(`${objectsOf(call)} ${commit}`);
  const found = new Map<ByteName, TreeEntry>();
  if (all !== null) {
    for (const name of names.map(toByteName)) {
      const entry = all.get(name);
      if (entry !== undefined) found.set(name, entry);
    }
    return found;
  }
  for (let at = 0; at < names.length; at += CHUNK) {
    const args = ["ls-tree", "-z", "--full-tree", asId(commit), "--", ...names.slice(at, at + CHUNK)];
    for (const [name, entry] of entriesIn((await git.run(args, call)).stdout)) found.set(name, entry);
  }
  return found;
}

const isPlainPath = (path: string): boolean =>
  path !== "" && !path.includes("\0") && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");

const isRegular = (entry: TreeEntry | null | undefined): entry is TreeEntry => entry?.mode.startsWith("100") === true;

/** Text of a regular file in a commit; null: none there, or something else. A larger one is refused: passed over it would count as absent. */
export async function textAt(
  git: Git,
  call: GitCall,
  commit: CommitId,
  path: string,
  bytesMax: number,
): Promise<string | null> {
  const entry = (await entriesAt(git, call, commit, [path])).get(toByteName(path));
  if (!isRegular(entry)) return null;
  let found = 0;
  const texts = await textsOf(git, call, [entry.id], bytesMax, (size) => {
    found = size;
  });
  const text = texts.get(entry.id);
  if (text === undefined)
    throw new Failure(
      "repo/unsupported",
      `${path} in commit ${commit.slice(0, 12)} has ${found} bytes, and a file that decides what is installed or run is read up to ${bytesMax} bytes`,
      { next: `Commit a smaller ${path}, or take it out of the repository.`, facts: { path, bytes: found, bytesMax } },
    );
  return text;
}

/** Texts by their ids; those larger than `bytesMax` are not in it, and said to `larger`. */
async function textsOf(
  git: Git,
  call: GitCall,
  ids: readonly string[],
  bytesMax: number,
  larger: (bytes: number) => void = () => {},
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  await readObjects(git, call, ids, (at) => {
    const pieces: Buffer[] = [];
    let fits = false;
    return {
      begin: (_type, size) => {
        fits = size <= bytesMax;
        if (!fits) larger(size);
      },
      // The reader's buffer is used again.
      piece: (bytes) => void (fits && pieces.push(Buffer.from(bytes))),
      end: () => void (fits && texts.set(ids[at] ?? "", Buffer.concat(pieces).toString("utf8"))),
      drop: () => {},
    };
  });
  return texts;
}

export async function pathsIn(
  git: Git,
  call: GitCall,
  commit: CommitId,
  prefix: string,
  most: number,
): Promise<string[]> {
  const below = toByteName(prefix.replace(/\/+$/, ""));
  const files = await filesOf(git, call, commit);
  if (files === null)
    throw new Failure("repo/refused", `commit ${commit} cannot be read whole`, { next: "Run git fsck." });
  const all = [...files.keys()];
  const wanted = below === "" ? all : all.filter((path) => path === below || path.startsWith(`${below}/`));
  return wanted.map(toText).sort().slice(0, most);
}

/** SHA-256 of files and links of a commit by path. */
export async function digestsIn(
  git: Git,
  call: GitCall,
  commit: CommitId,
  paths: readonly string[],
): Promise<Record<string, string | null>> {
  const entries = await entriesAt(git, call, commit, paths);
  const files = paths.flatMap((path) => {
    const entry = entries.get(toByteName(path));
    return entry?.mode.startsWith("1") && entry.mode !== "160000" ? [{ path, id: entry.id }] : [];
  });
  const digests = await digestObjects(
    git,
    call,
    files.map(({ id }) => id),
    "sha256",
    false,
  );
  const byPath = new Map(files.map(({ path }, at) => [path, digests[at] ?? null] as const));
  return Object.fromEntries(paths.map((path) => [path, byPath.get(path) ?? null]));
}

/** Reads every object a tree names and compares it with its name. Missing or damaged: false. */
export async function isTreeWhole(git: Git, call: GitCall, tree: string): Promise<boolean> {
  const listed = await git.run(["ls-tree", "-r", "-t", "-z", asId(tree)], { ...call, answers: [128] });
  if (listed.code !== 0) return false;
  const ids = [
    tree,
    ...new Set(records(listed.stdout).map((record) => record.slice(0, record.indexOf("\t")).split(" ")[2] ?? "")),
  ];
  const algorithm = tree.length === 64 ? "sha256" : "sha1";
  try {
    const digests = await digestObjects(git, call, ids, algorithm, true);
    return digests.every((digest, at) => digest === ids[at]);
  } catch (error) {
    if (isFailure(error, "store/corrupt")) return false;
    throw error;
  }
}
