import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { git, plan, type Rig, repository, startRig } from "./task-kit.ts";

/* The journal names the states of a task; what git keeps them by is made to say the same at each claim. */

const cloneOf = (rig: Rig, id: string): string => join(rig.home, "workspaces", id, "git", "app.git");
const kept = (clone: string): readonly string[] =>
  git(clone, "for-each-ref", "--format=%(refname)", "refs/agentos/keep")
    .split("\n")
    .map((ref) => ref.slice("refs/agentos/keep/".length))
    .sort();

test("refs that are gone are there again at the next claim, and those nobody names are not", async () => {
  const rig = await startRig();
  const id = await rig.queued(await rig.project(repository()), plan("true"));
  const waiting = await rig.until(id, "awaiting_approval");
  const clone = cloneOf(rig, id);
  const [tree = ""] = Object.values(waiting.trees);
  execFileSync("git", ["-C", clone, "update-ref", `refs/agentos/keep/${"0".repeat(40)}`, tree]);
  await rig.approve(id);
  const done = await rig.until(id, "succeeded", "blocked");
  expect(kept(clone)).toEqual([...new Set([done.bases?.["app"]?.commit, tree, done.baseTrees["app"]])].sort());
});

test("a state that the journal names and that is gone is said before anything is touched", async () => {
  const rig = await startRig();
  const id = await rig.queued(await rig.project(repository()), plan("true"));
  const waiting = await rig.until(id, "awaiting_approval");
  const tree = waiting.trees["app"] ?? "";
  rmSync(join(cloneOf(rig, id), "objects", tree.slice(0, 2), tree.slice(2)));
  await rig.approve(id);
  expect(await rig.until(id, "blocked")).toMatchObject({
    reason: "integrity",
    detail: expect.stringContaining(tree),
  });
});
