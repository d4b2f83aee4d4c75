import type { Actor } from "../domain/actor.ts";
import { Failure } from "../domain/failure.ts";
import type { Secrets } from "../ports/secrets.ts";
import { type ProviderLog, recordProvider } from "./provider-log.ts";
import { knownProvider } from "./provider-places.ts";

type Keeping = ProviderLog & { readonly secrets: Secrets };

export interface KeyKept {
  readonly place: "keychain" | "file";
  /** The variable that is asked before what is stored, where it is set: then the stored key is not the one that is used. */
  readonly hiddenBy: string | null;
}

export async function storeKey(deps: Keeping, by: Actor, id: string, key: string): Promise<KeyKept> {
  const { provider } = await knownProvider(deps, id);
  const place = await deps.secrets.write(id, key);
  await recordProvider(deps, by, id, () => [{ type: "PROVIDER_KEY_STORED", body: { place } }]);
  const { keyName } = provider.facts;
  const used = await deps.secrets.place({ name: id, variable: keyName });
  return { place, hiddenBy: used === "environment" ? keyName : null };
}

export async function forgetKey(deps: Keeping, by: Actor, id: string): Promise<void> {
  await knownProvider(deps, id);
  if (!(await deps.secrets.remove(id)))
    throw new Failure("provider/refused", `no key of ${id} is stored`, {
      next: `agentos provider show ${id} says whether a variable holds one.`,
    });
  await recordProvider(deps, by, id, () => [{ type: "PROVIDER_KEY_FORGOTTEN", body: {} }]);
}
