import { expect, test, vi } from "vitest";
import { Failure } from "../../domain/failure.ts";
import type { ToolAsked } from "../../ports/tool-protocol.ts";
import { mcpProtocol } from "./mcp-protocol.ts";

/* A tool server at the other end of two streams: it answers each request with what a test says. */

type Params = Readonly<Record<string, unknown>>;
type Answers = Readonly<Record<string, (params: Params) => unknown>>;

interface Asked {
  readonly id?: number;
  readonly method: string;
  readonly params?: Params;
}

const standing: Answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: "server", version: "1" },
  }),
  "tools/list": () => ({ tools: [toolNamed("look")] }),
  "tools/call": () => ({ content: [{ type: "text", text: "done" }] }),
};
const toolNamed = (name: string) => ({ name, description: `does ${name}`, inputSchema: { type: "object" } });

/** `greeting`: what it says before it is asked anything; `silentAt`: what it never answers. */
function serverThat(answers: Answers, greeting = "", silentAt = "") {
  const methods: string[] = [];
  let say: (text: string) => void = () => {};
  const output = new ReadableStream<Uint8Array>({
    start(controller) {
      say = (text) => controller.enqueue(new TextEncoder().encode(text));
      if (greeting !== "") say(greeting);
    },
  });
  const input = new WritableStream<Uint8Array>({
    write(chunk) {
      const { id, method, params = {} } = JSON.parse(new TextDecoder().decode(chunk)) as Asked;
      methods.push(method);
      const answer = answers[method] ?? standing[method];
      if (id !== undefined && method !== silentAt)
        say(`${JSON.stringify({ jsonrpc: "2.0", id, result: answer?.(params) })}\n`);
    },
  });
  return { talk: { input, output }, asked: methods };
}

const offeredBy = (...server: Parameters<typeof serverThat>) =>
  mcpProtocol().offered(serverThat(...server).talk, new AbortController().signal);
const called = (answers: Answers) =>
  mcpProtocol().call(
    serverThat(answers).talk,
    asked(() => undefined),
    new AbortController().signal,
  );
const asked = (agreed: ToolAsked["agreed"]): ToolAsked => ({
  tool: "look",
  input: { at: "a" },
  agreed,
  timeoutMs: 60_000,
  redact: (text) => text.replaceAll("the-secret", "[redacted]"),
});

test("all pages of what a server offers are read", async () => {
  const pages: Readonly<Record<string, object>> = {
    first: { tools: [toolNamed("look")], nextCursor: "second" },
    second: { tools: [{ ...toolNamed("write"), description: "x".repeat(5_000) }] },
  };
  expect(
    await offeredBy({ "tools/list": ({ cursor }) => pages[typeof cursor === "string" ? cursor : "first"] }),
  ).toEqual([
    { name: "look", description: "does look", schema: { type: "object" } },
    { name: "write", description: "x".repeat(4_000), schema: { type: "object" } },
  ]);
});

test("a greeting before the protocol begins is passed over", async () => {
  expect(await offeredBy({}, 'Server is up.\n\n{"ready":true}\n')).toHaveLength(1);
});

test("a server that offers tools without end is refused", async () => {
  const page = Array.from({ length: 150 }, (_, index) => toolNamed(`tool-${index}`));
  await expect(offeredBy({ "tools/list": () => ({ tools: page, nextCursor: "more" }) })).rejects.toMatchObject({
    code: "agent/failed",
    message: "the tool server offers more than 200 tools",
  });
});

test.each([
  ["a message", "x".repeat(8 * 1024 ** 2 + 1), "it sent a message of more than 8388608 bytes"],
  ["in all", "x\n".repeat(16 * 1024 ** 2 + 1), "it said more than 33554432 bytes"],
])("a server that says too much, %s, is a failure that says so", async (_, greeting, why) => {
  const failure: unknown = await offeredBy({ initialize: () => undefined }, greeting).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "agent/failed", message: expect.stringContaining(why) });
});

