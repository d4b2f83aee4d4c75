import { z } from "zod";
import type { ModelEndpoint } from "../../ports/model.ts";

/** Asks a server something, with GET or, with a body, POST: its JSON, or null where it gives none. */
export type Look = (path: string, body: unknown) => Promise<unknown>;

type ContextOf = (model: string, look: Look) => Promise<number | null>;

/** The context a model really has on the server that runs it; null where that is not known before it is loaded. */
export const contextTokens = ({ kind }: ModelEndpoint, model: string, look: Look): Promise<number | null> =>
  CONTEXTS[kind](model, look);

const Count = z.number().int().positive();

const Props = z.object({ default_generation_settings: z.object({ n_ctx: Count }) });

const Loaded = z.object({
  models: z.array(z.object({ name: z.string(), model: z.string().optional(), context_length: Count.optional() })),
});
const Shown = z.object({ parameters: z.string().optional() });

const LmStudioModel = z.object({ loaded_context_length: Count.optional() });

const Listed = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      max_model_len: Count.optional().catch(undefined),
      context_length: Count.optional().catch(undefined),
      meta: z.object({ n_ctx: Count.optional() }).nullish().catch(undefined),
    }),
  ),
});

const CONTEXTS: Readonly<Record<ModelEndpoint["kind"], ContextOf>> = {
  llamacpp: async (_, look) => parsed(Props, await look("/props", null))?.default_generation_settings.n_ctx ?? null,
  /**
   * What is loaded says what it was loaded with. Else only a `num_ctx` in the model's own file is sure: the length in `model_info` is what it
   * was trained for, of which Ollama gives it as much as its own settings say, and cuts longer conversations without a word.
   */
  ollama: async (model, look) => {
    const name = model.includes(":") ? model : `${model}:latest`;
    const loaded = parsed(Loaded, await look("/api/ps", null))?.models.find(
      (each) => each.name === name || each.model === name,
    );
    if (loaded?.context_length !== undefined) return loaded.context_length;
    const shown = parsed(Shown, await look("/api/show", { model }));
    const said = /^num_ctx\s+(\d+)\s*$/m.exec(shown?.parameters ?? "")?.[1];
    return said === undefined ? null : Number(said);
  },
  lmstudio: async (model, look) =>
    parsed(LmStudioModel, await look(`/api/v0/models/${model}`, null))?.loaded_context_length ?? null,
  /** Not of the protocol: vLLM, OpenRouter and llama.cpp each have a word of their own for it. */
  "openai-compatible": async (model, look) => {
    const found = parsed(Listed, await look("/models", null))?.data.find(({ id }) => id === model);
    return found?.max_model_len ?? found?.context_length ?? found?.meta?.n_ctx ?? null;
  },
  openai: async () => null,
  anthropic: async (model, look) =>
    parsed(z.object({ max_input_tokens: Count }), await look(`/models/${encodeURIComponent(model)}`, null))
      ?.max_input_tokens ?? null,
  google: async (model, look) =>
    parsed(z.object({ inputTokenLimit: Count }), await look(`/models/${encodeURIComponent(model)}`, null))
      ?.inputTokenLimit ?? null,
};

/** null: it says nothing of the kind. */
function parsed<T>(schema: z.ZodType<T>, value: unknown): T | null {
  const found = schema.safeParse(value);
  return found.success ? found.data : null;
}
