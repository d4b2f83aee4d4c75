import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { ADA, AT_MS, begun, CLONE, commit, fingerprint, git, listing, put, WORK } from "./workspaces.kit.ts";

/* What the target of a task has gained since the task began, and whether the work would merge with it. */

const FILES = { "a.txt": "1\n2\n3\n4\n5\n", "b.txt": "one\n", "ü.txt": "u\n" };

/** Work that changes a.txt, beside a person's branch that a test moves. */
async function worked() {
  const all = await begun(FILES);
  put(all.work, { "a.txt": "1\n2\nby the agent\n4\n5\n", "ü.txt": "by the agent\n" });
  const { commit: candidate } = await all.workspaces.candidate(WORK, all.base, "change", ADA, AT_MS, []);
  const moved = (mine: string | null = candidate, branch = "main") =>
    all.workspaces.movedSince(CLONE, all.repo, branch, all.base, mine);
  return { ...all, candidate, moved };
}

test("a branch at the base has gained nothing, and one that is gone has no head", async () => {
  const { base, moved } = await worked();
  expect([await moved(), await moved(null, "gone")]).toEqual([
    { head: base, commits: 0, conflicts: [] },
    { head: null, commits: 0, conflicts: [] },
  ]);
});

test("commits that do not touch the same lines are counted and stand in nobody's way", async () => {
  const { repo, moved } = await worked();
  put(repo, { "b.txt": "two\n" });
  commit(repo, "b");
  put(repo, { "c.txt": "new\n" });
  const head = commit(repo, "c");
  expect([await moved(), await moved(null)]).toEqual([
    { head, commits: 2, conflicts: [] },
    { head, commits: 2, conflicts: [] },
  ]);
});

test("paths in which both changed the same lines are named once each, in order; without work there are none", async () => {
  const { repo, moved } = await worked();
  rmSync(`${repo}/ü.txt`);
  put(repo, { "a.txt": "1\n2\nby a person\n4\n5\n" });
  const head = commit(repo, "theirs");
  expect([await moved(), await moved(null)]).toEqual([
    { head, commits: 1, conflicts: ["a.txt", "ü.txt"] },
    { head, commits: 1, conflicts: [] },
  ]);
});

test("a branch that has the work already has gained only what is not the work's", async () => {
  const { repo, workspaces, candidate, moved } = await worked();
  await workspaces.publishRef(CLONE, repo, candidate, "task/x");
  git(repo, "merge", "-q", "--ff-only", candidate);
  expect(await moved()).toEqual({ head: candidate, commits: 0, conflicts: [] });
  put(repo, { "b.txt": "two\n" });
  const head = commit(repo, "on top");
  expect(await moved()).toEqual({ head, commits: 1, conflicts: [] });
});

test("looking changes neither the person's repository nor the clone", async () => {
  const { repo, clone, moved } = await worked();
  put(repo, { "a.txt": "1\n2\nby a person\n4\n5\n" });
  commit(repo, "theirs");
  const before = [fingerprint(repo), listing(`${repo}/.git/objects`), listing(clone)];
  expect((await moved()).conflicts).toEqual(["a.txt"]);
  expect([fingerprint(repo), listing(`${repo}/.git/objects`), listing(clone)]).toEqual(before);
});
