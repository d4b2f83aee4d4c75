import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { endProcess, isAlive, markOf, parseStat, treeResidentBytes } from "./process-tree.ts";

test("a name with spaces and parentheses does not shift the fields", () => {
  const fields = Array.from({ length: 50 }, (_, index) => String(index + 1));
  fields[1] = "(a) S (b c)";
  fields[2] = "S";
  fields[21] = "4711";
  expect(parseStat(fields.join(" "))).toEqual({ ended: false, startTicks: 4711 });
  expect(parseStat("7 (sh) Z 1 1").ended).toBe(true);
});

test("a process is known by its mark until it ends", async () => {
  const child = spawn("sleep", ["60"]);
  const mark = markOf(child.pid ?? 0);
  if (mark === null) throw new Error("sleep did not start");
  expect(isAlive(mark)).toBe(true);
  expect(isAlive({ ...mark, startTicks: mark.startTicks + 1 })).toBe(false);
  const exited = once(child, "exit");
  expect(await endProcess(mark)).toBe(true);
  await exited;
  expect([isAlive(mark), await endProcess(mark), markOf(mark.pid)]).toEqual([false, false, null]);
});

test("the memory of children counts, and the tree without them does not", async () => {
  const keep = "const kept = Buffer.alloc(64 * 1024 * 1024, 1); console.log('ready'); setInterval(() => kept, 1000)";
  const child = spawn("sh", ["-c", `"$0" -e "$1"; true`, process.execPath, keep]);
  try {
    await once(child.stdout, "data");
    expect(treeResidentBytes(child.pid ?? 0, 0)).toBeGreaterThan(64 * 1024 * 1024);
    expect(treeResidentBytes(child.pid ?? 0, Number.MAX_SAFE_INTEGER)).toBeGreaterThan(64 * 1024 * 1024);
  } finally {
    for (const pid of [...childrenOf(child.pid ?? 0), child.pid ?? 0]) process.kill(pid, "SIGKILL");
  }
});

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
