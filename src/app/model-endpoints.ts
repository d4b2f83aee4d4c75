import type { ModelEndpoints } from "../ports/model.ts";
import { knownProvider, type ProviderLooking, placeOf } from "./provider-places.ts";

/** Where the configured providers answer, for whoever calls models. */
export const modelEndpoints = (deps: ProviderLooking): ModelEndpoints => ({
  async endpoint(id) {
    const { provider } = await knownProvider(deps, id);
    const { kind, baseUrl, key } = await placeOf(deps, provider);
    return { kind, baseUrl, key, prices: provider.facts.prices };
  },
});
