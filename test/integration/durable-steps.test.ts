import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { afterEach, describe, expect, test } from "vitest";
import { openStore } from "../../src/adapters/store/open.ts";
import { seal, sha256Hex } from "../../src/adapters/store/seal.ts";
import { Failure } from "../../src/domain/failure.ts";
import { taskStream } from "../../src/domain/stream.ts";
import type { EngineDependencies } from "../../src/engine/deps.ts";
import { type Hold, holdTask, noWishes, PutDown } from "../../src/engine/hold.ts";
import { durableSteps } from "../../src/engine/steps.ts";
import { createTaskLog } from "../../src/engine/task-log.ts";
import type { Ask, Effect } from "../../src/ports/broker.ts";
import type { Store } from "../../src/ports/store.ts";
import { AT, freeze, givenRunning } from "../contract/store-given.ts";

/** The bracket over a real store; its effects are functions, and workspaces answer with a tree that the test names. */

const TASK = "T1";
const opened: { readonly store: Store; readonly home: string }[] = [];
afterEach(async () => {
  for (const { store, home } of opened.splice(0)) {
    await store.close();
    rmSync(home, { recursive: true, force: true });
  }
});

interface Bench {
  readonly hold: Hold;
  readonly home: string;
  readonly disk: { scarce: boolean };
  readonly deps: EngineDependencies;
  readonly abort: AbortController;
  readonly restored: string[];
  /** Types of the task's events as another process finds them in the database file. */
  durable(): readonly string[];
}

/** `trees`: what the workspace holds after the first step that touches it, the second, … */
async function bench(trees: readonly string[] = [], { frozen = false } = {}): Promise<Bench> {
  const left = [...trees];
  const home = mkdtempSync(join(realpathSync(tmpdir()), "agentos-steps-"));
  const store = await openStore({ home, now: () => AT });
  opened.push({ store, home });
  await givenRunning(store, TASK);
  if (frozen) await freeze(store, seal, TASK, 4, 1, { intent: "as agreed on" });
  const disk = { scarce: false };
  const log = createTaskLog(store, { nowMs: () => AT, monotonicMs: () => 0 } as never);
  const restored: string[] = [];
  const deps = {
    store,
    log,
    worker: "w1",
    workspaces: {
      snapshot: async () => left.shift() ?? "unasked",
      restore: async (_workspace: unknown, before: string) => {
        restored.push(before);
        return { rescued: null };
      },
    },
    storage: { scarce: () => disk.scarce },
    digest: sha256Hex,
    outputFile: async () => "/dev/null",
    warn: (sentence: string) => {
      throw new Error(sentence);
    },
  } as unknown as EngineDependencies;
  const abort = new AbortController();
  const spec = { prepare: [] } as never;
  const hold = holdTask(deps, await log.load(TASK), spec, 1, abort.signal, noWishes());
  return {
    hold,
    home,
    disk,
    deps,
    abort,
    restored,
    durable: () => {
      const other = new BetterSqlite3(join(home, "agentos.db"), { readonly: true });
      const types = other
        .prepare("SELECT type FROM events WHERE stream = ? AND seq > 4 ORDER BY seq")
        .pluck()
        .all(taskStream(TASK));
      other.close();
      return types as string[];
    },
  };
}

const done = (result: unknown, touched: readonly string[] = []): Effect => ({
  evidence: [],
  touched,
  result,
  failed: null,
  blobs: [],
});

const ask = (input: string, effect: Ask["effect"]): Ask => ({
  open: async () => ({
    act: { kind: "command", repo: "app", argv: [input], cwd: ".", timeoutMs: 1_000, network: [] },
    blobs: [],
  }),
  input,
  effect,
});

