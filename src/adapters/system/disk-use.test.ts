import { linkSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bytesBelow } from "./disk-use.ts";

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "agentos-use-"));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const onDisk = (path: string): number => statSync(path).blocks * 512;

test("files and directories count, each file once however many names it has", async () => {
  mkdirSync(join(place, "a/b"), { recursive: true });
  writeFileSync(join(place, "a/one"), "x".repeat(20_000));
  linkSync(join(place, "a/one"), join(place, "a/b/again"));
  writeFileSync(join(place, "a/b/two"), "x".repeat(5_000));
  const counted = ["a", "a/b", "a/one", "a/b/two"].map((path) => onDisk(join(place, path)));
  expect(await bytesBelow(join(place, "a"))).toBe(counted.reduce((sum, bytes) => sum + bytes, 0));
});

test("what a link names does not count", async () => {
  writeFileSync(join(place, "large"), "x".repeat(100_000));
  mkdirSync(join(place, "a"));
  symlinkSync("../large", join(place, "a/link"));
  expect(await bytesBelow(join(place, "a"))).toBeLessThan(onDisk(join(place, "large")));
});

test("nothing there takes nothing", async () => {
  writeFileSync(join(place, "file"), "");
  expect([await bytesBelow(join(place, "absent")), await bytesBelow(join(place, "file/below"))]).toEqual([0, 0]);
});
