/**
 * Trouble a person can act on. A code to branch on, one sentence with the actual values, and the next step.
 * Anything else that is thrown is a bug and crashes loudly with its cause.
 */
export const FAILURE_CODES = [
  "input/invalid",
  "input/too-large",
  "input/media-type",
  "route/not-found",
  "host/refused",
  "peer/refused",
  "origin/refused",
  "rate/limited",
  "idempotency/mismatch",
  "task/not-found",
  "task/refused",
  "task/changed",
  "spec/invalid",
  "plan/invalid",
  "project/not-found",
  "project/refused",
  "repo/not-found",
  "repo/refused",
  "repo/unsupported",
  "remote/auth-needed",
  "remote/auth-refused",
  "remote/host-unknown",
  "remote/not-found",
  "remote/unreachable",
  "remote/timeout",
  "remote/moved",
  "remote/protected",
  "remote/failed",
  "artifact/not-found",
  "delivery/refused",
  "delivery/torn",
  "act/denied",
  "policy/invalid",
  "policy/unexpected",
  "sandbox/missing",
  "store/busy",
  "store/full",
  "store/unwritable",
  "store/newer",
  "store/corrupt",
  "audit/broken",
  "daemon/running",
  "daemon/unreachable",
  "agent/failed",
  "budget/exhausted",
  "agent/missing",
  "model/none",
  "model/unavailable",
  "model/rate-limited",
  "model/timeout",
  "model/refused",
  "model/not-found",
  "model/context-overflow",
  "model/bad-answer",
  "model/endless",
  "model/invalid",
  "provider/not-found",
  "provider/refused",
  "provider/failed",
  "secret/unreadable",
  "doctor/unready",
] as const;

export type FailureCode = (typeof FAILURE_CODES)[number];

export interface FailureFacts {
  /** What to do next; without it the code's general advice is shown. */
  readonly next?: string;
  /** Structured values for programs: names of fields, allowed commands, seconds to wait. */
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** Its sentence ends in records and answers, so half of a character that was cut or quoted is none of it. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly next: string | null;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: FailureCode, sentence: string, more: FailureFacts = {}) {
    super(sentence.toWellFormed(), more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "Failure";
    this.code = code;
    this.next = more.next ?? null;
    this.facts = more.facts ?? {};
  }
}

export const isFailure = (error: unknown, code?: FailureCode): error is Failure =>
  error instanceof Failure && (code === undefined || error.code === code);
