import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { isSame, livingIn, marksFor, startedByPs } from "./process-mark.ts";

it("macOS' ps says when a process started, and of one that has ended nothing", () => {
  const at = startedByPs("Ss   Thu Nov 26 13:40:24 2026    \n");
  expect(at).toBe(Date.parse("Thu Nov 26 13:40:24 2026") / 1_000);
  expect(startedByPs("Z    Thu Nov 26 13:40:24 2026")).toBeNull();
  expect(startedByPs("")).toBeNull();
});

it("a process whose first thread has ended lives until the last of its threads has", () => {
  const stat = (state: string, threads: number): string =>
    `77 (llama (x) y) ${state} 1 70 70 0 -1 4194560 1 0 0 0 5 3 0 0 20 0 ${threads} 0 12345 1000 1 18446744073709551615`;
  expect(livingIn(stat("S", 9))).toEqual({ group: 70, startTicks: 12345 });
  expect(livingIn(stat("Z", 2))).toEqual({ group: 70, startTicks: 12345 });
  expect(livingIn(stat("Z", 1))).toBeNull();
  expect(livingIn(stat("X", 1))).toBeNull();
});

describe("what listens on a port", () => {
  const { listening } = marksFor("linux");
  /** Larger than any number Linux gives a process. */
  const NOBODY = 2 ** 22 + 1;

  it("is found among the processes that are asked about, and among all", async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    expect(listening(port, null)).toBe(process.pid);
    expect(listening(port, [NOBODY, process.pid])).toBe(process.pid);
    expect(listening(port, [NOBODY])).toBeNull();
    server.close();
    await once(server, "close");
    expect(listening(port, null)).toBeNull();
  });

  it("is not said outside Linux", () => {
    for (const name of ["darwin", "win32"] as const) {
      expect(marksFor(name).listening(1, [1])).toBe("unknown");
      expect(marksFor(name).group(1)).toBeNull();
    }
  });
});

it("a process is marked as itself, and one that is not there not at all", () => {
  const { of } = marksFor("wsl");
  const mark = of(process.pid);
  expect(mark).toEqual({
    pid: process.pid,
    startTicks: livingIn(readFileSync("/proc/self/stat", "utf8"))?.startTicks,
    bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
  });
  expect(of(2 ** 22 + 1)).toBeNull();
  if (mark === null) throw new Error("this process has no mark");
  expect([isSame(mark, of(process.pid)), isSame(mark, null)]).toEqual([true, false]);
  for (const more of [{ pid: 1 }, { startTicks: 1 }, { bootId: "another" }])
    expect(isSame(mark, { ...mark, ...more })).toBe(false);
});
