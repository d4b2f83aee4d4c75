import type { TaskView } from "../../contract/views.ts";
import type { Context } from "./context.ts";
import { field } from "./escape.ts";

/** Exit codes of a command that waited for a task. */
const EXIT_OF = { succeeded: 0, awaiting_approval: 10, blocked: 11, failed: 12, canceled: 13, draft: 0, queued: 0, running: 0 } as const satisfies Record<TaskView["status"], number>;
const TIMED_OUT = 124;
const INTERRUPTED = 130;

const UNDER_WAY: ReadonlySet<TaskView["status"]> = new Set(["queued", "running"]);

export interface Settled {
  readonly task: TaskView;
  readonly exit: number;
}

/**
 * Follows a task, telling each event, until it ends or waits for a person. A time-out (ms) or an interrupt ends the waiting and
 * nothing else: the task goes on.
 */
export async function settle({ api, out, signal }: Context, id: string, timeoutMs: number | null): Promise<Settled> {
  const deadline = timeoutMs === null ? null : AbortSignal.timeout(timeoutMs);
  const until = new AbortController();
  const all = AbortSignal.any([signal, until.signal, ...(deadline === null ? [] : [deadline])]);
  try {
    for await (const { event } of api.followTask(id, 0, all)) {
      out.note(`${event.at.slice(11, 19)}  ${field(event.sentence)}`);
      if (!MAY_END.has(event.type)) continue;
      const task = await api.task(id);
      // The state may be ahead of the stream; the rest of what led there is still told.
      if (!UNDER_WAY.has(task.status) && event.seq >= task.seq) return { task, exit: EXIT_OF[task.status] };
    }
  } finally {
    until.abort();
  }
  out.note(signal.aborted ? `no longer waiting; task ${id} goes on (agentos task show ${id})` : `not settled after ${(timeoutMs ?? 0) / 1000} s; task ${id} goes on (agentos task show ${id})`);
  return { task: await api.task(id), exit: signal.aborted ? INTERRUPTED : TIMED_OUT };
}

/** Events after which a task may stand still. Any other is followed by one of them. */
const MAY_END: ReadonlySet<string> = new Set(["CREATED", "SPEC_REVISED", "SPEC_FROZEN", "BOUND", "PLAN_PROPOSED", "WORK_ITEM_PROPOSED", "BLOCKED", "COMPLETED", "FAILED", "CANCELED", "DELIVERED", "DENIED", "ARTIFACT_STORED", "STEP_COMPLETED", "STEP_FAILED", "CHECKPOINTED"]);
