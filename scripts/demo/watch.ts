import { setTimeout as wait } from "node:timers/promises";
import type { EventListView, TaskView } from "../../src/contract/views.ts";
import type { DemoDaemon } from "./daemon.ts";
import { say } from "./say.ts";

const TASK_MS_MAX = 15 * 60_000;

/** Events worth a line to somebody who watches for the first time. */
const TOLD = new Set([
  "SPEC_FROZEN",
  "BASES_PINNED",
  "PLAN_PROPOSED",
  "PLAN_APPROVED",
  "WORK_ITEM_STARTED",
  "WORK_ITEM_COMPLETED",
  "WORK_ITEM_FAILED",
  "STEP_LOST",
  "CANDIDATE_MADE",
  "GATE_PASSED",
  "GATE_FAILED",
  "GATE_UNPROVEN",
  "RETRIED",
  "BLOCKED",
  "COMPLETED",
  "FAILED",
  "CANCELED",
  "DENIED",
]);

export interface Watched {
  readonly task: TaskView;
  readonly seq: number;
}

/** Tells what happens from `after` on, until `done` says so. */
export async function watch(
  daemon: DemoDaemon,
  id: string,
  after: number,
  done: (task: TaskView) => boolean | Promise<boolean>,
): Promise<Watched> {
  let seq = after;
  for (const deadline = Date.now() + TASK_MS_MAX; Date.now() < deadline; await wait(100)) {
    const task = await daemon.get<TaskView>(`/api/tasks/${id}`);
    const { items } = await daemon.get<EventListView>(`/api/tasks/${id}/events?after=${seq}`);
    for (const event of items) {
      seq = event.seq;
      if (TOLD.has(event.type))
        (event.type === "GATE_FAILED" || event.type === "STEP_LOST"
          ? say.bad
          : event.type === "GATE_PASSED" || event.type === "COMPLETED"
            ? say.good
            : say.line)(event.sentence);
    }
    if (await done(task)) return { task, seq };
  }
  throw new Error(`task ${id} took longer than ${TASK_MS_MAX / 60_000} minutes`);
}

export const waits = (task: TaskView): boolean => task.status !== "queued" && task.status !== "running";
