import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openStore } from "../../src/adapters/store/open.ts";
import { seal, sha256Hex } from "../../src/adapters/store/seal.ts";
import type { AnyEvent, Recorded, TaskEvent } from "../../src/domain/event.ts";
import { Failure } from "../../src/domain/failure.ts";
import { taskStream } from "../../src/domain/stream.ts";
import type { Task } from "../../src/domain/task.ts";
import type { EngineDependencies } from "../../src/engine/deps.ts";
import { createTaskLog } from "../../src/engine/task-log.ts";
import { createWorker, type Worker } from "../../src/engine/worker.ts";
import { type Append, LeaseLost, type Operations, type Store } from "../../src/ports/store.ts";
import { AT, claimed, event, freeze, givenProject, givenTask, OTHER, systemAppend } from "../contract/store-given.ts";

/*
 * How a worker takes tasks up and puts them down, over a real store. No task of these gets as far as a repository: what looking at one
 * comes to is what a test says.
 */

const TASK = "T1";
const AGAIN_MS = 5_000;
const SPEC = {
  format: 1,
  agent: { kind: "script" },
  runMode: "assisted",
  scopes: [{ repo: "app", access: "full" }],
  gates: [],
  prepare: [],
  includeDirty: false,
  limits: {},
};

const endings: (() => Promise<void>)[] = [];
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
  vi.useRealTimers();
});

interface Given {
  readonly spec?: Readonly<Record<string, unknown>>;
  /** What comes of looking at the repository, time after time; after the last one it is nothing but a bug. */
  readonly looks?: readonly unknown[];
  /** Before each append of the system. */
  readonly appending?: (append: Append) => void;
  readonly operations?: (own: Operations) => Partial<Operations>;
  readonly ranOut?: () => void;
}

interface Bench {
  readonly store: Store;
  readonly home: string;
  readonly worker: Worker;
  readonly warnings: readonly string[];
  readonly fatal: readonly unknown[];
  readonly disk: { ranOut: number; scarce: boolean };
  task(): Promise<Task>;
  types(afterSeq?: number): Promise<readonly string[]>;
  /** The task's first event of that type since it was queued. */
  happened(type: TaskEvent["type"], afterSeq?: number): Promise<Recorded>;
  /** Resolves when it has been warned so often. */
  warned(times?: number): Promise<void>;
}

/** The seq of the event that queues the task. */
const QUEUED = 5;

