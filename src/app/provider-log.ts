import type { Actor } from "../domain/actor.ts";
import type { ProviderEvent } from "../domain/event.ts";
import { Failure } from "../domain/failure.ts";
import { providerStream } from "../domain/stream.ts";
import type { Clock } from "../ports/clock.ts";
import { type Store, StreamMoved } from "../ports/store.ts";
import { type KnownProvider, knownProvider } from "./provider-places.ts";

export interface ProviderLog {
  readonly store: Pick<Store, "append" | "providers">;
  readonly clock: Clock;
}

const TRIES = 20;

/**
 * Records what `decide` makes of a provider as it is now, and returns it after that. One that is known without being added is added by
 * its first event, with what is usual for it today: its history must not change when that does.
 */
export async function recordProvider(
  deps: ProviderLog,
  by: Actor,
  id: string,
  decide: (known: KnownProvider) => readonly ProviderEvent[],
): Promise<KnownProvider> {
  await record(deps, by, id, decide);
  return knownProvider(deps, id);
}

/** The same, for what may leave no such provider. */
export async function record(
  deps: ProviderLog,
  by: Actor,
  id: string,
  decide: (known: KnownProvider) => readonly ProviderEvent[],
): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const known = await knownProvider(deps, id);
    const events = decide(known);
    if (events.length === 0) return;
    const first: readonly ProviderEvent[] = known.configured
      ? []
      : [{ type: "PROVIDER_ADDED", body: known.provider.facts }];
    try {
      return await append(deps, by, id, known.seq, [...first, ...events]);
    } catch (error) {
      if (!(error instanceof StreamMoved)) throw error;
    }
  }
  throw new Failure("store/busy", `provider ${id} changed ${TRIES} times meanwhile`);
}

export async function append(
  { store, clock }: ProviderLog,
  by: Actor,
  id: string,
  expected: number,
  events: readonly ProviderEvent[],
): Promise<void> {
  const atMs = clock.nowMs();
  await store.append({
    stream: providerStream(id),
    expected,
    events: events.map((event) => ({ actor: by, atMs, event })),
    blobs: [],
    lease: null,
  });
}
