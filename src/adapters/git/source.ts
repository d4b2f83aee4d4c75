import { randomUUID } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, isAbsolute, resolve } from "node:path";
import { Failure } from "../../domain/failure.ts";
import type { CommitId } from "../../ports/workspaces.ts";
import { records } from "./names.ts";
import type { Person } from "./program.ts";
import { remembered } from "./remembered.ts";
import type { Git, GitCall } from "./run.ts";

/** A person's repository, found without asking git: its own configuration has no say in where it lies. */
export interface Source {
  /** Real path of the top directory of the working tree; of a bare repository, the repository itself. */
  readonly root: string;
  /** Of this working tree: HEAD and index. */
  readonly gitDir: string;
  /** Of all working trees: refs, objects, configuration. */
  readonly commonDir: string;
  readonly objects: string;
  readonly bare: boolean;
  readonly format: "sha1" | "sha256";
  /** Last value of each key, in git's spelling (section and name in lower case); includes are not followed. */
  readonly config: ReadonlyMap<string, string>;
  /** Whom writing git processes must run as: set when the daemon is root and the repository is not root's. */
  readonly person: Person | null;
}

const SMALL_FILE_BYTES_MAX = 4 * 1024 * 1024;

/** Not a repository, or one that cannot be read: `Failure("repo/refused")`. */
export async function findSource(git: Git, path: string): Promise<Source> {
  if (path.includes("\0") || !isAbsolute(path))
    throw new Failure("repo/refused", `${JSON.stringify(path)} is not an absolute path`);
  let start: string;
  try {
    start = realpathSync(path);
  } catch (error) {
    throw new Failure("repo/refused", `${path} does not exist or cannot be read`, { cause: error });
  }
  for (let directory = start; ; directory = dirname(directory)) {
    const found = repositoryAt(directory);
    if (found !== null) return describe(git, found);
    if (dirname(directory) === directory) break;
  }
  throw new Failure("repo/refused", `${path} is not inside a git repository`, {
    next: `Make it one with: git init && git add -A && git commit`,
  });
}

/**
 * The repository whose top is exactly this path, as a project names it. What lies around a repository that is gone is another one and is never
 * taken for it: `Failure("repo/refused")`.
 */
export async function sourceAt(git: Git, path: string): Promise<Source> {
  const source = await findSource(git, path);
  if (source.root !== realpathSync(path))
    throw new Failure("repo/refused", `${path} is no git repository any more; it only lies inside ${source.root}`, {
      next: "Put the repository back.",
    });
  return source;
}

interface Place {
  readonly root: string;
  readonly gitDir: string;
  readonly bare: boolean;
}

function repositoryAt(directory: string): Place | null {
  const dotGit = `${directory}/.git`;
  const stats = statSync(dotGit, { throwIfNoEntry: false });
  if (stats?.isDirectory() && isGitDirectory(dotGit))
    return { root: directory, gitDir: realpathSync(dotGit), bare: false };
  if (stats?.isFile()) {
    // A linked working tree, or one with its git directory elsewhere.
    const said = /^gitdir: (.+?)\n?$/s.exec(readSmall(dotGit) ?? "")?.[1];
    const gitDir = said === undefined ? null : resolve(directory, said);
    if (gitDir === null || !isGitDirectory(gitDir))
      throw new Failure("repo/refused", `${dotGit} does not point to a git directory`);
    return { root: directory, gitDir: realpathSync(gitDir), bare: false };
  }
  return isGitDirectory(directory) && isDirectory(`${directory}/objects`)
    ? { root: directory, gitDir: directory, bare: true }
    : null;
}

function isGitDirectory(path: string): boolean {
  const common = commonOf(path);
  return (
    lstatSync(`${path}/HEAD`, { throwIfNoEntry: false }) !== undefined &&
    isDirectory(`${common}/objects`) &&
    isDirectory(`${common}/refs`)
  );
}

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function commonOf(gitDir: string): string {
  const said = readSmall(`${gitDir}/commondir`)?.trim();
  return said === undefined ? gitDir : resolve(gitDir, said);
}

/** A regular file of bounded size, as text; null when it is anything else or absent. */
export function readSmall(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() && stats.size <= SMALL_FILE_BYTES_MAX ? readFileSync(path, "utf8") : null;
}

async function describe(git: Git, place: Place): Promise<Source> {
  const commonDir = realpathSync(commonOf(place.gitDir));
  const config = new Map([
    ...(await configOf(git, `${commonDir}/config`)),
    ...(await configOf(git, `${place.gitDir}/config.worktree`)),
  ]);
  const owner = statSync(`${commonDir}/objects`);
  const foreign = process.getuid?.() === 0 && owner.uid !== 0;
  return {
    ...place,
    commonDir,
    objects: realpathSync(`${commonDir}/objects`),
    format: config.get("extensions.objectformat") === "sha256" ? "sha256" : "sha1",
    config,
    person: foreign ? { uid: owner.uid, gid: owner.gid } : null,
  };
}

