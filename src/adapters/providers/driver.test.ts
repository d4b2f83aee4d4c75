import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { isFailure } from "../../domain/failure.ts";
import { PLATFORMS } from "../../domain/provider-platforms.ts";
import type { ProviderPlace } from "../../ports/providers.ts";
import type { Driver } from "./driver.ts";
import { llamacpp } from "./llamacpp.ts";
import { lmstudio } from "./lmstudio.ts";
import { ollama } from "./ollama.ts";
import { remote } from "./openai.ts";

/** What is answered to a path, its method in front where it is no GET: JSON, or a text with a status of its own. */
type Answers = Readonly<Record<string, unknown>>;
interface Asked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serving(answers: Answers): Promise<{ readonly url: string; readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const path = `${request.method === "GET" ? "" : `${request.method} `}${request.url}`;
    asked.push({ path, headers: request.headers, body });
    const answer = answers[path];
    if (answer instanceof Status) response.writeHead(answer.code).end(answer.text);
    else if (answer === undefined) response.writeHead(404).end("404 page not found");
    else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

class Status {
  readonly code: number;
  readonly text: string;
  constructor(code: number, text: string) {
    this.code = code;
    this.text = text;
  }
}

const NOWHERE = "http://127.0.0.1:9";
const place = (kind: ProviderPlace["kind"], more: Partial<ProviderPlace> = {}): ProviderPlace => ({
  id: "mine",
  kind,
  baseUrl: NOWHERE,
  key: async () => null,
  executable: null,
  modelsDirectory: null,
  modelFile: null,
  contextTokens: null,
  ...more,
});

/** What a person is told when it does not work. */
async function told(doing: Promise<unknown>) {
  const error = await doing.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!isFailure(error)) throw new Error("it did not fail as something a person can act on", { cause: error });
  return { code: error.code, detail: error.message, next: error.next };
}

const model = (id: string, contextTokensMax: number | null) => ({
  id,
  where: "server",
  bytes: null,
  loaded: null,
  tools: null,
  contextTokensMax,
});

describe("an API somewhere", () => {
  test("says how large its contexts are under the name its kind of server has for it", async () => {
    const { url } = await serving({
      "/v1/models": {
        data: [
          { id: "vllm", max_model_len: 32_768 },
          { id: "router", context_length: 200_000 },
          { id: "claude", max_input_tokens: 1_000_000 },
          { id: "silent", context_length: null },
        ],
      },
    });
    const at = (contextTokens: number | null = null) =>
      place("openai-compatible", { baseUrl: `${url}/v1`, contextTokens });
    expect(await remote.models(at())).toEqual([
      model("vllm", 32_768),
      model("router", 200_000),
      model("claude", 1_000_000),
      model("silent", null),
    ]);
    expect(await remote.window(at(), "vllm")).toEqual({ tokens: 32_768, most: 32_768 });
    expect(await remote.window(at(8_192), "vllm")).toEqual({ tokens: 8_192, most: 32_768 });
    expect(await remote.window(at(), "unknown")).toEqual({ tokens: null, most: null });
  });

  test("of Google lists its models in its own form, and is shown the key in its own header", async () => {
    const { url, asked } = await serving({
      "/v1beta/models?pageSize=1000": {
        models: [{ name: "models/gemini-2.5-pro", inputTokenLimit: 1_048_576 }, { name: "models/aqa" }],
      },
    });
    const google = place("google", { baseUrl: `${url}/v1beta`, key: async () => "g-key" });
    expect(await remote.models(google)).toEqual([model("gemini-2.5-pro", 1_048_576), model("aqa", null)]);
    expect(asked.map(({ headers }) => [headers["x-goog-api-key"], headers.authorization])).toEqual([
      ["g-key", undefined],
    ]);
  });

  test.each(["a-key", null])("of Anthropic is told its version with the key %j", async (key) => {
    const { url, asked } = await serving({ "/v1/models?limit=1000": { data: [{ id: "claude" }] } });
    const anthropic = place("anthropic", { baseUrl: `${url}/v1`, key: async () => key });
    expect(await remote.models(anthropic)).toEqual([model("claude", null)]);
    expect(
      asked.map(({ headers }) => [headers["x-api-key"], headers["anthropic-version"], headers.authorization]),
    ).toEqual([[key ?? undefined, "2023-06-01", undefined]]);
  });

  test("is asked, and that is all: nothing is pulled into it, and it is not started", async () => {
    expect(await told(remote.pull(place("openai"), "gpt"))).toEqual({
      code: "provider/refused",
      detail: "mine has its models already; nothing can be pulled into it from here",
      next: "agentos provider models mine lists them.",
    });
    expect(await told(remote.launch(place("openai")))).toEqual({
      code: "provider/refused",
      detail: "mine is not a server that AgentOS can start",
      next: "Start it where it runs; AgentOS only asks it.",
    });
  });

  test.each([
    ["a refused key", 401, "{}", "model/refused", "mine refused the key, or wants one (HTTP 401)"],
    ["a forbidden one", 403, "{}", "model/refused", "mine refused the key, or wants one (HTTP 403)"],
    ["trouble of its own", 500, "oh", "provider/failed", "mine answered HTTP 500 to /models"],
    [
      "no JSON",
      200,
      "<html>",
      "provider/failed",
      expect.stringMatching(/^what mine answered to \/models is not what this kind of provider answers \(: .+\)$/),
    ],
    [
      "JSON of another form",
      200,
      '{"data": [{"id": 7}]}',
      "provider/failed",
      expect.stringMatching(
        /^what mine answered to \/models is not what this kind of provider answers \(data\.0\.id: .+\)$/,
      ),
    ],
  ])("that answers with %s is said to do so", async (_, code, text, failure, detail) => {
    const { url } = await serving({ "/models": new Status(code, text) });
    expect(await told(remote.models(place("openai", { baseUrl: url })))).toMatchObject({ code: failure, detail });
  });

  test("where nobody listens does not answer", async () =>
    expect(await told(remote.models(place("openai")))).toEqual({
      code: "model/unavailable",
      detail: `mine does not answer at ${NOWHERE} (ECONNREFUSED)`,
      next: "agentos provider show mine says how it stands.",
    }));
});

