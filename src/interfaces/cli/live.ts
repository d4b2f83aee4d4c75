import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import type { TaskView } from "../../contract/views.ts";
import { isUnreachable } from "../client/trouble.ts";
import type { Context } from "./context.ts";
import { block, field } from "./escape.ts";
import { EXIT_OF, heldTeller, UNDER_WAY } from "./settle.ts";

export interface Live {
  /** Events up to this seq are not told. */
  readonly after: number;
  /** Whether events are told, or only what steps put out. */
  readonly events: boolean;
  /** Only this step's output; null: every step's. */
  readonly step: string | null;
}

const LOOK_MS = 250;
const INTERRUPTED = 130;
/** A line longer than this is told in parts. */
const LINE_CHARACTERS_MAX = 65_536;

/**
 * Follows a task: its events, and beside them what its steps put out, until it ends or waits for a person. An interrupt ends the following
 * and nothing else. A daemon that goes away is waited for, and the following goes on where it was.
 */
export async function followLive(
  context: Context,
  id: string,
  { after, events, step }: Live,
): Promise<{ readonly task: TaskView; readonly exit: number }> {
  const { api, out, signal } = context;
  const until = new AbortController();
  const either = AbortSignal.any([signal, until.signal]);
  const tellHeld = heldTeller(out);
  let cursor = after;
  let task = await api.task(id);
  if (task.seq <= cursor) tellHeld(task);
  const open = task.open_step;
  let tail = open !== null && after >= task.seq ? tailOf(context, id, { ...open, fromEnd: true }, either) : null;
  const drained = async (): Promise<void> => {
    const trouble = await tail;
    tail = null;
    if (trouble instanceof Error) throw trouble;
  };
  try {
    while (!signal.aborted)
      try {
        task = await api.task(id);
        if (!UNDER_WAY.has(task.status) && task.seq <= cursor) return { task, exit: EXIT_OF[task.status] };
        for await (const { event } of api.followTask(id, cursor, either)) {
          cursor = event.seq;
          if (ENDS.has(event.type)) await drained();
          if (events) out.note(`${event.at.slice(11, 19)}  ${field(event.sentence)}`);
          const began = event.type === "STEP_STARTED" ? Began.parse(event.body) : null;
          if (began !== null && (step === null || began.step === step)) {
            await drained();
            if (!events && !out.json) out.result(null, () => [`── ${field(event.sentence)}`]);
            tail = tailOf(context, id, { ...began, fromEnd: false }, either);
          }
          if (event.seq < task.seq) continue;
          task = await api.task(id);
          if (task.seq <= event.seq) tellHeld(task);
          if (UNDER_WAY.has(task.status) || task.seq > event.seq) continue;
          await drained();
          return { task, exit: EXIT_OF[task.status] };
        }
      } catch (error) {
        if (signal.aborted) break;
        if (!isUnreachable(error)) throw error;
        out.note("the daemon is gone; waiting until it is back (an interrupt ends only the waiting)");
        while (!signal.aborted && (await context.daemon.find()) === null)
          await pause(LOOK_MS, null, { signal }).catch(() => undefined); // interrupted: the loop sees it
      }
  } finally {
    until.abort();
    await tail;
  }
  out.note(`detached; task ${id} goes on (agentos task attach ${id} follows it again)`);
  return { task, exit: INTERRUPTED };
}

const Began = z.object({ step: z.string(), run: z.number() });
const ENDS: ReadonlySet<string> = new Set(["STEP_COMPLETED", "STEP_FAILED", "STEP_LOST"]);

/** Tells what one run of a step puts out until it has ended and all is told. Resolves with what kept it from that, if anything did. */
async function tailOf(
  { api, out }: Context,
  id: string,
  { step, run, fromEnd }: { readonly step: string; readonly run: number; readonly fromEnd: boolean },
  signal: AbortSignal,
): Promise<unknown> {
  let offset = fromEnd ? Number.MAX_SAFE_INTEGER : 0;
  let unfinished = "";
  const tell = (lines: readonly string[]): void => {
    if (lines.length > 0 && !out.json) out.result(null, () => block(`${lines.join("\n")}\n`));
  };
  try {
    while (!signal.aborted) {
      const seen = await api.output(id, { step, run, offset }).catch((error: unknown) => {
        if (isUnreachable(error)) return null;
        throw error;
      });
      const more = seen !== null && seen.next > offset;
      if (seen !== null) {
        offset = seen.next;
        const lines = (unfinished + seen.text).split("\n");
        unfinished = lines.pop() ?? "";
        tell(unfinished.length > LINE_CHARACTERS_MAX ? [...lines, unfinished] : lines);
        if (unfinished.length > LINE_CHARACTERS_MAX) unfinished = "";
        if (!seen.open && !more) break;
      }
      if (!more) await pause(LOOK_MS, null, { signal });
    }
    if (unfinished !== "") tell([unfinished]);
    return null;
  } catch (error) {
    return signal.aborted ? null : error;
  }
}
