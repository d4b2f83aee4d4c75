import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { connect } from "./client.ts";
import { messages } from "./event-stream.ts";
import { exchange, problemOfAnswer } from "./transport.ts";
import { problemOf } from "./trouble.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function daemon(handle: Handler): Promise<string> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    handle(request, response, body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const json = (response: ServerResponse, status: number, value: unknown) =>
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
const problem = async (wanted: Promise<unknown>) => problemOf(await wanted.catch((error: unknown) => error));

describe("a write", () => {
  test("is sent again once, under the same key, when the connection broke before the answer", async () => {
    const keys: unknown[] = [];
    const lost: boolean[] = [];
    const url = await daemon((request, response) => {
      keys.push(request.headers["idempotency-key"]);
      if (keys.length === 1) request.socket.destroy();
      else json(response, 200, { ok: true });
    });
    await connect(async (again) => {
      lost.push(again);
      return url;
    }).stopDaemon();
    expect(keys).toEqual([keys[0], keys[0]]);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(lost).toEqual([false, true]);
  });

  test("has a key of its own each time", async () => {
    const keys = new Set<unknown>();
    const url = await daemon((request, response) => {
      keys.add(request.headers["idempotency-key"]);
      json(response, 200, { ok: true });
    });
    const api = connect(async () => url);
    await api.stopDaemon();
    await api.stopDaemon();
    expect(keys.size).toBe(2);
  });

  test("is given up after the second break", async () => {
    let calls = 0;
    const url = await daemon((request) => {
      calls += 1;
      request.socket.destroy();
    });
    expect(await problem(connect(async () => url).stopDaemon())).toMatchObject({
      code: "daemon/unreachable",
      detail: `the daemon at ${url} does not answer (ECONNRESET)`,
    });
    expect(calls).toBe(2);
  });
});

