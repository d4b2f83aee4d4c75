import { expect, it } from "vitest";
import { startedByPs } from "./process-mark.ts";

it("macOS' ps says when a process started, and of one that has ended nothing", () => {
  const at = startedByPs("Ss   Thu Nov 26 13:40:24 2026    \n");
  expect(at).toBe(Date.parse("Thu Nov 26 13:40:24 2026") / 1_000);
  expect(startedByPs("Z    Thu Nov 26 13:40:24 2026")).toBeNull();
  expect(startedByPs("")).toBeNull();
});
