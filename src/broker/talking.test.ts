import { describe, expect, it } from "vitest";
import { type Given, givenDesk } from "../../test/support/given-desk.ts";
import { Failure } from "../domain/failure.ts";
import type { ModelTarget } from "../domain/model-policy.ts";
import type { ModelRequest } from "../ports/model.ts";
import type { BrokerDependencies } from "./deps.ts";
import { talkCapabilities } from "./talking.ts";

const first: ModelTarget = { provider: "p", model: "m", parameters: {} };
const second: ModelTarget = { provider: "p", model: "n", parameters: { contextTokens: 9 } };
const MODELS = { use: [first, second], budget: {} };
const REQUEST: ModelRequest = {
  messages: [{ role: "user", text: "hello" }],
  tools: [],
  toolChoice: "auto",
  output: null,
};
const ANSWER = {
  text: "hi",
  calls: [],
  finish: "stop",
  usage: { inputTokens: 1, outputTokens: 2, estimated: false },
  microdollars: null,
  model: "m-1",
};

/** A model that fails so often, and then answers. */
function talks(failures: readonly Error[] = [], given: Given = {}) {
  const left = [...failures];
  const asked: string[] = [];
  const models = {
    call: async ({ model }: ModelTarget, _: unknown, { onText }: { readonly onText: (text: string) => void }) => {
      asked.push(model);
      const failure = left.shift();
      if (failure !== undefined) throw failure;
      onText("hi");
      return ANSWER;
    },
    contextTokens: async () => 4_096,
  };
  const made = givenDesk({ desk: { models: MODELS }, ...given, deps: { models } as unknown as BrokerDependencies });
  return { ...made, asked, can: talkCapabilities(made.deps, made.desk, made.pass) };
}

/** What each call's record holds. */
const records = ({ seen }: ReturnType<typeof talks>): readonly unknown[] =>
  seen.acts.map((act) => (act.kind === "model" ? JSON.parse(act.request.digest.slice("blob of ".length)) : null));

describe("asking a model", () => {
  it("is a step whose evidence is what was asked and what was answered", async () => {
    const { can, seen } = talks();
    expect(await can.model(REQUEST)).toEqual({ ...ANSWER, provider: "p", contextTokens: 4_096 });
    expect(seen.said).toEqual(["hi"]);
    expect(seen.effects[0]?.evidence).toMatchObject([
      { kind: "model", provider: "p", model: "m", answeredBy: "m-1", inputTokens: 1, outputTokens: 2, durationMs: 0 },
    ]);
  });

  it("that has trouble is repeated with patience, and then asked of the next one, whose own bound counts", async () => {
    const trouble = new Failure("model/unavailable", "it is away");
    const { can, asked, seen } = talks([trouble, trouble, trouble]);
    expect(await can.model(REQUEST)).toMatchObject({ contextTokens: 9 });
    expect([asked, seen.waits]).toEqual([
      ["m", "m", "m", "n"],
      [500, 1_000, 0],
    ]);
  });

  it("waits as long as the provider says", async () => {
    const { can, seen } = talks([new Failure("model/rate-limited", "too many", { facts: { retryAfterMs: 70 } })]);
    await can.model(REQUEST);
    expect(seen.waits).toEqual([70]);
  });

  it.each([
    [Array.from({ length: 2 }, () => new Failure("model/refused", "the key is not taken")), "the key is not taken"],
    [[new Failure("store/full", "no room")], "no room"],
    [[new Error("a bug")], "a bug"],
  ])("ends with what nobody else can answer either: %#", async (failures, message) => {
    await expect(talks(failures).can.model(REQUEST)).rejects.toThrow(message);
  });

  it("where nobody said which one is none", async () => {
    for (const models of [null, { use: [], budget: {} }])
      await expect(talks([], { desk: { models } }).can.model(REQUEST)).rejects.toMatchObject({
        code: "model/none",
        message: "no model is configured for the phase implementation of this task",
      });
  });

  it("that was begun without having been opened is a bug", async () => {
    const { deps, desk, run } = talks();
    const can = talkCapabilities(deps, desk, async (_, __, effect) => (await effect(run)).result);
    await expect(can.model(REQUEST)).rejects.toThrow("step 1.work.1 was begun without having been opened");
  });

  it("records a conversation once: a call that goes on from the one before holds what came after it", async () => {
    const talk = talks();
    const more = { role: "user", text: "more" } as const;
    const going = { ...REQUEST, messages: [...REQUEST.messages, more] };
    await talk.can.model(REQUEST);
    await talk.can.model(going);
    const target = { provider: "p", model: "m", parameters: {} };
    expect(records(talk)).toEqual([
      { ...target, ...REQUEST },
      { ...target, after: expect.any(String), messages: [more] },
    ]);
  });

  it.each<Partial<ModelRequest>>([
    { tools: [] },
    { toolChoice: "none" },
    { output: { name: "o", schema: {} } },
    { messages: [] },
    { messages: [{ role: "user", text: "another" }] },
  ])("and whole where anything else changed: %j", async (change) => {
    const talk = talks();
    await talk.can.model(REQUEST);
    await talk.can.model({ ...REQUEST, ...change });
    expect(records(talk)[1]).toEqual({ provider: "p", model: "m", parameters: {}, ...REQUEST, ...change });
  });
});

it("a person is asked by the bracket, which waits", async () => {
  expect(await talks().can.ask("which?", [])).toBe("answer to which?");
});
