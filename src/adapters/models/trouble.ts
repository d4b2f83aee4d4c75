import { z } from "zod";
import { Failure, type FailureCode, type FailureFacts } from "../../domain/failure.ts";
import { redact } from "../../domain/redact.ts";
import { WORDS_CHARACTERS_MAX } from "./limits.ts";

/** Whose trouble it is, and what must not be told of it. */
export interface Asked {
  readonly provider: string;
  readonly model: string;
  readonly key: string | null;
}

/**
 * How servers say that a conversation is too long: by a type or code of their own where they have one, else in words. There the wire says
 * nothing else that would tell it from any other bad request.
 */
const OVERFLOW_TYPES: ReadonlySet<string> = new Set([
  "exceed_context_size_error", // llama.cpp
  "context_length_exceeded", // OpenAI
  "request_too_large", // Anthropic, above 32 MB
]);
const OVERFLOW_WORDS: readonly RegExp[] = [
  /exceeds? the available context size|context size has been exceeded/i, // llama.cpp before it had a type, LM Studio
  /input length exceeds|prompt too long; exceeded max context length/i, // Ollama
  /when context the overflows|greater than the context length|context length of only \d+ tokens/i, // LM Studio
  /maximum context length/i, // OpenAI, vLLM and most that are compatible
  /prompt is too long|exceed context limit/i, // Anthropic
  /input token count.{0,40}exceeds the maximum number of tokens/i, // Google
];

/** What an error inside a stream is by its type; there is no status there. */
const INSIDE: Readonly<Record<string, FailureCode>> = {
  overloaded_error: "model/unavailable",
  api_error: "model/unavailable",
  server_error: "model/unavailable",
  INTERNAL: "model/unavailable",
  UNAVAILABLE: "model/unavailable",
  rate_limit_error: "model/rate-limited",
  rate_limit_exceeded: "model/rate-limited",
  RESOURCE_EXHAUSTED: "model/rate-limited",
  not_found_error: "model/not-found",
};

/** A status that is no 2xx, as what the port calls it. */
export function troubleOf(asked: Asked, status: number, headers: Headers, body: string): Failure {
  const { types, words } = errorOf(body);
  const told = words === "" ? "" : `: ${tellable(words, asked)}`;
  const { provider, model } = asked;
  if (status === 401 || status === 403) {
    const which = asked.key === null ? "no key is stored for it" : "it does not take the key";
    return new Failure("model/refused", `${provider} refuses the request (${status}): ${which}${told}`);
  }
  if (status === 429)
    return new Failure(
      "model/rate-limited",
      `${provider} takes no more requests now (429)${told}`,
      retryAfter(headers, body),
    );
  if (status === 413 || (status !== 404 && isOverflow(types, words)))
    return new Failure(
      "model/context-overflow",
      `the conversation is longer than ${model} of ${provider} takes${told}`,
    );
  if (status === 404) return new Failure("model/not-found", `${provider} has no model ${model}${told}`);
  if (status === 408) return new Failure("model/timeout", `${provider} gave up waiting (408)${told}`);
  if (status >= 500)
    return new Failure("model/unavailable", `${provider} failed (${status})${told}`, retryAfter(headers, body));
  if (status >= 400) return new Failure("model/invalid", `${provider} does not take the request (${status})${told}`);
  return new Failure("model/bad-answer", `${provider} answered ${status}, which is no answer of a model`);
}

/** An error told inside a stream that began well. */
export function troubleInside(asked: Asked, error: unknown): Failure {
  const { types, words } = error instanceof Error ? errorIn({ ...error, message: error.message }) : errorIn(error);
  const told = words === "" ? "" : `: ${tellable(words, asked)}`;
  if (isOverflow(types, words))
    return new Failure(
      "model/context-overflow",
      `the conversation is longer than ${asked.model} of ${asked.provider} takes${told}`,
    );
  const code = types.map((type) => INSIDE[type]).find((found) => found !== undefined) ?? "model/bad-answer";
  return new Failure(code, `${asked.provider} broke off its answer${told}`, {
    ...(error instanceof Error && code === "model/bad-answer"
      ? { cause: new Error(tellable(error.message, asked)) }
      : {}),
  });
}

/** A stranger's words for a sentence of ours: short, on one line, without control characters, without the key. */
export function tellable(words: string, { key }: Pick<Asked, "key">): string {
  // Redacted before it is cut: half a key is none that could be found.
  const clean = redact(words, key === null ? [] : [key])
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trim();
  return clean.length > WORDS_CHARACTERS_MAX ? `${clean.slice(0, WORDS_CHARACTERS_MAX)}…` : clean;
}

const isOverflow = (types: readonly string[], words: string): boolean =>
  types.some((type) => OVERFLOW_TYPES.has(type)) || OVERFLOW_WORDS.some((pattern) => pattern.test(words));

const Told = z.object({
  message: z.string().optional().catch(undefined),
  type: z.string().optional().catch(undefined),
  code: z.string().optional().catch(undefined),
  status: z.string().optional().catch(undefined),
  /** Google's, of which one may say when to come back. */
  details: z
    .array(z.object({ retryDelay: z.string().optional() }))
    .optional()
    .catch(undefined),
});
const Envelope = z.object({ error: z.union([Told, z.string()]) });

interface ErrorTold {
  readonly types: readonly string[];
  readonly words: string;
  readonly retryDelay: string | null;
}

/** What is said in an error's body; what is no JSON is told as it is. */
function errorOf(body: string): ErrorTold {
  try {
    return errorIn(JSON.parse(body));
  } catch {
    return { types: [], words: body, retryDelay: null }; // A proxy's page, or plain text: it is shown, not understood.
  }
}

/** `{error: {…}}`, `{error: "…"}`, or the error itself. */
function errorIn(value: unknown): ErrorTold {
  if (typeof value === "string") return { types: [], words: value, retryDelay: null };
  const inside = Envelope.safeParse(value);
  if (inside.success) {
    const { error } = inside.data;
    return typeof error === "string" ? { types: [], words: error, retryDelay: null } : toldOf(error);
  }
  const bare = Told.safeParse(value);
  return bare.success ? toldOf(bare.data) : { types: [], words: "", retryDelay: null };
}

const toldOf = ({ message = "", type, code, status, details = [] }: z.infer<typeof Told>): ErrorTold => ({
  types: [type, code, status].flatMap((one) => (one === undefined ? [] : [one])),
  words: message,
  retryDelay: details.find(({ retryDelay }) => retryDelay !== undefined)?.retryDelay ?? null,
});

/** When to come back, where the provider says it: Retry-After in seconds or as a date, or Google's `retryDelay`. */
function retryAfter(headers: Headers, body: string): FailureFacts {
  const said = headers.get("retry-after")?.trim() ?? /^([\d.]+)s$/.exec(errorOf(body).retryDelay ?? "")?.[1] ?? "";
  const ms = /^\d+(\.\d+)?$/.test(said) ? Number(said) * 1000 : Date.parse(said) - Date.now();
  return Number.isFinite(ms) ? { facts: { retryAfterMs: Math.max(0, Math.round(ms)) } } : {};
}
