/** What a provider speaks. The first three are servers on this machine that AgentOS can find, start and stop. */
export const PROVIDER_KINDS = [
  "ollama",
  "llamacpp",
  "lmstudio",
  "openai-compatible",
  "openai",
  "anthropic",
  "google",
] as const;
export type ProviderKind = (typeof PROVIDER_KINDS)[number];

export const LOCAL_KINDS = ["ollama", "llamacpp", "lmstudio"] as const;
export type LocalKind = (typeof LOCAL_KINDS)[number];
export const isLocal = (kind: ProviderKind): kind is LocalKind => LOCAL_KINDS.some((local) => local === kind);

/** `absent`: nothing of it is on this machine (of a cloud one: no key is configured). `impostor`: another program answers in its place. */
export const PROVIDER_STATUSES = [
  "unknown",
  "absent",
  "stopped",
  "starting",
  "running",
  "loading",
  "impostor",
  "failed",
] as const;
export type ProviderStatus = (typeof PROVIDER_STATUSES)[number];

/** Millionths of a US dollar for a million tokens. */
export interface TokenPrice {
  readonly input: number;
  readonly output: number;
}

/** What a person said of a provider; null: what is usual for its kind on this machine. */
export interface ProviderFacts {
  readonly kind: ProviderKind;
  /** Without a trailing slash. For the local kinds the server's root, for the others the API's base. */
  readonly baseUrl: string | null;
  /** The variable of the daemon's environment that holds its key, before one that is stored. Never the key. */
  readonly keyName: string | null;
  /** Absolute paths. */
  readonly executable: string | null;
  readonly modelsDirectory: string | null;
  /** The model a llama-server is started with. */
  readonly modelFile: string | null;
  /** How large a context it is started with, and what counts where it does not say itself. */
  readonly contextTokens: number | null;
  /** By model name. */
  readonly prices: Readonly<Record<string, TokenPrice>>;
}

/** A process that can be told from a later one with the same pid. */
export interface ServerMark {
  readonly pid: number;
  readonly startTicks: number;
  readonly bootId: string;
}

/**
 * How AgentOS started it. `process`: a child in a group of its own, `mark` its leader. `service`: by the provider's own command, which
 * returns; `mark` is the process that listens since then, null where this platform does not say which that is.
 */
export interface ServerStarted {
  readonly how: "process" | "service";
  readonly mark: ServerMark | null;
  readonly argv: readonly string[];
}

export interface ProbeResult {
  readonly model: string;
  readonly toolCall: "works" | "no_call" | "wrong_call" | "cut_off" | "failed";
  /** What was seen, as one sentence. */
  readonly detail: string;
  /** How large a conversation it keeps, and how large the model would allow; null: nobody says. */
  readonly contextTokens: number | null;
  readonly contextTokensMax: number | null;
  readonly tokensPerSecond: number | null;
  /** What a person should change, the most pressing first; empty when it is fit for agents. */
  readonly change: readonly string[];
}

/** A key's usual name where the provider's own clients look for it. */
export const KEY_NAMES: Readonly<Record<ProviderKind, string | null>> = {
  ollama: null,
  llamacpp: null,
  lmstudio: null,
  "openai-compatible": null,
  openai: "OPENAI_API_KEY",
  anthropic: "ANTHROPIC_API_KEY",
  google: "GOOGLE_GENERATIVE_AI_API_KEY",
};

/** Where it answers when nobody says otherwise; null: somebody has to. */
export const BASE_URLS: Readonly<Record<ProviderKind, string | null>> = {
  ollama: "http://127.0.0.1:11434",
  llamacpp: "http://127.0.0.1:8080",
  lmstudio: "http://127.0.0.1:1234",
  "openai-compatible": null,
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com/v1",
  google: "https://generativelanguage.googleapis.com/v1beta",
};

/** What the kinds are called where a person reads it. */
export const KIND_WORDS: Readonly<Record<ProviderKind, string>> = {
  ollama: "Ollama",
  llamacpp: "llama-server (llama.cpp)",
  lmstudio: "LM Studio",
  "openai-compatible": "a server that speaks as OpenAI's API does",
  openai: "OpenAI",
  anthropic: "Anthropic",
  google: "Google",
};

export const factsOf = (kind: ProviderKind, said: Partial<Omit<ProviderFacts, "kind">> = {}): ProviderFacts => ({
  kind,
  baseUrl: null,
  keyName: KEY_NAMES[kind],
  executable: null,
  modelsDirectory: null,
  modelFile: null,
  contextTokens: null,
  prices: {},
  ...said,
});

/** Known without being added, each under the name of its kind. */
export const KNOWN_PROVIDERS: readonly ProviderKind[] = PROVIDER_KINDS.filter((kind) => kind !== "openai-compatible");

export const knownFacts = (id: string): ProviderFacts | null => {
  const kind = KNOWN_PROVIDERS.find((known) => known === id);
  return kind === undefined ? null : factsOf(kind);
};
