import type { ModelAnswer, ModelRequest, Models, ToolCall } from "../../src/ports/model.ts";

/** What a model says to one request. */
export interface Said {
  readonly text?: string;
  readonly calls?: readonly Omit<ToolCall, "id">[];
}

export interface ScriptedModels extends Models {
  /** Every request there was. */
  readonly asked: readonly ModelRequest[];
}

export const TOKENS_A_CALL = 50;

/** Models that say what a test wants to a request, by its number; each call costs the same. */
export function scriptedModels(say: (request: ModelRequest, number: number) => Said | Promise<Said>): ScriptedModels {
  const asked: ModelRequest[] = [];
  return {
    asked,
    contextTokens: async () => 32_768,
    async call({ model }, request, { signal, onText }): Promise<ModelAnswer> {
      signal.throwIfAborted();
      const number = asked.push(request);
      const { text = "", calls = [] } = await say(request, number);
      if (text !== "") onText(text);
      return {
        text,
        calls: calls.map((call, at) => ({ id: `call-${number}-${at}`, ...call })),
        finish: calls.length > 0 ? "tool_calls" : "stop",
        usage: { inputTokens: TOKENS_A_CALL - 10, outputTokens: 10, estimated: false },
        microdollars: null,
        model,
      };
    },
  };
}
