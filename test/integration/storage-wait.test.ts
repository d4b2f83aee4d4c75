import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openStore } from "../../src/adapters/store/open.ts";
import { SYSTEM } from "../../src/domain/actor.ts";
import { Failure } from "../../src/domain/failure.ts";
import type { Task } from "../../src/domain/task.ts";
import { createStorageWait, type StorageWait } from "../../src/engine/storage-wait.ts";
import { createTaskLog } from "../../src/engine/task-log.ts";
import type { Store } from "../../src/ports/store.ts";
import type { TaskLog } from "../../src/ports/task-log.ts";
import { ADA, AT, givenRunning } from "../contract/store-given.ts";

/** The wait for space over a real store; how much space there is, is what a test says, and so is the time. */

const TASK = "T1";
const SECOND = 1_000;
const endings: (() => Promise<void>)[] = [];
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(async () => {
  vi.useRealTimers();
  for (const end of endings.splice(0)) await end();
});

interface Bench {
  readonly store: Store;
  readonly log: TaskLog;
  readonly wait: StorageWait;
  readonly disk: { hasRoom: boolean; released: number; looks: number };
  readonly warnings: readonly string[];
  readonly told: () => number;
  /** Says that the disk was full for the running task. */
  block(): Promise<void>;
  status(): Promise<Task["status"]>;
  /** Lets so much time pass, and what is due in it happen. */
  pass(ms: number): Promise<void>;
}

async function bench(over: (store: Store, log: TaskLog) => Store = (store) => store): Promise<Bench> {
  const home = mkdtempSync(join(realpathSync(tmpdir()), "agentos-space-"));
  const store = await openStore({ home, now: () => AT });
  const log = createTaskLog(store, { nowMs: () => AT });
  const disk = { hasRoom: true, released: 0, looks: 0 };
  const warnings: string[] = [];
  let told = 0;
  const wait = createStorageWait({
    log,
    store: over(store, log),
    room: {
      full: async () => !disk.hasRoom,
      release: async () => {
        disk.released += 1;
      },
      setAside: async () => {
        disk.looks += 1;
        return disk.hasRoom;
      },
    },
    warn: (sentence) => warnings.push(sentence),
  });
  endings.push(async () => {
    wait.stop();
    await store.close();
    rmSync(home, { recursive: true, force: true });
  });
  await givenRunning(store, TASK);
  await wait.start(() => {
    told += 1;
  });
  return {
    store,
    log,
    wait,
    disk,
    warnings,
    told: () => told,
    async block() {
      const { task } = await log.load(TASK);
      const report = { type: "block", reason: "storage_full", detail: "the disk is full", step: null } as const;
      const by = { kind: "worker", name: "w1" } as const;
      await log.give(
        TASK,
        { type: "report", by, worker: "w1", epoch: task.epoch, report },
        { lease: { kind: "release", task: TASK, epoch: task.epoch } },
      );
    },
    status: async () => (await log.load(TASK)).task.status,
    async pass(ms) {
      await vi.advanceTimersByTimeAsync(ms);
      // Writes are done one after another: behind these, what the timers began is done too.
      for (let writes = 0; writes < 2; writes += 1) await store.operations.forgetDeadLeases();
    },
  };
}

const claimAgain = async ({ log }: Bench): Promise<void> => {
  const { epoch } = (await log.load(TASK)).task;
  const by = { kind: "worker", name: "w1" } as const;
  await log.give(
    TASK,
    { type: "claim", by, worker: "w1", epoch: epoch + 1, met: [] },
    {
      lease: {
        kind: "acquire",
        task: TASK,
        worker: "w1",
        epoch: epoch + 1,
        owner: { pid: 4242, startTicks: 99, bootId: "boot" },
      },
    },
  );
};

describe("a task that waits for space", () => {
  test("goes on by itself when there is some again, and until then nothing begins", async () => {
    const one = await bench();
    one.disk.hasRoom = false;
    await one.wait.ranOut();
    await one.block();
    await one.pass(3 * SECOND);
    expect([one.wait.scarce(), one.disk.released, one.told(), await one.status()]).toEqual([true, 1, 0, "blocked"]);
    one.disk.hasRoom = true;
    await one.pass(SECOND);
    expect([one.wait.scarce(), one.told(), await one.status()]).toEqual([false, 1, "queued"]);
    const events = await one.store.read(`task/${TASK}`, 4, 10);
    expect(events.map(({ actor, event }) => [actor, event.type])).toEqual([
      [{ kind: "worker", name: "w1" }, "BLOCKED"],
      [SYSTEM, "RESUMED"],
      [SYSTEM, "QUEUED"],
    ]);
    expect(one.warnings).toEqual([]);
  });

  test("and fills the disk itself, waits twice as long each time", async () => {
    const one = await bench();
    const waited: number[] = [];
    for (let times = 0; times < 4; times += 1) {
      if (times > 0) await claimAgain(one);
      await one.block();
      let seconds = 0;
      for (; (await one.status()) === "blocked" && seconds < 30; seconds += 1) await one.pass(SECOND);
      waited.push(seconds);
    }
    expect(waited).toEqual([1, 2, 4, 8]);
  });

  test("that a person resumed first is left to them", async () => {
    const one = await bench((store, log) => ({
      ...store,
      operations: {
        ...store.operations,
        async blockedBy(reason) {
          const found = await store.operations.blockedBy(reason);
          if (found.length > 0)
            await log.give(TASK, {
              type: "resume",
              by: ADA,
              outcome: null,
              reason: null,
              restart: false,
              moreMs: null,
            });
          return found;
        },
      },
    }));
    await one.block();
    await one.pass(SECOND);
    const resumed = (await one.store.read(`task/${TASK}`, 4, 10)).filter(({ event }) => event.type === "RESUMED");
    expect(resumed.map(({ actor }) => actor)).toEqual([ADA]);
    expect(one.warnings).toEqual([]);
  });

  test("waited already when the daemon started: it is looked after as well", async () => {
    const first = await bench();
    first.wait.stop();
    await first.block();
    const wait = createStorageWait({
      log: first.log,
      store: first.store,
      room: { full: async () => false, release: async () => undefined, setAside: async () => true },
      warn: () => undefined,
    });
    await wait.start(() => undefined);
    await first.pass(SECOND);
    wait.stop();
    expect(await first.status()).toBe("queued");
  });

  test("is looked after again when a look failed; a disk that is full is nothing to warn of", async () => {
    const trouble: Error[] = [new Error("no such table"), new Failure("store/full", "there is no space left")];
    const one = await bench((store) => ({
      ...store,
      operations: {
        ...store.operations,
        async blockedBy(reason) {
          const found = await store.operations.blockedBy(reason);
          const error = found.length > 0 ? trouble.shift() : undefined;
          if (error !== undefined) throw error;
          return found;
        },
      },
    }));
    await one.block();
    await one.pass(2 * SECOND);
    expect([await one.status(), one.warnings]).toEqual([
      "blocked",
      ["tasks that wait for space could not be looked after"],
    ]);
    await one.pass(SECOND);
    expect([await one.status(), one.warnings.length]).toEqual(["queued", 1]);
  });
});

test("after the end nothing is looked at any more", async () => {
  const one = await bench();
  one.wait.stop();
  await one.block();
  const { looks } = one.disk;
  await one.wait.ranOut();
  await one.pass(10 * SECOND);
  expect([one.disk.looks, await one.status()]).toEqual([looks, "blocked"]);
});
