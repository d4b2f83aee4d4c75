import { isFailure } from "../domain/failure.ts";
import type { ModelCheck, ModelStanding } from "../ports/model-check.ts";
import { knownProvider, type ProviderLooking, seeProvider } from "./provider-places.ts";

const NAMES_TOLD = 5;

/** Whether a model can be asked, by what its provider is and lists. */
export const modelCheck = (deps: ProviderLooking): ModelCheck => ({
  async check({ provider, model }): Promise<ModelStanding> {
    try {
      const { place, standing } = await seeProvider(deps, await knownProvider(deps, provider));
      if (!ANSWERS.has(standing.status))
        return { ok: false, says: standing.detail, next: `agentos provider show ${provider} says how it stands.` };
      const names = (await deps.providers.models(place)).map(({ id }) => id);
      if (names.includes(model)) return { ok: true, says: `${provider} has it`, next: null };
      const next = `agentos provider models ${provider} lists what it has.`;
      // Some list nothing, and serve what they are asked for all the same.
      if (names.length === 0) return { ok: null, says: `${provider} lists no models`, next };
      const more = names.length > NAMES_TOLD ? ` and ${names.length - NAMES_TOLD} more` : "";
      return {
        ok: false,
        says: `${provider} does not list it; it has ${names.slice(0, NAMES_TOLD).join(", ")}${more}`,
        next,
      };
    } catch (error) {
      if (!isFailure(error)) throw error;
      return {
        ok: false,
        says: error.message,
        next: error.next ?? "agentos provider list shows the providers there are.",
      };
    }
  },
});

/** Of a cloud provider nobody asks whether it is there: with a key it counts as unknown until its models are listed. */
const ANSWERS: ReadonlySet<string> = new Set(["running", "unknown"]);
