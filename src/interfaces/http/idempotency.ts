import { createHash } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { failure, problemOf } from "../../contract/problems.ts";

export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;

export interface Answers {
  idempotent(
    key: string,
    requestDigest: string,
  ): Promise<{ readonly requestDigest: string; readonly status: number; readonly body: string } | null>;
  /** The id that what this request makes will have: a new one, or the one it was given before a crash. */
  reserve(key: string, requestDigest: string): Promise<string>;
  rememberAnswer(key: string, requestDigest: string, status: number, body: string): Promise<void>;
}

/** Begun, and not answered before the daemon died. */
const RESERVED = 0;
/** Routes that make something new each time they are asked; all others find what was done already. */
const MAKES_ONE: ReadonlySet<string> = new Set(["/api/tasks"]);

const reservedIds = new WeakMap<Request, string>();

/** The id that a keyed request was given for what it makes; null without a key. */
export const reservedId = (request: Request): string | null => reservedIds.get(request) ?? null;

/**
 * A write with an Idempotency-Key is answered once: repeated with the same content it gets the recorded answer, with other content it is refused.
 * Requests with the same key go one after the other, each behind the one that came before it: so of many at once one is done, and when
 * that one fails, the next is. Server errors are not remembered: they may be tried again.
 */
export function idempotency(answers: Answers): MiddlewareHandler {
  const last = new Map<string, Promise<void>>();
  return async (c, next) => {
    const key = c.req.header("idempotency-key");
    if (key === undefined || c.req.method === "GET" || c.req.method === "HEAD") return next();
    if (!IDEMPOTENCY_KEY.test(key))
      throw failure("input/invalid", "Idempotency-Key must be 1 to 200 printable characters without spaces");
    const digest = createHash("sha256")
      .update(`${c.req.method} ${c.req.path}\n`)
      .update(await c.req.raw.clone().text())
      .digest("hex");
    const before = last.get(key);
    const { promise: mine, resolve: free } = Promise.withResolvers<void>();
    last.set(key, mine);
    try {
      await before;
      const known = await answers.idempotent(key, digest);
      if (known !== null && known.requestDigest !== digest)
        throw failure("idempotency/mismatch", `the Idempotency-Key ${key} was used for a different request`);
      if (known === null || known.status === RESERVED) {
        if (c.req.method === "POST" && MAKES_ONE.has(c.req.path))
          reservedIds.set(c.req.raw, await answers.reserve(key, digest));
        await next();
        // What comes as it is made is not kept: whoever wants it again asks for it as a whole.
        if ((c.res.headers.get("content-type") ?? "").startsWith("text/event-stream")) return;
        const answer = await c.res.clone().text();
        const { status } = c.res;
        if (status < 500 && status !== 429)
          await remembered(
            () => answers.rememberAnswer(key, digest, status, answer),
            status < 400 ? REMEMBER_TRIES : 1,
          );
        return;
      }
      c.res = new Response(known.body, {
        status: known.status,
        headers: {
          "content-type": known.status >= 400 ? "application/problem+json" : "application/json",
          "idempotency-replayed": "true",
        },
      });
    } finally {
      free();
      if (last.get(key) === mine) last.delete(key);
    }
  };
}

/** Each time the store waits as long as it ever does. */
const REMEMBER_TRIES = 20;

/** What was done is done: a store that is busy only now is asked again, or the next request with this key would do it a second time. */
async function remembered(remember: () => Promise<void>, triesMax: number): Promise<void> {
  for (let tries = 1; ; tries += 1)
    try {
      return await remember();
    } catch (error) {
      if (tries === triesMax || problemOf(error).code !== "store/busy") throw error;
    }
}
