import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { localProviders } from "../../src/adapters/providers/providers.ts";
import { secrets } from "../../src/adapters/secrets/secrets.ts";
import { Failure } from "../../src/domain/failure.ts";
import type { ProbeResult } from "../../src/domain/provider-facts.ts";
import { PLATFORMS } from "../../src/domain/provider-platforms.ts";
import { providerStream } from "../../src/domain/stream.ts";
import type { ModelRequest, Models } from "../../src/ports/model.ts";
import { type FakeServer, ollamaServer, serve } from "../support/fake-providers.ts";
import { ADA, type Rig, room, startRig } from "./task-kit.ts";

/* What a probe finds out about models that are of no use for agents; what the model says to each question is a script. */

type Question = "one tool" | "its result" | "many tools" | "speed";
type Said = { readonly name: string; readonly arguments: string } | { readonly text: string };
const RIGHT: Said = { name: "read_file", arguments: '{"path":"notes.txt"}' };
/** As many as the provider would count of a request that it took whole. */
const WHOLE = 40_000;

let rig: Rig;
let answer: (question: Question) => Said;
const servers: FakeServer[] = [];
const asked: Question[] = [];

const questionOf = ({ tools, messages }: ModelRequest): Question =>
  tools.length === 0 ? "speed" : tools.length > 1 ? "many tools" : messages.length > 1 ? "its result" : "one tool";

const models: Models = {
  contextTokens: async () => null,
  async call({ model }, request) {
    const question = questionOf(request);
    asked.push(question);
    const said = answer(question);
    return {
      text: "text" in said ? said.text : "",
      calls: "name" in said ? [{ id: "c1", ...said }] : [],
      finish: "name" in said ? "tool_calls" : "stop",
      usage: { inputTokens: WHOLE, outputTokens: 2, estimated: false },
      microdollars: null,
      model,
    };
  },
};

beforeAll(async () => {
  const ollama = await ollamaServer({});
  const empty = await serve((_, response) => void response.end(JSON.stringify({ object: "list", data: [] })));
  servers.push(ollama, empty);
  const home = room();
  const environment = { PATH: "/nonexistent", OLLAMA_HOST: `127.0.0.1:${ollama.port}` };
  rig = await startRig(
    {
      models,
      providers: localProviders({ home, personHome: home, platform: PLATFORMS.linux, environment }),
      secrets: secrets({ home, environment: () => undefined, keychain: async () => null }),
    },
    { home },
  );
  await rig.system.cases.providers.add(ADA, { id: "empty", kind: "openai-compatible", baseUrl: `${empty.url}/v1` });
});
afterAll(async () => {
  for (const server of servers) await server.close();
});

const probe = (id: string, model: string | null = null): Promise<ProbeResult> =>
  rig.system.cases.providers.probe(ADA, id, model, new AbortController().signal);
const found = async (said: (question: Question) => Said) => {
  answer = said;
  asked.length = 0;
  const { model, toolCall, detail, tokensPerSecond, change } = await probe("ollama");
  return { model, toolCall, detail, tokensPerSecond, change, asked: [...asked] };
};

const USUAL = { model: "small:latest", tokensPerSecond: null, asked: ["one tool", "speed"] };
const OTHER_MODEL = ["Name a model that was trained to call tools."];

describe("a probe", () => {
  it("takes the model that says it can call tools, and asks it all four things", async () => {
    expect(await found((question) => (question === "speed" ? { text: "one" } : RIGHT))).toEqual({
      ...USUAL,
      toolCall: "works",
      detail: "the tool call works, also among many tools",
      change: [],
      asked: ["one tool", "its result", "many tools", "speed"],
    });
  });

  it("says of a call that was not the one asked for what was wrong with it", async () => {
    const wrong = async (said: Said) =>
      (await found((question) => (question === "speed" ? { text: "one" } : said))).detail;
    expect([
      await wrong({ name: "write_file", arguments: '{"path":"notes.txt"}' }),
      await wrong({ name: "read_file", arguments: "notes.txt" }),
      await wrong({ name: "read_file", arguments: '{"path":"other.txt"}' }),
      await wrong({ name: "read_file", arguments: "null" }),
    ]).toEqual([
      "its tool call was not the one asked for (it called write_file)",
      "its tool call was not the one asked for (its arguments were notes.txt)",
      'its tool call was not the one asked for (its arguments were {"path":"other.txt"})',
      "its tool call was not the one asked for (its arguments were null)",
    ]);
    expect(await found(() => ({ text: "I cannot read." }))).toEqual({
      ...USUAL,
      toolCall: "no_call",
      detail: "it answered with text where a tool call was asked for",
      change: OTHER_MODEL,
    });
  });

  it("is over at once where the call fails, and says why; how fast it is is only nice to know", async () => {
    const refusing = (question: Question): Said => {
      if (question === "one tool") throw new Failure("model/refused", "the provider wants a key");
      return { text: "one" };
    };
    expect(await found(refusing)).toEqual({
      ...USUAL,
      toolCall: "failed",
      detail: "the call failed: the provider wants a key",
      change: [],
      asked: ["one tool"],
    });
    const mute = (question: Question): Said => {
      if (question === "speed") throw new Failure("model/timeout", "it did not answer in time");
      return RIGHT;
    };
    expect((await found(mute)).toolCall).toBe("works");
    const small = (question: Question): Said => {
      if (question === "many tools") throw new Failure("model/context-overflow", "that is too long");
      return question === "speed" ? { text: "one" } : RIGHT;
    };
    expect((await found(small)).detail).toBe(
      "the tool call works; many tools do not fit into its context, which it says",
    );
  });

  it("says nothing of a model where nobody can be asked, and lets a bug through as one", async () => {
    const noted = async () => (await rig.system.store.latest(providerStream("ollama")))?.seq;
    const before = await noted();
    answer = () => {
      throw new Failure("model/none", "no model is configured");
    };
    await expect(probe("ollama")).rejects.toMatchObject({ code: "model/none" });
    answer = (question) => {
      if (question === "speed") throw new TypeError("a bug");
      return RIGHT;
    };
    await expect(probe("ollama")).rejects.toThrow(new TypeError("a bug"));
    await expect(probe("empty")).rejects.toMatchObject({
      code: "model/not-found",
      message: "empty has no model yet",
      next: "agentos provider pull empty MODEL fetches one, where the provider can.",
    });
    expect(await noted()).toBe(before);
  });
});

describe("a provider", () => {
  it("whose stored key was made for another one has failed; of all others it is said how they stand", async () => {
    const { providers } = rig.system.cases;
    await providers.storeKey(ADA, "openai", "sk-a-key-of-mine");
    expect((await providers.one("openai")).standing.status).toBe("unknown");
    const file = join(rig.home, "secrets.json");
    const kept = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(
      file,
      JSON.stringify({ ...kept, secrets: kept.secrets.map((one: object) => ({ ...one, name: "google" })) }),
    );
    expect((await providers.one("openai")).standing.status).toBe("absent");
    const standings = Object.fromEntries(
      (await providers.all()).map(({ provider, standing }) => [provider.id, standing]),
    );
    expect([standings["google"], standings["ollama"]?.status]).toEqual([
      {
        status: "failed",
        detail: expect.stringMatching(
          /^its stored key must not be trusted: .*secrets.json holds a secret for google that was changed/,
        ),
      },
      "running",
    ]);
  });
});
