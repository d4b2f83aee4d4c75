import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/*
 * Servers that answer as the providers do: llama-server by its recorded answers (test/fixtures/llamacpp), Ollama and LM Studio by their
 * documentation. The model behind them is none: it calls the tool it is asked for, if it was shown that tool.
 */

export interface FakeServer {
  readonly url: string;
  readonly port: number;
  /** What was asked for, method and path, in order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}
type Handler = (asked: Asked, response: ServerResponse) => void;

const RECORDED = join(import.meta.dirname, "..", "fixtures", "llamacpp");
const recorded = (name: string): string => readFileSync(join(RECORDED, `llamacpp-${name}`), "utf8");

export async function serve(
  handler: Handler,
  port = 0,
  headers: Readonly<Record<string, string>> = {},
  host = "127.0.0.1",
): Promise<FakeServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    void textOf(request).then((text) => {
      const path = request.url ?? "/";
      asked.push(`${request.method} ${path}`);
      handler({ method: request.method ?? "", path, body: text === "" ? {} : JSON.parse(text) }, response);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const at = (server.address() as AddressInfo).port;
  return {
    url: `http://${host}:${at}`,
    port: at,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
  return text;
}

const say = (response: ServerResponse, status: number, body: unknown, type = "application/json; charset=utf-8"): void =>
  void response.writeHead(status, { "content-type": type }).end(typeof body === "string" ? body : JSON.stringify(body));

/** Another program on the expected port: it answers JSON to everything, as many do. */
export const impostor = (port = 0): Promise<FakeServer> =>
  serve((_, response) => say(response, 200, { status: "ok", version: "1.2.3", models: [] }), port);

export const llamaServer = (
  wanted: { readonly port?: number; readonly contextTokens?: number; readonly loadingAnswers?: number } = {},
): Promise<FakeServer> => {
  const { port = 0, contextTokens = 2_048 } = wanted;
  let loading = wanted.loadingAnswers ?? 0;
  const props = { ...JSON.parse(recorded("props.json")), default_generation_settings: { n_ctx: contextTokens } };
  return serve(
    ({ method, path, body }, response) => {
      if (loading > 0) {
        if (path === "/health") loading -= 1;
        return say(response, 503, {
          error: { message: "Loading model", type: "unavailable_error", code: 503 },
        });
      }
      switch (`${method} ${path}`) {
        case "GET /health":
          return say(response, 200, recorded("health.json"));
        case "GET /props":
          return say(response, 200, props);
        case "GET /models":
        case "GET /v1/models":
          return say(response, 200, recorded("v1_models.json"));
        case "POST /v1/chat/completions": {
          const tokens = tokensIn(body);
          if (tokens < contextTokens) return complete(body, tokens, true, response);
          return say(response, 400, {
            error: {
              code: 400,
              message: `request (${tokens} tokens) exceeds the available context size (${contextTokens} tokens), try increasing it`,
              type: "exceed_context_size_error",
              n_prompt_tokens: tokens,
              n_ctx: contextTokens,
            },
          });
        }
        default:
          return say(response, 404, { error: { code: 404, message: "File Not Found", type: "not_found_error" } });
      }
    },
    port,
    { server: "llama.cpp" },
  );
};

/** What does not fit into its context is cut off without a word, tools first; that is what the probe is made for. */
export const ollamaServer = ({
  port = 0,
  contextTokens = 4_096,
  host = "127.0.0.1",
}: {
  readonly port?: number;
  readonly contextTokens?: number;
  readonly host?: string;
} = {}): Promise<FakeServer> => {
  let loaded = false;
  return serve(
    ({ method, path, body }, response) => {
      switch (`${method} ${path}`) {
        case "GET /":
          return say(response, 200, "Ollama is running", "text/plain; charset=utf-8");
        case "GET /api/version":
          return say(response, 200, { version: "0.12.6" });
        case "GET /api/tags":
          return say(response, 200, {
            models: [
              { ...OLLAMA_MODEL, name: "embedder:latest", capabilities: ["embedding"] },
              { ...OLLAMA_MODEL, name: "small:latest", capabilities: ["completion", "tools"] },
            ],
          });
        case "GET /api/ps":
          return say(response, 200, {
            models: loaded ? [{ name: "small:latest", context_length: contextTokens, size_vram: 0 }] : [],
          });
        case "POST /api/show":
          return say(response, 200, {
            capabilities: ["completion", "tools"],
            parameters: "stop    x",
            model_info: { "general.architecture": "llama", "llama.context_length": 131_072 },
          });
        case "POST /api/pull": {
          response.writeHead(200, { "content-type": "application/x-ndjson" });
          const lines =
            body["model"] === "missing"
              ? [{ status: "pulling manifest" }, { error: "pull model manifest: file does not exist" }]
              : [
                  { status: "pulling manifest" },
                  { status: "pulling abc", total: 10, completed: 10 },
                  { status: "success" },
                ];
          return void response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
        }
        case "POST /v1/chat/completions": {
          loaded = true;
          const tokens = tokensIn(body);
          return complete(body, Math.min(tokens, contextTokens), tokens <= contextTokens, response);
        }
        default:
          return say(response, 404, "404 page not found", "text/plain");
      }
    },
    port,
    {},
    host,
  );
};

const OLLAMA_MODEL = {
  model: "small:latest",
  modified_at: "2026-10-01T10:00:00Z",
  size: 1_300_000_000,
  digest: "a".repeat(64),
  details: { format: "gguf", family: "llama", families: ["llama"], parameter_size: "1.2B", quantization_level: "Q8_0" },
};

/** `v0`: before 0.4.0, when it answered 200 to paths it did not know. */
export const lmStudioServer = ({
  port = 0,
  api = "v1",
}: {
  readonly port?: number;
  readonly api?: "v0" | "v1";
} = {}): Promise<FakeServer> =>
  serve(({ method, path, body }, response) => {
    switch (`${method} ${path}`) {
      case "GET /lmstudio-greeting":
        return say(response, 200, { lmstudio: true });
      case "GET /v1/models":
        return say(response, 200, { object: "list", data: [{ id: "qwen-small", object: "model", owned_by: "org" }] });
      case "POST /v1/chat/completions":
        return complete(body, tokensIn(body), true, response);
      case "GET /api/v0/models":
        return say(response, 200, {
          object: "list",
          data: [
            {
              id: "qwen-small",
              object: "model",
              type: "llm",
              state: "loaded",
              max_context_length: 32_768,
              loaded_context_length: 8_192,
            },
            { id: "nomic", object: "model", type: "embeddings", state: "not-loaded", max_context_length: 2_048 },
          ],
        });
      case "GET /api/v1/models":
        if (api === "v1")
          return say(response, 200, {
            models: [
              {
                type: "llm",
                publisher: "org",
                key: "qwen-small",
                size_bytes: 1_000,
                loaded_instances: [{ id: "qwen-small", config: { context_length: 40_000 } }],
                max_context_length: 131_072,
                capabilities: { vision: false, trained_for_tool_use: true },
              },
            ],
          });
        break;
    }
    say(response, 200, { error: `Unexpected endpoint or method. (${method} ${path})` });
  }, port);

const tokensIn = (body: Asked["body"]): number =>
  Math.ceil(JSON.stringify([body["messages"], body["tools"] ?? []]).length / 4);

/** Calls `read_file` when it is asked to and sees that tool, else says something; streamed or whole. */
function complete(body: Asked["body"], promptTokens: number, seesTools: boolean, response: ServerResponse): void {
  const messages = Array.isArray(body["messages"]) ? body["messages"] : [];
  const last = messages.at(-1) as { readonly role?: string; readonly content?: unknown } | undefined;
  const tools = Array.isArray(body["tools"]) ? body["tools"] : [];
  const calls = seesTools && tools.length > 0 && last?.role === "user";
  const call = {
    id: "call-1",
    type: "function",
    function: { name: "read_file", arguments: JSON.stringify({ path: "notes.txt" }) },
  };
  const words = "one two three four five six seven eight nine ten";
  const finish = calls ? "tool_calls" : "stop";
  const usage = { prompt_tokens: promptTokens, completion_tokens: 20, total_tokens: promptTokens + 20 };
  const head = { id: "chatcmpl-1", created: 1, model: String(body["model"]) };
  if (body["stream"] !== true) {
    say(response, 200, {
      ...head,
      object: "chat.completion",
      choices: [
        {
          index: 0,
          finish_reason: finish,
          message: calls
            ? { role: "assistant", content: "", tool_calls: [call] }
            : { role: "assistant", content: words },
        },
      ],
      usage,
    });
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (more: object): void =>
    void response.write(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", ...more })}\n\n`);
  const delta = (one: object, reason: string | null = null): void =>
    send({ choices: [{ index: 0, delta: one, finish_reason: reason }] });
  if (calls) delta({ role: "assistant", content: null, tool_calls: [{ index: 0, ...call }] });
  else for (const word of words.split(" ")) delta({ content: `${word} ` });
  delta({}, finish);
  send({ choices: [], usage });
  response.end("data: [DONE]\n\n");
}
