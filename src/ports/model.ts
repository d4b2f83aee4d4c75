import type { ModelTarget } from "../domain/model-policy.ts";

/** A tool the model may call. `parameters` is a JSON Schema of an object. */
export interface ModelTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON as the model wrote it, which may be none: whoever knows the tool parses it. */
  readonly arguments: string;
}

/** One message of a conversation: plain data, which is stored, hashed, and told again after a crash. */
export type ModelMessage =
  | { readonly role: "system"; readonly text: string }
  | { readonly role: "user"; readonly text: string }
  | { readonly role: "assistant"; readonly text: string; readonly calls: readonly ToolCall[] }
  | { readonly role: "tool"; readonly call: string; readonly name: string; readonly text: string };

export interface ModelRequest {
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ModelTool[];
  readonly toolChoice: "auto" | "none" | "required";
  /** Wanted instead of free text: JSON that fits this schema. */
  readonly output: { readonly name: string; readonly schema: Readonly<Record<string, unknown>> } | null;
}

export interface ModelUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The provider did not say: counted from the length of the text, four characters a token. */
  readonly estimated: boolean;
}

export interface ModelAnswer {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly finish: "stop" | "tool_calls" | "length" | "content_filter" | "other";
  readonly usage: ModelUsage;
  /** Millionths of a US dollar; null where no price is known. */
  readonly microdollars: number | null;
  /** What the provider said answered. */
  readonly model: string;
}

/**
 * Contract: one call is one request to the provider, never repeated in here. It settles with a whole answer or rejects with a
 * `Failure` whose code says why: `model/unavailable` (nobody answers, or 5xx), `model/rate-limited` (facts.retryAfterMs where the
 * provider said), `model/timeout`, `model/refused` (the key), `model/not-found`, `model/context-overflow`, `model/bad-answer` (broken
 * off, or not what the protocol says), `model/endless` (more than the bound on one answer), `model/invalid` (the provider does not
 * take the request). Aborting rejects with the signal's reason and ends the request. Keys never stand in an answer, an error or a log.
 */
export interface Models {
  call(
    target: ModelTarget,
    request: ModelRequest,
    options: { readonly signal: AbortSignal; readonly onText: (delta: string) => void },
  ): Promise<ModelAnswer>;
  /** How many tokens a conversation with this model may have; null where nobody knows. */
  contextTokens(target: ModelTarget): Promise<number | null>;
}

/** Where a provider answers, as configured. */
export interface ModelEndpoint {
  readonly kind: "ollama" | "llamacpp" | "lmstudio" | "openai-compatible" | "openai" | "anthropic" | "google";
  /** Without a trailing slash. For the local kinds the server's root, for `openai-compatible` and cloud ones the API's base. */
  readonly baseUrl: string;
  /** Reads the key at the moment it is needed; null: none is configured. */
  readonly key: () => Promise<string | null>;
  /** Millionths of a US dollar for a million tokens, by model name; empty where nobody said. */
  readonly prices: Readonly<Record<string, { readonly input: number; readonly output: number }>>;
}

/** The providers there are, by id. An unknown one: `provider/not-found`. */
export interface ModelEndpoints {
  endpoint(provider: string): Promise<ModelEndpoint>;
}
