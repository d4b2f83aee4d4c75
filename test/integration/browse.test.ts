import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { browse } from "../../src/adapters/providers/browse.ts";
import { temporaryDirectory } from "../support/daemon.ts";

/* What a page may see of the machine's directories: names below the roots, through no link. */

let outside = "";
let root = "";
beforeAll(() => {
  outside = temporaryDirectory("outside");
  writeFileSync(join(outside, "secret"), "x");
  root = join(temporaryDirectory("root"), "home");
  mkdirSync(join(root, "models", "deep"), { recursive: true });
  writeFileSync(join(root, "models", "a.gguf"), "x");
  writeFileSync(join(root, "notes"), "x");
  symlinkSync(outside, join(root, "models", "way-out"));
  symlinkSync(join(outside, "secret"), join(root, "models", "secret"));
  symlinkSync(join(root, "models"), join(root, "again"));
  mkdirSync(`${root}-beside`);
});

it("tells names and kinds, directories first, and leaves links out", async () => {
  expect(await browse(root, [root])).toEqual({
    path: root,
    parent: null,
    entries: [
      { name: "models", kind: "directory" },
      { name: "notes", kind: "file" },
    ],
    more: false,
  });
  expect(await browse(`${join(root, "models")}/`, [root])).toEqual({
    path: join(root, "models"),
    parent: root,
    entries: [
      { name: "deep", kind: "directory" },
      { name: "a.gguf", kind: "file" },
    ],
    more: false,
  });
});

it("takes a root that lies behind a link, as some homes do", async () => {
  const link = join(temporaryDirectory("link"), "home");
  symlinkSync(root, link);
  expect((await browse(link, [link])).path).toBe(root);
  expect((await browse(join(link, "models"), [link])).path).toBe(join(root, "models"));
});

it("stops at a thousand names and says that there are more", async () => {
  const many = temporaryDirectory("many");
  for (let n = 0; n < 1_001; n += 1) writeFileSync(join(many, String(n)), "");
  const found = await browse(many, [many]);
  expect([found.entries.length, found.more]).toEqual([1_000, true]);
});

describe("refuses", () => {
  it.each<[string, () => string]>([
    ["a path outside of all roots", () => outside],
    ["a neighbour whose name begins like a root", () => `${root}-beside`],
    ["a way up", () => join(root, "models").concat("/../../..")],
    ["a way up that leads back", () => `${root}/models/../models`],
    ["a path with a NUL", () => `${root}/models\0/x`],
    ["a relative path", () => "models"],
    ["nothing", () => ""],
    ["a link to a directory outside", () => join(root, "models", "way-out")],
    ["a path through such a link", () => join(root, "models", "way-out", "x")],
    ["a link to a directory inside", () => join(root, "again")],
    ["a file", () => join(root, "notes")],
    ["a file by a link", () => join(root, "models", "secret")],
    ["what is not there", () => join(root, "none")],
    ["a doubled slash", () => `${root}//models`],
    ["the root of everything", () => "/"],
  ])("%s", async (_, path) => {
    await expect(browse(path(), [root])).rejects.toMatchObject({
      code: "input/invalid",
      next: expect.stringContaining(root),
    });
  });
});
