import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import type { ProviderPlace } from "../../ports/providers.ts";
import { askLines } from "./ask.ts";
import type { Driver } from "./driver.ts";
import { refuseTrouble, told } from "./told.ts";

const Tags = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      size: z.number().optional(),
      capabilities: z.array(z.string()).optional(),
    }),
  ),
});
const Loaded = z.object({
  models: z.array(z.object({ name: z.string(), context_length: z.number().optional() })),
});
const Shown = z.object({
  capabilities: z.array(z.string()).optional(),
  parameters: z.string().optional(),
  model_info: z.record(z.string(), z.unknown()).optional(),
});
const Progress = z.object({ status: z.string().optional(), error: z.string().optional() });

/** A download may take hours; what has come to a standstill does not. */
const PULL_MS_MAX = 24 * 60 * 60_000;
const PULL_QUIET_MS = 5 * 60_000;

export const ollama: Driver = {
  async models(place) {
    const [{ models }, loaded] = await Promise.all([told(place, "/api/tags", Tags), told(place, "/api/ps", Loaded)]);
    return models.map(({ name, size, capabilities }) => ({
      id: name,
      where: "server",
      bytes: size ?? null,
      loaded: loaded.models.some((one) => one.name === name),
      tools: capabilities === undefined ? null : capabilities.includes("tools"),
      contextTokensMax: null,
    }));
  },

  async window(place, model) {
    const [shown, loaded] = await Promise.all([
      told(place, "/api/show", Shown, { method: "POST", body: { model } }),
      told(place, "/api/ps", Loaded),
    ]);
    const named = [model, `${model}:latest`];
    const running = loaded.models.find(({ name }) => named.includes(name))?.context_length;
    // A model's own file may say it; the server's variable is seen only in what is loaded.
    const [, parameter] = /^num_ctx\s+(\d+)$/m.exec(shown.parameters ?? "") ?? [];
    const most = Object.entries(shown.model_info ?? {}).find(([name]) => name.endsWith(".context_length"))?.[1];
    return {
      tokens: running ?? (parameter === undefined ? null : Number(parameter)),
      most: typeof most === "number" ? most : null,
    };
  },

  async pull(place, model) {
    let last = "";
    let refused: string | null = null;
    const answer = await askLines(
      `${place.baseUrl}/api/pull`,
      {
        method: "POST",
        body: { model, stream: true },
        timeoutMs: PULL_MS_MAX,
        quietMs: PULL_QUIET_MS,
      },
      (line) => {
        const said = progress(line);
        refused = said.error ?? refused;
        last = said.status ?? last;
      },
    );
    if (refused !== null)
      throw new Failure("provider/failed", `${place.id} could not pull ${model}: ${refused}`, {
        next: "Check the model's name at https://ollama.com/library and the network, then try again: what came already is kept.",
      });
    refuseTrouble(place, "/api/pull", answer);
    if (last !== "success")
      throw new Failure("provider/failed", `pulling ${model} broke off at “${last}”`, {
        next: "Try again: what came already is kept.",
      });
    return last;
  },

  async launch(place) {
    const { host } = new URL(place.baseUrl);
    return {
      how: "process",
      argv: [needed(place), "serve"],
      environment: {
        OLLAMA_HOST: host,
        ...(place.modelsDirectory !== null && { OLLAMA_MODELS: place.modelsDirectory }),
        ...(place.contextTokens !== null && { OLLAMA_CONTEXT_LENGTH: String(place.contextTokens) }),
      },
    };
  },
};

function progress(line: string): z.infer<typeof Progress> {
  try {
    const result = Progress.safeParse(JSON.parse(line));
    return result.success ? result.data : {};
  } catch {
    return {}; // One line that is no JSON says nothing of how far it is.
  }
}

/** The executable; the app has said already what to install when there is none. */
export function needed(place: ProviderPlace): string {
  if (place.executable === null)
    throw new Failure("provider/refused", `the program of ${place.id} was not found on this machine`, {
      next: `agentos provider set ${place.id} --executable PATH`,
    });
  return place.executable;
}
