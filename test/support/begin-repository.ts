import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/* Each git that a test starts costs it a fork of a large process, ten milliseconds and more: so git is asked for several things at once. */

const CONFIG = `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
[user]
\tname = Ada
\temail = ada@example.org
`;

/** What `git init -b main` makes, of a person called Ada, without a commit. */
export function beginRepository(at: string): void {
  for (const directory of ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info", "hooks"])
    mkdirSync(join(at, ".git", directory), { recursive: true });
  writeFileSync(join(at, ".git", "HEAD"), "ref: refs/heads/main\n");
  writeFileSync(join(at, ".git", "config"), CONFIG);
}

/** Commits all there is, changed or not; its id. */
export const commitAll = (at: string, message: string, env: NodeJS.ProcessEnv): string =>
  execFileSync("/bin/sh", ["-c", COMMIT, "commit", message], {
    cwd: at,
    encoding: "utf8",
    env,
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();

const COMMIT = 'git add -A && git commit -q --allow-empty -m "$1" && git rev-parse HEAD';

/** Files by their path, made where they are not. */
export function putFiles(root: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}
