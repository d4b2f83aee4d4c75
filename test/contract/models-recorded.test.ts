import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { models } from "../../src/adapters/models/models.ts";
import type { ModelEndpoint } from "../../src/ports/model.ts";
import { startModelServer } from "../support/model-for-tests.ts";
import { overloaded, says } from "../support/scripted-model.ts";
import { ask, call, failureOf, oneEndpoint, READ_FILE, target } from "./models-contract.ts";

/* What a llama-server of 2026 really answered, byte for byte, and what each kind of server says of a model's context. */

const recorded = (name: string): string =>
  readFileSync(join(import.meta.dirname, "../fixtures/llamacpp", name), "utf8");

const replaying = async (name: string) => {
  const body = recorded(name);
  const server = await startModelServer({
    answer: () => ({ kind: "raw", status: 200, headers: { "content-type": "text/event-stream" }, body }),
  });
  return models(oneEndpoint("llamacpp", server.url));
};

test("a recorded answer of llama-server is read, with its usage and why it ended", async () => {
  expect(await call(await replaying("llamacpp-chat-stream.sse"), ask("hello"))).toEqual({
    text: ",",
    calls: [],
    finish: "length",
    usage: { inputTokens: 21, outputTokens: 3, estimated: false },
    microdollars: null,
    model: "agentos-random",
  });
});

test("a recorded tool call of llama-server is put together from its fragments", async () => {
  const answer = await call(
    await replaying("llamacpp-chat-toolcall-stream.sse"),
    ask("Read notes.txt", { tools: [READ_FILE] }),
  );
  expect(answer).toMatchObject({ text: "", finish: "tool_calls", model: "agentos-tiny" });
  expect(answer.calls).toEqual([
    { id: "paTPoe6DJ42xXiH3plfrYyEGgSK0mCDN", name: "read_file", arguments: '{"path": "notes.txt"}' },
  ]);
});

test("a recorded 500 of llama-server is told with its words", async () => {
  const [, body = ""] = recorded("llamacpp-badjson.txt").split(/\r?\n\r?\n/);
  const server = await startModelServer({
    answer: () => ({ kind: "raw", status: 500, headers: { "content-type": "application/json" }, body }),
  });
  expect(await failureOf(call(models(oneEndpoint("llamacpp", server.url)), ask("hello")))).toMatchObject({
    code: "model/unavailable",
    sentence: expect.stringContaining("parse error at line 1, column 2"),
  });
});

const CONTEXTS: readonly (readonly [
  string,
  ModelEndpoint["kind"],
  string,
  Readonly<Record<string, unknown>>,
  number | null,
])[] = [
  [
    "llama-server says what it was started with",
    "llamacpp",
    "",
    { "/props": JSON.parse(recorded("llamacpp-props.json")) },
    2048,
  ],
  [
    "Ollama says what a loaded model was loaded with",
    "ollama",
    "",
    { "/api/ps": { models: [{ name: "scripted:latest", model: "scripted:latest", context_length: 8192 }] } },
    8192,
  ],
  [
    "of a model that is not loaded Ollama knows a num_ctx of its own file",
    "ollama",
    "",
    { "/api/ps": { models: [] }, "/api/show": { parameters: 'stop "<|end|>"\nnum_ctx                        16384' } },
    16384,
  ],
  [
    "what a model was trained for is not what Ollama gives it",
    "ollama",
    "",
    { "/api/ps": { models: [] }, "/api/show": { model_info: { "llama.context_length": 131072 } } },
    null,
  ],
  [
    "LM Studio says it of a loaded model",
    "lmstudio",
    "",
    { "/api/v0/models/scripted": { state: "loaded", loaded_context_length: 4096, max_context_length: 131072 } },
    4096,
  ],
  [
    "and does not of one that is not loaded",
    "lmstudio",
    "",
    { "/api/v0/models/scripted": { state: "not-loaded", max_context_length: 131072 } },
    null,
  ],
  [
    "vLLM lists it",
    "openai-compatible",
    "/v1",
    { "/v1/models": { data: [{ id: "scripted", max_model_len: 32768 }] } },
    32768,
  ],
  [
    "OpenRouter lists it",
    "openai-compatible",
    "/v1",
    { "/v1/models": { data: [{ id: "scripted", context_length: 65536 }] } },
    65536,
  ],
  ["OpenAI does not say", "openai", "/v1", {}, null],
  [
    "Anthropic says it of each model",
    "anthropic",
    "/v1",
    { "/v1/models/scripted": { id: "scripted", max_input_tokens: 200000 } },
    200000,
  ],
  [
    "Google says it of each model",
    "google",
    "/v1beta",
    { "/v1beta/models/scripted": { inputTokenLimit: 1048576 } },
    1048576,
  ],
  ["a server that says nothing of it", "openai-compatible", "/v1", {}, null],
];

for (const [title, kind, below, answers, expected] of CONTEXTS)
  test(`context: ${title}${expected === null ? ": nobody knows" : ""}`, async () => {
    const server = await startModelServer({ answer: () => says("no"), other: ({ path }) => answers[path] ?? null });
    const asked = models(oneEndpoint(kind, `${server.url}${below}`));
    expect(await asked.contextTokens(target())).toBe(expected);
    // What a person says counts where it is less, or where nobody else knows.
    expect(await asked.contextTokens(target({ contextTokens: 1000 }))).toBe(1000);
    expect(await asked.contextTokens(target({ contextTokens: 9_999_999 }))).toBe(expected ?? 9_999_999);
  });

test("a server that is away knows no context, and one that is loading is unavailable", async () => {
  const server = await startModelServer({ answer: () => overloaded() });
  const asked = models(oneEndpoint("llamacpp", server.url));
  expect(await failureOf(call(asked, ask("hello")))).toMatchObject({ code: "model/unavailable" });
  await server.close();
  expect(await asked.contextTokens(target())).toBeNull();
});

test("an answer that goes on only with another request is told as such, and that request is not made", async () => {
  const part = {
    candidates: [
      {
        content: { role: "model", parts: [{ text: "first half" }] },
        finishReason: "CONTINUATION",
        continuationToken: "t",
      },
    ],
  };
  const server = await startModelServer({
    answer: () => ({
      kind: "raw",
      status: 200,
      headers: { "content-type": "text/event-stream" },
      body: `data: ${JSON.stringify(part)}\n\n`,
    }),
  });
  expect(await failureOf(call(models(oneEndpoint("google", `${server.url}/v1beta`)), ask("hello")))).toEqual({
    code: "model/bad-answer",
    sentence: "mine gives this answer only in more than one request",
    facts: {},
  });
  expect(server.requests).toHaveLength(1);
});

test("a redirect is not followed: the key goes nowhere else", async () => {
  const elsewhere = await startModelServer({ answer: () => says("gotcha") });
  const server = await startModelServer({
    answer: () => ({
      kind: "raw",
      status: 307,
      headers: { location: `${elsewhere.url}/v1/chat/completions` },
      body: "",
    }),
  });
  expect(await failureOf(call(models(oneEndpoint("llamacpp", server.url)), ask("hello")))).toMatchObject({
    code: "model/bad-answer",
    sentence: "mine answered 307, which is no answer of a model",
  });
  expect(elsewhere.requests).toEqual([]);
});
