import type { Happened, TaskEvent } from "../domain/event.ts";
import { Failure } from "../domain/failure.ts";
import { type Command, decide, isRefusal, type Refusal, refusalText } from "../domain/lifecycle.ts";
import { taskStream } from "../domain/stream.ts";
import { evolve } from "../domain/task.ts";
import type { Clock } from "../ports/clock.ts";
import { type EventLog, StreamMoved, type TaskReads } from "../ports/store.ts";
import type { Extra, Loaded, TaskLog } from "../ports/task-log.ts";

/** How often a decision is taken again because someone else appended first. Each loser means another's progress. */
const TRIES = 50;

export function createTaskLog(store: EventLog & { readonly tasks: TaskReads }, clock: Clock): TaskLog {
  const load = async (id: string): Promise<Loaded> => {
    const found = await store.tasks.task(id);
    if (found === null) throw new Failure("task/not-found", `there is no task ${id}`);
    return found;
  };

  const give = async (id: string, command: Command, extra: Extra = {}): Promise<Loaded> => {
    let known = extra.known ?? null;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const loaded = known ?? (await load(id));
      if (extra.expectedSeq !== undefined && extra.expectedSeq !== null && extra.expectedSeq !== loaded.seq)
        throw new Failure("task/changed", `task ${id} is at ${loaded.seq} by now, you saw ${extra.expectedSeq}`, {
          facts: { seq: loaded.seq },
        });
      const decision = decide(loaded.task, command);
      // What leads to no append is not checked by one: a memory may be refused what the task takes by now.
      if (known !== null && (isRefusal(decision) || decision.length === 0)) {
        known = null;
        continue;
      }
      if (isRefusal(decision)) throw refused(id, decision);
      if (decision.length === 0) return loaded;
      const atMs = clock.nowMs();
      const events: Happened<TaskEvent>[] = decision.map(({ event, actor }) => ({ event, actor, atMs }));
      try {
        await store.append({
          stream: taskStream(id),
          expected: loaded.seq,
          events,
          blobs: extra.blobs ?? [],
          lease: extra.lease ?? null,
        });
        return after(loaded, events);
      } catch (error) {
        if (!(error instanceof StreamMoved)) throw error;
        known = null;
      }
    }
    throw new Failure("store/busy", `task ${id} changed ${TRIES} times while ${command.type} was decided`);
  };

  return { load, give };
}

/** The same fold that the store made in the transaction of the append; reading it back would only take time. */
function after({ task, seq }: Loaded, events: readonly Happened<TaskEvent>[]): Loaded {
  return {
    task: events.reduce((state, one, index) => evolve(state, { seq: seq + index + 1, ...one }), task),
    seq: seq + events.length,
  };
}

export function refused(id: string, refusal: Refusal): Failure {
  const { allowed } = refusal;
  return new Failure("task/refused", refusalText(id, refusal), {
    next:
      allowed.length === 0
        ? `agentos task show ${id}`
        : `It takes now: ${allowed.join(", ")}. See agentos task show ${id}.`,
    facts: { status: refusal.status, refused: refusal.refused, why: refusal.why, allowed },
  });
}
