import type { ProbeResult, ProviderKind } from "./provider-facts.ts";

/** What an agent needs to keep a plan, a few files and its tools in sight. */
export const AGENT_CONTEXT_TOKENS = 32_768;

/** One conversation in which the model had to call a tool. `inputTokens`: as the provider counted them; null where it did not say. */
export type Tried =
  | { readonly is: "called"; readonly inputTokens: number | null }
  | { readonly is: "wrong_call"; readonly inputTokens: number | null; readonly what: string }
  | { readonly is: "no_call"; readonly inputTokens: number | null }
  | { readonly is: "overflow" }
  | { readonly is: "failed"; readonly why: string };

export interface Gathered {
  readonly model: string;
  /** With one tool, and what became of telling it the tool's result. */
  readonly plain: Tried;
  /** The same among so many other tools that a context of four thousand tokens cannot hold them; null: not tried. */
  readonly padded: Tried | null;
  /** How many tokens the padded request has at least. */
  readonly paddedTokens: number;
  readonly contextTokens: number | null;
  readonly contextTokensMax: number | null;
  readonly tokensPerSecond: number | null;
}

/**
 * What a probe found. The failure it is made for is a silent one: a server that cuts off what does not fit into its context still answers,
 * and the tools were in the part it cut off. It shows in a request with many tools: no call comes, or fewer tokens are counted than were sent.
 */
export function judgeProbe(id: string, kind: ProviderKind, seen: Gathered): ProbeResult {
  const { plain, padded, paddedTokens, contextTokensMax } = seen;
  // A llama-server refuses what does not fit, and says so.
  const cut = kind !== "llamacpp" && plain.is === "called" && padded !== null && wasCut(padded, seen);
  const counted = padded !== null && "inputTokens" in padded ? padded.inputTokens : null;
  const contextTokens = seen.contextTokens ?? (cut ? counted : null);
  const tooSmall = cut || padded?.is === "overflow" || (contextTokens !== null && contextTokens < AGENT_CONTEXT_TOKENS);
  const change = [
    ...(tooSmall ? [largerContext(id, kind, seen.model, contextTokensMax)] : []),
    ...(plain.is === "no_call" || plain.is === "wrong_call" ? [otherModel(kind)] : []),
    ...(!cut && plain.is === "called" && (padded?.is === "no_call" || padded?.is === "wrong_call")
      ? ["Give it fewer tools at a time, or name a larger model: among many tools it does not find the right one."]
      : []),
  ];
  const facts = { model: seen.model, contextTokens, contextTokensMax, tokensPerSecond: seen.tokensPerSecond, change };
  switch (plain.is) {
    case "failed":
      return { ...facts, toolCall: "failed", detail: `the call failed: ${plain.why}` };
    case "overflow":
      return {
        ...facts,
        toolCall: "failed",
        detail: "not even one tool fits into its context",
        change: [largerContext(id, kind, seen.model, contextTokensMax)],
      };
    case "no_call":
      return { ...facts, toolCall: "no_call", detail: "it answered with text where a tool call was asked for" };
    case "wrong_call":
      return { ...facts, toolCall: "wrong_call", detail: `its tool call was not the one asked for (${plain.what})` };
    case "called":
      if (cut)
        return {
          ...facts,
          toolCall: "cut_off",
          detail: `its context${contextTokens === null ? "" : ` of ${contextTokens} tokens`} silently cut off a request of about ${paddedTokens} tokens, tools included`,
        };
      return { ...facts, toolCall: "works", detail: `the tool call works${amongMany(padded)}` };
  }
}

/** Sent whole, it has at least `paddedTokens` tokens by the most generous count; much fewer were not all of it. */
function wasCut(padded: Tried, { paddedTokens, contextTokens }: Gathered): boolean {
  if (padded.is === "overflow" || padded.is === "failed") return false;
  if (padded.inputTokens !== null && padded.inputTokens < paddedTokens * WHOLE_SHARE) return true;
  return padded.is !== "called" && contextTokens !== null && contextTokens < paddedTokens;
}

const WHOLE_SHARE = 0.75;

function amongMany(padded: Tried | null): string {
  if (padded === null) return "";
  switch (padded.is) {
    case "called":
      return ", also among many tools";
    case "overflow":
      return "; many tools do not fit into its context, which it says";
    case "failed":
      return `; among many tools the call failed: ${padded.why}`;
    default:
      return "; among many tools it does not find the right one";
  }
}

function largerContext(id: string, kind: ProviderKind, model: string, most: number | null): string {
  const wanted = AGENT_CONTEXT_TOKENS;
  if (most !== null && most < wanted)
    return `Name another model: ${model} itself was made for ${most} tokens, and agents need ${wanted}.`;
  switch (kind) {
    case "ollama":
      return `Raise num_ctx: set OLLAMA_CONTEXT_LENGTH to ${wanted} where Ollama is started and start it again (if AgentOS starts it: agentos provider set ${id} --context ${wanted}, then agentos provider restart ${id}).`;
    case "llamacpp":
      return `Start it with a larger context, -c ${wanted}: agentos provider set ${id} --context ${wanted}, then agentos provider restart ${id}.`;
    case "lmstudio":
      return `Load the model with a larger context: lms load ${model} --context-length ${wanted}, or in LM Studio under the model's settings.`;
    default:
      return `Name a model whose context has at least ${wanted} tokens.`;
  }
}

const otherModel = (kind: ProviderKind): string =>
  kind === "llamacpp"
    ? "Name a model that was trained to call tools, and start llama-server with --jinja, so that the model's own template says which tools there are."
    : "Name a model that was trained to call tools.";
