import { lstatSync, readdirSync, writeFileSync } from "node:fs";
import { Failure } from "../../domain/failure.ts";
import type { CommitId, RepoState } from "../../ports/workspaces.ts";
import { filesOf, type TreeEntry } from "./history.ts";
import { type ByteName, records, toText } from "./names.ts";
import { readWhole } from "./objects.ts";
import { remembered } from "./remembered.ts";
import type { Git, GitCall } from "./run.ts";
import { checkedOutBranch, headOf, overFiles, type Source, withView } from "./source.ts";

/** What a person's repository is like, and why it cannot be worked on, if it cannot. */
export async function inspectSource(git: Git, views: string, source: Source): Promise<Omit<RepoState, "below">> {
  const head = await headOf(git, source);
  const branch = await checkedOutBranch(git, source);
  const facts = { root: source.root, head, branch };
  if (source.bare) {
    return {
      ...facts,
      dirty: [],
      unsupported: [`${source.root} is a bare repository (it has no files to work on): clone it and add the clone`],
    };
  }
  if (head === null) return { ...facts, dirty: [], unsupported: ["it has no commit yet: commit something first"] };
  const unsupported = structural(source);
  if (unsupported.length > 0) return { ...facts, dirty: [], unsupported };
  return withView(views, source, async (view) => {
    const content = await unsupportedContent(git, view.call, source, head);
    return { ...facts, dirty: await dirtyPaths(git, view.call, source, head), unsupported: content };
  });
}

/** What the object store or the settings say, before any object is read. */
function structural(source: Source): string[] {
  const said = (key: string): boolean =>
    ["true", "yes", "on", "1"].includes(source.config.get(key)?.toLowerCase() ?? "");
  const promised =
    source.config.has("extensions.partialclone") ||
    [...source.config.keys()].some((key) => /^remote\..*\.(promisor|partialclonefilter)$/.test(key)) ||
    readdirSync(`${source.objects}/pack`).some((name) => name.endsWith(".promisor"));
  const reasons: string[] = [];
  if (lstatSync(`${source.commonDir}/shallow`, { throwIfNoEntry: false }) !== undefined)
    reasons.push("it is a shallow clone, its history is cut off: run git fetch --unshallow");
  if (promised)
    reasons.push("it is a partial clone, some of its objects are elsewhere: make a full clone and add that");
  if (said("core.sparsecheckout"))
    reasons.push("its checkout is sparse, some of its files are not there: run git sparse-checkout disable");
  const refs = source.config.get("extensions.refstorage");
  if (refs !== undefined && refs !== "files")
    reasons.push(`its refs are stored as ${refs}, which is not supported yet: run git refs migrate --ref-format=files`);
  return reasons;
}

/** Submodules and LFS pointers: a clone of the repository alone would not have their files. */
export async function unsupportedContent(git: Git, call: GitCall, source: Source, head: CommitId): Promise<string[]> {
  const key = `${source.objects} ${head}`;
  const before = contents.known(key);
  if (before !== null) return before;
  const files = await filesOf(git, call, head);
  // Not kept: a repository can be mended.
  if (files === null) return [`its commit ${head} cannot be read whole: run git fsck`];
  return contents(key, () => unsupportedIn(git, call, files));
}

const contents = remembered<string[]>(100);

async function unsupportedIn(git: Git, call: GitCall, files: ReadonlyMap<ByteName, TreeEntry>): Promise<string[]> {
  const entries = [...files].map(([path, entry]) => ({ path, ...entry }));
  const reasons: string[] = [];
  const submodules = entries.filter(({ mode }) => mode === "160000").map(({ path }) => toText(path));
  if (submodules.length > 0)
    reasons.push(
      `it has submodules (${submodules.slice(0, 3).join(", ")}${submodules.length > 3 ? ", …" : ""}), which are not supported: add the submodule's own repository instead`,
    );
  const attributes = entries.filter(
    ({ mode, path }) => mode.startsWith("100") && (path === ".gitattributes" || path.endsWith("/.gitattributes")),
  );
  const texts = await readWhole(
    git,
    call,
    attributes.map(({ id }) => id),
  );
  const lfs = attributes.find((_, at) =>
    /(^|\s)filter=lfs(\s|$)/m.test(withoutComments(texts[at]?.toString("latin1") ?? "")),
  );
  if (lfs !== undefined)
    reasons.push(
      `it uses Git LFS (${toText(lfs.path)}), which is not supported: its large files would only be pointers`,
    );
  return reasons;
}

const withoutComments = (text: string): string => text.replace(/^\s*#.*$/gm, "");

/** Paths that differ from a commit in the person's working tree or index, and untracked ones. Works on copies. */
export async function dirtyPaths(git: Git, view: GitCall, source: Source, commit: CommitId): Promise<string[]> {
  if (view.gitDir === null) throw new Error("a view has a git directory");
  const call = overFiles(view, source);
  // What it is compared with is HEAD, and the view's is ours to set.
  writeFileSync(`${view.gitDir}/HEAD`, `${commit}\n`);
  const answer = await git.run(STATUS, { ...call, answers: [128] });
  if (answer.code !== 0)
    throw new Failure("repo/refused", `git cannot compare ${source.root} with its last commit`, {
      next: "Look at what git status says there.",
    });
  // `XY path`; without a search for renames each record is one path.
  return [...new Set(records(answer.stdout).map((record) => toText(record.slice(3))))].sort();
}

const STATUS = [
  ...["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignored=no"],
  ...["--ignore-submodules=all", "--no-ahead-behind"],
] as const;
