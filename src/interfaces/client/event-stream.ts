import { parse } from "../../contract/parse.ts";
import type { EventView } from "../../contract/views.ts";
import { type Call, connected, type FindDaemon, isConnectionLoss, problemOfAnswer } from "./transport.ts";

export interface Followed {
  /** Seq within a task's events, position over all. */
  readonly cursor: number;
  readonly event: EventView;
}

/** Without progress, a stream that keeps breaking is given up after so many tries. */
const BREAKS_MAX = 20;
const EVENT_CHARACTERS_MAX = 8_000_000;

/** Events after a cursor, then each as it happens, without end; a broken connection goes on where it broke. `signal` ends it quietly. */
export async function* followEvents(
  find: FindDaemon,
  path: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Followed> {
  const form = (await import("../../contract/views.ts")).EventView;
  let cursor = after;
  let breaks = 0;
  while (!signal.aborted) {
    try {
      const call: Call = {
        method: "GET",
        path: `${path}?after=${cursor}`,
        accept: "text/event-stream",
        timeoutMs: 0,
        signal,
      };
      const answer = await connected(find, call);
      if (answer.status !== 200) throw await problemOfAnswer(answer, call);
      for await (const { id, data } of messages(answer.message)) {
        breaks = 0;
        const event = parse(form, JSON.parse(data), "an event of the daemon");
        cursor = id;
        yield { cursor, event };
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isConnectionLoss(error)) throw error;
    }
    breaks += 1;
    if (breaks > BREAKS_MAX) throw new Error(`the event stream ${path} broke ${BREAKS_MAX} times without an event`);
  }
}

/** The messages of a `text/event-stream` body: `id` and `data`; comments and everything else are skipped. */
export async function* messages(
  body: AsyncIterable<Buffer | string>,
): AsyncGenerator<{ readonly id: number; readonly data: string }> {
  const decoder = new TextDecoder();
  let pending = "";
  let id = 0;
  let data: string[] = [];
  for await (const chunk of body) {
    pending += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    if (pending.length > EVENT_CHARACTERS_MAX)
      throw new Error(`an event is longer than ${EVENT_CHARACTERS_MAX} characters`);
    // A carriage return at the very end may be half of a line break.
    const lines = pending.split(/\r\n|\n|\r(?!$)/);
    pending = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) yield { id, data: data.join("\n") };
        data = [];
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon === -1 ? line : line.slice(0, colon);
      const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") data.push(value);
      if (field === "id" && /^\d+$/.test(value)) id = Number(value);
    }
  }
}
