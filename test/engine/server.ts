import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import { parseArgs } from "node:util";

/*
 * A real llama.cpp behind the protocol of llama-server, as far as tests need it: health, props, slots, models, chat completions streamed
 * and whole. For tests only. One answer at a time, the others wait, as with one slot. A program of its own, because the engine writes what it does
 * to stdout and would stay loaded in whoever loads it:
 *
 *     node test/engine/server.ts --model FILE [--port N] [--ctx-size N] [--ignore-eos]
 *
 * It says `listening on http://127.0.0.1:PORT` on a line of its own, and ends on SIGTERM.
 */

/** What is used of @fugood/llama.node, whose types are there only where it is installed. */
interface Llama {
  loadModel(options: Readonly<Record<string, unknown>>): Promise<Context>;
}

interface Context {
  getFormattedChat(
    messages: unknown,
    template: undefined,
    options: Readonly<Record<string, unknown>>,
  ): { prompt: string };
  tokenize(text: string): Promise<{ tokens: { length: number } }>;
  completion(options: Readonly<Record<string, unknown>>, token: (told: Told) => void): Promise<Told & Counts>;
  stopCompletion(): void;
  release(): Promise<void>;
}

/** All that is there so far, not what is new. */
interface Told {
  readonly content?: string;
  readonly tool_calls?: readonly { readonly function: { readonly name: string; readonly arguments: string } }[];
}

interface Counts {
  readonly tokens_predicted: number;
  readonly stopped_limited: boolean;
  readonly context_full: boolean;
}

interface Settings {
  readonly model: string;
  readonly port: number;
  readonly contextTokens: number;
  readonly ignoreEos: boolean;
}

const BUILD = "b1-agentos";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    port: { type: "string", default: "0" },
    "ctx-size": { type: "string", default: "2048" },
    "ignore-eos": { type: "boolean", default: false },
  },
});
if (values.model === undefined) throw new Error("--model FILE is missing");
await serve({
  model: values.model,
  port: Number(values.port),
  contextTokens: Number(values["ctx-size"]),
  ignoreEos: values["ignore-eos"],
});

