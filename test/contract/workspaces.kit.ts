import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { afterAll } from "vitest";
import { gitWorkspaces } from "../../src/adapters/git/workspaces.ts";
import type { CommitId, WorkspaceRef, Workspaces } from "../../src/ports/workspaces.ts";
import { beginRepository, commitAll, putFiles } from "../support/begin-repository.ts";

/** What the contract tests of `Workspaces` stand on: real repositories in a place of their own, and an independent eye. */
export const isRoot = process.getuid?.() === 0;
export const NOBODY = { uid: 65534, gid: 65534 };
export const TASK = "01JD8QZ3T9W3N6X1V5K2M7R4PB";
export const CLONE = { task: TASK, repo: "app" };
export const WORK: WorkspaceRef = { ...CLONE, epoch: 1 };
export const ADA = { name: "Ada", email: "ada@example.org" };
export const AT_MS = 1_700_000_000_000;

const place = mkdtempSync(`${realpathSync(tmpdir())}/agentos-workspaces-`);
chmodSync(place, 0o755);
afterAll(() => removeAll(place));
let count = 0;

/** A directory of this test's own. */
export function room(): string {
  count += 1;
  const path = `${place}/${count}`;
  mkdirSync(path);
  return path;
}

/** Plain git, as the person would run it, with neutral settings. */
export function git(cwd: string, ...args: string[]): string {
  return execFileSync("git", ["-c", "protocol.file.allow=always", ...args], {
    cwd,
    encoding: "utf8",
    env: personsEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

export const personsEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: "/nonexistent",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
});

export type Content = string | Buffer;

export const put = putFiles;

export function repository(
  files: Readonly<Record<string, Content>> = { "a.txt": "one\n", "src/b.txt": "two\n" },
  at = `${room()}/app`,
): string {
  mkdirSync(at, { recursive: true });
  beginRepository(at);
  put(at, files);
  commit(at, "first");
  return at;
}

export const commit = (repo: string, message: string): CommitId => commitAll(repo, message, personsEnvironment());

export const workspacesIn = (home: string, owner: typeof NOBODY | null = null): Workspaces =>
  gitWorkspaces({ home, owner });

/** A repository, adopted and checked out. */
export async function begun(files?: Readonly<Record<string, Content>>) {
  const repo = repository(files);
  const workspaces = workspacesIn(`${room()}/home`);
  const base = await workspaces.adopt(CLONE, repo, git(repo, "rev-parse", "HEAD"), false);
  const tree = await workspaces.checkout(WORK, base);
  return { repo, workspaces, base, tree, work: workspaces.path(WORK), clone: `${workspaces.objectsPath(CLONE)}/..` };
}

/** An independent listing: every path below a directory with its mode and its bytes. Names as one character per byte. */
export function listing(root: string, skip: (path: string) => boolean = () => false): Record<string, string> {
  const found: Record<string, string> = {};
  const list = (directory: Buffer, prefix: string): void => {
    const mode = lstatSync(directory).mode & 0o7777;
    if (!isRoot && (mode & 0o700) !== 0o700) chmodSync(directory, 0o700);
    for (const name of readdirSync(directory, { encoding: "latin1" }).sort()) {
      const path = prefix + name;
      if (skip(path)) continue;
      const at = Buffer.concat([directory, Buffer.from("/"), Buffer.from(name, "latin1")]);
      const stats = lstatSync(at);
      const octal = (stats.mode & 0o7777).toString(8);
      if (stats.isDirectory()) {
        found[`${path}/`] = octal;
        list(at, `${path}/`);
      } else if (stats.isSymbolicLink()) found[path] = `-> ${readlinkSync(at, { encoding: "latin1" })}`;
      else if (stats.isFile()) {
        if (!isRoot && (stats.mode & 0o400) === 0) chmodSync(at, stats.mode | 0o400);
        found[path] = `${octal} ${createHash("sha256").update(readFileSync(at)).digest("hex")}`;
        chmodSync(at, stats.mode & 0o7777);
      } else found[path] = "special";
    }
    if (!isRoot && (mode & 0o700) !== 0o700) chmodSync(directory, mode);
  };
  list(Buffer.from(root), "");
  return { "./": (lstatSync(root).mode & 0o7777).toString(8), ...found };
}

export const withoutGit = (path: string): boolean => path === ".git";

/** All of a person's repository that nobody but them may change: files, index and its time, settings, refs. */
export function fingerprint(repo: string): Record<string, string> {
  const ours = (path: string): boolean => path.startsWith(".git/refs/agentos") || path.startsWith(".git/objects");
  const index = statSync(`${repo}/.git/index`, { bigint: true });
  return { ...listing(repo, ours), "index time": String(index.mtimeNs) };
}

function removeAll(path: string): void {
  if (!existsSync(path)) return;
  execFileSync("chmod", ["-R", "u+rwx", path], { stdio: "ignore" });
  rmSync(path, { recursive: true, force: true });
}
