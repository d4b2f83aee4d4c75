import { rmSync, symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { ADA, AT_MS, begun, CLONE, git, put, WORK } from "./workspaces.kit.ts";

/* The candidate with some of its paths as they were. */

const filesOf = (clone: string, commit: string): readonly string[] =>
  git(clone, "ls-tree", "-r", commit)
    .split("\n")
    .map((line) => line.replace(/^(\d+) \w+ (\w{6})\w*\t/, "$1 $3 "));

test("paths are as the base has them, gone where it has none, and all others as the work has them", async () => {
  const { workspaces, work, base, clone } = await begun({
    "a.txt": "a\n",
    "test/x": "x\n",
    "test/d/y": "y\n",
    "src/z": "z\n",
  });
  rmSync(`${work}/test/d`, { recursive: true });
  put(work, {
    "a.txt": "changed\n",
    "test/x": "changed\n",
    "test/d": "now a file\n",
    "test/new": "new\n",
    "src/z": "changed\n",
  });
  symlinkSync("../a.txt", `${work}/test/link`);
  const { commit } = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
  const paths = ["test/x", "test/d", "test/d/y", "test/new", "test/link", "absent"];
  const kept = await workspaces.withPathsOf(CLONE, commit, base, paths);
  expect(filesOf(clone, kept.commit)).toEqual([
    ...filesOf(clone, commit).filter((line) => /a\.txt|src\/z/.test(line)),
    ...filesOf(clone, base).filter((line) => line.includes("test/")),
  ]);
  expect(kept.tree).toBe(await workspaces.treeOf(CLONE, kept.commit));
  expect(await workspaces.withPathsOf(CLONE, commit, base, paths.toReversed())).toEqual(kept);
});

test("what a change is about is read at once, both sides: regular files only, none too large, no more than asked for", async () => {
  const { workspaces, work, base } = await begun({ "a.txt": "a\n", "gone.txt": "gone\n", "ü.txt": "ü\n" });
  put(work, { "a.txt": "b\n", "large.txt": "x\n".repeat(50), "ü.txt": "ü\nü\n" });
  rmSync(`${work}/gone.txt`);
  symlinkSync("a.txt", `${work}/link`);
  const { commit } = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
  const told = async (most: number) =>
    (await workspaces.changedTexts(CLONE, base, commit, most, 50)).map(
      ({ path, change, linesAdded, linesRemoved, read, before, after }) =>
        [path, change, linesAdded, linesRemoved, read, before, after] as const,
    );
  const all = [
    ["a.txt", "modified", 1, 1, true, "a\n", "b\n"],
    ["gone.txt", "deleted", 0, 1, true, "gone\n", null],
    ["large.txt", "added", 50, 0, true, null, null],
    ["link", "added", 1, 0, true, null, null],
    ["ü.txt", "modified", 1, 0, true, "ü\n", "ü\nü\n"],
  ] as const;
  expect(await told(5)).toEqual(all);
  expect(await told(1)).toEqual(
    all.map(([path, change, added, removed, , before, after], at) =>
      at === 0 ? all[0] : [path, change, added, removed, false, before && null, after && null],
    ),
  );
});

test("work whose own attributes make git refuse all of it is said to be so, and is no bug", async () => {
  const { workspaces, work, base } = await begun({ "a.txt": "a\n" });
  put(work, { ".gitattributes": "a.txt working-tree-encoding=UTF-16\n", "a.txt": "b\n" });
  await expect(workspaces.candidate(WORK, base, "change", ADA, AT_MS, [])).rejects.toMatchObject({
    code: "agent/failed",
  });
});
