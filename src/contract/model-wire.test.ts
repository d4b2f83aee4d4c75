import { describe, expect, it } from "vitest";
import { ModelPolicyInput } from "./model-inputs.ts";
import { budgetFrom, budgetView, modelPolicyFrom, modelPolicyView, spentView } from "./model-wire.ts";
import { parse } from "./parse.ts";

const WIRE = {
  any: { use: [{ provider: "ollama", model: "qwen3:8b", parameters: {} }], budget: {} },
  planning: {
    use: [
      {
        provider: "openai",
        model: "openai/gpt-5",
        parameters: {
          temperature: 0.2,
          top_p: 0.9,
          seed: 7,
          output_tokens_max: 4_000,
          context_tokens: 32_768,
          timeout_ms: 60_000,
        },
      },
      { provider: "ollama", model: "qwen3:8b", parameters: {} },
    ],
    budget: { tokens: 200_000, usd: 1.5, turns: 50, time_ms: 7_200_000 },
  },
};

describe("models on the wire", () => {
  it("come in and go out the same, whatever is said of them", () =>
    expect(modelPolicyView(modelPolicyFrom(parse(ModelPolicyInput, WIRE)))).toEqual(WIRE));

  it("lose nothing of what the inside knows", () =>
    expect(modelPolicyFrom(parse(ModelPolicyInput, WIRE)).planning).toEqual({
      use: [
        {
          provider: "openai",
          model: "openai/gpt-5",
          parameters: {
            temperature: 0.2,
            topP: 0.9,
            seed: 7,
            outputTokensMax: 4_000,
            contextTokens: 32_768,
            timeoutMs: 60_000,
          },
        },
        { provider: "ollama", model: "qwen3:8b", parameters: {} },
      ],
      budget: { tokens: 200_000, microdollars: 1_500_000, turns: 50, ms: 7_200_000 },
    }));

  it.each([
    [{ any: { use: [] } }, "any.use"],
    [{ dreaming: { use: [{ provider: "a", model: "b" }] } }, "dreaming"],
    [{ any: { use: [{ provider: "A", model: "b" }] } }, "any.use.0.provider"],
    [{ any: { use: [{ provider: "a", model: "b", parameters: { top_k: 1 } }] } }, "top_k"],
    [{ any: { use: [{ provider: "a", model: "b" }], budget: { tokens: 0 } } }, "any.budget.tokens"],
  ])("%j is refused, and the field is named", (wrong, field) =>
    expect(() => parse(ModelPolicyInput, wrong)).toThrow(field),
  );
});

describe("money", () => {
  it("is kept in whole millionths, so that sums do not drift", () => {
    expect(budgetFrom({ usd: 0.1 + 0.2 })).toEqual({ microdollars: 300_000 });
    expect(budgetView({ microdollars: 300_000 })).toEqual({ usd: 0.3 });
  });

  it("that was spent is told in dollars, with all other units", () => {
    const one = { tokens: 1_200, microdollars: 2_500, turns: 3, ms: 4_000 };
    const told = { tokens: 1_200, usd: 0.0025, turns: 3, time_ms: 4_000 };
    const nothing = { tokens: 0, microdollars: 0, turns: 0, ms: 0 };
    expect(spentView({ total: one, phases: { planning: one }, granted: nothing })).toEqual({
      total: told,
      phases: { planning: told },
      granted: { tokens: 0, usd: 0, turns: 0, time_ms: 0 },
    });
  });
});
