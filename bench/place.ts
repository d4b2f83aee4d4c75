import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Where one bench keeps everything, removed at its end. */
export interface Place {
  /** A new directory. */
  directory(name: string): string;
  /** A git repository with one commit: so many small files besides `a.txt`. */
  repository(files?: number): string;
  leave(): void;
}

export const CHECKOUT = join(import.meta.dirname, "..");

/** Other users may enter: the sandbox runs as one. */
export function madePlace(): Place {
  const top = mkdtempSync(join(tmpdir(), "agentos-bench-"));
  chmodSync(top, 0o755);
  const directory = (name: string): string => {
    const path = mkdtempSync(join(top, `${name}-`));
    chmodSync(path, 0o755);
    return path;
  };
  return {
    directory,
    repository(files = 0) {
      const path = join(directory("repository"), "app");
      mkdirSync(path);
      git(path, "init", "--quiet", "--initial-branch=main");
      writeFileSync(join(path, "a.txt"), "one\n");
      for (let file = 0; file < files; file += 1) {
        const name = join(path, `d${Math.floor(file / 200)}`, `f${file}.txt`);
        if (file % 200 === 0) mkdirSync(dirname(name));
        writeFileSync(name, `file ${file}\n`);
      }
      git(path, "add", "--all");
      git(path, "commit", "--quiet", "--message", "Begin");
      return path;
    },
    leave: () => rmSync(top, { recursive: true, force: true }),
  };
}

/** Git as a person without a configuration runs it. */
export const git = (path: string, ...words: readonly string[]): string =>
  execFileSync("git", ["-C", path, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...words], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  }).trim();
