import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { afterDeathAt, atEachPoint, atNames, atNameThen, type Deaths, exhaust } from "./exhaust.ts";
import { delivered, gatesOnly, looping, merged, retried, whole } from "./journeys.ts";
import { MIDDLE, testWays } from "./ways.ts";

/* What a task goes through by itself. */
testWays([
  {
    says: "an attempt that failed is followed by one that is told why, once",
    journey: retried,
    own: atNames("before task: GATE_FAILED", "after task: GATE_FAILED", "before task: RETRIED", "after task: RETRIED"),
    all: atEachPoint,
  },
  {
    says: "a task of the gates agent stores its report, once",
    journey: gatesOnly,
    own: atNames("before task: ARTIFACT_STORED", "after task: ARTIFACT_STORED"),
    all: atEachPoint,
  },
  {
    says: "a delivery onto a branch that moved on proves the merge first",
    journey: merged,
    own: atNames(
      "before the command of deliver",
      "after the command of deliver",
      "before task: .*DELIVERED",
      "after task: .*DELIVERED",
    ),
    all: atEachPoint,
  },
  {
    says: "a life that is killed while it recovers leaves the recovery to the next one",
    journey: whole,
    own: atNameThen(
      MIDDLE,
      "before dead leases are forgotten",
      "after task: CLAIMED",
      "before task: STEP_LOST",
      "after task: STEP_LOST",
      MIDDLE,
    ),
    all: afterDeathAt(MIDDLE),
  },
  {
    says: "a delivery that is killed at each change it makes to the person's repository is finished, and changes nothing else",
    journey: delivered,
    own: { listed: [1, 4, 8, 12, 16, 20, 24].map((count) => [{ count }]) },
    all: atEachPoint,
    watchDelivery: true,
  },
]);

test("a task in which the daemon dies three times in a row waits as crash_loop, and goes on when a person resumes it", {
  timeout: 300_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), "agentos-crash-"));
  const deaths: Deaths = { listed: [[{ name: MIDDLE }, { name: MIDDLE }, { name: MIDDLE }]] };
  const { points, findings, blocked } = await exhaust(directory, looping, { deaths, chains: 1 });
  expect({ points, findings, blocked }).toEqual({ points: 3, findings: [], blocked: ["crash_loop"] });
  rmSync(directory, { recursive: true, force: true });
});
