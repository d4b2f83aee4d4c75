import { Failure, isFailure } from "../domain/failure.ts";
import { freshProvider, type Provider } from "../domain/provider.ts";
import { isLocal, KNOWN_PROVIDERS, knownFacts } from "../domain/provider-facts.ts";
import { type Judged, type Standing, standsAs } from "../domain/provider-look.ts";
import type { ProviderPlace, Providers } from "../ports/providers.ts";
import type { Secrets } from "../ports/secrets.ts";
import type { Store } from "../ports/store.ts";

/** What looking at providers needs. Nothing of it changes anything, so that offline commands can look too. */
export interface ProviderLooking {
  readonly store: Pick<Store, "providers">;
  readonly providers: Providers;
  readonly secrets: Pick<Secrets, "read">;
}

export interface KnownProvider {
  readonly provider: Provider;
  /** Of its stream; 0: nothing has been recorded of it. */
  readonly seq: number;
  /** A person said something of it, or something was recorded. */
  readonly configured: boolean;
}

export interface ProviderSeen extends KnownProvider {
  readonly place: ProviderPlace;
  readonly hasKey: boolean;
  /** What AgentOS started, and lives. */
  readonly ours: boolean;
  /** Null of a cloud one, which is not asked. */
  readonly judged: Judged | null;
  readonly standing: Standing;
}

/** Everyone there is: what people added, and what is known without being added. */
export async function knownProviders(deps: Pick<ProviderLooking, "store">): Promise<readonly KnownProvider[]> {
  const stored = await deps.store.providers.providers();
  const known = await Promise.all(KNOWN_PROVIDERS.map((id) => knownProvider(deps, id)));
  const added = stored.filter(({ id }) => knownFacts(id) === null);
  return [...known, ...(await Promise.all(added.map(({ id }) => knownProvider(deps, id))))];
}

export async function knownProvider(deps: Pick<ProviderLooking, "store">, id: string): Promise<KnownProvider> {
  const found = await deps.store.providers.provider(id);
  if (found !== null && !found.provider.removed) return { ...found, configured: true };
  const facts = knownFacts(id);
  if (facts === null) throw new Failure("provider/not-found", `there is no provider ${id}`);
  return { provider: freshProvider(id, facts, 0), seq: found?.seq ?? 0, configured: false };
}

/** With everything said that a person left to what is usual here. A configured program that is none counts as not there. */
export async function placeOf(
  deps: ProviderLooking,
  { id, facts }: Pick<Provider, "id" | "facts">,
): Promise<ProviderPlace> {
  const { providers, secrets } = deps;
  const { kind, keyName } = facts;
  const baseUrl = facts.baseUrl ?? (await providers.usualUrl(kind));
  if (baseUrl === null) throw new Failure("provider/refused", `it is not said where ${id} answers`);
  return {
    id,
    kind,
    baseUrl,
    key: () => secrets.read({ name: id, variable: keyName }),
    executable: facts.executable ?? (await providers.program(kind, null))?.path ?? null,
    modelsDirectory: facts.modelsDirectory ?? (isLocal(kind) ? await providers.modelsDirectory(kind, null) : null),
    modelFile: facts.modelFile,
    contextTokens: facts.contextTokens,
  };
}

/** How one stands now. Cloud providers are not asked: whether a key is there is all that is looked at. */
export async function seeProvider(deps: ProviderLooking, known: KnownProvider): Promise<ProviderSeen> {
  const { provider } = known;
  const { facts, started } = provider;
  const place = await placeOf(deps, provider);
  const key = await keyOf(place);
  const asked = !("trouble" in key) && (isLocal(facts.kind) || facts.kind === "openai-compatible");
  const judged = asked ? await deps.providers.look(place) : null;
  const ours =
    started === null ? "none" : started.mark === null || deps.providers.isAlive(started.mark) ? "alive" : "dead";
  const hasKey = "there" in key && key.there;
  const beside = {
    baseUrl: place.baseUrl,
    ours,
    executable: place.executable,
    hasKey,
    keyName: facts.keyName,
  } as const;
  const standing: Standing =
    "trouble" in key
      ? { status: "failed", detail: `its stored key must not be trusted: ${key.trouble}` }
      : standsAs(facts.kind, judged, beside);
  return { ...known, place, hasKey, ours: ours === "alive", judged, standing };
}

/**
 * A stored key that must not be trusted is a trouble of its provider, and nothing that keeps whoever looks from seeing the others. Where it is
 * the file of all stored keys that must not be trusted, it is a trouble of each: which of them have one there cannot be known.
 */
async function keyOf(place: ProviderPlace): Promise<{ readonly there: boolean } | { readonly trouble: string }> {
  try {
    return { there: (await place.key()) !== null };
  } catch (error) {
    if (isFailure(error, "secret/unreadable")) return { trouble: error.message };
    throw error;
  }
}

/** Everyone, looked at at the same time. */
export const seeProviders = async (deps: ProviderLooking): Promise<readonly ProviderSeen[]> =>
  Promise.all((await knownProviders(deps)).map((known) => seeProvider(deps, known)));

/** Whether it stands on this machine by its address: only such a one can be started here. */
export const isLoopback = (baseUrl: string): boolean =>
  /^https?:\/\/(localhost|127(?:\.\d{1,3}){3}|\[::1\])(?=[:/]|$)/i.test(baseUrl);
