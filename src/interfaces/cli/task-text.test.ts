import { expect, test } from "vitest";
import { OTHER, TASK, taskGiven, verdictGiven } from "../../../test/support/given-views.ts";
import type { TaskListView } from "../../contract/views.ts";
import { foundLines, gateLines, nextLines, taskLines, taskListLines } from "./task-text.ts";

const row = (id: string, more: Partial<TaskListView["items"][number]>): TaskListView["items"][number] =>
  ({
    id,
    title: "Mend it",
    status: "queued",
    priority: "normal",
    project: null,
    block_reason: null,
    created_at: "2026-11-22T12:00:00.000Z",
    waiting: null,
    stalled: false,
    ...more,
  }) as TaskListView["items"][number];
const waiting = { reason: "dependency", sentence: "It waits for task B (“b”, draft) to succeed.", next: "" };

test("a list says of a queued task what it waits for, and leaves other waits to their status", () => {
  expect(
    taskListLines({
      items: [row("A", { waiting }), row("B", {}), row("C", { status: "blocked", block_reason: "paused", waiting })],
      next: null,
    }),
  ).toEqual([
    "ID  STATUS          PRIORITY  PROJECT  CREATED              TITLE",
    "A   queued          normal    -        2026-11-22 12:00:00  Mend it",
    "  It waits for task B (“b”, draft) to succeed.",
    "B   queued          normal    -        2026-11-22 12:00:00  Mend it",
    "C   blocked/paused  normal    -        2026-11-22 12:00:00  Mend it",
  ]);
});

test("of a task that nothing has happened to, only what there is is told", () =>
  expect(taskLines(taskGiven())).toEqual([
    `Task: ${TASK}`,
    "Title: Mend it",
    "Status: draft",
    "Phase: intent, attempt 1",
    "Project: shop",
    "Session: s",
    "Created: 2026-11-22 12:00:00 by ada",
  ]));

test("of a task that much has happened to, all of it is told", () =>
  expect(
    taskLines(
      taskGiven({
        status: "failed",
        exit_reason: "gates_failed",
        phase: "verification",
        attempt: 2,
        priority: "urgent",
        worked_ms: 7_200_000,
        granted_ms: 3_600_000,
        budget: { tokens: 100 },
        spent: {
          total: { tokens: 150, usd: 0.5, turns: 3, time_ms: 0 },
          phases: {},
          granted: { tokens: 50, usd: 0, turns: 0, time_ms: 0 },
        },
        grants: ["npm *"],
        template: "report",
        fork: { origin: OTHER, root: OTHER },
        superseded_by: OTHER,
        ended_at: "2026-11-22T13:00:00.000Z",
        spec: { version: 2, hash: "a".repeat(64) },
        plan: { version: 3, hash: "b".repeat(64) },
        approved_by: "bob",
        dependencies: [
          { task: TASK, kind: "requires", other: OTHER, title: "First", status: "succeeded", standing: "met" },
          { task: OTHER, kind: "blocks", other: TASK, title: "Before", status: "running", standing: "holds" },
        ],
        bases: {
          app: { commit: "c".repeat(40), branch: "main", dirty: ["a.txt"], included: true },
          lib: { commit: "d".repeat(40), branch: null, dirty: ["b.txt", "c.txt"], included: false },
        },
        items: [
          { id: "one", status: "completed" },
          { id: "two", status: "failed" },
          { id: "three", status: "running" },
          { id: "four", status: "pending" },
        ],
        open_step: { step: "1.a.1", run: 1, doing: "run make", warned: ["stall", "time"] },
        candidate: {
          app: { base: "c", commit: "e".repeat(40), tree: "t", changed: 1, left_out: ["node_modules"] },
          lib: { base: "d", commit: "d", tree: "t", changed: 0, left_out: [] },
        },
        accepted_unproven: ["fast"],
        denials: 2,
        delivered: {
          app: { way: "merge", branch: "main", to: "f".repeat(40), tree: "t", checkout_followed: true },
          lib: { way: "patch", branch: null, to: "f", tree: "t", checkout_followed: false },
        },
        waiting: { reason: "gates", sentence: "It waits for you.", next: "agentos inbox" },
      }),
    ),
  ).toEqual([
    `Task: ${TASK}`,
    "Title: Mend it",
    "Status: failed",
    "Exit reason: gates_failed",
    "Phase: verification, attempt 2",
    "Priority: urgent",
    "Worked: 2h, with 1h granted beyond its limit",
    "Budget: 100 tokens",
    "Spent: 150 tokens, 3 turns, 0.5000 USD, with 50 tokens granted beyond its budgets",
    "Allowed without asking: npm *",
    "Project: shop",
    "Session: s",
    "Created: 2026-11-22 12:00:00 by ada, from the template “report”",
    `Forked from: ${OTHER}`,
    `Superseded by: ${OTHER}`,
    "Ended: 2026-11-22 13:00:00",
    "Spec: version 2, aaaaaaaaaaaa",
    "Plan: version 3, bbbbbbbbbbbb, approved by bob",
    "After:",
    ` ✓  requires ${OTHER}   succeeded  First`,
    ` ·  ${OTHER} blocks it  running    Before`,
    "Base of app: cccccccccccc on main",
    "  1 uncommitted file included: a.txt",
    "Base of lib: dddddddddddd",
    "  2 uncommitted files left out: b.txt, c.txt",
    "Work items:",
    " ✓  one    completed",
    " ✗  two    failed",
    " ▸  three  running",
    " ·  four   pending",
    "Now: run make",
    "  no sign of life: it may have stalled",
    "  most of its time is gone",
    "Candidate of app: eeeeeeeeeeee, 1 changed file",
    "  left out (ignored by git or too odd for it): node_modules",
    "Candidate of lib: unchanged",
    "Accepted on record, not proven: fast",
    `Refused acts: 2 (agentos task trace ${TASK} names them)`,
    "Delivered app: main is ffffffffffff",
    "Delivered lib: as a patch",
    "Waits: It waits for you.",
    "Next: agentos inbox",
  ]));

