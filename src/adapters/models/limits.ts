import type { ModelParameters } from "../../domain/model-policy.ts";

/** How long one call may take, part by part. */
export interface Limits {
  /** Until there is a connection. */
  readonly connectMs: number;
  /** From then until the first byte of the answer: a local server loads the model and reads the whole prompt in this time. */
  readonly firstByteMs: number;
  /** Between two pieces of the answer. */
  readonly silenceMs: number;
  /** From the call to its whole answer. */
  readonly wholeMs: number;
}

export const LIMITS: Limits = {
  connectMs: 10_000,
  firstByteMs: 10 * 60_000,
  silenceMs: 5 * 60_000,
  wholeMs: 30 * 60_000,
};

/** A time that a person gave counts for all but the connection: whoever gives an hour has a machine that needs it. */
export const limitsFor = (limits: Limits, { timeoutMs }: ModelParameters): Limits =>
  timeoutMs === undefined
    ? limits
    : { connectMs: limits.connectMs, firstByteMs: timeoutMs, silenceMs: timeoutMs, wholeMs: timeoutMs };

/** Of one answer: its text, its thoughts, and the arguments of its calls together. About 128,000 tokens. */
export const ANSWER_CHARACTERS_MAX = 512 * 1024;

/** Of one answer on the wire, where every token comes in an envelope of some 300 bytes. */
export const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** Of an error's body: what comes after is not looked at. */
export const ERROR_BYTES_MAX = 64 * 1024;

/** Of a provider's own words in a sentence of ours. */
export const WORDS_CHARACTERS_MAX = 300;
