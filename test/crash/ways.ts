import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sampled } from "../support/sample.ts";
import type { Journey } from "./driver.ts";
import { type Deaths, exhaust, type Listed } from "./exhaust.ts";

/*
 * Every other way a task can take. `whole.test.ts` kills at the points of the longest journey; here, so that the suite stays within its
 * time, each journey is killed at the points that only it has, half of them, which ones by AGENTOS_SEED. With AGENTOS_CRASH=full each is
 * killed at all of its points.
 */
const FULL = process.env["AGENTOS_CRASH"] === "full";

/** Where a command of a sandbox is running. */
export const MIDDLE = "in the middle of";

export interface Way {
  readonly says: string;
  readonly journey: Journey;
  /** The points that only it has. */
  readonly own: Listed;
  readonly all: Deaths;
  readonly watchDelivery?: boolean;
}

/** One test for each way. */
export function testWays(ways: readonly Way[]): void {
  for (const { says, journey, own, all, watchDelivery = false } of ways)
    test(says, { timeout: 1_800_000 }, async () => {
      const directory = mkdtempSync(join(tmpdir(), "agentos-crash-"));
      const { points, findings } = await exhaust(directory, journey, {
        deaths: FULL ? all : { listed: sampled(own.listed, Math.ceil(own.listed.length / 2)) },
        chains: FULL ? 2 : 1,
        watchDelivery,
      });
      expect(findings).toEqual([]);
      expect(points).toBeGreaterThan(0);
      rmSync(directory, { recursive: true, force: true });
    });
}
