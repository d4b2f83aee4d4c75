import { describe, expect, it } from "vitest";
import { calling, hands, ITEM, reply } from "../../../test/support/scripted-hands.ts";
import { Failure } from "../../domain/failure.ts";
import type { ModelRequest } from "../../ports/model.ts";
import { builtinAgent } from "./builtin-agent.ts";

const CONTEXT = 4_000;
const isSummary = (request: ModelRequest) => request.toolChoice === "none";
const sizeOf = (request: ModelRequest) => JSON.stringify(request).length / 4;
const FILES = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}.txt`, `${n} `.repeat(600)]));

/** Reads one file after another, then is done; sums up when it is asked to. */
const reader = (files: number, contextTokens: number | null) => (request: ModelRequest, at: number) => {
  if (isSummary(request)) return reply({ text: "notes: read some", contextTokens });
  const read = request.messages.filter(({ role }) => role === "assistant").length;
  return at < files
    ? { ...calling(["read", { path: `f${at}.txt` }]), contextTokens, text: `${read}` }
    : { ...calling(["finish_item", {}]), contextTokens };
};

describe("a conversation that grows", () => {
  it("stays within what the model takes: old results are cut first, then the model is asked for notes", async () => {
    const by = hands(reader(30, CONTEXT), { files: FILES });
    expect(await builtinAgent.work(ITEM, by.working)).toEqual({ done: true });
    expect(Math.max(...by.requests.slice(1).map(sizeOf))).toBeLessThan(CONTEXT);
    const cut = by.requests.findIndex(({ messages }) =>
      messages.some(({ role, text }) => role === "tool" && text.includes("was cut to save room")),
    );
    const summed = by.requests.findIndex(isSummary);
    expect(cut).toBeGreaterThan(0);
    expect(summed).toBeGreaterThan(cut);
    const after = by.requests[summed + 1];
    expect(after?.messages.map(({ role }) => role)).toEqual(["system", "user", "user", "assistant", "tool"]);
    expect(after?.messages[2]?.text).toContain("notes: read some");
    expect(after?.messages[0]).toBe(by.requests[0]?.messages[0]);
  });

  it("without any compaction only grows, by the same messages and with the same tools", async () => {
    const by = hands(reader(5, null), { files: FILES });
    await builtinAgent.work(ITEM, by.working);
    for (const [at, request] of by.requests.slice(1).entries()) {
      const before = by.requests[at];
      expect(request.tools).toBe(before?.tools);
      expect(request.messages.slice(0, before?.messages.length).every((one, n) => one === before?.messages[n])).toBe(
        true,
      );
    }
  });

  it("counts as the provider counts where that is more", async () => {
    const by = hands(
      (request, at) => {
        if (isSummary(request)) return reply({ text: "notes" });
        const said = at < 3 ? calling(["read", { path: "f1.txt", from_line: at + 1 }]) : calling(["finish_item", {}]);
        return {
          ...said,
          contextTokens: 50_000,
          usage: { inputTokens: at === 1 ? 49_000 : 10, outputTokens: 1, estimated: false },
        };
      },
      { files: FILES },
    );
    await builtinAgent.work(ITEM, by.working);
    expect(by.requests[2]?.messages[3]?.text).toContain("was cut to save room");
  });

  it("that the model says is too long is made smaller and asked again", async () => {
    const overflow = new Failure("model/context-overflow", "at most 2048 tokens");
    const by = hands((request, at) => (sizeOf(request) > 2_300 ? overflow : reader(12, null)(request, at)), {
      files: FILES,
    });
    expect(await builtinAgent.work(ITEM, by.working)).toEqual({ done: true });
    expect(by.requests.some((request) => sizeOf(request) > 2_300)).toBe(true);
  });

  it("that is too long whatever is done ends as what it is, after a bounded number of calls", async () => {
    const by = hands(
      (request, at) =>
        at === 0
          ? calling(["read", { path: "f1.txt" }])
          : new Failure("model/context-overflow", `${request.messages.length} are too many`),
      { files: FILES },
    );
    await expect(builtinAgent.work(ITEM, by.working)).rejects.toMatchObject({
      code: "model/context-overflow",
      message: expect.stringContaining("also after it was made smaller 3 times"),
    });
    expect(by.requests.length).toBeLessThan(16);
  });
});