describe("an answer that is not good is told:", () => {
  test("a problem with its code, sentence, next step and facts", async () => {
    const told = {
      type: "urn:x",
      title: "task/refused",
      status: 409,
      code: "task/refused",
      detail: "no",
      next: "look",
      facts: { allowed: ["cancel"] },
    };
    const url = await daemon((_, response) => json(response, 409, told));
    expect(await problem(connect(async () => url).task("A"))).toMatchObject({
      status: 409,
      code: "task/refused",
      detail: "no",
      next: "look",
      facts: { allowed: ["cancel"] },
    });
  });

  test("something that is not AgentOS", async () => {
    const url = await daemon((_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"));
    expect(await problem(connect(async () => url).health())).toMatchObject({
      code: "daemon/unreachable",
      detail: "what answered GET /api/health is not AgentOS: its answer is no JSON",
    });
  });

  test("something that is not AgentOS and says no", async () => {
    const url = await daemon((_, response) => response.writeHead(502, { "content-type": "text/html" }).end("<html>"));
    expect(await problem(connect(async () => url).health())).toMatchObject({
      code: "daemon/unreachable",
      detail: "what answered GET /api/health is not AgentOS (HTTP 502)",
      next: "agentos daemon status shows where the daemon is.",
    });
  });

  test("a problem of a code this version does not know", async () => {
    const url = await daemon((_, response) => json(response, 409, { code: "task/enchanted", detail: "no" }));
    expect((await problem(connect(async () => url).task("A")))?.detail).toBe(
      "what answered GET /api/tasks/A is not AgentOS (HTTP 409)",
    );
  });

  test("none within the time it has", async () => {
    const url = await daemon(() => {});
    const waited = exchange(async () => url, { method: "GET", path: "/api/health", timeoutMs: 20 });
    expect(await problem(waited)).toMatchObject({
      code: "daemon/unreachable",
      detail: `the daemon at ${url} did not answer GET /api/health within 0.02 s`,
    });
  });

  test("one that is too large to be one, before all of it has come", async () => {
    const part = Buffer.alloc(128 * 1024 ** 2);
    const message = Readable.from([part, part, part]) as unknown as IncomingMessage;
    const found = await problem(
      problemOfAnswer({ status: 500, message }, { method: "GET", path: "/api/events" }).then((error) =>
        Promise.reject(error),
      ),
    );
    expect(found).toMatchObject({
      code: "input/too-large",
      detail: "the answer to GET /api/events is larger than 268435456 bytes",
    });
    expect(message.destroyed).toBe(true);
  });

  test("a form this version does not know, by field", async () => {
    const url = await daemon((_, response) => json(response, 200, { items: [{ id: 1 }], next: null }));
    expect((await problem(connect(async () => url).tasks()))?.detail).toMatch(
      /not in the form this AgentOS knows \(items\.0\.id: /,
    );
  });

  test("nobody there", async () => {
    const url = await daemon(() => {});
    for (const close of closers.splice(0)) close();
    expect(await problem(connect(async () => url).health())).toMatchObject({
      code: "daemon/unreachable",
      detail: `the daemon at ${url} does not answer (ECONNREFUSED)`,
    });
  });
});

test("ids and names go into a path as one part of it", async () => {
  const paths: (string | undefined)[] = [];
  const url = await daemon((request, response) => {
    paths.push(request.url);
    json(response, 404, {});
  });
  await problem(connect(async () => url).project("../tasks?x=/a"));
  expect(paths).toEqual(["/api/projects/..%2Ftasks%3Fx%3D%2Fa"]);
});

test("a stream that breaks goes on after the last event that came", async () => {
  const asked: (string | undefined)[] = [];
  const event = (seq: number) =>
    `id: ${seq}\nevent: X\ndata: ${JSON.stringify({ stream: "task/A", seq, type: "X", at: "2026", actor: "person:a", sentence: "s", body: {} })}\n\n`;
  const url = await daemon((request, response) => {
    asked.push(request.url);
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (asked.length === 1) response.end(event(1) + event(2));
    else response.write(event(3));
  });
  const stop = new AbortController();
  const seen: number[] = [];
  for await (const { cursor } of connect(async () => url).followTask("A", 0, stop.signal)) {
    seen.push(cursor);
    if (cursor === 3) stop.abort();
  }
  expect(seen).toEqual([1, 2, 3]);
  expect(asked).toEqual(["/api/tasks/A/events?after=0", "/api/tasks/A/events?after=2"]);
});

test("a stream that is refused says why", async () => {
  const url = await daemon((_, response) =>
    json(response, 404, { code: "task/not-found", detail: "there is no task A", next: "look" }),
  );
  const followed = connect(async () => url).followTask("A", 0, new AbortController().signal);
  expect(await problem(followed.next())).toMatchObject({ code: "task/not-found", detail: "there is no task A" });
});

describe("what is said in a chat", () => {
  const END = { type: "end", session: "s", text: "Hi.", drafted: [], spent: { tokens: 3, usd: 0, turns: 1 } };

  /** A daemon that tells this, and everything the client heard of it. */
  async function said(...told: readonly unknown[]) {
    const heard: unknown[] = [];
    const bodies: unknown[] = [];
    const url = await daemon((request, response, body) => {
      bodies.push([request.method, request.url, JSON.parse(body)]);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(told.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(""));
    });
    const answer = connect(async () => url).say("a/b", "Hello", new AbortController().signal);
    const broke = await problem(
      (async () => {
        for await (const one of answer) heard.push(one);
      })(),
    );
    return { heard, bodies, broke };
  }

  test("is answered bit by bit up to its end", async () => {
    const text = { type: "text", text: "Hi." };
    expect(await said(text, END, text)).toEqual({
      heard: [text, END],
      bodies: [["POST", "/api/chat/a%2Fb", { text: "Hello" }]],
      broke: null,
    });
  });

  test("may come to a problem in the middle, also to one this version does not know", async () => {
    const refused = { type: "problem", code: "model/refused", detail: "no key", next: "store one", status: 424 };
    expect((await said(refused)).broke).toMatchObject({ code: "model/refused", detail: "no key", next: "store one" });
    expect((await said({ ...refused, code: "model/asleep" })).broke).toMatchObject({
      code: "internal",
      detail: "no key",
    });
  });

  test("is not answered where the daemon goes away before the end", async () =>
    expect((await said({ type: "text", text: "Hi" })).broke).toMatchObject({
      code: "daemon/unreachable",
      detail: "the daemon went away in the middle of an answer",
    }));
});

test("the messages of a stream are the same however its bytes arrive", async () => {
  const bytes = Buffer.from(
    ': alive\n\nid: 7\r\ndata: {"a":\r\ndata: "é"}\r\n\r\nevent: x\nid: 8\ndata:z\n\ndata: unfinished\n',
  );
  for (let size = 1; size <= bytes.length; size += 1) {
    const chunks = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    const seen: unknown[] = [];
    for await (const message of messages(chunks())) seen.push(message);
    expect(seen).toEqual([
      { id: 7, data: '{"a":\n"é"}' },
      { id: 8, data: "z" },
    ]);
  }
});
