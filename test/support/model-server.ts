import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CHAT } from "./model-dialects/chat.ts";
import type { Dialect, Line } from "./model-dialects/dialect.ts";
import { GOOGLE } from "./model-dialects/google.ts";
import { MESSAGES } from "./model-dialects/messages.ts";
import { RESPONSES } from "./model-dialects/responses.ts";
import type { Scripted, ScriptedAnswer } from "./scripted-model.ts";

/*
 * A model provider on 127.0.0.1 that says what a test scripts. It speaks OpenAI's chat completions and responses, Anthropic's messages and
 * Google's generateContent, streamed or whole as it is asked, each with its own words for trouble; whatever prefix stands before the path
 * counts as well (`/v1/chat/completions`, `/chat/completions`). What may be scripted, hostile behaviours included, is in scripted-model.ts.
 */

/** A request for an answer, as any dialect says it. */
export interface SeenRequest {
  /** How many requests for an answer came before it. */
  readonly index: number;
  readonly dialect: "chat" | "responses" | "messages" | "google";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed body, as sent. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly model: string;
  readonly messages: readonly SeenMessage[];
  /** Names of the tools it offers. */
  readonly tools: readonly string[];
  readonly streamed: boolean;
}

export interface SeenMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly text: string;
  /** What an assistant's message called. */
  readonly calls: readonly { readonly name: string; readonly arguments: string }[];
}

/** Any other request: lists of models, native routes. */
export interface SeenOther {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface ModelServerWanted {
  readonly answer: (request: SeenRequest) => Scripted | Promise<Scripted>;
  /** What `/v1/models` lists; `scripted` alone where nothing is said. */
  readonly models?: readonly string[];
  /** Answers of other routes by path without query, as JSON (`/api/show`, `/props`); null: the default ones. Text is sent as text. */
  readonly other?: (request: SeenOther) => unknown;
  /** A port of its own choice otherwise. */
  readonly port?: number;
}

export interface ModelServer {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly url: string;
  readonly port: number;
  /** Requests for an answer, oldest first. */
  readonly requests: readonly SeenRequest[];
  readonly others: readonly SeenOther[];
  /** Answers that are being written or held back now. */
  readonly open: number;
  /** Resolves as soon as this many requests for an answer have come. */
  seen(count: number): Promise<void>;
  /** Resolves as soon as no answer is being written: a caller that hung up has been noticed. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

const DIALECTS: readonly { readonly path: RegExp; readonly dialect: Dialect }[] = [
  { path: /\/chat\/completions$/, dialect: CHAT },
  { path: /\/responses$/, dialect: RESPONSES },
  { path: /\/messages$/, dialect: MESSAGES },
  { path: /\/models\/[^/]+:(streamGenerateContent|generateContent)$/, dialect: GOOGLE },
];

/** Starts it; whoever did closes it. A test says `startModelServer`. */
export async function serveModel(wanted: ModelServerWanted): Promise<ModelServer> {
  const requests: SeenRequest[] = [];
  const others: SeenOther[] = [];
  const watchers = new Set<() => void>();
  let open = 0;
  const told = (): void => {
    for (const watcher of watchers) watcher();
  };
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const watcher = (): void => {
        if (!condition()) return;
        watchers.delete(watcher);
        resolve();
      };
      watchers.add(watcher);
      watcher();
    });

