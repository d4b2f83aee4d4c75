import { describe, expect, test } from "vitest";
import { models } from "../../src/adapters/models/models.ts";
import { isFailure } from "../../src/domain/failure.ts";
import type { ModelParameters, ModelTarget } from "../../src/domain/model-policy.ts";
import type { ModelAnswer, ModelEndpoint, ModelRequest, Models } from "../../src/ports/model.ts";
import { startModelServer } from "../support/model-for-tests.ts";
import type { ModelServer } from "../support/model-server.ts";
import {
  breaksOff,
  calls,
  callsWithBrokenArguments,
  emptyBody,
  failsInside,
  failsMidway,
  held,
  knowsNoModel,
  neverEnds,
  notAStream,
  overflows,
  overloaded,
  rateLimited,
  refusesKey,
  type Scripted,
  says,
  saysNothing,
  takesNoRequest,
} from "../support/scripted-model.ts";

export interface Kind {
  readonly kind: ModelEndpoint["kind"];
  /** What stands between the server's root and the API. */
  readonly below: string;
  readonly dialect: "chat" | "responses" | "messages" | "google";
  /** Arguments are text there, which may be broken. */
  readonly textArguments: boolean;
  readonly keyHeader: string;
}

export const KEY = "sk-test+key/9=47";
export const MODEL = "scripted";
const NEVER = new Promise<never>(() => {});
const LIMITS = { connectMs: 2_000, firstByteMs: 10_000, silenceMs: 10_000, wholeMs: 20_000 };

export const READ_FILE = {
  name: "read_file",
  description: "Reads a file",
  parameters: {
    type: "object",
    properties: { path: { type: "string" } },
    required: ["path"],
    additionalProperties: false,
  },
} as const;

export const ask = (text: string, more: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [{ role: "user", text }],
  tools: [],
  toolChoice: "auto",
  output: null,
  ...more,
});

export const target = (parameters: ModelParameters = {}, model = MODEL): ModelTarget => ({
  provider: "mine",
  model,
  parameters,
});

export const oneEndpoint = (kind: ModelEndpoint["kind"], baseUrl: string, more: Partial<ModelEndpoint> = {}) => ({
  endpoint: async (): Promise<ModelEndpoint> => ({ kind, baseUrl, key: async () => KEY, prices: {}, ...more }),
});

export const call = (
  asked: Models,
  request: ModelRequest,
  { to = target(), signal = new AbortController().signal, onText = (_: string): void => {} } = {},
): Promise<ModelAnswer> => asked.call(to, request, { signal, onText });

/** What a person would see of a failed call. */
export async function failureOf(calling: Promise<unknown>) {
  const error = await calling.then(
    (answer) => ({ answered: answer }),
    (reason: unknown) => reason,
  );
  if (!isFailure(error)) return error;
  return { code: error.code, sentence: error.message, facts: error.facts };
}