describe("the durable bracket", () => {
  test("begins an effect only when its start is durable, and tells the asker only when its end is", async () => {
    const { deps, hold, durable } = await bench();
    const steps = durableSteps(deps, hold, "1.item-a", "a");
    let seen: readonly string[] = [];
    const told = await steps.perform(
      ask("build", async () => {
        seen = durable();
        return done({ exitCode: 0 });
      }),
    );
    expect({ seen, told, after: durable() }).toEqual({
      seen: ["STEP_STARTED"],
      told: { exitCode: 0 },
      after: ["STEP_STARTED", "STEP_COMPLETED"],
    });
  });

  test("answers a finished step from the journal, and never runs it again", async () => {
    const { deps, hold } = await bench();
    let runs = 0;
    const build = ask("build", async () => {
      runs += 1;
      return done({ run: runs });
    });
    const first = await durableSteps(deps, hold, "1.item-a", "a").perform(build);
    const again = await durableSteps(deps, hold, "1.item-a", "a").perform(build);
    expect({ first, again, runs }).toEqual({ first: { run: 1 }, again: { run: 1 }, runs: 1 });
  });

  test("refuses the recorded answer of one act to another act in its place", async () => {
    const { deps, hold, durable } = await bench();
    await durableSteps(deps, hold, "1.item-a", "a").perform(ask("build", async () => done(null)));
    await expect(
      durableSteps(deps, hold, "1.item-a", "a").perform(ask("deploy", async () => done(null))),
    ).rejects.toMatchObject({ code: "store/corrupt" });
    expect(durable()).toEqual(["STEP_STARTED", "STEP_COMPLETED"]);
  });

  test("records the tree that each effect left, with its step, in one checkpoint", async () => {
    const { deps, hold, durable } = await bench(["tree-1", "tree-2"]);
    const steps = durableSteps(deps, hold, "1.item-a", "a");
    const left: unknown[] = [];
    for (const input of ["build", "test"]) {
      await steps.perform(ask(input, async () => done(null, ["app"])));
      left.push(hold.task().trees);
    }
    expect(left).toEqual([{ app: "tree-1" }, { app: "tree-2" }]);
    const once = ["STEP_STARTED", "STEP_COMPLETED", "CHECKPOINTED"];
    expect(durable()).toEqual([...once, ...once]);
  });

  test("closes the step of an effect that could not be tried, and says why", async () => {
    const { deps, hold, durable } = await bench();
    const broken = ask("build", async () => {
      throw new Error("no such thing");
    });
    await expect(durableSteps(deps, hold, "1.item-a", "a").perform(broken)).rejects.toThrow("no such thing");
    expect([durable(), hold.task().openStep]).toEqual([["STEP_STARTED", "STEP_FAILED"], null]);
  });

  test("leaves no step open behind a person's cancel in the middle", async () => {
    const { deps, hold, abort, durable } = await bench();
    const canceled = ask("build", async () => {
      await deps.log.give(TASK, { type: "cancel", by: { kind: "person", name: "ada" }, reason: null });
      abort.abort();
      return done(null);
    });
    await expect(durableSteps(deps, hold, "1.item-a", "a").perform(canceled)).rejects.toEqual(new PutDown("cancel"));
    expect([durable(), hold.task().openStep]).toEqual([["STEP_STARTED", "CANCEL_REQUESTED", "STEP_LOST"], null]);
  });

  test("begins nothing when a pause was asked for", async () => {
    const { deps, hold, durable } = await bench();
    await deps.log.give(TASK, { type: "pause", by: { kind: "person", name: "ada" }, reason: null });
    const paused = holdTask(deps, await deps.log.load(TASK), null, 1, new AbortController().signal, noWishes());
    await expect(
      durableSteps(deps, paused, "1.item-a", "a").perform(ask("build", async () => done(null))),
    ).rejects.toEqual(new PutDown("pause"));
    expect([durable(), hold.task().openStep]).toEqual([["PAUSE_REQUESTED"], null]);
  });

  test("begins nothing while the disk is full", async () => {
    const { deps, hold, disk, durable } = await bench();
    disk.scarce = true;
    await expect(
      durableSteps(deps, hold, "1.item-a", "a").perform(ask("build", async () => done(null))),
    ).rejects.toMatchObject({ code: "store/full" });
    expect(durable()).toEqual([]);
  });

  test("begins nothing once the spec that was agreed on is another one in the database", async () => {
    const { deps, hold, home, durable } = await bench([], { frozen: true });
    const build = (name: string) =>
      durableSteps(deps, hold, name, "a").perform(ask("build", async () => done({ exitCode: 0 })));
    expect(await build("1.item-a")).toEqual({ exitCode: 0 });
    const other = new BetterSqlite3(join(home, "agentos.db"));
    other.exec("DROP TRIGGER specs_keep_their_content; UPDATE specs SET text = replace(text, 'agreed', 'wanted')");
    other.close();
    await expect(build("1.item-b")).rejects.toMatchObject({
      code: "store/corrupt",
      message: `what is stored of task ${TASK} was changed outside of AgentOS: the stored spec does not have the hash ${hold.task().spec?.hash}`,
    });
    expect(durable()).toEqual(["SPEC_FROZEN", "STEP_STARTED", "STEP_COMPLETED"]);
  });

  test("says what happened again while the store is busy, until the worker is to stop", async () => {
    const { deps, hold, abort, durable } = await bench();
    let busy = 2;
    const impatient: EngineDependencies = {
      ...deps,
      log: {
        ...deps.log,
        async give(id, command, extra) {
          if (busy === 0) return deps.log.give(id, command, extra);
          busy -= 1;
          throw new Failure("store/busy", "another process holds the lock");
        },
      },
    };
    const held = (signal: AbortSignal) =>
      holdTask(impatient, { task: hold.task(), seq: 4 }, null, 1, signal, noWishes());
    await held(abort.signal).report({ type: "enter_phase", phase: "planning" });
    expect([busy, durable()]).toEqual([0, ["PHASE_ENTERED"]]);
    busy = 1;
    await expect(
      held(AbortSignal.abort()).report({ type: "enter_phase", phase: "implementation" }),
    ).rejects.toMatchObject({ code: "store/busy" });
    expect(durable()).toEqual(["PHASE_ENTERED"]);
  });
});
