import { expect, test } from "vitest";
import { ADA, EXAMPLES, event, IN, STORIES } from "../../../test/support/given-task.ts";
import { evolve } from "../../domain/task.ts";
import { SCHEMA_VERSION } from "./migrate.ts";
import { seal } from "./seal.ts";

/*
 * Before a task is claimed, its rows are compared with what its journal gives. What no row holds, and what the same journal gave otherwise
 * when the rows were written, would make a task that nobody touched one that "was changed": these two say so before a user's task does.
 */

test("every event that says what a step gave has a row for it", () => {
  const { task } = IN.running;
  const given = (Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[]).filter((type) => {
    if (type === "CREATED") return false;
    // With all that may be said beside what must be.
    const one = event(type, { step: "1.work.1", input: "i1", told: "act/denied" } as never);
    return Object.keys(evolve(task, { seq: 99, atMs: 99_000, actor: ADA, event: one }).finished).length > 0;
  });
  // One more needs its row in `projectHappening`.
  expect([task.finished, given]).toEqual([{}, ["STEP_COMPLETED", "STEP_FAILED", "DENIED"]]);
});

test("these histories give the tasks that the newest migration stored", () => {
  const tasks = Object.values({ ...IN, ...STORIES }).map((history) => history.task);
  // Another digest: a fact was added, or an event means something else. Users have rows from before, so a migration must fold every task
  // again (`fill: refoldTasks`). Only where the histories themselves were changed it need not.
  expect([SCHEMA_VERSION, seal(tasks).sha256]).toEqual([
    11,
    "9ff8f89da43a40b9018060031a31c385f3fca05fb8b8494702a10ddce15d0b3d",
  ]);
});
