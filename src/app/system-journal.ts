import type { Actor } from "../domain/actor.ts";
import type { SystemEvent } from "../domain/event.ts";
import { SYSTEM_STREAM } from "../domain/stream.ts";
import { type EventLog, type StagedBlob, StreamMoved } from "../ports/store.ts";

/** Appends to the system's own stream, at whatever its end is by then. */
export async function noteSystem(
  store: Pick<EventLog, "append" | "latest">,
  actor: Actor,
  atMs: number,
  event: SystemEvent,
  blobs: readonly StagedBlob[] = [],
): Promise<void> {
  for (;;) {
    try {
      await store.append({
        stream: SYSTEM_STREAM,
        expected: (await store.latest(SYSTEM_STREAM))?.seq ?? 0,
        events: [{ actor, atMs, event }],
        blobs,
        lease: null,
      });
      return;
    } catch (error) {
      if (!(error instanceof StreamMoved)) throw error;
    }
  }
}

/** When an event of this type was last recorded; null: never. */
export async function lastNotedMs(store: Pick<EventLog, "latest">, type: SystemEvent["type"]): Promise<number | null> {
  return (await store.latest(SYSTEM_STREAM, [type]))?.atMs ?? null;
}
