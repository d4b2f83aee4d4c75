import type { OpenAICompatibleProvider } from "@ai-sdk/openai-compatible";
import type { ModelEndpoint } from "../../ports/model.ts";
import type { KeyHeader } from "./one-request.ts";

/** The SDK's model: one method, one request. */
export type SdkModel = ReturnType<OpenAICompatibleProvider["chatModel"]>;
export type CallOptions = Parameters<SdkModel["doStream"]>[0];
type StreamOf<T> = T extends ReadableStream<infer Part> ? Part : never;
export type StreamPart = StreamOf<Awaited<ReturnType<SdkModel["doStream"]>>["stream"]>;

export interface Reached {
  readonly baseUrl: string;
  readonly model: string;
  readonly fetch: typeof globalThis.fetch;
}

/** How one kind of endpoint is spoken to. */
export interface Protocol {
  readonly keyHeader: KeyHeader;
  open(reached: Reached): Promise<SdkModel>;
}

/** The SDK never sees the real one, so it can tell it to nobody; without any it would look for one in the environment. */
const NO_KEY = "-";

const BEARER: KeyHeader = { name: "authorization", prefix: "Bearer " };

/**
 * The SDK's packages are loaded here, at the first call of a kind and only the one needed: together they are megabytes of code, and a
 * daemon that waits for work, or a command line, never asks a model. The names are literals, so a bundle holds them.
 *
 * The providers' `doStream` is called directly, below `streamText` of the package `ai`: that one repeats requests, parses arguments that are
 * not ours to judge, has hooks for telemetry, and prints warnings. Here nothing of it exists that would have to be turned off.
 */
const compatible = (below: string): Protocol => ({
  keyHeader: BEARER,
  async open({ baseUrl, model, fetch }) {
    const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
    return createOpenAICompatible({
      name: "agentos",
      baseURL: `${baseUrl}${below}`,
      fetch,
      includeUsage: true,
      supportsStructuredOutputs: true,
    }).chatModel(model);
  },
});

export const PROTOCOLS: Readonly<Record<ModelEndpoint["kind"], Protocol>> = {
  "openai-compatible": compatible(""),
  ollama: compatible("/v1"),
  llamacpp: compatible("/v1"),
  lmstudio: compatible("/v1"),
  /**
   * Responses and not chat completions: there alone OpenAI's newer models call tools and think. Nothing is kept at OpenAI (`store: false`);
   * the conversation is told anew each time, as everywhere. What speaks chat completions only is `openai-compatible`.
   */
  openai: {
    keyHeader: BEARER,
    async open({ baseUrl, model, fetch }) {
      const { createOpenAI } = await import("@ai-sdk/openai");
      return createOpenAI({ baseURL: baseUrl, apiKey: NO_KEY, fetch }).responses(model);
    },
  },
  anthropic: {
    keyHeader: { name: "x-api-key", prefix: "" },
    async open({ baseUrl, model, fetch }) {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      return createAnthropic({ baseURL: baseUrl, apiKey: NO_KEY, fetch })(model);
    },
  },
  google: {
    keyHeader: { name: "x-goog-api-key", prefix: "" },
    async open({ baseUrl, model, fetch }) {
      const { createGoogle } = await import("@ai-sdk/google");
      return createGoogle({ baseURL: baseUrl, apiKey: NO_KEY, fetch })(model);
    },
  },
};
