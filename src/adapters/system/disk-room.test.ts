import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { diskRoom } from "./disk-room.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "agentos-room-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test("a reserve is set aside, given up, and set aside again", async () => {
  const room = diskRoom(home);
  const reserve = join(home, "reserve");
  expect([await room.full(), await room.setAside()]).toEqual([false, true]);
  const { ino, size, mode } = statSync(reserve);
  expect([size, mode & 0o777]).toEqual([2 * 1024 ** 2, 0o600]);
  expect([await room.setAside(), statSync(reserve).ino]).toEqual([true, ino]);
  await room.release();
  await room.release();
  expect(existsSync(reserve)).toBe(false);
  expect(await room.setAside()).toBe(true);
});

test("a reserve that was cut off is made whole", async () => {
  writeFileSync(join(home, "reserve"), "x");
  expect(await diskRoom(home).setAside()).toBe(true);
  expect(statSync(join(home, "reserve")).size).toBe(2 * 1024 ** 2);
});

test("where it cannot be written there is no reserve, and that is said", async () => {
  mkdirSync(join(home, "reserve"));
  expect(await diskRoom(home).setAside()).toBe(false);
});