/** Parsed, never obeyed: includes are not followed and nothing in it is run. */
async function configOf(git: Git, file: string): Promise<ReadonlyMap<string, string>> {
  const text = readSmall(file);
  if (text === null) return new Map();
  return configs(text, async () => {
    const answer = await git.run(["config", "--file", "-", "--no-includes", "--list", "-z"], {
      gitDir: null,
      input: text,
      answers: [1, 3, 128],
      timeoutMs: 10_000,
    });
    if (answer.code !== 0)
      throw new Failure("repo/refused", `${file} cannot be read as git configuration`, {
        next: `Ask git what is wrong: git config --file ${file} --list`,
      });
    return new Map(
      records(answer.stdout).map((record) => {
        const newline = record.indexOf("\n");
        return newline < 0
          ? ([record, "true"] as const)
          : ([record.slice(0, newline), record.slice(newline + 1)] as const);
      }),
    );
  });
}

const configs = remembered<ReadonlyMap<string, string>>(100, (text) => text.length > KEPT_TEXT_MAX);
const KEPT_TEXT_MAX = 64 * 1024;

/** Settings that say how a file's bytes are read, and run nothing. */
const CARRIED = [
  "core.autocrlf",
  "core.eol",
  "core.filemode",
  "core.ignorecase",
  "core.symlinks",
  "core.precomposeunicode",
] as const;

export const carriedConfig = (source: Source): (readonly [string, string])[] =>
  CARRIED.flatMap((key) => {
    const value = source.config.get(key);
    return value === undefined ? [] : [[key, value] as const];
  });

/**
 * A private git directory for one call, over the objects of a person's repository. Git reads *its* configuration, which
 * names no hook, no driver, no helper and no promisor remote, so there is nothing of the repository's that could run.
 */
export interface View {
  /** Reads the person's objects; index and working tree are set by `withIndex`. */
  readonly call: GitCall;
}

export async function withView<T>(views: string, source: Source, use: (view: View) => Promise<T>): Promise<T> {
  mkdirSync(views, { recursive: true, mode: 0o700 });
  const gitDir = makeGitDirectory(`${views}/${randomUUID()}`, source.format);
  try {
    return await use({ call: { gitDir, alternates: [source.objects], config: carriedConfig(source) } });
  } finally {
    rmSync(gitDir, { recursive: true, force: true });
  }
}