describe("Ollama", () => {
  const tags = {
    models: [
      { name: "small:latest", size: 1_300, capabilities: ["completion", "tools"] },
      { name: "older:7b", capabilities: ["completion"] },
      { name: "bare" },
    ],
  };

  test("lists its models, with what it says of them and which of them is loaded", async () => {
    const { url } = await serving({ "/api/tags": tags, "/api/ps": { models: [{ name: "small:latest" }] } });
    const listed = { where: "server", contextTokensMax: null };
    expect(await ollama.models(place("ollama", { baseUrl: url }))).toEqual([
      { ...listed, id: "small:latest", bytes: 1_300, loaded: true, tools: true },
      { ...listed, id: "older:7b", bytes: null, loaded: false, tools: false },
      { ...listed, id: "bare", bytes: null, loaded: false, tools: null },
    ]);
  });

  test.each([
    ["of a loaded model is the one it runs with", [{ name: "small:latest", context_length: 4_096 }], 4_096],
    ["of another is what its own file asks for", [{ name: "other", context_length: 1_024 }], 16_384],
  ])("says the context: %s", async (_, models, tokens) => {
    const { url, asked } = await serving({
      "POST /api/show": { parameters: 'stop "x"\nnum_ctx    16384\n', model_info: { "llama.context_length": 131_072 } },
      "/api/ps": { models },
    });
    expect(await ollama.window(place("ollama", { baseUrl: url }), "small")).toEqual({ tokens, most: 131_072 });
    expect(asked.find(({ path }) => path === "POST /api/show")?.body).toBe('{"model":"small"}');
  });

  test("says no context where it says nothing of it", async () => {
    const { url } = await serving({
      "POST /api/show": { model_info: { "llama.context_length": "large" } },
      "/api/ps": { models: [] },
    });
    expect(await ollama.window(place("ollama", { baseUrl: url }), "small")).toEqual({ tokens: null, most: null });
  });

  const pulled = async (...lines: readonly string[]) => {
    const { url } = await serving({ "POST /api/pull": new Status(200, lines.join("\n")) });
    return ollama.pull(place("ollama", { baseUrl: url }), "small");
  };

  test("has pulled a model when it says so, whatever else it said on the way", async () =>
    expect(
      await pulled('{"status":"pulling manifest"}', "no JSON", '["neither"]', '{"total":7}', '{"status":"success"}'),
    ).toBe("success"));

  test("that stops in the middle has not pulled it", async () =>
    expect(await told(pulled('{"status":"pulling manifest"}', '{"status":"pulling 5f1a"}'))).toEqual({
      code: "provider/failed",
      detail: "pulling small broke off at “pulling 5f1a”",
      next: "Try again: what came already is kept.",
    }));

  test("that refuses to pull is not taken at its last word", async () =>
    expect(
      await told(pulled('{"status":"pulling manifest"}', '{"error":"file does not exist"}', '{"status":"success"}')),
    ).toMatchObject({ code: "provider/failed", detail: "mine could not pull small: file does not exist" }));

  test("is started at its address, with the models and the context that were asked for", async () => {
    const found = place("ollama", { executable: "/usr/bin/ollama", baseUrl: "http://127.0.0.1:11500" });
    expect(await ollama.launch(found)).toEqual({
      how: "process",
      argv: ["/usr/bin/ollama", "serve"],
      environment: { OLLAMA_HOST: "127.0.0.1:11500" },
    });
    expect(await ollama.launch({ ...found, modelsDirectory: "/models", contextTokens: 32_768 })).toMatchObject({
      environment: {
        OLLAMA_HOST: "127.0.0.1:11500",
        OLLAMA_MODELS: "/models",
        OLLAMA_CONTEXT_LENGTH: "32768",
      },
    });
  });

  test("is not started where its program is missing", async () =>
    expect(await told(ollama.launch(place("ollama")))).toEqual({
      code: "provider/refused",
      detail: "the program of mine was not found on this machine",
      next: "agentos provider set mine --executable PATH",
    }));
});

