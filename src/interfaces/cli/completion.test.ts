import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { completionFor } from "./completion.ts";

/** What bash would offer for these words, the last one being typed. */
const offered = (script: string, ...words: readonly string[]): readonly string[] =>
  execFileSync(
    "/bin/bash",
    [
      "-c",
      `${script}\nCOMP_WORDS=(agentos "$@"); COMP_CWORD=$#; _agentos; printf '%s\\n' "\${COMPREPLY[@]}"`,
      "bash",
      ...words,
    ],
    { encoding: "utf8" },
  )
    .split("\n")
    .filter((line) => line !== "");

test("bash completes commands, their verbs and their flags", async () => {
  const script = await completionFor("bash");
  expect(offered(script, "dae")).toEqual(["daemon"]);
  expect(offered(script, "task", "pri")).toEqual(["prioritize"]);
  expect(offered(script, "task", "resume", "--more")).toEqual(["--more-time", "--more"]);
  expect(offered(script, "doctor", "--d")).toEqual(["--dry-run"]);
});

test("zsh uses the same function", async () =>
  expect(await completionFor("zsh")).toContain(await completionFor("bash")));

test("the fish script names every command, and fish takes it where there is one", async () => {
  const script = await completionFor("fish");
  expect(script).toContain("-a prioritize -d 'Say how soon a task is wanted'");
  if (existsSync("/usr/bin/fish"))
    expect(spawnSync("/usr/bin/fish", ["--no-execute"], { input: script, encoding: "utf8" }).stderr).toBe("");
});