/** The same, in a place the repository's owner can reach, for calls that write into the person's repository. */
export async function withPersonsView<T>(source: Source, use: (view: View) => Promise<T>): Promise<T> {
  const place = mkdtempSync(`${realpathSync(tmpdir())}/agentos-view-`);
  try {
    const gitDir = makeGitDirectory(`${place}/git`, source.format);
    for (const path of [
      place,
      gitDir,
      ...readdirSync(gitDir, { recursive: true, encoding: "utf8" }).map((name) => `${gitDir}/${name}`),
    ]) {
      if (source.person !== null) chownSync(path, source.person.uid, source.person.gid);
    }
    return await use({ call: { gitDir, objects: source.objects, config: carriedConfig(source), as: source.person } });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** What `git init --bare` makes, without templates, hooks or a look at anybody's settings. */
export function makeGitDirectory(gitDir: string, format: "sha1" | "sha256", more: readonly string[] = []): string {
  for (const path of ["", "/objects", "/objects/info", "/objects/pack", "/refs", "/refs/heads", "/info"]) {
    mkdirSync(gitDir + path, { recursive: true });
    // The top is closed; what is below can be mounted for others to read, whatever the daemon's umask is.
    chmodSync(gitDir + path, path === "" ? 0o700 : 0o755);
  }
  writeFileSync(`${gitDir}/HEAD`, "ref: refs/heads/none\n");
  const extensions = format === "sha1" ? [] : ["[extensions]", `\tobjectformat = ${format}`];
  writeFileSync(
    `${gitDir}/config`,
    [
      "[core]",
      `\trepositoryformatversion = ${format === "sha1" ? 0 : 1}`,
      "\tbare = true",
      ...more,
      ...extensions,
      "",
    ].join("\n"),
  );
  return gitDir;
}

/**
 * Puts a copy of the person's index (and what it is split into) and of their local ignore rules into a view: git refreshes
 * an index when it looks, and theirs must stay as it is. The copy keeps the original's time, a little earlier, because
 * git decides by it which entries it has to read again.
 */
export function copyIndex(source: Source, viewDir: string): string {
  const from = `${source.gitDir}/index`;
  const to = `${viewDir}/index`;
  const stats = statSync(from, { throwIfNoEntry: false });
  if (stats?.isFile()) {
    writeFileSync(to, readFileSync(from));
    utimesSync(to, stats.atimeMs / 1000, Math.floor(stats.mtimeMs) / 1000);
    for (const name of readdirSync(source.gitDir)) {
      if (/^sharedindex\.[0-9a-f]+$/.test(name) && lstatSync(`${source.gitDir}/${name}`).isFile())
        writeFileSync(`${viewDir}/${name}`, readFileSync(`${source.gitDir}/${name}`));
    }
  }
  const ignored = readSmall(`${source.commonDir}/info/exclude`);
  if (ignored !== null) writeFileSync(`${viewDir}/info/exclude`, ignored);
  const attributes = readSmall(`${source.commonDir}/info/attributes`);
  if (attributes !== null) writeFileSync(`${viewDir}/info/attributes`, attributes);
  return to;
}

/** A call that sees the person's files, with a copy of their index that it may refresh. */
export function overFiles(view: GitCall, source: Source): GitCall {
  if (view.gitDir === null) throw new Error("a view has a git directory");
  return { ...view, workTree: source.root, index: copyIndex(source, view.gitDir) };
}

/**
 * Asks the person's repository for refs. Its configuration is parsed, because it says how refs are stored, but no object
 * is read, so nothing in it can make git fetch or run anything.
 */
export const refCall = (source: Source): GitCall => ({ gitDir: source.gitDir, timeoutMs: 30_000 });

export async function headOf(git: Git, source: Source): Promise<CommitId | null> {
  return resolveRef(git, source, "HEAD");
}

export async function resolveRef(git: Git, source: Source, ref: string): Promise<CommitId | null> {
  const answer = await git.run(["rev-parse", "--verify", "-q", "--end-of-options", ref], {
    ...refCall(source),
    answers: [1, 128],
  });
  const id = answer.stdout.toString("latin1").trim();
  return answer.code === 0 && isId(id) ? id : null;
}

/** The checked-out branch, also when it has no commit yet; null when HEAD is detached. */
export async function checkedOutBranch(git: Git, source: Source): Promise<string | null> {
  const ref = headFile(source) ?? (await headAsked(git, source));
  return ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : null;
}

/** What HEAD says where it is a plain file, as it nearly always is; null where git has to be asked. */
function headFile({ gitDir, config }: Source): string | null {
  const storage = config.get("extensions.refstorage") ?? "files";
  const head = `${gitDir}/HEAD`;
  if (storage !== "files" || lstatSync(head, { throwIfNoEntry: false })?.isFile() !== true) return null;
  const text = readSmall(head)?.trim() ?? "";
  return isId(text) ? "" : (/^ref: (refs\/heads\/[\p{L}\p{N}_./#@+=-]+)$/u.exec(text)?.[1] ?? null);
}

async function headAsked(git: Git, source: Source): Promise<string> {
  const answer = await git.run(["symbolic-ref", "-q", "HEAD"], { ...refCall(source), answers: [1, 128] });
  return answer.code === 0 ? answer.stdout.toString("utf8").trim() : "";
}

export const isId = (text: string): boolean => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);

/** Ids come from the journal and from people; anything else could be an option or an expression to git. */
export function asId(id: string): string {
  if (!isId(id))
    throw new Failure("input/invalid", `${JSON.stringify(id.slice(0, 80))} is not the id of a commit or tree`);
  return id;
}

/**
 * The main working tree and the linked ones, each as a source of its own. A linked one whose files are gone is none, as `git worktree prune`
 * sees it; one that is locked is only away, on a disk that is not plugged in for example.
 */
export function workingTrees(source: Source): Source[] {
  const main =
    source.gitDir === source.commonDir
      ? source.root
      : basename(source.commonDir) === ".git"
        ? dirname(source.commonDir)
        : null;
  const trees: Source[] = main === null || source.bare ? [] : [{ ...source, root: main, gitDir: source.commonDir }];
  const linked = `${source.commonDir}/worktrees`;
  for (const name of isDirectory(linked) ? readdirSync(linked) : []) {
    const gitDir = `${linked}/${name}`;
    const dotGit = readSmall(`${gitDir}/gitdir`)?.trim();
    if (dotGit === undefined) continue;
    if (existsSync(resolve(gitDir, dotGit)) || existsSync(`${gitDir}/locked`))
      trees.push({ ...source, root: dirname(resolve(gitDir, dotGit)), gitDir, bare: false });
  }
  return trees;
}
