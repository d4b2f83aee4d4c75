import { z } from "zod";
import { PHASES } from "../domain/phase.ts";
import { PRIORITIES } from "../domain/priority.ts";
import { STATUSES } from "../domain/task.ts";

/*
 * The views that the commonest commands see, and every command of the daemon's health. Apart from the others, which take longer to make
 * than a list of tasks takes to come.
 */

export const Time = z.string();
export const Waiting = z.object({ reason: z.string(), sentence: z.string(), next: z.string() });

export const TaskRowView = z.object({
  id: z.string(),
  title: z.string(),
  session: z.string(),
  status: z.enum(STATUSES),
  phase: z.enum(PHASES),
  attempt: z.number(),
  project: z.object({ id: z.string(), name: z.string() }).nullable(),
  block_reason: z.string().nullable(),
  exit_reason: z.string().nullable(),
  priority: z.enum(PRIORITIES),
  created_by: z.string(),
  created_at: Time,
  updated_at: Time,
  seq: z.number(),
});
export type TaskRowView = z.infer<typeof TaskRowView>;

export const TaskListView = z.object({
  items: z.array(TaskRowView.extend({ waiting: Waiting.nullable(), stalled: z.boolean() })),
  next: z.string().nullable(),
});
export type TaskListView = z.infer<typeof TaskListView>;

export const HealthView = z.object({
  ok: z.boolean(),
  version: z.string(),
  pid: z.number(),
  started_at: Time,
  home: z.string(),
  sandbox: z.string().nullable(),
  sandbox_problem: z.string().nullable(),
  tasks: z.record(z.string(), z.number()),
  working: z.number(),
  /** How many tasks wait for a person. */
  inbox: z.number(),
  /** While it is, no task is taken up. */
  paused: z.object({ since: Time, by: z.string(), reason: z.string().nullable() }).nullable(),
});
export type HealthView = z.infer<typeof HealthView>;
