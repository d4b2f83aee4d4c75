import type { TaskView } from "../../contract/views.ts";
import type { Context } from "./context.ts";
import { field } from "./escape.ts";
import { nextLines } from "./task-text.ts";

/** Exit codes of a command that waited for a task. */
export const EXIT_OF = {
  succeeded: 0,
  awaiting_approval: 10,
  blocked: 11,
  failed: 12,
  canceled: 13,
  draft: 0,
  queued: 0,
  running: 0,
} as const satisfies Record<TaskView["status"], number>;
const TIMED_OUT = 124;
const INTERRUPTED = 130;

export const UNDER_WAY: ReadonlySet<TaskView["status"]> = new Set(["queued", "running"]);

export interface Settled {
  readonly task: TaskView;
  readonly exit: number;
}

export interface Waiting {
  /** Events up to this seq are not told: the person has seen them. */
  readonly after: number;
  readonly timeoutMs: number | null;
}

/**
 * Follows a task, telling each event, until it ends or waits for a person. A time-out or an interrupt ends the waiting and
 * nothing else: the task goes on.
 */
export async function settle(
  { api, out, signal }: Context,
  id: string,
  { after, timeoutMs }: Waiting,
): Promise<Settled> {
  const deadline = timeoutMs === null ? [] : [AbortSignal.timeout(timeoutMs)];
  const until = new AbortController();
  const tellHeld = heldTeller(out);
  let task = await api.task(id);
  if (task.seq <= after) tellHeld(task);
  try {
    if (stands(task, after)) return { task, exit: EXIT_OF[task.status] };
    for await (const { event } of api.followTask(id, after, AbortSignal.any([signal, until.signal, ...deadline]))) {
      out.note(`${event.at.slice(11, 19)}  ${field(event.sentence)}`);
      if (event.seq < task.seq) continue;
      task = await api.task(id);
      if (task.seq <= event.seq) tellHeld(task);
      // The state may be ahead of the stream: then what led there is told first.
      if (stands(task, event.seq)) return { task, exit: EXIT_OF[task.status] };
    }
  } finally {
    until.abort();
  }
  out.note(
    signal.aborted
      ? `no longer waiting; task ${id} goes on (agentos task show ${id})`
      : `not settled after ${(timeoutMs ?? 0) / 1000} s; task ${id} goes on (agentos task show ${id})`,
  );
  return { task, exit: signal.aborted ? INTERRUPTED : TIMED_OUT };
}

/** Tells why a task that is followed is not taken up, each reason once, so that nobody looks at a terminal where nothing happens. */
export function heldTeller(out: Context["out"]): (task: TaskView) => void {
  let told: string | null = null;
  return ({ status, waiting }) => {
    if (!UNDER_WAY.has(status) || waiting === null || waiting.sentence === told) return;
    told = waiting.sentence;
    out.note(field(waiting.sentence), `next: ${field(waiting.next)}`);
  };
}

/** What to do now that a task is followed no longer. While it goes on, all there is to say was said. */
export const settledLines = (task: TaskView): readonly string[] => (UNDER_WAY.has(task.status) ? [] : nextLines(task));

const stands = (task: TaskView, seen: number): boolean => !UNDER_WAY.has(task.status) && task.seq <= seen;