async function bench(given: Given = {}): Promise<Bench> {
  const home = mkdtempSync(join(realpathSync(tmpdir()), "agentos-worker-"));
  const own = await openStore({ home, now: () => AT });
  await givenProject(own, "p");
  await givenTask(own, OTHER);
  await givenTask(own, TASK);
  await own.append(event(TASK, 1, { type: "BOUND", body: { project: "p", repos: { app: "p-app" } } }));
  const { hash } = await freeze(own, seal, TASK, 2, 1, { ...SPEC, ...given.spec });
  await own.append(event(TASK, 3, { type: "READY", body: { spec: hash } }));
  await own.append(event(TASK, 4, { type: "QUEUED", body: { cause: "ready" } }));
  const store: Store = {
    ...own,
    async append(append) {
      given.appending?.(append);
      return own.append(append);
    },
    operations: { ...own.operations, ...given.operations?.(own.operations) },
  };
  const looks = [...(given.looks ?? [])];
  const warnings: string[] = [];
  const fatal: unknown[] = [];
  const disk = { ranOut: 0, scarce: false };
  let heard = (): void => undefined;
  const deps = {
    store,
    log: createTaskLog(store, { nowMs: () => AT }),
    clock: { nowMs: () => AT },
    worker: "w1",
    self: { pid: 4242, startTicks: 99, bootId: "boot" },
    seal,
    digest: sha256Hex,
    sandbox: { reap: async () => undefined },
    agents: { script: {} },
    workspaces: {
      inspect: async () => {
        throw looks.shift() ?? new TypeError("nothing is there");
      },
    },
    storage: {
      scarce: () => disk.scarce,
      ranOut: async () => {
        disk.ranOut += 1;
        given.ranOut?.();
      },
      start: async () => undefined,
      stop: () => undefined,
    },
    fatal: (error: unknown) => fatal.push(error),
    warn: (sentence: string, error: unknown) => {
      warnings.push(`${sentence}: ${error instanceof Error ? error.message : String(error)}`);
      heard();
    },
  } as unknown as EngineDependencies;
  const worker = createWorker(deps, { tasksMax: 1 });
  endings.push(async () => {
    await worker.stop();
    await own.close();
    rmSync(home, { recursive: true, force: true });
  });
  const events = (afterSeq: number) => own.read(taskStream(TASK), afterSeq, 100);
  return {
    store: own,
    home,
    worker,
    warnings,
    fatal,
    disk,
    async task() {
      const found = await own.tasks.task(TASK);
      if (found === null) throw new Error(`${TASK} is not there`);
      return found.task;
    },
    types: async (afterSeq = QUEUED) => (await events(afterSeq)).map((one) => one.event.type),
    happened: (type, afterSeq = QUEUED) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          events(afterSeq).then((all) => {
            const found = all.find((one) => one.event.type === type);
            if (found === undefined) return;
            unsubscribe();
            resolve(found);
          }, reject);
        };
        const unsubscribe = own.onAppended(look);
        look();
      }),
    warned: (times = 1) =>
      new Promise((resolve) => {
        heard = () => {
          if (warnings.length >= times) resolve();
        };
        heard();
      }),
  };
}

const said = (code: string): Error => Object.assign(new Error(code), { code });
const carries =
  (type: AnyEvent["type"]) =>
  ({ events }: Append): boolean =>
    events.some((one) => one.event.type === type);

/** Fails the appends of that type with these, one after the other; then they go through. */
function failing(type: AnyEvent["type"], ...errors: readonly unknown[]): (append: Append) => void {
  const left = [...errors];
  return (append) => {
    const error = carries(type)(append) ? left.shift() : undefined;
    if (error !== undefined) throw error;
  };
}

const COMES_MS = 10_000;