describe("llama-server", () => {
  const program = place("llamacpp", { executable: "/opt/llama-server", baseUrl: "http://127.0.0.1:8080" });
  const directory = mkdtempSync(join(tmpdir(), "agentos-llama-"));
  afterAll(() => rmSync(directory, { recursive: true }));

  test("lists its models, those of a router with whether they are loaded", async () => {
    const { url } = await serving({
      "/v1/models": {
        data: [
          { id: "one", meta: { n_ctx: 2_048, n_ctx_train: 4_096, size: 1_000 } },
          { id: "two", status: { value: "loaded" }, meta: null },
          { id: "three", status: { value: "unloaded" } },
        ],
      },
    });
    const at = place("llamacpp", { baseUrl: url });
    const listed = { where: "server", bytes: null, tools: null, contextTokensMax: null };
    expect(await llamacpp.models(at)).toEqual([
      { ...listed, id: "one", bytes: 1_000, loaded: true, contextTokensMax: 4_096 },
      { ...listed, id: "two", loaded: true },
      { ...listed, id: "three", loaded: false },
    ]);
    expect(await llamacpp.window(at, "one")).toEqual({ tokens: 2_048, most: 4_096 });
    expect(await llamacpp.window(at, "two")).toEqual({ tokens: null, most: null });
  });

  test("has the context of one conversation where it says that", async () => {
    const { url } = await serving({
      "/v1/models": { data: [{ id: "one", meta: { n_ctx: 8_192, n_ctx_train: 131_072 } }] },
      "/props": { default_generation_settings: { n_ctx: 2_048 } },
    });
    expect(await llamacpp.window(place("llamacpp", { baseUrl: url }), "one")).toEqual({ tokens: 2_048, most: 131_072 });
  });

  test("is started with the models of a directory where no file is named", async () =>
    expect(
      await llamacpp.launch({
        ...program,
        modelsDirectory: directory,
        baseUrl: "http://[::1]:8081",
        contextTokens: 4_096,
      }),
    ).toEqual({
      how: "process",
      argv: [
        ...["/opt/llama-server", "--models-dir", directory],
        ...["--host", "::1", "--port", "8081", "--jinja", "-c", "4096"],
      ],
      environment: {},
    }));

  test("is started with the file that is named, whatever else lies there", async () => {
    const modelFile = join(directory, "m.gguf");
    writeFileSync(modelFile, "GGUF");
    const named = { ...program, modelFile, modelsDirectory: directory, baseUrl: "http://127.0.0.1" };
    expect(await llamacpp.launch(named)).toMatchObject({
      argv: ["/opt/llama-server", "-m", modelFile, "--host", "127.0.0.1", "--port", "80", "--jinja"],
    });
    expect(await told(llamacpp.launch({ ...named, modelFile: directory }))).toMatchObject({
      detail: `there is no model file at ${directory}`,
    });
  });

  test("is not started without a model, nor at a path", async () => {
    const unsaid = {
      code: "provider/refused",
      detail: "it is not said which model mine serves",
      next: "agentos provider set mine --model-file FILE.gguf (agentos provider models mine lists the files it finds)",
    };
    expect(await told(llamacpp.launch(program))).toEqual(unsaid);
    expect(await told(llamacpp.launch({ ...program, modelsDirectory: join(directory, "gone") }))).toEqual(unsaid);
    expect(await told(llamacpp.launch({ ...program, baseUrl: "http://127.0.0.1:8080/v1" }))).toEqual({
      code: "provider/refused",
      detail: "http://127.0.0.1:8080/v1 has a path, and a llama-server is started at a port",
      next: "agentos provider set mine --port PORT",
    });
  });

  test("fetches no model: it is said where one goes", async () => {
    expect((await told(llamacpp.pull(program, "m"))).next).toContain("for example into a directory of its own, and");
    expect((await told(llamacpp.pull({ ...program, modelsDirectory: "/models" }, "m"))).next).toContain(
      "for example into /models, and",
    );
  });
});

