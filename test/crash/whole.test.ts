import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { atSomePoints, exhaust } from "./exhaust.ts";
import { whole } from "./journeys.ts";

/* In `npm test` at one point of three, which ones by AGENTOS_SEED; `npm run test:crash:full` at all of them. */
const FULL = process.env["AGENTOS_CRASH"] === "full";
const STEP = FULL ? 1 : 3;
const FIRST = FULL ? 1 : 1 + (Number(process.env["AGENTOS_SEED"] ?? 1) % STEP);

test(`a task with every kind of step is killed at ${FULL ? "each" : "a third"} of its points, one after the other, and always comes to its proven, delivered end`, {
  timeout: 1_800_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), "agentos-crash-"));
  const { points, findings, counts } = await exhaust(directory, whole, {
    deaths: atSomePoints(STEP, FIRST),
    chains: 2,
  });
  expect(findings).toEqual([]);
  // Fewer would say that the boundaries are not counted any more.
  expect(points * STEP).toBeGreaterThan(100);
  expect(counts["completed steps"]).toBeGreaterThan(points * 10);
  rmSync(directory, { recursive: true, force: true });
});
