import { describe, expect, it } from "vitest";
import { budget, modelsOf, target } from "./model-options.ts";

describe("models as they are typed", () => {
  it("are a provider and its own name of a model, slashes and colons included", () => {
    expect(target("ollama/qwen3:8b")).toEqual({ provider: "ollama", model: "qwen3:8b" });
    expect(target("openai-compatible/meta/llama-3")).toEqual({ provider: "openai-compatible", model: "meta/llama-3" });
    for (const wrong of ["qwen3", "/qwen3", "ollama/"]) expect(() => target(wrong)).toThrow("PROVIDER/MODEL");
  });

  it("fall back in the order they were typed, per phase", () =>
    expect(modelsOf(["a/one", "b/two"], ["planning=c/three", "planning=a/one"])).toEqual({
      any: {
        use: [
          { provider: "a", model: "one" },
          { provider: "b", model: "two" },
        ],
      },
      planning: {
        use: [
          { provider: "c", model: "three" },
          { provider: "a", model: "one" },
        ],
      },
    }));

  it("of no phase there is are refused", () => expect(() => modelsOf([], ["dreaming=a/one"])).toThrow("PHASE="));
});

describe("amounts as they are typed", () => {
  it("have a unit each, in one word or several", () => {
    expect(budget(["tokens=200000,turns=50", "usd=1.50,time=2h"])).toEqual({
      tokens: 200_000,
      turns: 50,
      usd: 1.5,
      time_ms: 7_200_000,
    });
  });

  it.each(["tokens", "tokens=", "tokens=-1", "tokens=0", "money=1", "usd=1,50", "time=soon"])("%s is none", (wrong) =>
    expect(() => budget([wrong])).toThrow("is no amount"),
  );
});
