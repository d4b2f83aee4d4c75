import { execFileSync } from "node:child_process";
import { expect, test, vi } from "vitest";
import { repository, startRig } from "./task-kit.ts";

test("a token in the url that pip is set to is in no frozen spec and nowhere else in the data directory", async () => {
  vi.stubEnv("PIP_INDEX_URL", "https://ada:T0KEN@pypi.example/simple/");
  const rig = await startRig();
  const repo = repository({ "requirements.txt": "a==1\n", "test_a.py": "import unittest\n" });
  const { prepare, notes } = await rig.system.cases.detectGates(repo, null);
  expect([prepare.map(({ environment }) => environment), notes]).toEqual([
    [{ PIP_INDEX_URL: "https://pypi.example/simple/" }],
    [
      "nothing here asks for pytest, so unittest discovers the tests",
      "pypi.example:443 is asked without the credentials that pip has for it, because a sandbox is given no secrets: what only they open cannot be installed; set pip to a registry that asks for none, a mirror on this machine for example, or commit the packages",
    ],
  ]);
  const id = await rig.frozen(await rig.project(repo), {});
  expect((await rig.system.store.tasks.spec(id, 1))?.text).toContain("https://pypi.example/simple/");
  await rig.stop();
  const holding = (text: string): string =>
    execFileSync("sh", ["-c", 'grep -rlF -- "$1" "$2" || test $? = 1', "sh", text, rig.home], { encoding: "utf8" });
  expect(holding("T0KEN")).toBe("");
  expect(holding("https://pypi.example/simple/")).not.toBe("");
  expect(rig.warnings).toEqual([]);
});