test("a tool is called once what is offered under its name was agreed to, with its input as it is", async () => {
  const seen: unknown[] = [];
  const { talk, asked: methods } = serverThat({
    "tools/call": (params) => {
      seen.push(params);
      return { content: [{ type: "text", text: "done" }] };
    },
  });
  const agreed = (offered: unknown): void => void seen.push(offered);
  expect(await mcpProtocol().call(talk, asked(agreed), new AbortController().signal)).toEqual({
    text: "done",
    isError: false,
  });
  expect(seen).toEqual([
    { name: "look", description: "does look", schema: { type: "object" } },
    { name: "look", arguments: { at: "a" } },
  ]);
  expect(methods).toEqual(["initialize", "notifications/initialized", "tools/list", "tools/call"]);
});

test("a tool that nobody agreed to is not called, and why is told as it was said", async () => {
  const { talk, asked: methods } = serverThat({});
  const no = new Failure("act/denied", "that tool is another one by now");
  const offered: unknown[] = [];
  const refusing = (tool: unknown): void => {
    offered.push(tool);
    throw no;
  };
  await expect(
    mcpProtocol().call(talk, { ...asked(refusing), tool: "gone" }, new AbortController().signal),
  ).rejects.toBe(no);
  expect([offered, methods.includes("tools/call")]).toEqual([[null], false]);
});

test("of a result the text is told; what is no text is named, and what is too long is cut", async () => {
  expect(
    await called({
      "tools/call": () => ({
        isError: true,
        content: [
          { type: "text", text: "one" },
          { type: "image", data: "aGk=", mimeType: "image/png" },
        ],
      }),
    }),
  ).toEqual({ text: "one\n[image, left out]", isError: true });
  const long = await called({ "tools/call": () => ({ content: [{ type: "text", text: "x".repeat(64 * 1024 + 3) }] }) });
  expect(long).toEqual({ text: `${"x".repeat(64 * 1024)}\n[cut: 3 characters more]`, isError: false });
});

test("a secret is taken out of what a server says before that is cut, its complaints included", async () => {
  const text = `${"x".repeat(64 * 1024 - 4)}the-secret`;
  expect((await called({ "tools/call": () => ({ content: [{ type: "text", text }] }) })).text).toBe(
    `${"x".repeat(64 * 1024 - 4)}[red\n[cut: 6 characters more]`,
  );
  const complaint = called({ "tools/call": () => ({ content: "the-secret".repeat(100) }) });
  const message: unknown = await complaint.catch((error: unknown) => error instanceof Error && error.message);
  expect(String(message)).not.toMatch(/the-s/);
});

test("half of a surrogate pair is in nothing that a server's words become, cut or not", async () => {
  expect(
    await called({
      "tools/call": () => ({
        content: [
          { type: "text", text: "a\ud83d" },
          { type: "text", text: `xy${"😀".repeat(40_000)}` },
        ],
      }),
    }),
  ).toEqual({
    text: `a\ufffd\nxy${"😀".repeat(32_765)}\ufffd\n[cut: 14469 characters more]`,
    isError: false,
  });
  const page = [{ ...toolNamed("look"), description: `x${"😀".repeat(3_000)}` }];
  const [tool] = await offeredBy({ "tools/list": () => ({ tools: page }) });
  expect(tool?.description).toBe(`x${"😀".repeat(1_999)}\ufffd`);
});

test("a call may take the whole time of its step, and no more", async () => {
  vi.useFakeTimers();
  try {
    const { talk, asked: methods } = serverThat({}, "", "tools/call");
    const call = mcpProtocol().call(
      talk,
      { ...asked(() => undefined), timeoutMs: 600_000 },
      new AbortController().signal,
    );
    const ended = vi.fn();
    call.catch(ended);
    await vi.waitFor(() => expect(methods).toContain("tools/call"));
    await vi.advanceTimersByTimeAsync(590_000);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(20_000);
    await expect(call).rejects.toMatchObject({ code: "agent/failed", message: expect.stringContaining("timed out") });
  } finally {
    vi.useRealTimers();
  }
});

test("a person who stops a call hears that they did, and no failure of the server", async () => {
  const stopping = new AbortController();
  const { talk } = serverThat({});
  const stopped = mcpProtocol().call(
    talk,
    asked(() => stopping.abort(new Error("stopped"))),
    stopping.signal,
  );
  await expect(stopped).rejects.toThrow("stopped");
});
