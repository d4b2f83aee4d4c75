import type { Actor } from "../domain/actor.ts";
import type { Recorded, SystemEvent } from "../domain/event.ts";
import { SYSTEM_STREAM } from "../domain/stream.ts";
import { type EventLog, StreamMoved } from "../ports/store.ts";

const PAGE = 1_000;

/** Appends to the system's own stream, at whatever its end is by then. */
export async function noteSystem(
  store: Pick<EventLog, "append" | "read">,
  actor: Actor,
  atMs: number,
  event: SystemEvent,
): Promise<void> {
  for (;;) {
    try {
      await store.append({
        stream: SYSTEM_STREAM,
        expected: (await systemEvents(store)).at(-1)?.seq ?? 0,
        events: [{ actor, atMs, event }],
        blobs: [],
        lease: null,
      });
      return;
    } catch (error) {
      if (!(error instanceof StreamMoved)) throw error;
    }
  }
}

/** When an event of this type was last recorded; null: never. */
export async function lastNotedMs(store: Pick<EventLog, "read">, type: SystemEvent["type"]): Promise<number | null> {
  return (await systemEvents(store)).findLast(({ event }) => event.type === type)?.atMs ?? null;
}

async function systemEvents(store: Pick<EventLog, "read">): Promise<readonly Recorded[]> {
  const all: Recorded[] = [];
  for (;;) {
    const page = await store.read(SYSTEM_STREAM, all.at(-1)?.seq ?? 0, PAGE);
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}
