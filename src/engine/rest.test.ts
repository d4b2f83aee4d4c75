import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { rest } from "./rest.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What became of the rest by now. */
async function watched(resting: Promise<void>): Promise<() => Promise<"rests" | "over">> {
  let state: "rests" | "over" = "rests";
  void resting.then(() => {
    state = "over";
  });
  return async () => {
    await vi.advanceTimersByTimeAsync(0);
    return state;
  };
}

test("a rest is over after its time", async () => {
  const state = await watched(rest(1_000, new AbortController().signal));
  await vi.advanceTimersByTimeAsync(999);
  expect(await state()).toBe("rests");
  await vi.advanceTimersByTimeAsync(1);
  expect(await state()).toBe("over");
});

test("a rest is over at once when the signal says so, and leaves no timer behind", async () => {
  const end = new AbortController();
  const state = await watched(rest(1_000, end.signal));
  expect([await state(), vi.getTimerCount()]).toEqual(["rests", 1]);
  end.abort();
  expect([await state(), vi.getTimerCount()]).toEqual(["over", 0]);
});

test("a rest does not begin where the signal has said so before", async () => {
  const state = await watched(rest(1_000, AbortSignal.abort()));
  expect([await state(), vi.getTimerCount()]).toEqual(["over", 0]);
});
