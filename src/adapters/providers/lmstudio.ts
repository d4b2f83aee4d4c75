import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import { advised, type Platform } from "../../domain/provider-platforms.ts";
import type { ProviderModel, ProviderPlace } from "../../ports/providers.ts";
import type { Driver } from "./driver.ts";
import { needed } from "./ollama.ts";
import { runProgram } from "./run-program.ts";
import { told, toldIfKnown } from "./told.ts";

/** From 0.4.0 on. */
const Models = z.object({
  models: z.array(
    z.object({
      type: z.string(),
      key: z.string(),
      size_bytes: z.number().nullish(),
      loaded_instances: z
        .array(z.object({ config: z.object({ context_length: z.number().optional() }).optional() }))
        .default([]),
      max_context_length: z.number().nullish(),
      capabilities: z.object({ trained_for_tool_use: z.boolean().optional() }).nullish(),
    }),
  ),
});
/** From 0.3.6 on. */
const OlderModels = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      state: z.string().optional(),
      max_context_length: z.number().nullish(),
      loaded_context_length: z.number().nullish(),
      capabilities: z.array(z.string()).optional(),
    }),
  ),
});

interface Known extends ProviderModel {
  readonly contextTokens: number | null;
}

const PULL_MS_MAX = 24 * 60 * 60_000;

export const lmstudio = (
  platform: Platform,
  environment: Readonly<Record<string, string>>,
  app: () => Promise<string | null>,
): Driver => ({
  models: async (place) => (await known(place)).map(({ contextTokens: _, ...model }) => model),

  async window(place, model) {
    const found = (await known(place)).find(({ id }) => id === model);
    return { tokens: found?.contextTokens ?? null, most: found?.contextTokensMax ?? null };
  },

  async pull(place, model) {
    const ran = await runProgram([needed(place), "get", model, "--yes"], PULL_MS_MAX, environment);
    if (ran.exitCode !== 0)
      throw new Failure("provider/failed", `lms get ${model} ended with ${ran.exitCode ?? ran.signal}: ${ran.last}`, {
        next: "Search for the model in LM Studio (Discover); its name there is what is wanted here.",
      });
    return ran.last;
  },

  async launch(place) {
    const { hostname, port } = new URL(place.baseUrl);
    const bind = hostname.replace(/^\[|\]$/g, "");
    if (place.executable !== null)
      return {
        how: "service",
        argv: [place.executable, "server", "start", "--port", port === "" ? "80" : port, "--bind", bind],
      };
    const { advice } = platform.local.lmstudio;
    const path = await app();
    if (path === null)
      throw new Failure("provider/refused", "neither LM Studio nor its command lms was found on this machine", {
        next: advised(advice.install, place.id),
      });
    return {
      how: "app",
      argv: platform.open.map((word) => (word === "{}" ? path : word)),
      say: `LM Studio was opened, because its command lms is not here. ${advised(advice.start, place.id)}`,
    };
  },
});

async function known(place: ProviderPlace): Promise<readonly Known[]> {
  const today = await toldIfKnown(place, "/api/v1/models", Models);
  if (today !== null)
    return today.models
      .filter(({ type }) => type !== "embedding")
      .map((model) => ({
        id: model.key,
        where: "server",
        bytes: model.size_bytes ?? null,
        loaded: model.loaded_instances.length > 0,
        tools: model.capabilities?.trained_for_tool_use ?? null,
        contextTokens: model.loaded_instances[0]?.config?.context_length ?? null,
        contextTokensMax: model.max_context_length ?? null,
      }));
  const { data } = await told(place, "/api/v0/models", OlderModels);
  return data
    .filter(({ type }) => type !== "embeddings")
    .map((model) => ({
      id: model.id,
      where: "server",
      bytes: null,
      loaded: model.state === undefined ? null : model.state === "loaded",
      tools: model.capabilities === undefined ? null : model.capabilities.includes("tool_use"),
      contextTokens: model.loaded_context_length ?? null,
      contextTokensMax: model.max_context_length ?? null,
    }));
}
