import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exhaust } from "./exhaust.ts";
import { whole } from "./journeys.ts";

test("a task with every kind of step is killed at each of its points, one after the other, and always comes to its proven, delivered end", {
  timeout: 1_800_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), "agentos-crash-"));
  const { points, findings, counts } = await exhaust(directory, whole, { chains: 2 });
  expect(findings).toEqual([]);
  // Fewer would say that the boundaries are not counted any more.
  expect(points).toBeGreaterThan(100);
  expect(counts["completed steps"]).toBeGreaterThan(points * 10);
  rmSync(directory, { recursive: true, force: true });
});
