import BetterSqlite3 from "better-sqlite3";
import { expect, it } from "vitest";
import { taskStream } from "../../src/domain/stream.ts";
import { ADA, gate, plan, repository, startRig } from "./task-kit.ts";

const EVENTS = 5_000;
const AT_ONCE = 500;

/** Counts the rows that every connection of this process reads from now on. */
function countRows(): { readonly rows: () => number; readonly stop: () => void } {
  let rows = 0;
  const scratch = new BetterSqlite3(":memory:");
  const statement = Object.getPrototypeOf(scratch.prepare("SELECT 1")) as { all: (...given: unknown[]) => unknown[] };
  scratch.close();
  const { all } = statement;
  statement.all = function counting(...given: unknown[]): unknown[] {
    const found = all.apply(this, given);
    rows += found.length;
    return found;
  };
  return {
    rows: () => rows,
    stop: () => {
      statement.all = all;
    },
  };
}

it(`a task with ${EVENTS} events goes on after a restart with one look at its journal, the check of its hashes`, async () => {
  const first = await startRig();
  const id = await first.approved(await first.project(repository()), {
    ...plan("false", "touch b"),
    gates: [gate("true")],
  });
  const waits = await first.until(id, "blocked");
  expect(waits.reason).toBe("agent_failed");
  const denied = { type: "DENIED", body: { act: "curl", rule: "egress", reason: "no network", item: null } } as const;
  for (let made = 0; made < EVENTS; made += AT_ONCE) {
    const { seq } = await first.system.cases.look.task(id).then(({ row }) => row);
    const events = Array.from({ length: AT_ONCE }, () => ({ actor: ADA, atMs: seq, event: denied }));
    await first.system.store.append({ stream: taskStream(id), expected: seq, events, blobs: [], lease: null });
  }
  await first.stop();

  const counted = countRows();
  try {
    const second = await startRig({}, { home: first.home });
    let atFirstStep = 0;
    const stepped = new Promise<void>((resolve) => {
      second.system.store.onAppended(({ recorded: { event } }) => {
        if (event.type !== "STEP_STARTED" || atFirstStep > 0) return;
        atFirstStep = counted.rows();
        resolve();
      });
    });
    await second.system.cases.answer.resume(ADA, id, null, null);
    await stepped;
    // The claim checks each event and its place in the order, once. Starting, resuming and recovering read a fixed number of states and
    // heads beside that, whatever lies behind the task.
    const checked = 2 * EVENTS;
    expect([atFirstStep > checked, atFirstStep < checked + 200]).toEqual([true, true]);
    await second.until(id, "blocked");
    expect(counted.rows()).toBeLessThan(checked + 500);
    await second.stop();
  } finally {
    counted.stop();
  }
});
