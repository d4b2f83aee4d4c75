import { Failure, type FailureCode, isFailure } from "../domain/failure.ts";

/** Every failure as an HTTP status, a CLI exit code and the usual next step. A code without a row does not compile. */
export const PROBLEMS = {
  "input/invalid": { status: 400, exit: 2, next: "Change what is named above and try again." },
  "input/too-large": { status: 413, exit: 2, next: "Send less; the limit is in the message." },
  "input/media-type": { status: 415, exit: 2, next: "Send JSON with Content-Type: application/json." },
  "route/not-found": { status: 404, exit: 3, next: "GET /api/openapi.json lists the routes there are." },
  "host/refused": { status: 421, exit: 2, next: "Use the address the daemon printed, e.g. http://127.0.0.1:8000." },
  "peer/refused": {
    status: 401,
    exit: 77,
    next: "Ask as the user who started the daemon, or start a daemon of your own (AGENTOS_HOME, AGENTOS_PORT).",
  },
  "origin/refused": { status: 403, exit: 2, next: "Open the page from the daemon's own address." },
  "rate/limited": {
    status: 429,
    exit: 75,
    next: "Try again then, or raise create_per_minute or create_per_hour (docs/settings.md) and start the daemon again.",
  },
  "idempotency/mismatch": { status: 422, exit: 2, next: "Use a new Idempotency-Key for a different request." },
  "task/not-found": { status: 404, exit: 3, next: "agentos task list shows the tasks there are." },
  "task/refused": { status: 409, exit: 4, next: "agentos task show <id> lists what the task accepts now." },
  "task/changed": { status: 409, exit: 4, next: "Look at it again, then decide." },
  "spec/invalid": { status: 422, exit: 2, next: "Mend the spec and freeze it again." },
  "plan/invalid": { status: 422, exit: 2, next: "Mend the plan file and revise the task." },
  "project/not-found": { status: 404, exit: 3, next: "agentos project list shows the projects there are." },
  "project/refused": { status: 409, exit: 4, next: "agentos project show <name> shows what it holds." },
  "repo/not-found": { status: 404, exit: 3, next: "agentos repo list shows the repos there are." },
  "repo/refused": { status: 422, exit: 2, next: "Name the path of a git repository." },
  "repo/unsupported": { status: 422, exit: 2, next: "Change what the message names, or use another repository." },
  "remote/auth-needed": {
    status: 424,
    exit: 77,
    next: "Give the daemon a way in: an ssh agent, a token or a key of remotes in config.yaml, ~/.netrc, or git's credential helper (docs/remotes.md).",
  },
  "remote/auth-refused": {
    status: 424,
    exit: 77,
    next: "agentos repo probe <repo> says which credentials were used; renew them, or ask for access.",
  },
  "remote/host-unknown": {
    status: 424,
    exit: 77,
    next: "Check the host's key or certificate with whoever runs it; then connect once by hand (ssh HOST) so that it is known.",
  },
  "remote/not-found": {
    status: 404,
    exit: 3,
    next: "Check the url; many servers also say this when access is missing.",
  },
  "remote/unreachable": { status: 503, exit: 69, next: "Check the network and the host's name, then try again." },
  "remote/timeout": { status: 504, exit: 75, next: "Try again; nothing was left half-done." },
  "remote/moved": {
    status: 409,
    exit: 4,
    next: "Deliver again: the merge is then built and proven on what is there now.",
  },
  "remote/protected": {
    status: 409,
    exit: 5,
    next: "agentos task deliver <id> --push BRANCH pushes to another branch, from which a merge can be asked for.",
  },
  "remote/failed": { status: 502, exit: 1, next: "agentos repo probe <repo> looks what works and what does not." },
  "artifact/not-found": { status: 404, exit: 3, next: "agentos task artifacts <id> lists what there is." },
  "delivery/refused": {
    status: 409,
    exit: 4,
    next: "agentos task deliver <id> --way branch writes the work to a branch of its own.",
  },
  "delivery/torn": {
    status: 409,
    exit: 4,
    next: "Take the branches to where they belong and deliver again, or leave them as they are: agentos task deliver <id> --leave.",
  },
  "policy/invalid": {
    status: 422,
    exit: 2,
    next: "Mend the line it names; agentos policy check FILE tries a file without using it.",
  },
  "policy/unexpected": {
    status: 422,
    exit: 7,
    next: "Mend the policies or the table; agentos policy explain says of one act how it is decided.",
  },
  "act/denied": { status: 403, exit: 5, next: "agentos audit log shows which rule refused it." },
  "sandbox/missing": { status: 503, exit: 69, next: "agentos doctor names what to install." },
  "store/busy": { status: 503, exit: 75, next: "Try again in a moment; nothing was lost." },
  "store/full": {
    status: 507,
    exit: 74,
    next: "Free space on the disk of the data directory; nothing acknowledged was lost.",
  },
  "store/unwritable": {
    status: 500,
    exit: 74,
    next: "Make the data directory writable again (findmnt shows how its file system is mounted), or name another: AGENTOS_HOME=DIR.",
  },
  "store/newer": { status: 500, exit: 78, next: "Use the newer AgentOS that wrote this data directory." },
  "store/corrupt": { status: 500, exit: 74, next: "agentos audit verify names the place." },
  "audit/broken": {
    status: 500,
    exit: 6,
    next: "Keep a copy of the data directory as it is; the history was changed outside AgentOS.",
  },
  "daemon/running": { status: 500, exit: 73, next: "agentos daemon status shows the one that runs." },
  "daemon/unreachable": { status: 503, exit: 69, next: "agentos daemon start" },
  "agent/failed": { status: 500, exit: 1, next: "agentos task logs <id> shows what it said." },
  "budget/exhausted": {
    status: 409,
    exit: 4,
    next: "agentos task resume <id> --more tokens=100000 lets it spend more.",
  },
  "agent/missing": {
    status: 424,
    exit: 69,
    next: "agentos agent list shows which agents are installed and how to get the others.",
  },
  "model/none": {
    status: 424,
    exit: 69,
    next: "agentos model policy set any PROVIDER/MODEL says which model is to be used; agentos provider list shows the providers there are.",
  },
  "model/unavailable": { status: 503, exit: 69, next: "agentos provider list shows which providers answer." },
  "model/rate-limited": { status: 429, exit: 75, next: "Wait as long as the provider says, or name a fallback." },
  "model/timeout": { status: 504, exit: 75, next: "Give it more time (timeout_ms), or name a faster model." },
  "model/refused": { status: 424, exit: 77, next: "agentos provider key <provider> stores the key it wants." },
  "model/not-found": { status: 404, exit: 3, next: "agentos provider models <provider> lists the models it has." },
  "model/context-overflow": {
    status: 413,
    exit: 2,
    next: "agentos provider probe <provider> measures the real context; raise it there, or name a model with a larger one.",
  },
  "model/bad-answer": { status: 502, exit: 76, next: "Try again; agentos provider logs <provider> may say more." },
  "model/endless": { status: 502, exit: 76, next: "Name another model, or set output_tokens_max." },
  "model/invalid": { status: 422, exit: 2, next: "agentos model policy check says what is wrong with the policy." },
  "provider/not-found": { status: 404, exit: 3, next: "agentos provider list shows the providers there are." },
  "provider/refused": { status: 409, exit: 4, next: "agentos provider show <provider> says how it stands." },
  "provider/failed": { status: 502, exit: 69, next: "agentos provider logs <provider> shows what it said." },
  "secret/unreadable": { status: 500, exit: 77, next: "agentos provider key <provider> stores the key again." },
  "doctor/unready": { status: 500, exit: 69, next: "agentos doctor --fix does what can be done without you." },
  internal: { status: 500, exit: 70, next: "This is a bug in AgentOS. Please report it with the daemon's log." },
} as const satisfies Record<FailureCode | "internal", { status: number; exit: number; next: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** RFC 9457 body, with `code`, `next` and structured facts added. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly next: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export const isProblemCode = (code: unknown): code is ProblemCode =>
  typeof code === "string" && Object.hasOwn(PROBLEMS, code);

/** A failure as what is told of it. What is no failure is a bug, of which nothing inside is shown. */
export function problemOf(error: unknown): Problem {
  if (isFailure(error)) return problem(error.code, error.message, error.next, error.facts);
  return problem("internal", "AgentOS failed while it answered this request", null, {});
}

/** A failure for surfaces to throw: they know nothing of the domain but this. */
export const failure = (code: FailureCode, sentence: string, next?: string): Failure =>
  new Failure(code, sentence, next === undefined ? {} : { next });

function problem(
  code: ProblemCode,
  detail: string,
  next: string | null,
  facts: Readonly<Record<string, unknown>>,
): Problem {
  const row = PROBLEMS[code];
  return {
    type: `urn:agentos:problem:${code.replace("/", ":")}`,
    title: code,
    status: row.status,
    code,
    detail,
    next: next ?? row.next,
    facts,
  };
}
