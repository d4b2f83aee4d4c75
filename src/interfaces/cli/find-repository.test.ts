import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findRepository } from "./find-repository.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "agentos-find-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("a directory lies in the nearest repository around it, also through a link; a worktree's .git is a file", async () => {
  const shop = join(root, "shop");
  const tree = join(shop, "trees", "one");
  mkdirSync(join(shop, ".git"), { recursive: true });
  mkdirSync(join(shop, "src", "deep"), { recursive: true });
  mkdirSync(join(tree, "src"), { recursive: true });
  writeFileSync(join(tree, ".git"), "gitdir: elsewhere\n");
  symlinkSync(join(shop, "src"), join(root, "link"));
  expect(await findRepository(shop)).toBe(shop);
  expect(await findRepository(join(shop, "src", "deep"))).toBe(shop);
  expect(await findRepository(join(tree, "src"))).toBe(tree);
  expect(await findRepository(join(root, "link"))).toBe(shop);
  expect(await findRepository("/")).toBeNull();
});
