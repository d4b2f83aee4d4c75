import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openStore } from "../../src/adapters/store/open.ts";
import { createTaskLog } from "../../src/engine/task-log.ts";
import { type Append, type Store, StreamMoved } from "../../src/ports/store.ts";
import type { TaskLog } from "../../src/ports/task-log.ts";
import { ADA, AT, deny, givenQueued } from "../contract/store-given.ts";

/** How a task is decided on while others decide on it too; the store is real. */

const TASK = "T1";
const QUEUED_SEQ = 3;
const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

/** `before`: what somebody else does before each append. */
async function bench(
  before: (append: Append, store: Store) => Promise<unknown> = async () => undefined,
): Promise<{ readonly store: Store; readonly log: TaskLog }> {
  const home = mkdtempSync(join(realpathSync(tmpdir()), "agentos-log-"));
  const store = await openStore({ home, now: () => AT });
  endings.push(async () => {
    await store.close();
    rmSync(home, { recursive: true, force: true });
  });
  await givenQueued(store, TASK);
  const append: Store["append"] = async (one) => {
    await before(one, store);
    return store.append(one);
  };
  return { store, log: createTaskLog({ ...store, append }, { nowMs: () => AT }) };
}

const CANCEL = { type: "cancel", by: ADA, reason: null } as const;
const urgent = { type: "prioritize", by: ADA, priority: "urgent" } as const;

test("who saw an earlier state is told where the task is now, and nothing is done", async () => {
  const { log } = await bench();
  await expect(log.give(TASK, CANCEL, { expectedSeq: QUEUED_SEQ - 1 })).rejects.toMatchObject({
    code: "task/changed",
    message: `task ${TASK} is at ${QUEUED_SEQ} by now, you saw ${QUEUED_SEQ - 1}`,
    facts: { seq: QUEUED_SEQ },
  });
  expect((await log.give(TASK, CANCEL, { expectedSeq: QUEUED_SEQ })).task.status).toBe("canceled");
});

test("what was known of a task earlier refuses nothing that the task takes by now", async () => {
  const { log } = await bench();
  const known = await log.load(TASK);
  const claim = { type: "claim", by: ADA, worker: "w1", epoch: 1, met: [] } as const;
  await log.give(TASK, claim);
  const report = { type: "enter_phase", phase: "planning" } as const;
  const told = { type: "report", by: ADA, worker: "w1", epoch: 1, report } as const;
  expect((await log.give(TASK, told, { known })).task).toMatchObject({ status: "running", phase: "planning" });
});

test("a decision is taken again on what others have said meanwhile", async () => {
  let others = 3;
  const { log } = await bench(async (_, store) => {
    if (others === 0) return;
    others -= 1;
    await store.append(deny(TASK, QUEUED_SEQ + 2 - others));
  });
  const { task, seq } = await log.give(TASK, urgent);
  expect([task.priority, task.denials, seq]).toEqual(["urgent", 3, QUEUED_SEQ + 4]);
});

test("a task that others keep changing is given up as busy", async () => {
  let appends = 0;
  const { log, store } = await bench(async ({ stream, expected }) => {
    appends += 1;
    throw new StreamMoved(stream, expected);
  });
  await expect(log.give(TASK, urgent)).rejects.toMatchObject({
    code: "store/busy",
    message: `task ${TASK} changed 50 times while prioritize was decided`,
  });
  expect([appends, (await store.tasks.task(TASK))?.seq]).toEqual([50, QUEUED_SEQ]);
});

test("a task that is not there is not found", async () => {
  const { log } = await bench();
  await expect(log.load("T2")).rejects.toMatchObject({ code: "task/not-found", message: "there is no task T2" });
});
