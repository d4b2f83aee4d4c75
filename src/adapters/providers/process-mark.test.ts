import { expect, it } from "vitest";
import { livingIn, startedByPs } from "./process-mark.ts";

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
