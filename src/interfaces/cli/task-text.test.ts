import { expect, test } from "vitest";
import type { TaskListView } from "../../contract/views.ts";
import { taskListLines } from "./task-text.ts";

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
