import { describe, expect, it } from "vitest";
import { fateOfLayer, fateOfTask, type Retention } from "./retention.ts";
import type { Task } from "./task.ts";

const DAY_MS = 86_400_000;
const NOW = 1_000 * DAY_MS;
const RETENTION: Retention = { succeededDays: 14, failedDays: 60, canceledDays: 7, layersDays: 30 };
const candidate = { app: { tree: "t1", baseTree: "t0" } };
const task = (facts: Record<string, unknown>): Task =>
  ({ openStep: null, candidate: null, delivered: null, ...facts }) as unknown as Task;
const ended = (status: string, daysAgo: number, more: Record<string, unknown> = {}): Task =>
  task({ status, endedAtMs: NOW - daysAgo * DAY_MS, ...more });

describe("the files of a task", () => {
  it.each([
    ["succeeded", 14],
    ["failed", 60],
    ["canceled", 7],
  ])("that is %s go after %i days, and not a day earlier", (status, days) => {
    expect(fateOfTask(ended(status, days), RETENTION, NOW).goes).toBe(true);
    expect(fateOfTask(ended(status, days - 1), RETENTION, NOW)).toEqual({
      goes: false,
      why: `it ended within the last ${days} days`,
    });
  });

  it.each(["draft", "queued", "running", "awaiting_approval", "blocked"])("that is %s stay for ever", (status) =>
    expect(fateOfTask(task({ status }), RETENTION, NOW)).toEqual({
      goes: false,
      why: `the task is ${status.replace("_", " ")}`,
    }),
  );

  it("stay while proven work is not delivered, and go by their age once it is", () => {
    expect(fateOfTask(ended("succeeded", 900, { candidate }), RETENTION, NOW)).toEqual({
      goes: false,
      why: "its work is proven and not delivered yet",
    });
    expect(fateOfTask(ended("succeeded", 900, { candidate, delivered: { app: {} } }), RETENTION, NOW)).toEqual({
      goes: true,
      why: "it has succeeded 900 days ago",
    });
    const unchanged = { app: { tree: "t0", baseTree: "t0" } };
    expect(fateOfTask(ended("succeeded", 900, { candidate: unchanged }), RETENTION, NOW).goes).toBe(true);
  });

  it("stay while a step works there, and when nobody knows whose they are", () => {
    expect(fateOfTask(ended("succeeded", 900, { openStep: { step: "deliver-9.1" } }), RETENTION, NOW)).toEqual({
      goes: false,
      why: "step deliver-9.1 is open and works there",
    });
    expect(fateOfTask(null, RETENTION, NOW)).toEqual({ goes: false, why: "the journal knows no such task" });
  });
});

describe("a layer", () => {
  it("goes when nobody used it for long enough", () => {
    expect(fateOfLayer(NOW - 30 * DAY_MS, false, RETENTION, NOW)).toEqual({
      goes: true,
      why: "it was last used 30 days ago",
    });
    expect(fateOfLayer(NOW - 29 * DAY_MS, false, RETENTION, NOW).goes).toBe(false);
  });

  it("stays as long as a living task was prepared with it", () =>
    expect(fateOfLayer(0, true, RETENTION, NOW)).toEqual({
      goes: false,
      why: "a task that has not ended uses it",
    }));
});
