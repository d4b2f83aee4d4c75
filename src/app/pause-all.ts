import { type Actor, actorText } from "../domain/actor.ts";
import { SYSTEM_STREAM } from "../domain/stream.ts";
import type { Store } from "../ports/store.ts";
import type { AppDependencies } from "./deps.ts";
import { noteSystem } from "./system-journal.ts";
import { present, stageText } from "./text.ts";

export interface AllPaused {
  readonly sinceMs: number;
  readonly by: string;
  readonly reason: string | null;
}

/** Whether everything is paused, since when and by whom; null while it is not. It is a fact of the journal, so it outlives the daemon. */
export async function allPaused(deps: { readonly store: Pick<Store, "latest" | "get"> }): Promise<AllPaused | null> {
  const last = await deps.store.latest(SYSTEM_STREAM, ["SYSTEM_PAUSED", "SYSTEM_RESUMED"]);
  if (last?.event.type !== "SYSTEM_PAUSED") return null;
  const { reason } = last.event.body;
  const bytes = reason === null ? null : await deps.store.get(reason);
  return {
    sinceMs: last.atMs,
    by: actorText(last.actor),
    reason: bytes === null ? null : new TextDecoder().decode(bytes),
  };
}

/** No task is taken up any more, by this daemon or the next; what runs is put back into the queue at its next boundary. Twice is once. */
export async function pauseAll(deps: AppDependencies, by: Actor, reason: string | null): Promise<void> {
  if ((await allPaused(deps)) === null) await tell(deps, by, "SYSTEM_PAUSED", reason);
}

export async function resumeAll(deps: AppDependencies, by: Actor, reason: string | null): Promise<void> {
  if ((await allPaused(deps)) !== null) await tell(deps, by, "SYSTEM_RESUMED", reason);
}

async function tell(
  deps: AppDependencies,
  by: Actor,
  type: "SYSTEM_PAUSED" | "SYSTEM_RESUMED",
  reason: string | null,
): Promise<void> {
  const blob = await stageText(deps, reason);
  const event = { type, body: { reason: blob?.ref ?? null } } as const;
  await noteSystem(deps.store, by, deps.clock.nowMs(), event, present([blob]));
}
