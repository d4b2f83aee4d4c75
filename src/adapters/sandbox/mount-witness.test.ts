import { expect, test } from "vitest";
import { mountWitnessArgv, parseMountWitness } from "./bubblewrap.ts";

const LINES = [
  "100 90 8:1 /w /workspace rw,nosuid - ext4 /dev/sda rw",
  "101 100 8:1 /w/.git /workspace/.git ro,nosuid - ext4 /dev/sda rw",
  "102 100 8:1 /x /a\\040b ro - ext4 /dev/sda rw",
].join("\n");

test("the line is the one of exactly this mount point, and its own flag counts", () => {
  expect(parseMountWitness(LINES, "/workspace")).toEqual({ line: LINES.split("\n")[0], readOnly: false });
  expect(parseMountWitness(LINES, "/workspace/.git")?.readOnly).toBe(true);
  expect(parseMountWitness(LINES, "/work")).toBeNull();
  expect(parseMountWitness(LINES, "/a b")?.readOnly).toBe(true);
});

test("of two mounts on top of each other the upper one counts", () => {
  expect(parseMountWitness(`${LINES}\n103 100 8:1 /w /workspace ro - ext4 /dev/sda rw`, "/workspace")?.readOnly).toBe(
    true,
  );
});

test("the search is for the path as the kernel writes it", () => {
  expect(mountWitnessArgv("/a b")).toContain(" /a\\040b ");
});
