import { type Actor, SYSTEM } from "../domain/actor.ts";
import { Failure } from "../domain/failure.ts";
import { isLocal, LOCAL_KINDS } from "../domain/provider-facts.ts";
import { advised } from "../domain/provider-platforms.ts";
import type { Models } from "../ports/model.ts";
import type { Browsed, ProviderModel } from "../ports/providers.ts";
import type { Secrets } from "../ports/secrets.ts";
import {
  addProvider,
  changeProvider,
  type NewProvider,
  type ProviderChange,
  removeProvider,
} from "./configure-provider.ts";
import { type FoundServer, findServers } from "./find-providers.ts";
import { probeProvider } from "./probe-provider.ts";
import { forgetKey, storeKey } from "./provider-key.ts";
import { type ProviderLog, recordProvider } from "./provider-log.ts";
import {
  type KnownProvider,
  knownProvider,
  type ProviderLooking,
  type ProviderSeen,
  placeOf,
  seeProvider,
  seeProviders,
} from "./provider-places.ts";
import { restartProvider, startProvider, stopProvider } from "./run-provider.ts";

export type ProviderDependencies = ProviderLooking &
  ProviderLog & { readonly models: Models; readonly secrets: Secrets };

const LOG_BYTES_MAX = 256 * 1024;

/** Everything the surfaces can ask of providers. Acts on one provider go one after the other; looks wait for nobody. */
export const providerCases = (deps: ProviderDependencies) => {
  const last = new Map<string, Promise<unknown>>();

  function alone<T>(id: string, work: () => Promise<T>): Promise<T> {
    const mine = (last.get(id) ?? Promise.resolve()).then(work, work);
    const settled = mine.then(
      () => {},
      () => {},
    );
    last.set(id, settled);
    void settled.then(() => {
      if (last.get(id) === settled) last.delete(id);
    });
    return mine;
  }

  const see = async (id: string): Promise<ProviderSeen> =>
    noticed(deps, await seeProvider(deps, await knownProvider(deps, id)));
  const seeAfter = async (act: Promise<KnownProvider>): Promise<ProviderSeen> => seeProvider(deps, await act);

  return {
    platform: deps.providers.platform,

    /** How all stand now; a change since the last look is recorded. */
    all: async (): Promise<readonly ProviderSeen[]> =>
      Promise.all((await seeProviders(deps)).map((seen) => noticed(deps, seen))),

    one: see,

    /** All, and servers that nobody added yet. */
    async detect(): Promise<{ readonly providers: readonly ProviderSeen[]; readonly found: readonly FoundServer[] }> {
      const seen = await seeProviders(deps);
      const found = await findServers(deps, seen);
      return { providers: await Promise.all(seen.map((one) => noticed(deps, one))), found };
    },

    add: (by: Actor, wanted: NewProvider) => alone(wanted.id, () => seeAfter(addProvider(deps, by, wanted))),
    change: (by: Actor, id: string, change: ProviderChange) =>
      alone(id, () => seeAfter(changeProvider(deps, by, id, change))),
    remove: (by: Actor, id: string) => alone(id, () => removeProvider(deps, by, id)),
    storeKey: (by: Actor, id: string, key: string) => alone(id, () => storeKey(deps, by, id, key)),
    forgetKey: (by: Actor, id: string) => alone(id, () => forgetKey(deps, by, id)),
    start: (by: Actor, id: string) => alone(id, () => startProvider(deps, by, id)),
    stop: (by: Actor, id: string) => alone(id, () => stopProvider(deps, by, id)),
    restart: (by: Actor, id: string) => alone(id, () => restartProvider(deps, by, id)),
    probe: (by: Actor, id: string, model: string | null, signal: AbortSignal) =>
      probeProvider(deps, by, id, model, signal),

    /** What it lists; and for a llama-server the files it could be started with. */
    async modelsOf(id: string): Promise<readonly ProviderModel[]> {
      const { provider } = await knownProvider(deps, id);
      const place = await placeOf(deps, provider);
      if (place.kind !== "llamacpp") return deps.providers.models(place);
      const files = place.modelsDirectory === null ? [] : await deps.providers.modelFiles(place.modelsDirectory);
      const { standing } = await seeProvider(deps, await knownProvider(deps, id));
      return standing.status === "running" ? [...(await deps.providers.models(place)), ...files] : files;
    },

    /** Resolves when the provider has it; what it said last. */
    async pull(id: string, model: string): Promise<string> {
      const { provider } = await knownProvider(deps, id);
      return deps.providers.pull(await placeOf(deps, provider), model);
    },

    async log(id: string): Promise<{ readonly from: string; readonly text: string }> {
      const { provider } = await knownProvider(deps, id);
      const found = await deps.providers.log(await placeOf(deps, provider), LOG_BYTES_MAX);
      if (found !== null) return found;
      const { kind } = provider.facts;
      throw new Failure("provider/refused", `${id} has no log that AgentOS can read`, {
        next: isLocal(kind)
          ? advised(deps.providers.platform.local[kind].advice.logs, id)
          : "What it says, it says where it runs.",
      });
    },

    /** Names below the person's home, the places of models, and what is configured; null: the home itself. */
    async browse(path: string | null): Promise<Browsed & { readonly roots: readonly string[] }> {
      const roots = await browsable(deps);
      return { ...(await deps.providers.browse(path ?? deps.providers.personHome, roots)), roots };
    },
  };
};

export type ProviderCases = ReturnType<typeof providerCases>;

async function browsable(deps: ProviderDependencies): Promise<readonly string[]> {
  const directories = await Promise.all(LOCAL_KINDS.map((kind) => deps.providers.modelsDirectory(kind, null)));
  const configured = (await deps.store.providers.providers()).map(({ facts }) => facts.modelsDirectory);
  return [...new Set([deps.providers.personHome, ...directories, ...configured].filter((path) => path !== null))];
}

/**
 * Records how it stands when that is another way than at the last look. Of one that nobody ever used, only that it answers is worth an
 * event: a journal that begins with everything that is not there would tell nobody anything.
 */
async function noticed(deps: ProviderDependencies, seen: ProviderSeen): Promise<ProviderSeen> {
  const { provider, configured, standing } = seen;
  if (standing.status === provider.status) return seen;
  if (!configured && standing.status !== "running" && standing.status !== "loading") return seen;
  const { status, detail } = standing;
  const now = await recordProvider(deps, SYSTEM, provider.id, ({ provider: { status: from } }) =>
    from === status ? [] : [{ type: "PROVIDER_STATUS_CHANGED", body: { status, from, detail } }],
  );
  return { ...seen, ...now };
}
