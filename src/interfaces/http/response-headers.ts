import type { MiddlewareHandler } from "hono";

/** The page loads nothing but its own files, sits in nobody's frame, and sends nothing anywhere else. */
const ALWAYS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/** On every answer, refusals included: stands before everything that may throw. */
export function responseHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(ALWAYS)) c.header(name, value);
    if (c.req.path.startsWith("/api/")) c.header("cache-control", "no-store");
  };
}
