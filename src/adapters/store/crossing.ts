import { Failure, type FailureCode } from "../../domain/failure.ts";
import { LeaseLost, StreamMoved } from "../../ports/store.ts";
import type { Write } from "./writes.ts";

/** An error on its way from one thread to another, where its class would be lost. */
export type Crossing =
  | { readonly kind: "stream_moved"; readonly stream: string; readonly expected: number }
  | { readonly kind: "lease_lost"; readonly task: string }
  | {
      readonly kind: "failure";
      readonly code: FailureCode;
      readonly sentence: string;
      readonly next: string | null;
      readonly facts: Readonly<Record<string, unknown>>;
      readonly cause: Crossing | null;
    }
  | { readonly kind: "other"; readonly message: string; readonly stack: string | null; readonly code: string | null };

/** `write` is what it was thrown for. */
export function sent(error: unknown, write: Write | null = null): Crossing {
  if (error instanceof StreamMoved && write?.kind === "append")
    return { kind: "stream_moved", stream: error.stream, expected: write.append.expected };
  if (error instanceof LeaseLost) return { kind: "lease_lost", task: error.task };
  if (error instanceof Failure) {
    const { code, message, next, facts, cause } = error;
    return { kind: "failure", code, sentence: message, next, facts, cause: cause === undefined ? null : sent(cause) };
  }
  return {
    kind: "other",
    message: error instanceof Error ? error.message : String(error),
    stack: error instanceof Error ? (error.stack ?? null) : null,
    code: error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null,
  };
}

export function received(crossing: Crossing): Error {
  switch (crossing.kind) {
    case "stream_moved":
      return new StreamMoved(crossing.stream, crossing.expected);
    case "lease_lost":
      return new LeaseLost(crossing.task);
    case "failure": {
      const { code, sentence, next, facts, cause } = crossing;
      return new Failure(code, sentence, {
        facts,
        ...(next !== null && { next }),
        ...(cause !== null && { cause: received(cause) }),
      });
    }
    case "other": {
      const error = Object.assign(new Error(crossing.message), crossing.code === null ? {} : { code: crossing.code });
      if (crossing.stack !== null) error.stack = crossing.stack;
      return error;
    }
  }
}
