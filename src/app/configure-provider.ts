import type { Actor } from "../domain/actor.ts";
import { Failure } from "../domain/failure.ts";
import { BASE_URLS, factsOf, knownFacts, type ProviderFacts } from "../domain/provider-facts.ts";
import { append, type ProviderLog, record, recordProvider } from "./provider-log.ts";
import { type KnownProvider, knownProvider, type ProviderLooking, seeProvider } from "./provider-places.ts";

export interface NewProvider extends Partial<Omit<ProviderFacts, "kind">> {
  readonly id: string;
  readonly kind: ProviderFacts["kind"];
}
export type ProviderChange = Partial<Omit<ProviderFacts, "kind">>;
type Configuring = ProviderLooking & ProviderLog;

export async function addProvider(
  deps: Configuring,
  by: Actor,
  { id, kind, ...said }: NewProvider,
): Promise<KnownProvider> {
  if (knownFacts(id) !== null)
    throw new Failure("provider/refused", `${id} is known without being added`, {
      next: `agentos provider set ${id} changes what is configured of it.`,
    });
  const before = await deps.store.providers.provider(id);
  if (before !== null && !before.provider.removed)
    throw new Failure("provider/refused", `there is a provider called ${id} already`, { next: "Choose another name." });
  const facts = factsOf(kind, said);
  if (facts.baseUrl === null && BASE_URLS[kind] === null)
    throw new Failure("provider/refused", `it is not said where ${id} answers`, {
      next: "Name its address: --url URL",
    });
  await refuseNoProgram(deps, facts);
  await append(deps, by, id, before?.seq ?? 0, [{ type: "PROVIDER_ADDED", body: facts }]);
  return knownProvider(deps, id);
}

/** Where a server of ours answers is fixed while it runs; everything else counts from its next start on. */
export async function changeProvider(
  deps: Configuring,
  by: Actor,
  id: string,
  change: ProviderChange,
): Promise<KnownProvider> {
  const known = await knownProvider(deps, id);
  await refuseNoProgram(deps, { ...known.provider.facts, ...change });
  if (change.baseUrl !== undefined && change.baseUrl !== known.provider.facts.baseUrl) {
    if (change.baseUrl === null && BASE_URLS[known.provider.facts.kind] === null)
      throw new Failure("provider/refused", `it would not be said where ${id} answers`);
    await refuseRunning(deps, known, "its address cannot change");
  }
  return recordProvider(deps, by, id, ({ provider, configured }) => {
    const facts = { ...provider.facts, ...change };
    return configured && JSON.stringify(facts) === JSON.stringify(provider.facts)
      ? []
      : [{ type: "PROVIDER_CHANGED", body: facts }];
  });
}

/** One that is known without being added is from then on as if nobody had ever said anything of it. */
export async function removeProvider(deps: Configuring, by: Actor, id: string): Promise<void> {
  const known = await knownProvider(deps, id);
  if (!known.configured)
    throw new Failure("provider/refused", `nothing is configured of ${id}; it is known without being added`, {
      next: "Leave it as it is: what is not used does nothing.",
    });
  await refuseRunning(deps, known, "it cannot be removed");
  await record(deps, by, id, ({ configured }) => (configured ? [{ type: "PROVIDER_REMOVED", body: {} }] : []));
}

async function refuseRunning(deps: Configuring, known: KnownProvider, what: string): Promise<void> {
  const { ours } = await seeProvider(deps, known);
  if (ours)
    throw new Failure("provider/refused", `AgentOS runs ${known.provider.id}: ${what} while it does`, {
      next: `agentos provider stop ${known.provider.id}`,
    });
}

/** A path that a person named is tried at once: that is when they can still see why it is wrong. */
const refuseNoProgram = async ({ providers }: Configuring, { kind, executable }: ProviderFacts): Promise<void> => {
  if (executable !== null) await providers.program(kind, executable);
};
