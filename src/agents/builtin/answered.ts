import { type Failure, type FailureCode, isFailure } from "../../domain/failure.ts";

/**
 * Failures that answer what was asked for, as the durable steps record them: told again after a crash, so that the model may go on from
 * them. Anything else puts the task down and must pass through unheard.
 */
const ANSWERED: ReadonlySet<FailureCode> = new Set<FailureCode>(["act/denied", "agent/failed", "input/invalid"]);

export const isAnswer = (error: unknown): error is Failure => isFailure(error) && ANSWERED.has(error.code);
