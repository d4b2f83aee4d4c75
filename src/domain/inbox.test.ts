import { describe, expect, it, test } from "vitest";
import { ADA, event, IN, replay } from "../../test/support/given-task.ts";
import { type InboxKind, inboxKind, isWaiting } from "./inbox.ts";
import type { Task } from "./task.ts";
import { BLOCK_REASONS, type BlockReason } from "./waiting.ts";

const blockedFor = (reason: BlockReason): Extract<Task, { readonly status: "blocked" }> => {
  const { events } = IN.running;
  const task = replay([...events, { seq: 99, atMs: 1, actor: ADA, event: event("BLOCKED", { reason }) }]);
  if (task.status !== "blocked") throw new Error(`it is ${task.status}`);
  return task;
};

describe("what a blocked task needs a person for", () => {
  const SAID: Readonly<Partial<Record<BlockReason, InboxKind>>> = {
    outcome_unknown: "outcome_unknown",
    gates_exhausted: "gates_failed",
    findings: "gates_failed",
    budget_exhausted: "budget",
  };
  it.each(Object.keys(BLOCK_REASONS) as BlockReason[])("%s", (reason) =>
    expect(inboxKind(blockedFor(reason))).toBe(SAID[reason] ?? "blocked"),
  );
});

test("a task that waits for an answer needs it for its plan, or for one work item", () => {
  const { task } = IN.awaiting_approval;
  if (task.status !== "awaiting_approval") throw new Error(`it is ${task.status}`);
  const item = { kind: "work_item", item: "work", plan: "p1" } as const;
  expect([inboxKind(task), inboxKind({ ...task, proposal: item })]).toEqual(["plan", "work_item"]);
});

test("a task that succeeded needs nobody, unless its delivery stands half-way", () => {
  const { events } = IN.succeeded;
  const after = (...types: readonly ("STEP_STARTED" | "DELIVERY_TORN")[]) =>
    replay([...events, ...types.map((type, at) => ({ seq: 99 + at, atMs: 1, actor: ADA, event: event(type) }))]);
  const [whole, moving, torn] = [after(), after("STEP_STARTED"), after("STEP_STARTED", "DELIVERY_TORN")];
  expect([whole, moving, torn].map((task) => isWaiting(task))).toEqual([false, false, true]);
  expect(isWaiting(torn) && inboxKind(torn)).toBe("delivery");
});
