import type { Socket } from "node:net";
import type { HttpBindings } from "@hono/node-server";
import type { Context, MiddlewareHandler } from "hono";
import { failure } from "../../contract/problems.ts";
import { routeNotFound } from "./problem-response.ts";

export const BODY_BYTES_MAX = 8 * 1024 ** 2;
const JSON_DEPTH_MAX = 64;

/** As the JSON parser behind it recognises the type: a body that passes here is never taken for an empty one there. */
const JSON_TYPE = /^application\/json(;\s*[a-zA-Z0-9-]+=([^;]+))*$/;

export interface Guarded {
  /** Host headers this daemon answers to, `name:port` in lower case. */
  readonly hosts: () => ReadonlySet<string>;
  /** Why whoever holds the other end of this connection is nobody for this daemon; null when it may ask. No connection: no server either. */
  readonly stranger: (connection: Socket | null) => Promise<string | null>;
}

/**
 * What must hold before any route is looked at. Who asks must be somebody for this daemon. The Host must be one of ours exactly, so that a name rebound to loopback reaches nothing; a
 * browser's Origin must be ours exactly; a write is JSON, so that no form and no plain text of a foreign page can be one.
 */
export function guard({ hosts, stranger }: Guarded): MiddlewareHandler {
  return async (c, next) => {
    const refused = await stranger(incomingOf(c)?.socket ?? null);
    if (refused !== null) throw failure("peer/refused", refused);
    const { host: asked } = new URL(c.req.url);
    // A request line may name a host of its own; then that one counts as well.
    for (const host of [c.req.header("host") ?? "", asked])
      if (!hosts().has(host.toLowerCase()))
        throw failure("host/refused", `this daemon does not answer for the host ${JSON.stringify(host.slice(0, 100))}`);
    const origin = c.req.header("origin");
    if (origin !== undefined && !isOurs(origin, hosts()))
      throw failure("origin/refused", `pages of ${JSON.stringify(origin.slice(0, 100))} may not talk to this daemon`);
    const site = c.req.header("sec-fetch-site");
    if (origin === undefined && (site === "cross-site" || site === "same-site") && c.req.path.startsWith("/api/"))
      throw failure("origin/refused", "other sites may not talk to this daemon");
    const path = pathAsSent(c);
    if (CLIMBS.test(path)) throw routeNotFound(path);
    if (["POST", "PATCH", "PUT"].includes(c.req.method)) c.req.raw = await withCheckedBody(c.req.raw);
    await next();
  };
}

/** What only a path that wants to be read in two ways has in it: separators and dots in disguise, empty parts, parts of dots only, a NUL. */
const CLIMBS = /%(00|2e|2f|5c)|\/\/|\\|\/\.\.?(\/|$)/i;

/** Before anyone has put `..` and the like right; without a server there is only the address as it is. */
function pathAsSent(c: Context): string {
  const sent = incomingOf(c)?.url ?? c.req.url;
  return sent.replace(/^https?:\/\/[^/?]*/i, "").replace(/\?.*$/s, "");
}

const incomingOf = (c: Context): HttpBindings["incoming"] | undefined =>
  (c.env as Partial<HttpBindings> | undefined)?.incoming;

const isOurs = (origin: string, hosts: ReadonlySet<string>): boolean =>
  origin.startsWith("http://") && hosts.has(origin.slice("http://".length).toLowerCase());

/** The same request with its body read once and whole: not cloned, because a clone's other half would wait for ever where this one stops. */
async function withCheckedBody(request: Request): Promise<Request> {
  if (Number(request.headers.get("content-length") ?? 0) > BODY_BYTES_MAX) throw tooLarge();
  const text = await bounded(request);
  const headers = new Headers(request.headers);
  if (text !== "") check(text, headers.get("content-type"));
  // An empty body is none, whatever type it is said to have.
  else headers.delete("content-type");
  return new Request(request.url, { method: request.method, headers, body: text === "" ? null : text });
}

function check(text: string, type: string | null): void {
  if (!JSON_TYPE.test(type ?? ""))
    throw failure(
      "input/media-type",
      `the body is ${type === null ? "of no named type" : JSON.stringify(type.slice(0, 100))}, this route takes application/json`,
    );
  if (tooDeep(text)) throw failure("input/invalid", `the body is nested deeper than ${JSON_DEPTH_MAX} levels`);
  const trouble = cannotBeKept(parsed(text));
  if (trouble !== null) throw failure("input/invalid", `the body ${trouble}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw failure("input/invalid", "the body is no valid JSON");
  }
}

/**
 * What JSON can say and no journal row can hold: half of a surrogate pair is no text and has no bytes; a field called __proto__ is lost on
 * its way through objects. Null when there is neither. The depth was looked at before.
 */
function cannotBeKept(value: unknown): string | null {
  if (typeof value === "string") return value.isWellFormed() ? null : "has half of a surrogate pair in a text";
  if (typeof value !== "object" || value === null) return null;
  for (const [name, inner] of Object.entries(value)) {
    if (name === "__proto__") return "has a field called __proto__";
    const trouble = cannotBeKept(name) ?? cannotBeKept(inner);
    if (trouble !== null) return trouble;
  }
  return null;
}

const tooLarge = (): Error => failure("input/too-large", `the body is larger than ${BODY_BYTES_MAX} bytes`);

async function bounded(request: Request): Promise<string> {
  if (request.body === null) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let bytes = 0;
  let text = "";
  try {
    for await (const chunk of request.body) {
      bytes += chunk.byteLength;
      if (bytes > BODY_BYTES_MAX) throw tooLarge();
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) throw failure("input/invalid", "the body is no UTF-8 text");
    throw error;
  }
}

/** Depth of brackets outside of strings: looked at before anything recursive sees the text. */
function tooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 92) i += 1;
      else if (code === 34) inString = false;
    } else if (code === 34) inString = true;
    else if (code === 123 || code === 91) {
      depth += 1;
      if (depth > JSON_DEPTH_MAX) return true;
    } else if (code === 125 || code === 93) depth -= 1;
  }
  return false;
}