test("a gate is told from base to candidate, with what it found where it did not pass", () => {
  const counts = { passed: 3, failed: 1, skipped: 2, todo: 0 };
  expect(
    gateLines([
      verdictGiven({ on: "base" }),
      verdictGiven({ verdict: "fail", counts, findings: ["a.test.js fails"] }),
      verdictGiven({ on: "kept-tests", counts: { ...counts, failed: 0, skipped: 0 } }),
      verdictGiven({ gate: "lint", on: "base", verdict: "unproven", findings: ["it was not run"] }),
      verdictGiven({ gate: "e2e", flaky: true, runs: 3, findings: ["slow"] }),
    ]),
  ).toEqual([
    "Gates (base → candidate):",
    "  tests: pass → fail (3 of 4 tests passed, 2 skipped); with the tests as they were: pass (3 of 3 tests passed)",
    "    a.test.js fails",
    "  lint: unproven → not run",
    "    it was not run",
    "  e2e: not run → pass, flaky in 3 runs",
  ]);
});

test("what was found about the work says how grave it is, and what a spec could allow", () => {
  const found = { kind: "tests_skipped", repo: "app", about: "a.test.js", detail: null };
  const items = [
    { ...found, policy: "blocks" as const, text: "A secret is in it", allowed_by: null },
    { ...found, policy: "asks" as const, text: "Tests were skipped", allowed_by: "fewer-tests" },
    { ...found, policy: "shown" as const, text: "The lock file changed", allowed_by: "dependencies" },
  ];
  const lines = [
    "  ✗ A secret is in it",
    "  ? Tests were skipped (a spec allows it by --may-change fewer-tests)",
    "  · The lock file changed",
  ];
  expect(foundLines({ items, accepted: false })).toEqual(["Found about the work:", ...lines]);
  expect(foundLines({ items, accepted: true })).toEqual(["Found about the work, and let pass by a person:", ...lines]);
});

test("what to do next is said of a task that waits, that is under way, or whose work is there to be taken", () => {
  const candidate = { app: { base: "c", commit: "e", tree: "t", changed: 1, left_out: [] } };
  const unchanged = { app: { ...candidate.app, commit: "c" } };
  expect(nextLines(taskGiven({ status: "succeeded", candidate }))).toEqual([
    `next: agentos task diff ${TASK}; agentos task deliver ${TASK}`,
  ]);
  expect(nextLines(taskGiven({ status: "succeeded", candidate: unchanged }))).toEqual([]);
  expect(nextLines(taskGiven({ status: "running" }))).toEqual([`see where it stands: agentos task show ${TASK}`]);
  expect(nextLines(taskGiven({ waiting: { reason: "r", sentence: "It waits.", next: "answer it" } }))).toEqual([
    "It waits.",
    "next: answer it",
  ]);
});

test("a list says that it is empty, and of a task that it may have stalled", () => {
  expect(taskListLines({ items: [], next: null })).toEqual(["no tasks"]);
  expect(taskListLines({ items: [row("A", { status: "running", stalled: true })], next: null })[1]).toBe(
    "A   running (stalled?)  normal    -        2026-11-22 12:00:00  Mend it",
  );
});
