import { expect, test } from "vitest";
import { answerOf, type Wanted } from "./answer.ts";
import type { StreamPart } from "./protocols.ts";

const WANTED = {
  endpoint: { kind: "ollama", prices: {} },
  target: { provider: "p", model: "m", parameters: {} },
  request: { messages: [], tools: [], toolChoice: "auto", output: null },
  asked: { provider: "p", model: "m", key: null },
  onText: () => undefined,
} as unknown as Wanted;

async function* streaming(...parts: readonly unknown[]): AsyncGenerator<StreamPart> {
  yield* parts as readonly StreamPart[];
}

test("half of a surrogate pair is in nothing that a model is taken to have said, and a pair in two parts is whole", async () => {
  const answer = await answerOf(
    streaming(
      { type: "text-delta", delta: "a\ud83d" },
      { type: "text-delta", delta: "\ude00b\ud83d" },
      { type: "tool-call", toolCallId: "c\ud83d", toolName: "run\ud83d", input: '{"command": "\ud83d"}' },
      {
        type: "finish",
        finishReason: { unified: "tool-calls" },
        usage: { inputTokens: { total: 1 }, outputTokens: { total: 2 } },
      },
    ),
    WANTED,
  );
  expect([answer.text, answer.calls]).toEqual([
    "a😀b\ufffd",
    [{ id: "c\ufffd", name: "run\ufffd", arguments: '{"command": "\ufffd"}' }],
  ]);
});
