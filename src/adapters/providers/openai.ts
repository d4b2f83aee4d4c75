import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import type { ProviderModel, ProviderPlace } from "../../ports/providers.ts";
import type { Driver } from "./driver.ts";
import { told } from "./told.ts";

/** In OpenAI's form. Some servers say how large the context is, under the names of vLLM, of OpenRouter, or of Anthropic. */
const Models = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      max_model_len: z.number().nullish(),
      context_length: z.number().nullish(),
      max_input_tokens: z.number().nullish(),
    }),
  ),
});
const GoogleModels = z.object({
  models: z.array(z.object({ name: z.string(), inputTokenLimit: z.number().optional() })),
});

async function list(place: ProviderPlace): Promise<readonly ProviderModel[]> {
  const as = (id: string, contextTokensMax: number | null): ProviderModel => ({
    id,
    where: "server",
    bytes: null,
    loaded: null,
    tools: null,
    contextTokensMax,
  });
  if (place.kind === "google") {
    const { models } = await told(place, "/models?pageSize=1000", GoogleModels);
    return models.map(({ name, inputTokenLimit }) => as(name.replace(/^models\//, ""), inputTokenLimit ?? null));
  }
  const { data } = await told(place, place.kind === "anthropic" ? "/models?limit=1000" : "/models", Models);
  return data.map((one) => as(one.id, one.max_model_len ?? one.context_length ?? one.max_input_tokens ?? null));
}

/** Somebody else's server, here or in a cloud: it can be asked, and that is all. */
export const remote: Driver = {
  models: list,

  async window(place, model) {
    const most = (await list(place)).find(({ id }) => id === model)?.contextTokensMax ?? null;
    return { tokens: place.contextTokens ?? most, most };
  },

  async pull({ id }) {
    throw new Failure("provider/refused", `${id} has its models already; nothing can be pulled into it from here`, {
      next: `agentos provider models ${id} lists them.`,
    });
  },

  async launch({ id }) {
    throw new Failure("provider/refused", `${id} is not a server that AgentOS can start`, {
      next: "Start it where it runs; AgentOS only asks it.",
    });
  },
};
