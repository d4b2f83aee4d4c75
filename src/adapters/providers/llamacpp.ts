import { stat } from "node:fs/promises";
import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import type { ProviderPlace } from "../../ports/providers.ts";
import type { Driver } from "./driver.ts";
import { needed } from "./ollama.ts";
import { told, toldIfKnown } from "./told.ts";

const Models = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      /** Of a router: whether the model is loaded. */
      status: z.object({ value: z.string() }).optional(),
      meta: z
        .object({ n_ctx: z.number().optional(), n_ctx_train: z.number().optional(), size: z.number().optional() })
        .nullish(),
    }),
  ),
});
const Props = z.object({ default_generation_settings: z.object({ n_ctx: z.number() }).optional() });

export const llamacpp: Driver = {
  async models(place) {
    const { data } = await told(place, "/v1/models", Models);
    return data.map(({ id, status, meta }) => ({
      id,
      where: "server",
      bytes: meta?.size ?? null,
      loaded: status === undefined ? true : status.value === "loaded",
      tools: null,
      contextTokensMax: meta?.n_ctx_train ?? null,
    }));
  },

  async window(place, model) {
    const [{ data }, props] = await Promise.all([
      told(place, "/v1/models", Models),
      toldIfKnown(place, "/props", Props),
    ]);
    const meta = data.find(({ id }) => id === model)?.meta;
    return {
      // What one conversation has: with several slots that is a part of the whole.
      tokens: props?.default_generation_settings?.n_ctx ?? meta?.n_ctx ?? null,
      most: meta?.n_ctx_train ?? null,
    };
  },

  async pull(place) {
    throw new Failure("provider/refused", "a llama-server cannot be told to fetch a model", {
      next: `Download a .gguf file, for example into ${place.modelsDirectory ?? "a directory of its own"}, and name it: agentos provider set ${place.id} --model-file FILE`,
    });
  },

  async launch(place) {
    const { hostname, port, pathname } = new URL(place.baseUrl);
    if (pathname !== "/")
      throw new Failure("provider/refused", `${place.baseUrl} has a path, and a llama-server is started at a port`, {
        next: `agentos provider set ${place.id} --port PORT`,
      });
    return {
      how: "process",
      argv: [
        needed(place),
        ...(await whatToServe(place)),
        "--host",
        hostname.replace(/^\[|\]$/g, ""),
        "--port",
        port === "" ? "80" : port,
        "--jinja",
        ...(place.contextTokens === null ? [] : ["-c", String(place.contextTokens)]),
      ],
      environment: {},
    };
  },
};

async function whatToServe({ id, modelFile, modelsDirectory }: ProviderPlace): Promise<readonly string[]> {
  if (modelFile !== null) {
    if (!(await isThere(modelFile, "file")))
      throw new Failure("provider/refused", `there is no model file at ${modelFile}`, {
        next: `agentos provider set ${id} --model-file FILE`,
      });
    return ["-m", modelFile];
  }
  if (modelsDirectory !== null && (await isThere(modelsDirectory, "directory")))
    return ["--models-dir", modelsDirectory];
  throw new Failure("provider/refused", `it is not said which model ${id} serves`, {
    next: `agentos provider set ${id} --model-file FILE.gguf (agentos provider models ${id} lists the files it finds)`,
  });
}

async function isThere(path: string, kind: "file" | "directory"): Promise<boolean> {
  try {
    const found = await stat(path);
    return kind === "file" ? found.isFile() : found.isDirectory();
  } catch {
    return false; // Not there, or not to be seen: in both cases it cannot be served.
  }
}
