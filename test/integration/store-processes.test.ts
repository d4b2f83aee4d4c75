import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { auditStore } from "../../src/adapters/store/audit.ts";
import { acquireDaemonLock } from "../../src/adapters/store/daemon-lock.ts";
import { openStore } from "../../src/adapters/store/open.ts";
import { openReadOnly } from "../../src/adapters/store/read-only.ts";
import { seal } from "../../src/adapters/store/seal.ts";
import { isFailure } from "../../src/domain/failure.ts";
import type { Store } from "../../src/ports/store.ts";
import { deny, givenTask } from "../contract/store-given.ts";
import { type StoreChild, storeChild } from "./store-process.ts";

let home: string;
let children: StoreChild[];
const child = (mode: Parameters<typeof storeChild>[0], at: string = home): StoreChild => {
  const started = storeChild(mode, at);
  children.push(started);
  return started;
};

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "agentos-store-"));
  children = [];
});
afterEach(async () => {
  for (const one of children) await one.kill();
  await rm(home, { recursive: true, force: true });
});

describe("while another process holds the database's write lock", () => {
  const withStore = async (busyMs: number, work: (store: Store) => Promise<void>): Promise<void> => {
    const store = await openStore({ home, now: Date.now, busyMs });
    try {
      await work(store);
    } finally {
      await store.close();
    }
  };

  test("fifty writers wait, readers do not, and all succeed when it lets go", () =>
    withStore(30_000, async (store) => {
      await givenTask(store, "read");
      const holder = child("hold");
      expect(await holder.said()).toBe("held");
      const writers = Array.from({ length: 50 }, (_, index) => givenTask(store, `t${index}`));
      let turns = 0;
      const turning = setInterval(() => {
        turns += 1;
      }, 1);
      // Reading goes on, and so does the event loop: the lock is waited for on a timer.
      while (turns < 20) {
        expect((await store.tasks.task("read"))?.seq).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await store.position()).toBe(1);
      clearInterval(turning);
      await holder.letGo();
      await Promise.all(writers);
      expect(await store.position()).toBe(51);
    }));

  test("a writer that waited too long is told to come again, and nothing of its write is there", () =>
    withStore(200, async (store) => {
      await givenTask(store, "a");
      const holder = child("hold");
      expect(await holder.said()).toBe("held");
      const tries = await Promise.allSettled([
        ...Array.from({ length: 49 }, (_, index) => givenTask(store, `t${index}`)),
        store.operations.take("ada", [{ windowMs: 60_000, most: 10, points: 1 }], 0),
      ]);
      for (const one of tries) {
        if (one.status === "fulfilled") throw new Error("it was acknowledged");
        expect(isFailure(one.reason, "store/busy")).toBe(true);
        expect(one.reason.facts).toEqual({ retryAfterSeconds: 5 });
        expect(one.reason.message).not.toContain("database is locked");
      }
      await holder.letGo();
      expect(await store.position()).toBe(1);
      expect(await store.append(deny("a", 1))).toEqual({ seq: 2, position: 2 });
    }));
});

test("what was acknowledged is there after every kill -9", async () => {
  const acknowledged = new Map<string, number>();
  for (let kills = 0; kills < 8; kills += 1) {
    const writer = child("append");
    // A different moment each time: somewhere between two of its acknowledgements.
    for (let heard = 0; heard < 20 + kills * 17; heard += 1) note(acknowledged, await writer.said());
    await writer.kill();
    for (const one of await writer.rest()) note(acknowledged, one);
    const store = await openReadOnly(home);
    for (const [task, seq] of acknowledged) expect((await store.tasks.task(task))?.seq).toBeGreaterThanOrEqual(seq);
    await store.close();
    expect((await auditStore(home, { seal })).findings).toEqual([]);
  }
  const store = await openStore({ home, now: Date.now });
  for (const [task, seq] of acknowledged)
    expect((await store.tasks.events(task, seq - 1, 1)).map((one) => one.seq)).toEqual([seq]);
  await store.close();
});

function note(acknowledged: Map<string, number>, said: unknown): void {
  const { task, seq } = said as { readonly task: string; readonly seq: number };
  acknowledged.set(task, Math.max(seq, acknowledged.get(task) ?? 0));
}

describe("the daemon lock", () => {
  test("is refused to a second process at once, also through a symbolic link", async () => {
    const first = child("lock");
    expect(await first.said()).toBe("held");
    expect(await child("lock").said()).toBe("daemon/running");
    const link = `${home}-link`;
    await symlink(home, link);
    try {
      expect(await child("lock", link).said()).toBe("daemon/running");
      const begun = performance.now();
      await expect(acquireDaemonLock(link)).rejects.toSatisfy((error) => isFailure(error, "daemon/running"));
      expect(performance.now() - begun).toBeLessThan(1_000);
    } finally {
      await rm(link);
    }
  });

  test("is free again when it was released, and when its holder was killed", async () => {
    const first = child("lock");
    expect(await first.said()).toBe("held");
    await first.kill();
    const second = child("lock");
    expect(await second.said()).toBe("held");
    await second.letGo();
    const lock = await acquireDaemonLock(home);
    expect(await child("lock").said()).toBe("daemon/running");
    await lock.release();
    const third = child("lock");
    expect(await third.said()).toBe("held");
  });

  test("is refused twice in the same process too", async () => {
    const lock = await acquireDaemonLock(home);
    await expect(acquireDaemonLock(home)).rejects.toSatisfy((error) => isFailure(error, "daemon/running"));
    await lock.release();
    await (await acquireDaemonLock(home)).release();
  });
});
