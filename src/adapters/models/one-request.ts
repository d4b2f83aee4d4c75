import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { Failure } from "../../domain/failure.ts";
import { isLinkLocal } from "../../domain/link-local.ts";
import { ANSWER_BYTES_MAX, ERROR_BYTES_MAX, type Limits } from "./limits.ts";

/** How the key is sent. What the SDK puts there of its own is left out: it would look for keys in the environment. */
export interface KeyHeader {
  readonly name: "authorization" | "x-api-key" | "x-goog-api-key";
  readonly prefix: string;
}

const KEY_HEADERS = ["authorization", "x-api-key", "x-goog-api-key"];

export interface RequestWanted {
  /** For sentences: the provider's id. */
  readonly provider: string;
  readonly key: string | null;
  readonly keyHeader: KeyHeader;
  readonly limits: Limits;
  readonly signal: AbortSignal;
  /** What an answer that is no 2xx means. */
  readonly troubleOf: (status: number, headers: Headers, body: string) => Failure;
}

/** One request to a provider, for whoever wants to make it with something like `fetch`. */
export interface OneRequest {
  /**
   * Sends it: once. A second call in the same one is refused, because a call is one request to whoever counts and pays; no redirect is
   * followed, so that the key goes where it was meant to go and nowhere else.
   */
  readonly fetch: typeof globalThis.fetch;
  readonly sent: boolean;
  /** Rejects with what ended it: trouble, a limit, or the signal's reason. Never resolves. */
  readonly ended: Promise<never>;
  /** What it ended with; `undefined` while it has not. */
  readonly end: { readonly reason: unknown } | null;
  /** Ends it if it goes on, and gives back timers and the connection. */
  close(): void;
}

/**
 * Over node:http and not the built-in fetch, which has limits of its own (five minutes until headers) that cannot be changed from here,
 * follows redirects, and keeps connections: a kept one that the server is just closing would look like a provider that is down.
 */
export function oneRequest({ provider, key, keyHeader, limits, signal, troubleOf }: RequestWanted): OneRequest {
  let end: { readonly reason: unknown } | null = null;
  let outgoing: ClientRequest | null = null;
  let body: ReadableStreamDefaultController<Uint8Array> | null = null;
  let reject: (reason: unknown) => void = () => {};
  const ended = new Promise<never>((_, refuse) => {
    reject = refuse;
  });
  ended.catch(() => {}); // Whoever waits hears of it; nobody may be waiting yet.

  /** Given back by whoever asked: what the connection says from now on is no trouble. */
  let over = false;
  const release = (): void => {
    clearTimeout(whole);
    clearTimeout(step);
    signal.removeEventListener("abort", aborted);
    outgoing?.destroy();
  };
  const finish = (reason: unknown): void => {
    if (over || end !== null) return;
    end = { reason };
    release();
    reject(reason);
    body?.error(reason);
  };
  const close = (): void => {
    over = true;
    release();
  };
  const aborted = (): void => finish(signal.reason);
  const late = (ms: number, what: string): NodeJS.Timeout =>
    setTimeout(() => finish(new Failure("model/timeout", `${provider} ${what} within ${seconds(ms)}`)), ms);

  const whole = late(limits.wholeMs, "did not give its whole answer");
  let step: NodeJS.Timeout | undefined;
  const next = (ms: number, what: string): void => {
    clearTimeout(step);
    if (end === null && !over) step = late(ms, what);
  };
  if (signal.aborted) aborted();
  else signal.addEventListener("abort", aborted, { once: true });

  const send = (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    if (outgoing !== null)
      finish(
        new Failure("model/bad-answer", `${provider} gives this answer only in more than one request`, {
          next: "Set output_tokens_max to less than one answer of it may have.",
        }),
      );
    if (end !== null) return ended;
    const url = new URL(input instanceof Request ? input.url : input);
    // What was configured was looked at then; variables and names are known only now.
    if (isLinkLocal(url.hostname)) finish(nearestWire(provider, url.hostname));
    if (end !== null) return ended;
    const headers = new Headers(init.headers);
    for (const name of KEY_HEADERS) headers.delete(name);
    if (key !== null) headers.set(keyHeader.name, `${keyHeader.prefix}${key}`);
    headers.set("user-agent", "agentos");
    const made = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, {
      method: init.method ?? "GET",
      headers: Object.fromEntries(headers),
      // A connection of its own, closed with the answer.
      agent: false,
    });
    outgoing = made;
    next(limits.connectMs, "let nobody connect");
    made.once("socket", (socket) => {
      socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () =>
        next(limits.firstByteMs, "did not begin to answer"),
      );
      // Said of each address before it is connected to; what is ended here never is.
      socket.on("lookup", (_, address) => {
        if (isLinkLocal(address)) finish(nearestWire(provider, address));
      });
    });
    return new Promise<Response>((resolve, refuse) => {
      ended.catch(refuse);
      made.once("error", (error) => finish(unreachable(provider, url, error)));
      made.once("response", (incoming) => {
        const status = incoming.statusCode ?? 0;
        const responseHeaders = headersOf(incoming);
        const cut = (): void =>
          finish(new Failure("model/bad-answer", `${provider} broke off in the middle of its answer`));
        incoming.on("error", cut).on("aborted", cut);
        if (status < 200 || status > 299)
          return void trouble(incoming).then((text) => finish(troubleOf(status, responseHeaders, text)), cut);
        resolve(new Response(streamed(incoming), { status, headers: responseHeaders }));
      });
      made.end(typeof init.body === "string" ? init.body : undefined);
    });
  };

  /** The body, taken no faster than it is read, counted, and watched for silence. */
  const streamed = (incoming: IncomingMessage): ReadableStream<Uint8Array> => {
    let bytes = 0;
    incoming.pause();
    return new ReadableStream<Uint8Array>({
      start(controller) {
        body = controller;
        incoming.on("data", (chunk: Buffer) => {
          if (end !== null || over) return;
          bytes += chunk.byteLength;
          if (bytes > ANSWER_BYTES_MAX)
            return finish(
              new Failure("model/endless", `${provider} sent more than ${ANSWER_BYTES_MAX} bytes for one answer`),
            );
          next(limits.silenceMs, "fell silent in its answer: nothing came");
          controller.enqueue(chunk);
          if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
        });
        incoming.once("end", () => {
          clearTimeout(step);
          if (end === null && !over) controller.close();
        });
      },
      pull() {
        incoming.resume();
      },
      cancel: close,
    });
  };

  return {
    fetch: send,
    get sent() {
      return outgoing !== null;
    },
    ended,
    get end() {
      return end;
    },
    close,
  };
}

/** As much of an error's body as is looked at. */
async function trouble(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    const part: Buffer = chunk;
    chunks.push(part);
    bytes += part.byteLength;
    if (bytes >= ERROR_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

function headersOf(incoming: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  return headers;
}

function unreachable(provider: string, url: URL, error: NodeJS.ErrnoException): Failure {
  const why = error.code ?? error.message;
  return new Failure("model/unavailable", `${provider} does not answer at ${url.origin} (${why})`, { cause: error });
}

const nearestWire = (provider: string, address: string): Failure =>
  new Failure(
    "model/unavailable",
    `${provider} would be asked at ${address}, a link-local address, which is never asked`,
    {
      next: `agentos provider set ${provider} --url URL, with the address of a server of models.`,
    },
  );

const seconds = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`);