/** Waits for what no event tells; the time that is faked stands still meanwhile. */
async function comes(isThere: () => boolean): Promise<void> {
  const begun = performance.now();
  while (!isThere()) {
    if (performance.now() - begun > COMES_MS) throw new Error(`it did not come to ${isThere}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const FULL = new Failure("store/full", "there is no space left");

describe("a task that is put down", () => {
  test("waits for a model where it names no agent", async () => {
    const { worker, happened } = await bench({ spec: { agent: { kind: "none" } } });
    await worker.start();
    expect((await happened("BLOCKED")).event.body).toEqual({
      reason: "no_model",
      detail: "this task names no agent, and no model or agent is configured",
      step: null,
    });
  });

  test.each(["ENOSPC", "EDQUOT"])(
    "waits for space when the system says %s, and room is made for saying so",
    async (code) => {
      const { worker, happened, disk, warnings } = await bench({ looks: [said(code)] });
      await worker.start();
      expect((await happened("BLOCKED")).event.body).toEqual({
        reason: "storage_full",
        detail: "the disk is full",
        step: null,
      });
      expect([disk.ranOut, warnings]).toEqual([1, []]);
    },
  );

  test("waits for space also where the reserve could not be given up", async () => {
    const one = await bench({
      looks: [FULL],
      ranOut: () => {
        throw new Error("no such file");
      },
    });
    await one.worker.start();
    await one.happened("BLOCKED");
    expect(one.warnings).toEqual(["the reserve could not be given up: no such file"]);
  });

  test.each(["EIO", "EROFS"])(
    "says nothing more when the disk itself fails (%s): the process ends, the next one finds out",
    async (code) => {
      const trouble = said(code);
      const { worker, fatal, types } = await bench({ looks: [trouble] });
      await worker.start();
      await comes(() => fatal.length > 0);
      await worker.stop();
      expect([fatal, await types()]).toEqual([[trouble], ["CLAIMED", "PHASE_ENTERED"]]);
    },
  );

  test("says so again and again while the store has no space for it", async () => {
    const one = await bench({ looks: [FULL], appending: failing("BLOCKED", FULL, FULL) });
    await one.worker.start();
    for (const ranOut of [2, 3]) {
      await comes(() => one.disk.ranOut === ranOut);
      await vi.advanceTimersByTimeAsync(AGAIN_MS);
    }
    expect((await one.happened("BLOCKED")).event.body).toMatchObject({ reason: "storage_full" });
    expect([await one.types(), one.warnings]).toEqual([["CLAIMED", "PHASE_ENTERED", "BLOCKED"], []]);
  });

  test("is left as it is where the store has no space for it until the worker stops: the next one finds out", async () => {
    const one = await bench({ looks: [FULL], appending: failing("BLOCKED", ...Array<Failure>(100).fill(FULL)) });
    await one.worker.start();
    await comes(() => one.disk.ranOut === 2);
    await one.worker.stop();
    expect([(await one.task()).status, await one.types(), one.warnings]).toEqual([
      "running",
      ["CLAIMED", "PHASE_ENTERED"],
      [],
    ]);
  });

  test("and cannot be is warned of", async () => {
    const one = await bench({ looks: [said("ENOSPC")], appending: failing("BLOCKED", new Error("no such table")) });
    await one.worker.start();
    await one.warned();
    expect(one.warnings).toEqual([`task ${TASK} could not be put down: no such table`]);
  });

  test("and is another's by then is left to them", async () => {
    const one = await bench({ looks: [said("ENOSPC")], appending: failing("BLOCKED", new LeaseLost(TASK)) });
    await one.worker.start();
    await comes(() => one.disk.ranOut === 1);
    await one.worker.stop();
    expect([await one.types(), one.warnings]).toEqual([["CLAIMED", "PHASE_ENTERED"], []]);
  });

  test("goes to nobody again when its time was used up before", async () => {
    const one = await bench({ spec: { limits: { taskMs: 1_000 } } });
    const worked = (at: number, seq: number, more: TaskEvent): Append => ({
      ...event(TASK, seq, more, [], AT + at),
      events: [{ actor: { kind: "worker", name: "w1" }, atMs: AT + at, event: more }],
    });
    await one.store.append(claimed(TASK, QUEUED, 1));
    await one.store.append(
      worked(1_500, QUEUED + 1, { type: "PHASE_ENTERED", body: { phase: "planning", from: "intent" } }),
    );
    await one.store.append(worked(1_500, QUEUED + 2, { type: "QUEUED", body: { cause: "worker_stopped" } }));
    await one.worker.start();
    expect((await one.happened("BLOCKED")).event.body).toEqual({
      reason: "budget_exhausted",
      detail: "it has worked 1 s, and its time is 1 s",
      step: null,
    });
  });

  test("is not worked on again by itself once three daemons died in it", async () => {
    const one = await bench();
    await one.store.append(claimed(TASK, QUEUED, 1));
    for (const epoch of [2, 3]) await one.store.append(claimed(TASK, QUEUED + epoch - 1, epoch, true));
    await one.worker.start();
    expect((await one.happened("BLOCKED")).event.body).toEqual({
      reason: "crash_loop",
      detail: "the system died 3 times in a row while this task ran, without a finished step between",
      step: null,
    });
  });
});

describe("a task that cannot be taken up", () => {
  const once = (error: unknown): Given => {
    let failed = false;
    return {
      spec: { agent: { kind: "none" } },
      operations: (own) => ({
        nextEpoch: async (task) => {
          if (failed) return own.nextEpoch(task);
          failed = true;
          throw error;
        },
      }),
    };
  };

  test("is warned of, and tried again after a while", async () => {
    const one = await bench(once(new Error("no such table")));
    await one.worker.start();
    await one.warned();
    await comes(() => vi.getTimerCount() === 1);
    await vi.advanceTimersByTimeAsync(AGAIN_MS - 1);
    expect([one.warnings, await one.types(), one.worker.busy()]).toEqual([
      [`task ${TASK} could not be taken up: no such table`],
      [],
      0,
    ]);
    await vi.advanceTimersByTimeAsync(1);
    await one.happened("BLOCKED");
    expect([one.warnings.length, one.disk.ranOut]).toEqual([1, 0]);
  });

  test("although a dead daemon left it running is tried again after a while as well", async () => {
    const one = await bench(once(new Failure("store/busy", "another process has it locked")));
    await one.store.append(claimed(TASK, QUEUED, 1));
    await one.worker.start();
    await one.warned();
    await comes(() => vi.getTimerCount() === 1);
    await vi.advanceTimersByTimeAsync(AGAIN_MS);
    expect((await one.happened("CLAIMED", QUEUED + 1)).event.body).toEqual({ worker: "w1", epoch: 2, takeover: true });
    expect((await one.happened("BLOCKED")).event.body).toMatchObject({ reason: "no_model" });
    expect(one.warnings).toEqual([`task ${TASK} could not be taken up: another process has it locked`]);
  });

  test("for want of space has room made for it", async () => {
    const one = await bench(once(FULL));
    await one.worker.start();
    await one.warned();
    expect([one.disk.ranOut, vi.getTimerCount()]).toEqual([1, 1]);
    await one.worker.stop();
    expect([vi.getTimerCount(), await one.types()]).toEqual([0, []]);
  });

  test("because another was faster is left to them", async () => {
    const one = await bench(once(new LeaseLost(TASK)));
    await one.worker.start();
    // It is free again at once.
    await one.happened("BLOCKED");
    expect(one.warnings).toEqual([]);
  });

  test("because of what was changed in the database is refused in its journal, and not tried again", async () => {
    const one = await bench();
    const { title, draft } = await one.task();
    await one.store.append(event(TASK, QUEUED, { type: "SPEC_REVISED", body: { title, draft } }));
    const other = new BetterSqlite3(join(one.home, "agentos.db"));
    other.prepare("UPDATE tasks SET status = 'queued', queued_at_ms = 0 WHERE id = ?").run(TASK);
    other.close();
    const why = `what is stored of task ${TASK} was changed outside of AgentOS: its row is not what its journal gives`;
    await one.worker.start();
    expect((await one.happened("DENIED")).event.body).toEqual({
      act: "work on this task",
      rule: "integrity",
      reason: why,
      item: null,
    });
    await one.warned();
    await comes(() => one.worker.busy() === 0);
    expect([one.warnings, vi.getTimerCount()]).toEqual([[`task ${TASK} could not be taken up: ${why}`], 0]);
  });
});

describe("a worker that cannot read the store", () => {
  const failOnce = (): (() => void) => {
    let failed = false;
    return () => {
      if (failed) return;
      failed = true;
      throw new Error("no such table");
    };
  };

  const unreadQueue = (): Promise<Bench> => {
    const fail = failOnce();
    return bench({
      spec: { agent: { kind: "none" } },
      operations: (own) => ({
        claimable: async (most) => {
          fail();
          return own.claimable(most);
        },
      }),
    });
  };

  test("for the queued tasks warns, and looks again after a while", async () => {
    const one = await unreadQueue();
    await one.worker.start();
    await one.warned();
    await comes(() => vi.getTimerCount() === 1);
    await vi.advanceTimersByTimeAsync(AGAIN_MS);
    await one.happened("BLOCKED");
    expect(one.warnings).toEqual(["queued tasks could not be read: no such table"]);
  });

  test("for the queued tasks looks again at the next event already", async () => {
    const one = await unreadQueue();
    await one.worker.start();
    await one.warned();
    expect([one.warnings, await one.types()]).toEqual([["queued tasks could not be read: no such table"], []]);
    const renamed = { name: "another", settings: { agent: null, runMode: null, packageHosts: [], tasksMax: null } };
    await one.store.append({
      ...event(TASK, 2, { type: "QUEUED", body: { cause: "ready" } }),
      stream: "project/p",
      events: [{ actor: { kind: "person", name: "ada" }, atMs: AT, event: { type: "PROJECT_CHANGED", body: renamed } }],
    });
    await one.happened("BLOCKED");
  });

  const unreadLeft = (): Promise<Bench> => {
    const fail = failOnce();
    return bench({
      spec: { agent: { kind: "none" } },
      operations: (own) => ({
        running: async () => {
          fail();
          return own.running();
        },
      }),
    });
  };

  test.each([false, true])(
    "for what a dead daemon left warns, and looks for it again (paused before: %s)",
    async (before) => {
      const one = await unreadLeft();
      await one.store.append(claimed(TASK, QUEUED, 1));
      if (before) await one.store.append(systemAppend(0, { type: "SYSTEM_PAUSED", body: { reason: null } }));
      await one.worker.start();
      if (before) await one.store.append(systemAppend(1, { type: "SYSTEM_RESUMED", body: { reason: null } }));
      await one.warned();
      expect(one.worker.busy()).toBe(0);
      await comes(() => vi.getTimerCount() === 1);
      await vi.advanceTimersByTimeAsync(AGAIN_MS);
      await one.happened("BLOCKED", QUEUED + 1);
      expect(one.warnings).toEqual(["tasks that a dead daemon left could not be read: no such table"]);
    },
  );

  test("for what a dead daemon left warns when everything is resumed, and takes up the queue all the same", async () => {
    const one = await unreadLeft();
    await one.store.append(systemAppend(0, { type: "SYSTEM_PAUSED", body: { reason: null } }));
    await one.worker.start();
    expect([one.worker.busy(), await one.types()]).toEqual([0, []]);
    await one.store.append(systemAppend(1, { type: "SYSTEM_RESUMED", body: { reason: null } }));
    await one.happened("BLOCKED");
    expect(one.warnings).toEqual(["tasks that a dead daemon left could not be read: no such table"]);
  });
});

describe("a queued task whose required one has failed", () => {
  const missing = async (given: Given): Promise<Bench> => {
    const one = await bench(given);
    await one.store.append(
      event(OTHER, 1, { type: "CANCELED", body: { exitReason: "canceled_by_person", reason: null } }),
    );
    await one.store.append(event(TASK, QUEUED, { type: "DEPENDENCY_ADDED", body: { on: OTHER, kind: "requires" } }));
    return one;
  };

  test("is put down with that reason, after a while also where that could not be said at once", async () => {
    const one = await missing({ appending: failing("BLOCKED", new Error("no such table")) });
    await one.worker.start();
    await one.warned();
    await comes(() => vi.getTimerCount() === 1);
    await vi.advanceTimersByTimeAsync(AGAIN_MS);
    expect((await one.happened("BLOCKED")).event.body).toEqual({
      reason: "dependency_failed",
      detail: `it requires task ${OTHER}, which was canceled (canceled by person)`,
      step: null,
    });
    expect(one.warnings).toEqual([`task ${TASK} could not be put down for want of task ${OTHER}: no such table`]);
  });

  test("and that has moved on meanwhile is left as it is", async () => {
    const one = await bench({
      spec: { agent: { kind: "none" } },
      operations: () => ({
        missed: async () => [{ task: TASK, on: OTHER, status: "failed", exitReason: "gates_failed" }],
      }),
    });
    await one.worker.start();
    expect((await one.happened("BLOCKED")).event.body).toMatchObject({ reason: "no_model" });
    expect(one.warnings).toEqual([]);
  });
});