describe("LM Studio", () => {
  const on = (app: string | null, platform: keyof typeof PLATFORMS = "linux"): Driver =>
    lmstudio(PLATFORMS[platform], {}, async () => app);

  test("lists what is no embedding, in today's form", async () => {
    const { url } = await serving({
      "/api/v1/models": {
        models: [
          {
            type: "llm",
            key: "qwen",
            size_bytes: 1_000,
            loaded_instances: [{ id: "qwen", config: { context_length: 8_192 } }],
            max_context_length: 131_072,
            capabilities: { vision: false, trained_for_tool_use: true },
          },
          { type: "llm", key: "plain" },
          { type: "embedding", key: "nomic" },
        ],
      },
    });
    const at = place("lmstudio", { baseUrl: url });
    expect(await on(null).models(at)).toEqual([
      { id: "qwen", where: "server", bytes: 1_000, loaded: true, tools: true, contextTokensMax: 131_072 },
      { id: "plain", where: "server", bytes: null, loaded: false, tools: null, contextTokensMax: null },
    ]);
    expect(await on(null).window(at, "qwen")).toEqual({ tokens: 8_192, most: 131_072 });
    expect(await on(null).window(at, "nomic")).toEqual({ tokens: null, most: null });
  });

  test.each([
    ["says 404 to today's path", undefined],
    ["says 200 and that it does not know today's path", { error: "Unexpected endpoint or method." }],
  ])("lists them in its older form, where it %s", async (_, answer) => {
    const { url } = await serving({
      "/api/v1/models": answer,
      "/api/v0/models": {
        data: [
          {
            id: "qwen",
            type: "llm",
            state: "loaded",
            max_context_length: 32_768,
            loaded_context_length: 8_192,
            capabilities: ["tool_use"],
          },
          { id: "plain", type: "vlm", state: "not-loaded", capabilities: [] },
          { id: "bare", type: "llm" },
          { id: "nomic", type: "embeddings" },
        ],
      },
    });
    const at = place("lmstudio", { baseUrl: url });
    const listed = { where: "server", bytes: null };
    expect(await on(null).models(at)).toEqual([
      { ...listed, id: "qwen", loaded: true, tools: true, contextTokensMax: 32_768 },
      { ...listed, id: "plain", loaded: false, tools: false, contextTokensMax: null },
      { ...listed, id: "bare", loaded: null, tools: null, contextTokensMax: null },
    ]);
    expect(await on(null).window(at, "qwen")).toEqual({ tokens: 8_192, most: 32_768 });
  });

  test("is started by its command, where there is one", async () => {
    const at = place("lmstudio", { executable: "/home/ada/.lmstudio/bin/lms", baseUrl: "http://127.0.0.1:1234" });
    expect(await on("/opt/app").launch(at)).toEqual({
      how: "service",
      argv: [at.executable, "server", "start", "--port", "1234", "--bind", "127.0.0.1"],
    });
  });

  test("is opened as the application that it is, where its command is missing", async () =>
    expect(await on("/Applications/LM Studio.app", "darwin").launch(place("lmstudio"))).toMatchObject({
      how: "app",
      argv: ["open", "-a", "/Applications/LM Studio.app"],
    }));

  test("is to be installed where neither is there", async () =>
    expect(await told(on(null).launch(place("lmstudio")))).toEqual({
      code: "provider/refused",
      detail: "neither LM Studio nor its command lms was found on this machine",
      next: "Install LM Studio: https://lmstudio.ai (an AppImage), start it once, and it brings its command lms.",
    }));
});