async function serve(settings: Settings): Promise<void> {
  const llama: Llama = createRequire(import.meta.url)("@fugood/llama.node");
  const alias = basename(settings.model, ".gguf");
  let context: Context | null = null;
  /** The one slot. */
  let turn: Promise<unknown> = Promise.resolve();
  const slot = { processing: false, decoded: 0 };

  const server = createServer((request, response) => {
    response.setHeader("server", "llama.cpp");
    response.on("error", () => {}); // The caller hung up.
    void received(request).then((text) => {
      const path = new URL(request.url ?? "/", "http://engine").pathname.replace(/^\/v1(?=\/)/, "");
      const trouble = (code: number, type: string, message: string, more: object = {}): void =>
        write(response, code, { error: { code, message, type, ...more } });
      if (context === null) return trouble(503, "unavailable_error", "Loading model");
      const loaded = context;
      if (path === "/health") return write(response, 200, { status: "ok" });
      if (path === "/models") return write(response, 200, modelsOf(alias, settings));
      if (path === "/slots")
        return write(response, 200, [
          {
            id: 0,
            n_ctx: settings.contextTokens,
            is_processing: slot.processing,
            next_token: [{ n_decoded: slot.decoded }],
          },
        ]);
      if (path === "/props")
        return write(response, 200, {
          default_generation_settings: { n_ctx: settings.contextTokens },
          total_slots: 1,
          model_alias: alias,
          model_path: settings.model,
          is_sleeping: false,
          build_info: BUILD,
          chat_template: "tiny",
        });
      if (request.method !== "POST" || path !== "/chat/completions")
        return trouble(404, "not_found_error", "File Not Found");
      const body = parsed(text);
      if (body === null) return trouble(500, "server_error", "parse error: invalid JSON");
      if (!Array.isArray(body["messages"])) return trouble(400, "invalid_request_error", "'messages' is required");
      turn = turn
        .then(() => complete(loaded, body, response))
        .catch((error: unknown) => {
          if (response.headersSent) response.destroy();
          else trouble(500, "server_error", error instanceof Error ? error.message : "unknown error");
        });
    });
  });

  /** One completion, told as it comes. A caller that hangs up stops it. */
  async function complete(loaded: Context, body: Body, response: ServerResponse): Promise<void> {
    if (response.destroyed) return;
    // The tiny model was trained without system messages.
    const messages = list(body["messages"]).filter((message) => message["role"] !== "system");
    const tools = list(body["tools"]);
    const chat = {
      jinja: true,
      ...(tools.length === 0 ? {} : { tools, tool_choice: body["tool_choice"] ?? "auto" }),
      ...(body["response_format"] === undefined ? {} : { response_format: body["response_format"] }),
    };
    const prompt = loaded.getFormattedChat(messages, undefined, chat).prompt;
    const promptTokens = (await loaded.tokenize(prompt)).tokens.length;
    // As llama-server: the engine below would cut the prompt in silence.
    if (promptTokens >= settings.contextTokens)
      return write(response, 400, {
        error: {
          code: 400,
          message: `request (${promptTokens} tokens) exceeds the available context size (${settings.contextTokens} tokens), try increasing it`,
          type: "exceed_context_size_error",
          n_prompt_tokens: promptTokens,
          n_ctx: settings.contextTokens,
        },
      });
    const streamed = body["stream"] === true;
    const head = {
      id: `chatcmpl-${randomBytes(12).toString("hex")}`,
      created: 1,
      model: alias,
      system_fingerprint: BUILD,
    };
    const send = (more: object): void => {
      if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify({ ...more, ...head, object: "chat.completion.chunk" })}\n\n`);
    };
    const choice = (delta: object, finish_reason: string | null): object => ({
      choices: [{ finish_reason, index: 0, delta }],
    });
    const stop = (): void => loaded.stopCompletion();
    response.once("close", stop);
    Object.assign(slot, { processing: true, decoded: 0 });
    try {
      if (streamed) send(choice({ role: "assistant", content: null }, null));
      const seen: string[] = [];
      let text = "";
      const told = ({ content = "", tool_calls = [] }: Told): void => {
        slot.decoded += 1;
        if (!streamed) return;
        if (content.length > text.length) send(choice({ content: content.slice(text.length) }, null));
        text = content;
        tool_calls.forEach(({ function: called }, index) => {
          const before = seen[index];
          const opening = { index, id: callId(head.id, index), type: "function", function: called };
          if (before === undefined) send(choice({ tool_calls: [opening] }, null));
          else if (called.arguments.length > before.length)
            send(
              choice({ tool_calls: [{ index, function: { arguments: called.arguments.slice(before.length) } }] }, null),
            );
          seen[index] = called.arguments;
        });
      };
      const made = await loaded.completion(
        {
          messages,
          ...chat,
          n_predict: typeof body["max_tokens"] === "number" ? body["max_tokens"] : settings.contextTokens,
          temperature: typeof body["temperature"] === "number" ? body["temperature"] : 0,
          ...(typeof body["seed"] === "number" ? { seed: body["seed"] } : {}),
          ignore_eos: settings.ignoreEos,
        },
        told,
      );
      const calls = (made.tool_calls ?? []).map((call, index) => ({
        type: "function",
        id: callId(head.id, index),
        ...call,
      }));
      const finish = made.stopped_limited || made.context_full ? "length" : calls.length > 0 ? "tool_calls" : "stop";
      const usage = {
        completion_tokens: made.tokens_predicted,
        prompt_tokens: promptTokens,
        total_tokens: promptTokens + made.tokens_predicted,
      };
      if (!streamed) {
        const message = {
          role: "assistant",
          content: made.content ?? "",
          ...(calls.length > 0 ? { tool_calls: calls } : {}),
        };
        return write(response, 200, {
          choices: [{ finish_reason: finish, index: 0, message }],
          ...head,
          object: "chat.completion",
          usage,
        });
      }
      send(choice({}, finish));
      if (object(body["stream_options"])["include_usage"] === true) send({ choices: [], usage });
      response.end("data: [DONE]\n\n");
    } finally {
      response.off("close", stop);
      slot.processing = false;
    }
  }

  server.listen(settings.port, "127.0.0.1", () => {
    process.stdout.write(`\nlistening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
  });
  process.once("SIGTERM", () => process.exit(0));
  context = await llama.loadModel({
    model: settings.model,
    n_ctx: settings.contextTokens,
    // More threads than cores only spin.
    n_threads: 1,
    n_gpu_layers: 0,
  });
}

type Body = Readonly<Record<string, unknown>>;

const callId = (answer: string, index: number): string => `${answer.slice(-12)}${index}`;

function modelsOf(alias: string, settings: Settings): unknown {
  const meta = { n_ctx: settings.contextTokens, n_ctx_train: 2048, n_params: 698112, size: 1398016, ftype: "F16" };
  return {
    models: [{ name: alias, model: alias, type: "model", capabilities: ["completion"], details: { format: "gguf" } }],
    object: "list",
    data: [{ id: alias, aliases: [alias], object: "model", created: 1, owned_by: "llamacpp", meta }],
  };
}

function write(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
}

async function received(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
  return text;
}

function parsed(text: string): Body | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? object(value) : null;
  } catch {
    return null; // Answered as llama-server does.
  }
}

const object = (value: unknown): Body =>
  typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};

const list = (value: unknown): readonly Body[] => (Array.isArray(value) ? value.map(object) : []);
