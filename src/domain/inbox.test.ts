import { describe, expect, it, test } from "vitest";
import { ADA, event, IN, replay } from "../../test/support/given-task.ts";
import { type InboxKind, inboxKind } from "./inbox.ts";
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
