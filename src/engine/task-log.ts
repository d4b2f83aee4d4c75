import type { AnyEvent, Happened } from "../domain/event.ts";
import { Failure } from "../domain/failure.ts";
import { type Command, decide, isRefusal, type Refusal, refusalText } from "../domain/lifecycle.ts";
import { taskStream } from "../domain/stream.ts";
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
    for (let tries = 0; tries < TRIES; tries += 1) {
      const loaded = await load(id);
      if (extra.expectedSeq !== undefined && extra.expectedSeq !== null && extra.expectedSeq !== loaded.seq)
        throw new Failure("task/changed", `task ${id} is at ${loaded.seq} by now, you saw ${extra.expectedSeq}`, {
          facts: { seq: loaded.seq },
        });
      const decision = decide(loaded.task, command);
      if (isRefusal(decision)) throw refused(id, decision);
      if (decision.length === 0) return loaded;
      const atMs = clock.nowMs();
      const events: Happened<AnyEvent>[] = decision.map(({ event, actor }) => ({ event, actor, atMs }));
      try {
        await store.append({
          stream: taskStream(id),
          expected: loaded.seq,
          events,
          blobs: extra.blobs ?? [],
          lease: extra.lease ?? null,
        });
        return await load(id);
      } catch (error) {
        if (!(error instanceof StreamMoved)) throw error;
      }
    }
    throw new Failure("store/busy", `task ${id} changed ${TRIES} times while ${command.type} was decided`);
  };

  return { load, give };
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
