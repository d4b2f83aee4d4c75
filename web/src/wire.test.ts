import { expect, test } from "vitest";
import { readEvent, readPage, readProblem, readTask } from "./wire.ts";

const WIRE_TASK = {
  id: "01K0",
  title: "Fix the build",
  status: "awaiting_approval",
  phase: "planning",
  project: { id: "p1", name: "shop" },
  waiting: { reason: "approval_needed", sentence: "The plan waits for a yes.", next: "agentos task approve 01K0" },
  exit_reason: null,
  created_by: "ada",
  created_at: "2026-01-02T03:04:05.000Z",
  updated_at: "2026-01-02T03:05:05.000Z",
};

test("a task is read as the daemon sends it, times as milliseconds", () =>
  expect(readTask(WIRE_TASK)).toEqual({
    id: "01K0",
    title: "Fix the build",
    status: "awaiting_approval",
    phase: "planning",
    project: { id: "p1", name: "shop" },
    waiting: { reason: "approval_needed", sentence: "The plan waits for a yes.", next: "agentos task approve 01K0" },
    exitReason: null,
    createdBy: "ada",
    createdAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    updatedAt: Date.UTC(2026, 0, 2, 3, 5, 5),
  }));

test("a task of another version keeps its place in the list: missing facts are null, odd ones do not crash", () =>
  expect(
    readTask({ id: "01K0", waiting: {}, project: "shop", created_at: "yesterday", created_by: "person:ada" }),
  ).toEqual({
    id: "01K0",
    title: "(no title)",
    status: "unknown",
    phase: null,
    project: null,
    waiting: { reason: "unknown", sentence: "unknown", next: null },
    exitReason: null,
    createdBy: "ada",
    createdAt: null,
    updatedAt: null,
  }));

test("what has no id is left out of the list", () =>
  expect(readPage({ items: [null, 7, { title: "x" }, WIRE_TASK], next: "c1" }, readTask)).toEqual({
    items: [readTask(WIRE_TASK)],
    next: "c1",
  }));

test("a cursor is text, whether the daemon counts or not", () =>
  expect([null, "c1", 7].map((next) => readPage({ items: [], next }, readTask).next)).toEqual([null, "c1", "7"]));

test("an answer that is no list is an error, not an empty list", () => {
  expect(() => readPage({ tasks: [] }, readTask)).toThrow("no list");
  expect(() => readPage([], readTask)).toThrow("no list");
});

test("people are told by name, the system's parts by kind and name", () => {
  const actors = ["ada", "person:ada", "agent:script", "policy:default", "system:", "", null, 7];
  expect(actors.map((actor) => readEvent({ seq: 1, actor })?.actor)).toEqual([
    "ada",
    "ada",
    "agent script",
    "policy default",
    "system",
    null,
    null,
    null,
  ]);
});

test("an event without a sentence is told by its type", () =>
  expect(readEvent({ seq: 3, type: "SPEC_FROZEN", at: "2026-01-02T03:04:05.000Z", actor: "ada" })).toEqual({
    seq: 3,
    type: "SPEC_FROZEN",
    at: Date.UTC(2026, 0, 2, 3, 4, 5),
    actor: "ada",
    sentence: "spec frozen",
  }));

test("a problem is told with its next step", () => {
  expect(readProblem({ detail: "No task x.", next: "agentos task list" })).toBe("No task x. agentos task list");
  expect(readProblem("<html>")).toBeNull();
});
