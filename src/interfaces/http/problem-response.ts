import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { Json } from "../../contract/json.ts";
import { invalid } from "../../contract/parse.ts";
import { failure, type Problem, problemOf } from "../../contract/problems.ts";

export const ProblemView = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    code: z.string(),
    detail: z.string(),
    next: z.string(),
    facts: z.record(z.string(), Json),
  })
  .openapi("Problem");

/** What of an error of any kind is told over HTTP. */
export function toldOf(error: unknown): Problem {
  if (error instanceof z.ZodError) return problemOf(invalid(error));
  return problemOf(error);
}

export function answerProblem(c: Context, told: Problem): Response {
  const seconds = told.facts["retryAfterSeconds"];
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (told.status === 429 || told.status === 503)
    headers["retry-after"] = String(typeof seconds === "number" ? Math.max(1, Math.ceil(seconds)) : 1);
  // No scheme of HTTP: what counts is who holds the other end of the connection.
  if (told.status === 401) headers["www-authenticate"] = "Peer-Uid";
  return new Response(JSON.stringify(told), {
    status: told.status,
    headers: { ...Object.fromEntries(c.res.headers), ...headers },
  });
}

export const routeNotFound = (path: string): Error =>
  failure("route/not-found", `there is nothing at ${path.slice(0, 200)}`);