  const server = createServer((request, response) => {
    response.on("error", () => {}); // The caller hung up: scripted, or its right.
    void received(request).then(async (text) => {
      const path = new URL(request.url ?? "/", "http://model").pathname;
      const found = DIALECTS.find((each) => each.path.test(path));
      if (request.method !== "POST" || found === undefined) {
        const other = { method: request.method ?? "", path, headers: headersOf(request), body: parsed(text) };
        others.push(other);
        return answerOther(other, wanted, response);
      }
      const body = record(parsed(text));
      if (body === null) return write(response, 400, found.dialect.error(400, "invalid_request_error", "no JSON"));
      const seen: SeenRequest = {
        index: requests.length,
        path,
        headers: headersOf(request),
        body,
        ...found.dialect.read(body, path),
      };
      requests.push(seen);
      open += 1;
      response.once("close", () => {
        open -= 1;
        told();
      });
      told();
      await perform(await wanted.answer(seen), seen, found.dialect, response);
    });
  });
  server.listen(wanted.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    others,
    get open() {
      return open;
    },
    seen: (count) => until(() => requests.length >= count),
    idle: () => until(() => open === 0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Does what is scripted, in the caller's dialect. */
async function perform(
  scripted: Scripted,
  seen: SeenRequest,
  dialect: Dialect,
  response: ServerResponse,
): Promise<void> {
  switch (scripted.kind) {
    case "answer":
      if (!seen.streamed) return write(response, 200, dialect.whole(seen, scripted));
      begin(response);
      for (const lines of dialect.stream(seen, scripted)) await send(response, lines);
      response.end();
      return;
    case "held": {
      if (scripted.after === "nothing") {
        await scripted.until;
        return perform(scripted.then, seen, dialect, response);
      }
      begin(response);
      const parts = [...dialect.stream(seen, scripted.then)];
      const first = scripted.after === "headers" ? 0 : Math.min(2, parts.length - 1);
      for (const lines of parts.slice(0, first)) await send(response, lines);
      await scripted.until;
      for (const lines of parts.slice(first)) await send(response, lines);
      response.end();
      return;
    }
    case "broken": {
      begin(response);
      // Everything but the end, then the connection is cut.
      for (const lines of [...dialect.stream(seen, scripted.answer)].slice(0, -1)) await send(response, lines);
      response.destroy();
      return;
    }
    case "endless": {
      begin(response);
      const parts = [...dialect.stream(seen, words(scripted.word))];
      for (const lines of parts.slice(0, -1)) await send(response, lines);
      while (!response.destroyed) await send(response, dialect.delta(seen, scripted.word));
      return;
    }
    case "trouble": {
      const { status, type, message } = scripted;
      const body = scripted.body ?? dialect.error(status, type, message);
      return write(response, status, body, scripted.headers);
    }
    case "trouble-inside": {
      begin(response);
      const [opening = []] = dialect.stream(seen, words("I was about to"));
      await send(response, opening);
      await send(response, dialect.troubleInside(scripted.type, scripted.message));
      response.end();
      return;
    }
    case "raw":
      response.writeHead(scripted.status, scripted.headers).end(scripted.body);
      return;
  }
}

const words = (text: string): ScriptedAnswer => ({
  kind: "answer",
  text: [text],
  calls: [],
  finish: null,
  usage: null,
  model: null,
});

function answerOther(request: SeenOther, wanted: ModelServerWanted, response: ServerResponse): void {
  const said = wanted.other?.(request) ?? usual(request, wanted.models ?? ["scripted"]);
  if (typeof said === "string") response.writeHead(200, { "content-type": "text/plain" }).end(said);
  else if (said !== null) write(response, 200, said);
  else write(response, 404, { error: { message: `no route ${request.path}`, type: "not_found_error", code: 404 } });
}

function usual({ path }: SeenOther, models: readonly string[]): unknown {
  if (/\/messages\/count_tokens$/.test(path)) return { input_tokens: 1 };
  if (!/\/models$/.test(path)) return null;
  const data = models.map((id) => ({
    id,
    object: "model",
    type: "model",
    created: 1,
    owned_by: "test",
    display_name: id,
  }));
  return { object: "list", data, has_more: false, first_id: models[0], last_id: models.at(-1) };
}

function write(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

function begin(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.flushHeaders();
}

/** Waits while the caller takes nothing, so that an endless answer fills no memory. */
async function send(response: ServerResponse, lines: readonly Line[]): Promise<void> {
  if (response.destroyed) return;
  const text = lines.map(({ event, data }) => `${event === null ? "" : `event: ${event}\n`}data: ${data}\n\n`).join("");
  if (response.write(text)) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      response.off("drain", go);
      response.off("close", go);
      resolve();
    };
    response.on("drain", go).on("close", go);
  });
}

async function received(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

const headersOf = (request: IncomingMessage): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // No JSON: whoever scripted the answer sees that there is none.
  }
}

const record = (value: unknown): Readonly<Record<string, unknown>> | null =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : null;
