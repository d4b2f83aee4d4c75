import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

/* What src/domain/shell.test.ts says of the same rows is worth something only if they do what they are there for. */

const { rows } = JSON.parse(readFileSync(join(import.meta.dirname, "../fixtures/commands/hidden.json"), "utf8")) as {
  rows: readonly (readonly [shells: string, text: string, said: string])[];
};
const PATH = "/usr/local/bin:/usr/bin:/bin";
const SIDE_BY_SIDE = 4;

/** Programs that not every machine has, or not in this kind: where one is missing, nothing can be shown with it. */
const SOME = ["bash", "dash", "git", "make", "perl", "python3", "node", "ionice", "flock", "tar", "awk", "setsid"];
const missing = SOME.filter((program) => spawnSync("sh", ["-c", 'command -v "$1"', "sh", program]).status !== 0);

function makesTheFile(shell: string, text: string): Promise<boolean> {
  const at = mkdtempSync(join(tmpdir(), "agentos-hidden-"));
  writeFileSync(join(at, "s"), "true\n");
  return new Promise((resolve) => {
    const who = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@b", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@b" };
    const env = { PATH, HOME: at, LC_ALL: "C.UTF-8", ...who };
    execFile("setsid", ["-w", shell, "-c", text], { cwd: at, env, timeout: 20_000 }, () => {
      resolve(existsSync(join(at, "X")));
      rmSync(at, { recursive: true, force: true });
    }).stdin?.end();
  });
}

it("each command that is said to hide touch does make the file in the shells that are named", async () => {
  const tried = rows
    .filter(([shells, text]) => !missing.some((program) => new RegExp(`\\b${program}\\b`).test(`${shells} ${text}`)))
    .flatMap(([shells, text]) => shells.split(" ").map((shell) => [shell, text] as const));
  const waiting = [...tried];
  const silent: (readonly [string, string])[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
      if (!(await makesTheFile(...next))) silent.push(next);
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  expect(silent).toEqual([]);
  expect(tried.length).toBeGreaterThan(0);
});
