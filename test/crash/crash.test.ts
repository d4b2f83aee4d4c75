import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Journey } from "./driver.ts";
import { afterDeathAt, atEachPoint, atNames, atNameThen, type Deaths, exhaust } from "./exhaust.ts";
import {
  canceled,
  delivered,
  gatesOnly,
  interactive,
  looping,
  merged,
  outside,
  paused,
  retried,
  stopped,
  whole,
} from "./journeys.ts";

/*
 * Every other way a task can take. `whole.test.ts` kills at all points of the longest journey; here, so that the suite stays within its
 * time, each journey is killed at the points that only it has. With AGENTOS_CRASH=full each is killed at all of its points.
 */
const FULL = process.env["AGENTOS_CRASH"] === "full";
const MIDDLE = "in the middle of";

interface Way {
  readonly says: string;
  readonly journey: Journey;
  readonly few: Deaths;
  readonly all: Deaths;
  readonly watchDelivery?: boolean;
}

const WAYS: readonly Way[] = [
  {
    says: "a task that is canceled in the middle of a command ends canceled",
    journey: canceled,
    few: atNames(
      MIDDLE,
      "before task: CANCEL_REQUESTED",
      "after task: CANCEL_REQUESTED",
      "before task: STEP_LOST",
      "after task: STEP_LOST",
      "after task: CANCELED",
    ),
    all: atEachPoint,
  },
  {
    says: "a task that is paused in the middle of a command waits at the next boundary, and goes on when it is resumed",
    journey: paused,
    few: atNames(
      "after task: PAUSE_REQUESTED",
      "before task: BLOCKED",
      "after task: BLOCKED",
      "before task: RESUMED",
      "after task: RESUMED",
    ),
    all: atEachPoint,
  },
  {
    says: "a daemon that is killed while it stops in good order leaves nothing that the next one does not find",
    journey: stopped,
    few: atNames(
      "before task: STEP_LOST",
      "after task: STEP_LOST",
      "after task: QUEUED",
      "before system: DAEMON_STOPPED",
      "after system: DAEMON_STOPPED",
    ),
    all: atEachPoint,
  },
  {
    says: "a task that asks before its plan and before its items asks again after a death, for the same",
    journey: interactive,
    few: atNames(
      "after task: PLAN_PROPOSED",
      "before task: CHANGES_REQUESTED",
      "after task: CHANGES_REQUESTED",
      "before task: PLAN_APPROVED",
      "after task: PLAN_APPROVED",
      "after task: WORK_ITEM_PROPOSED",
      "after task: WORK_ITEM_APPROVED",
    ),
    all: atEachPoint,
  },
  {
    says: "an attempt that failed is followed by one that is told why, once",
    journey: retried,
    few: atNames("before task: GATE_FAILED", "after task: GATE_FAILED", "before task: RETRIED", "after task: RETRIED"),
    all: atEachPoint,
  },
  {
    says: "a task of the gates agent stores its report, once",
    journey: gatesOnly,
    few: atNames("before task: ARTIFACT_STORED", "after task: ARTIFACT_STORED"),
    all: atEachPoint,
  },
  {
    says: "a delivery onto a branch that moved on proves the merge first",
    journey: merged,
    few: atNames(
      "before the command of deliver",
      "after the command of deliver",
      "before task: .*DELIVERED",
      "after task: .*DELIVERED",
    ),
    all: atEachPoint,
  },
  {
    says: "a command that may reach outside is begun again only on a person's word",
    journey: outside("redo"),
    few: atNames("at the process of .*go\\.2", MIDDLE, "after the command of .*go\\.2"),
    all: atEachPoint,
  },
  {
    says: "a person says again what became of a command that may reach outside, when a death lost it",
    journey: outside("redo"),
    few: atNameThen(
      MIDDLE,
      "before task: BLOCKED",
      "after task: BLOCKED",
      "before task: OUTCOME_SETTLED",
      "after task: OUTCOME_SETTLED",
      "before task: STEP_LOST",
      "after task: STEP_LOST",
    ),
    all: afterDeathAt(MIDDLE),
  },
  {
    says: "a person's word that an interrupted command took effect stands, and it is not run again",
    journey: outside("done"),
    few: atNameThen(MIDDLE, "after task: OUTCOME_SETTLED", "before task: STEP_COMPLETED", "after task: STEP_COMPLETED"),
    all: afterDeathAt(MIDDLE),
  },
  {
    says: "a person's word that an interrupted command is aborted stands, and it is not run again",
    journey: outside("abort"),
    few: atNameThen(MIDDLE, "after task: OUTCOME_SETTLED", "before task: STEP_FAILED", "after task: STEP_FAILED"),
    all: afterDeathAt(MIDDLE),
  },
  {
    says: "a life that is killed while it recovers leaves the recovery to the next one",
    journey: whole,
    few: atNameThen(
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
    few: { listed: [1, 4, 8, 12, 16, 20, 24].map((count) => [{ count }]) },
    all: atEachPoint,
    watchDelivery: true,
  },
];

for (const { says, journey, few, all, watchDelivery = false } of WAYS)
  test(says, { timeout: 1_800_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), "agentos-crash-"));
    const { points, findings } = await exhaust(directory, journey, {
      deaths: FULL ? all : few,
      chains: FULL ? 2 : 1,
      watchDelivery,
    });
    expect(findings).toEqual([]);
    expect(points).toBeGreaterThan(0);
    rmSync(directory, { recursive: true, force: true });
  });

test("a task in which the daemon dies three times in a row waits as crash_loop, and goes on when a person resumes it", {
  timeout: 300_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), "agentos-crash-"));
  const deaths: Deaths = { listed: [[{ name: MIDDLE }, { name: MIDDLE }, { name: MIDDLE }]] };
  const { points, findings, blocked } = await exhaust(directory, looping, { deaths, chains: 1 });
  expect({ points, findings, blocked }).toEqual({ points: 3, findings: [], blocked: ["crash_loop"] });
  rmSync(directory, { recursive: true, force: true });
});
