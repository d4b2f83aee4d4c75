import { expect, test } from "vitest";
import { Failure } from "../../domain/failure.ts";
import { LeaseLost, StreamMoved } from "../../ports/store.ts";
import { received, sent } from "./crossing.ts";
import type { Write } from "./writes.ts";

/** As another thread gets it. */
const crossed = (error: unknown, write: Write | null = null): Error => received(structuredClone(sent(error, write)));

const append: Write = {
  kind: "append",
  append: { stream: "task/a", expected: 3, sealed: [], named: [], blobs: [], lease: null },
};

test("what the caller has to tell apart arrives as what it was thrown as", () => {
  const moved = new StreamMoved("task/a", 3);
  expect(crossed(moved, append)).toEqual(moved);
  expect(crossed(moved, append)).toBeInstanceOf(StreamMoved);
  const lost = new LeaseLost("a");
  expect(crossed(lost)).toEqual(lost);
  expect(crossed(lost)).toBeInstanceOf(LeaseLost);
});

test("a failure keeps its code, sentence, next step, facts and cause", () => {
  const cause = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
  const full = new Failure("store/full", "there is no space left for x", {
    next: "free some",
    facts: { bytes: 1 },
    cause,
  });
  const arrived = crossed(full) as Failure;
  expect(arrived).toBeInstanceOf(Failure);
  expect({ ...arrived, message: arrived.message }).toEqual({ ...full, message: full.message });
  expect(arrived.cause).toEqual(cause);
  expect(crossed(new Failure("store/busy", "taken"))).toEqual(new Failure("store/busy", "taken"));
});

test("any other error keeps its message, where it was thrown, and its code", () => {
  const bug = new TypeError("x is not a function");
  expect(crossed(bug).message).toBe(bug.message);
  expect(crossed(bug).stack).toBe(bug.stack);
  expect("code" in crossed(bug)).toBe(false);
  expect(crossed("no error at all").message).toBe("no error at all");
});
