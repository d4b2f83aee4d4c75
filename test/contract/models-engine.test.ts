import { describe, expect, test } from "vitest";
import { models } from "../../src/adapters/models/models.ts";
import { type EngineServer, noEngine, startEngine } from "../support/engine.ts";
import { ask, call, failureOf, oneEndpoint, READ_FILE, target } from "./models-contract.ts";

/*
 * The same adapter in front of llama.cpp itself, with a model of 1.4 MB that picks tools: nothing here is scripted.
 */

const of = (engine: EngineServer) => ({
  asked: models(oneEndpoint("llamacpp", engine.url)),
  to: target({ temperature: 0 }, engine.model),
});

describe.skipIf(noEngine !== null)(`a real engine${noEngine === null ? "" : ` (${noEngine})`}`, () => {
  test("it calls a tool, hears its result, and answers in streamed text with what it used", async () => {
    const { asked, to } = of(await startEngine());
    const request = ask("Read notes.txt", { tools: [READ_FILE] });
    const first = await call(asked, request, { to });
    expect(first.finish).toBe("tool_calls");
    expect(first.calls.map((one) => [one.name, JSON.parse(one.arguments)])).toEqual([
      ["read_file", { path: "notes.txt" }],
    ]);
    expect(first.usage.estimated).toBe(false);
    expect(first.usage.inputTokens).toBeGreaterThan(10);
    expect(first.usage.outputTokens).toBeGreaterThan(10);

    const heard: string[] = [];
    const second = await call(
      asked,
      {
        ...request,
        messages: [
          ...request.messages,
          { role: "assistant", text: first.text, calls: first.calls },
          { role: "tool", call: first.calls[0]?.id ?? "", name: "read_file", text: "hello" },
        ],
      },
      { to, onText: (delta) => void heard.push(delta) },
    );
    expect(second.finish).toBe("stop");
    expect(second.text).toContain("notes.txt");
    expect(heard.length).toBeGreaterThan(3);
    expect(heard.join("")).toBe(second.text);
    expect(await asked.contextTokens(to)).toBe(2048);
    expect(await asked.contextTokens({ ...to, parameters: { contextTokens: 512 } })).toBe(512);
  });

  test("a conversation longer than its context is told as such", async () => {
    const { asked, to } = of(await startEngine({ contextTokens: 256 }));
    expect(await failureOf(call(asked, ask("word ".repeat(400)), { to }))).toMatchObject({
      code: "model/context-overflow",
    });
  });

  test("canceled in the middle of an answer, the engine stops computing it", async () => {
    const engine = await startEngine({ neverEnds: true });
    const { asked, to } = of(engine);
    const stop = new AbortController();
    const reason = new Error("enough");
    let heard = 0;
    const onText = (): void => {
      heard += 1;
      if (heard === 3) stop.abort(reason);
    };
    expect(await failureOf(call(asked, ask("Read notes.txt"), { to, signal: stop.signal, onText }))).toBe(reason);
    let slot = await slotOf(engine);
    while (slot.is_processing) slot = await slotOf(engine);
    // Left alone it would have filled the context.
    expect(slot.next_token[0]?.n_decoded).toBeLessThan(1000);
  });
});

async function slotOf(engine: EngineServer) {
  const slots = (await (await fetch(`${engine.url}/slots`)).json()) as readonly {
    is_processing: boolean;
    next_token: readonly { n_decoded: number }[];
  }[];
  const [slot] = slots;
  if (slot === undefined) throw new Error("the engine has no slot");
  return slot;
}
