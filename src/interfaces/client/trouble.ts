import { PROBLEMS, type Problem, type ProblemCode, problemOf as problemOfFailure } from "../../contract/problems.ts";

/** Trouble a person can act on, as it came over the wire or arose on this side of it. */
export class Trouble extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, cause?: unknown) {
    super(problem.detail, cause === undefined ? undefined : { cause });
    this.name = "Trouble";
    this.problem = problem;
  }
}

export interface TroubleMore {
  /** What to do next; without it the code's general advice. */
  readonly next?: string | undefined;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export function trouble(code: ProblemCode, detail: string, { next, facts, cause }: TroubleMore = {}): Trouble {
  return new Trouble(
    {
      type: `urn:agentos:problem:${code.replace("/", ":")}`,
      title: code,
      status: PROBLEMS[code].status,
      code,
      detail,
      next: next ?? PROBLEMS[code].next,
      facts: facts ?? {},
    },
    cause,
  );
}

/** The problem an error tells, null when it is a bug. The domain's own failures reach us from `parse` and from offline commands. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof Trouble) return error.problem;
  const problem = problemOfFailure(error);
  return problem.code === "internal" ? null : problem;
}

/** There is no daemon to answer (any more). */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof Trouble && error.problem.code === "daemon/unreachable";
