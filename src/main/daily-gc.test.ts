import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SYSTEM } from "../domain/actor.ts";
import { Failure } from "../domain/failure.ts";
import { startDailyGc } from "./daily-gc.ts";

const HOUR_MS = 3_600_000;
const NOW = 1_000_000 * HOUR_MS;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A system whose last clean-up was so many hours ago; null: never. What each clean-up was asked, and what was warned of. */
async function started(lastHoursAgo: number | null, gc: () => Promise<unknown> = async () => undefined) {
  const asked: unknown[][] = [];
  const warned: string[] = [];
  const event = { type: "SPACE_RECLAIMED", body: {} };
  const system = {
    store: {
      latest: async () => (lastHoursAgo === null ? null : { seq: 1, atMs: NOW - lastHoursAgo * HOUR_MS, event }),
    },
    cases: {
      gc: (...args: unknown[]) => {
        asked.push(args.slice(0, 2));
        return gc();
      },
    },
  } as unknown as Parameters<typeof startDailyGc>[0];
  const daily = await startDailyGc(
    system,
    (sentence) => warned.push(sentence),
    () => NOW,
  );
  return { daily, asked, warned };
}

test("ten minutes after a start when none was yet or the last is long ago, then once a day", async () => {
  for (const last of [null, 100]) {
    const { daily, asked } = await started(last);
    await vi.advanceTimersByTimeAsync(HOUR_MS / 6 - 1);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toEqual([[SYSTEM, false]]);
    await vi.advanceTimersByTimeAsync(48 * HOUR_MS);
    expect(asked).toHaveLength(3);
    await daily.stop();
  }
});

test("a day after the last one, also when the daemon was started in between", async () => {
  const { daily, asked } = await started(20);
  await vi.advanceTimersByTimeAsync(4 * HOUR_MS - 1);
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked).toHaveLength(1);
  await daily.stop();
  await vi.advanceTimersByTimeAsync(48 * HOUR_MS);
  expect(asked).toHaveLength(1);
});

test("what goes wrong is told, and the next day it is tried again; a person's own clean-up is no trouble", async () => {
  const failing = await started(null, async () => {
    throw new Error("away");
  });
  await vi.advanceTimersByTimeAsync(25 * HOUR_MS);
  expect([failing.asked.length, failing.warned.length]).toEqual([2, 2]);
  await failing.daily.stop();
  const busy = await started(null, async () => {
    throw new Failure("store/busy", "a clean-up is under way already");
  });
  await vi.advanceTimersByTimeAsync(25 * HOUR_MS);
  expect([busy.asked.length, busy.warned.length]).toEqual([2, 0]);
  await busy.daily.stop();
});