/** Everything a `Models` promises, for one kind of endpoint, against a server that speaks its dialect. */
export function modelsContract({ kind, below, dialect, textArguments, keyHeader }: Kind): void {
  const open = async (answer: Scripted, more: Partial<ModelEndpoint> = {}, limits = LIMITS) => {
    const server = await startModelServer({ answer: () => answer });
    return { server, asked: models(oneEndpoint(kind, `${server.url}${below}`, more), limits) };
  };
  const failing = async (answer: Scripted, limits = LIMITS, to = target()) => {
    const { server, asked } = await open(answer, {}, limits);
    const failure = await failureOf(call(asked, ask("hello"), { to }));
    return { server, failure };
  };
  const oneRequest = (server: ModelServer): void => {
    expect(server.requests.map((request) => request.dialect)).toEqual([dialect]);
    expect(server.others).toEqual([]);
  };

  describe(`models of ${kind}`, () => {
    test("an answer comes in pieces and then whole, with usage, cost, and what answered", async () => {
      const { server, asked } = await open(
        { ...says("Hel", "lo ", "there"), model: "scripted-2026" },
        { prices: { [MODEL]: { input: 3_000_000, output: 15_000_000 } } },
      );
      const heard: string[] = [];
      const answer = await call(asked, ask("hello"), { onText: (delta) => void heard.push(delta) });
      expect(answer).toEqual({
        text: "Hello there",
        calls: [],
        finish: "stop",
        usage: { inputTokens: 12, outputTokens: 5, estimated: false },
        microdollars: 12 * 3 + 5 * 15,
        model: "scripted-2026",
      });
      expect(heard).toEqual(["Hel", "lo ", "there"]);
      oneRequest(server);
    });

    test("the whole conversation is said, and the key in its header alone", async () => {
      const { server, asked } = await open(says("done"));
      await call(
        asked,
        ask("", {
          messages: [
            { role: "system", text: "Be brief." },
            { role: "user", text: "Read it" },
            { role: "assistant", text: "Yes.", calls: [{ id: "c1", name: "read_file", arguments: '{"path":"a"}' }] },
            { role: "tool", call: "c1", name: "read_file", text: "inside a" },
            { role: "user", text: "And?" },
          ],
          tools: [READ_FILE],
          toolChoice: "required",
        }),
        { to: target({ temperature: 0.5, topP: 0.9, outputTokensMax: 99 }) },
      );
      const [seen] = server.requests;
      const said = seen?.messages.flatMap(({ role, text, calls: called }) => [
        ...(text === "" ? [] : [`${role}: ${text}`]),
        ...called.map((one) => `${role} calls ${one.name} ${one.arguments}`),
      ]);
      expect(said).toEqual([
        "system: Be brief.",
        "user: Read it",
        "assistant: Yes.",
        'assistant calls read_file {"path":"a"}',
        "tool: inside a",
        "user: And?",
      ]);
      expect({ model: seen?.model, tools: seen?.tools, streamed: seen?.streamed }).toEqual({
        model: MODEL,
        tools: ["read_file"],
        streamed: true,
      });
      const { [keyHeader]: header, ...others } = seen?.headers ?? {};
      expect(header).toBe(keyHeader === "authorization" ? `Bearer ${KEY}` : KEY);
      expect(JSON.stringify([others, seen?.body, seen?.path])).not.toContain("sk-test");
      expect(others["user-agent"]).toBe("agentos");
    });

    test("without a key none is sent, whatever stands in the environment", async () => {
      for (const name of [
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "GOOGLE_GENERATIVE_AI_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
      ])
        process.env[name] = "sk-ambient";
      try {
        const { server, asked } = await open(says("hi"), { key: async () => null });
        await call(asked, ask("hello"));
        const [seen] = server.requests;
        expect(seen?.headers[keyHeader]).toBeUndefined();
        expect(JSON.stringify(seen?.headers)).not.toContain("sk-ambient");
      } finally {
        for (const name of [
          "OPENAI_API_KEY",
          "ANTHROPIC_API_KEY",
          "GOOGLE_GENERATIVE_AI_API_KEY",
          "ANTHROPIC_AUTH_TOKEN",
        ])
          delete process.env[name];
      }
    });

    test("tool calls whose arguments come in fragments are whole, in their order", async () => {
      const { asked } = await open(
        calls(["read_file", { path: "notes/a long name.txt" }], ["read_file", { path: "b" }]),
      );
      const answer = await call(asked, ask("Read both", { tools: [READ_FILE] }));
      expect(answer.finish).toBe("tool_calls");
      expect(answer.calls.map(({ name, arguments: args }) => [name, JSON.parse(args)])).toEqual([
        ["read_file", { path: "notes/a long name.txt" }],
        ["read_file", { path: "b" }],
      ]);
      expect(new Set(answer.calls.map(({ id }) => id)).size).toBe(2);
    });

    // Where arguments are objects, there is no way to send broken ones.
    if (textArguments)
      test("arguments that are no JSON are handed on as they were written", async () => {
        const { asked } = await open(callsWithBrokenArguments("read_file"));
        const answer = await call(asked, ask("Read", { tools: [READ_FILE] }));
        expect(answer.calls.map(({ name, arguments: args }) => [name, args])).toEqual([
          ["read_file", '{"path": "notes.txt'],
        ]);
        const again = await open(says("ok"));
        await call(
          again.asked,
          ask("", {
            messages: [
              { role: "user", text: "Read" },
              { role: "assistant", text: "", calls: answer.calls },
            ],
          }),
        );
        expect(again.server.requests[0]?.messages.at(-1)?.calls).toEqual([
          { name: "read_file", arguments: JSON.stringify({ not_a_json_object: '{"path": "notes.txt' }) },
        ]);
      });

    test("structured output is asked for with its schema", async () => {
      const { server, asked } = await open(says('{"answer":', "42}"));
      const schema = {
        type: "object",
        properties: { answer: { type: "number", description: "the-number" } },
        required: ["answer"],
        additionalProperties: false,
      };
      const answer = await call(asked, ask("How many?", { output: { name: "count", schema } }));
      expect(JSON.parse(answer.text)).toEqual({ answer: 42 });
      expect(JSON.stringify(server.requests[0]?.body)).toContain("the-number");
    });

    test("what a provider does not count is estimated, and said to be; without a price there is no cost", async () => {
      const { asked } = await open({ ...says("12345678"), usage: null });
      const answer = await call(asked, ask("123456789012"));
      expect([answer.usage, answer.microdollars]).toEqual([{ inputTokens: 3, outputTokens: 2, estimated: true }, null]);
    });

    test("an answer cut at its length or filtered says so; one that says nothing is an answer", async () => {
      for (const finish of ["length", "content_filter"] as const) {
        const { asked } = await open({ ...says("no"), finish });
        expect((await call(asked, ask("go on"))).finish).toBe(finish);
      }
      const { asked } = await open(saysNothing());
      expect(await call(asked, ask("hello"))).toMatchObject({ text: "", calls: [], finish: "stop" });
    });

    test("a refused key, an unknown model, a refused request, a failing and a loading server are told apart", async () => {
      const told = [];
      for (const answer of [refusesKey(), knowsNoModel(), takesNoRequest(), failsInside(), overloaded()]) {
        const { server, failure } = await failing(answer);
        oneRequest(server);
        told.push(failure);
      }
      expect(told).toEqual([
        {
          code: "model/refused",
          sentence: "mine refuses the request (401): it does not take the key: invalid key",
          facts: {},
        },
        { code: "model/not-found", sentence: "mine has no model scripted: model 'scripted' not found", facts: {} },
        { code: "model/invalid", sentence: "mine does not take the request (400): temperature: too hot", facts: {} },
        { code: "model/unavailable", sentence: "mine failed (500): the engine fell over", facts: {} },
        { code: "model/unavailable", sentence: "mine failed (503): Loading model", facts: {} },
      ]);
    });

    test("too many requests say when to come back, in seconds or as a date, and are not repeated", async () => {
      const { server, failure } = await failing(rateLimited("7"));
      expect(failure).toEqual({
        code: "model/rate-limited",
        sentence: "mine takes no more requests now (429): too many requests",
        facts: { retryAfterMs: 7000 },
      });
      oneRequest(server);
      const dated = await failing(rateLimited(new Date(Date.now() + 90_000).toUTCString()));
      expect(dated.failure).toMatchObject({ code: "model/rate-limited", facts: { retryAfterMs: expect.any(Number) } });
      const silent = await failing(rateLimited(null));
      expect(silent.failure).toMatchObject({ code: "model/rate-limited", facts: {} });
    });

    test("a conversation too long for it is told as such", async () => {
      const { failure } = await failing(overflows(kind));
      expect(failure).toMatchObject({ code: "model/context-overflow" });
    });

    test("an answer broken off is none, whether the connection is cut or an error comes inside", async () => {
      const cut = await failing(breaksOff());
      expect(cut.failure).toEqual({
        code: "model/bad-answer",
        sentence: "mine broke off in the middle of its answer",
        facts: {},
      });
      oneRequest(cut.server);
      expect((await failing(failsMidway("out of memory", "odd_error"))).failure).toMatchObject({
        sentence: expect.stringContaining("out of memory"),
      });
      const long = await failing(failsMidway("prompt is too long: 9 tokens > 8 maximum", "odd_error"));
      expect(long.failure).toMatchObject({ code: "model/context-overflow" });
    });

    test("a web page and an empty body are no answers", async () => {
      for (const answer of [notAStream(), emptyBody()]) {
        const { server, failure } = await failing(answer);
        expect(failure).toMatchObject({ code: "model/bad-answer" });
        oneRequest(server);
      }
    });

    test("an answer without an end is stopped at the bound, and the provider is hung up on", async () => {
      const { server, failure } = await failing(neverEnds("on and on ".repeat(400)));
      expect(failure).toMatchObject({ code: "model/endless" });
      await server.idle();
    });

    test("nobody there is told with the address", async () => {
      const { server, asked } = await open(says("never"));
      await server.close();
      expect(await failureOf(call(asked, ask("hello")))).toEqual({
        code: "model/unavailable",
        sentence: `mine does not answer at ${server.url} (ECONNREFUSED)`,
        facts: {},
      });
    });

    test("canceled before, while it waits and in the middle, it rejects with the reason and hangs up", async () => {
      const reason = new Error("the task was canceled");
      const early = await open(says("never"));
      expect(await failureOf(call(early.asked, ask("hello"), { signal: AbortSignal.abort(reason) }))).toBe(reason);
      expect(early.server.requests).toEqual([]);

      const waiting = await open(held(NEVER));
      const stop = new AbortController();
      const failure = failureOf(call(waiting.asked, ask("hello"), { signal: stop.signal }));
      await waiting.server.seen(1);
      stop.abort(reason);
      expect(await failure).toBe(reason);
      await waiting.server.idle();

      const talking = await open(held(NEVER, "words", says("one ", "two ", "three ")));
      const halt = new AbortController();
      expect(
        await failureOf(call(talking.asked, ask("hello"), { signal: halt.signal, onText: () => halt.abort(reason) })),
      ).toBe(reason);
      await talking.server.idle();
    });

    test("each wait has its limit: the first byte, silence, the whole call", async () => {
      const short = { connectMs: 2_000, firstByteMs: 10_000, silenceMs: 10_000, wholeMs: 20_000 };
      const told = [];
      for (const [answer, limits, to] of [
        [held(NEVER), { ...short, firstByteMs: 60 }, target()],
        [held(NEVER, "headers"), { ...short, firstByteMs: 60 }, target()],
        [held(NEVER, "words", says("one ", "two ", "three ")), { ...short, silenceMs: 60 }, target()],
        [held(NEVER, "words", says("one ", "two ", "three ")), short, target({ timeoutMs: 120 })],
      ] as const) {
        const { server, failure } = await failing(answer, limits, to);
        await server.idle();
        told.push(failure);
      }
      expect(told.slice(0, 3)).toEqual(
        [
          "did not begin to answer within 60 ms",
          "did not begin to answer within 60 ms",
          "fell silent in its answer: nothing came within 60 ms",
        ].map((words) => ({ code: "model/timeout", sentence: `mine ${words}`, facts: {} })),
      );
      expect(told[3]).toMatchObject({ code: "model/timeout" });
    });

    test("what the provider says of its trouble is told short, on one line, and without the key", async () => {
      const encoded = Buffer.from(`user:${KEY}`).toString("base64");
      const words = `bad key ${KEY} (${encodeURIComponent(KEY)}, ${encoded})\u001b[31m\nnext${"x".repeat(1000)}`;
      for (const answer of [refusesKey(words), failsInside(words), failsMidway(words, "odd_error")]) {
        const { failure } = await failing(answer);
        const { sentence } = failure as { sentence: string };
        expect(sentence.length).toBeLessThan(450);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is asked
        expect(sentence).not.toMatch(/[\u0000-\u001f]/);
        for (const form of [KEY, encodeURIComponent(KEY), encoded.slice(8, -4), "key/9"])
          expect(sentence).not.toContain(form);
      }
    });

    test("what the listener throws is the caller's own, and ends the request", async () => {
      const { server, asked } = await open(held(NEVER, "words", says("one ", "two ", "three ")));
      const bug = new TypeError("a bug of the listener");
      const failure = await failureOf(
        call(asked, ask("hello"), {
          onText: () => {
            throw bug;
          },
        }),
      );
      expect(failure).toBe(bug);
      await server.idle();
    });
  });
}
