import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Walk, walking } from "./walk.ts";

let place: string;
beforeEach(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), "agentos-walk-")));
  chmodSync(place, 0o755);
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const put = (...paths: readonly string[]): void => {
  for (const path of paths) {
    mkdirSync(join(place, path, ".."), { recursive: true });
    writeFileSync(join(place, path), path);
  }
};
const modeOf = (path: string): string => (statSync(join(place, path)).mode & 0o7777).toString(8);
const walked = (exclude: readonly string[] = []): Promise<Walk> =>
  walking(place, new Set(exclude), async (found) => found);
const isRoot = process.getuid?.() === 0;

test("parents stand before their children, the top first, and what is passed over is not there with all below it", async () => {
  put("b", "a/x", "a/y/z", "skipped/x", "a/skipped/x");
  expect([...(await walked(["skipped", "a/skipped"])).keys()]).toEqual(["", "a", "b", "a/x", "a/y", "a/y/z"]);
});

test("a link is a link, whatever it names", async () => {
  put("a/x");
  symlinkSync("a", join(place, "way"));
  symlinkSync("nowhere", join(place, "loose"));
  const found = await walked();
  expect([...found].map(([path, { kind }]) => [path, kind])).toEqual([
    ["", "directory"],
    ["a", "directory"],
    ["loose", "link"],
    ["way", "link"],
    ["a/x", "file"],
  ]);
});

test("what no tree can hold is named with the reason", async () => {
  const socket = createServer();
  await new Promise<void>((resolve) => socket.listen(join(place, "s"), resolve));
  try {
    expect((await walked()).get("s")).toEqual({ kind: "left-out", reason: "it is a socket" });
  } finally {
    socket.close();
  }
});

/* Root sees no permissions: for it nothing is closed, and nothing is opened. */

test("directories that are closed to their owner are looked into and closed again", async () => {
  put("closed/below/x");
  chmodSync(join(place, "closed/below"), 0o055);
  chmodSync(join(place, "closed"), 0);
  const during = await walking(place, new Set(), async (found) => [found.has("closed/below/x"), modeOf("closed")]);
  expect([during, modeOf("closed")]).toEqual([[true, isRoot ? "0" : "700"], "0"]);
  chmodSync(join(place, "closed"), 0o700);
  expect(modeOf("closed/below")).toBe("55");
  chmodSync(join(place, "closed/below"), 0o700);
});

test("a directory that was given another mode meanwhile keeps it", async () => {
  put("one/x", "two/x");
  for (const name of ["one", "two"]) chmodSync(join(place, name), 0);
  await walking(place, new Set(), async () => chmodSync(join(place, "one"), 0o711));
  expect([modeOf("one"), modeOf("two")]).toEqual(["711", "0"]);
  await walking(place, new Set(), async (_, settled) => settled());
  expect(modeOf("two")).toBe(isRoot ? "0" : "700");
  chmodSync(join(place, "two"), 0o700);
});
