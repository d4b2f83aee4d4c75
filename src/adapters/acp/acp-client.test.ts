import { afterEach, expect, test, vi } from "vitest";
import { Failure } from "../../domain/failure.ts";
import type { TurnClient, TurnTerminal, TurnWanted } from "../../ports/foreign.ts";
import { acpProtocol } from "./acp-client.ts";

/* An agent at the other end of two streams, which answers and asks what a test says, message by message. */

interface Message {
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

interface Peer {
  /** Asks the client, and gives its answer. */
  ask(method: string, params: Readonly<Record<string, unknown>>): Promise<Pick<Message, "result" | "error">>;
  update(update: Readonly<Record<string, unknown>>): void;
  /** A line as it is, message or not. */
  put(line: string): void;
  die(): void;
}

type Answers = Readonly<Record<string, (params: unknown, peer: Peer) => unknown>>;

const HELLO = { protocolVersion: 1, agentInfo: { name: "peer", version: "2.0" }, agentCapabilities: {} };
const never = new Promise<never>(() => undefined);
const refusal = (code: number, message: string) => Object.assign(new Error(message), { code });

function agentThat(answers: Answers) {
  const input = new TransformStream<Uint8Array, Uint8Array>();
  const output = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, { highWaterMark: 10_000 });
  const writer = output.writable.getWriter();
  const heard: Message[] = [];
  const waiting = new Map<string, (answer: Message) => void>();
  const put = (line: string): void => void writer.write(new TextEncoder().encode(`${line}\n`)).catch(() => undefined); // Nobody hears it any more.
  const say = (message: Message): void => put(JSON.stringify({ jsonrpc: "2.0", ...message }));
  let asked = 0;
  const peer: Peer = {
    ask: (method, params) =>
      new Promise((resolve) => {
        asked += 1;
        const id = `peer-${asked}`;
        waiting.set(id, ({ result, error }) => resolve(error === undefined ? { result } : { error }));
        say({ id, method, params: { sessionId: "s1", ...params } });
      }),
    update: (update) => say({ method: "session/update", params: { sessionId: "s1", update } }),
    put,
    die: () => void writer.close().catch(() => undefined), // It may have been closed from the other side.
  };
  const standing: Answers = {
    initialize: () => HELLO,
    "session/new": () => ({ sessionId: "s1" }),
    "session/prompt": () => ({ stopReason: "end_turn" }),
  };
  const hear = async (message: Message): Promise<void> => {
    heard.push(message);
    if (message.method === undefined) {
      waiting.get(String(message.id))?.(message);
      return;
    }
    const answer = answers[message.method] ?? standing[message.method];
    if (message.id === undefined) {
      await answer?.(message.params, peer);
      return;
    }
    const id = message.id;
    try {
      say({ id, result: (await answer?.(message.params, peer)) ?? {} });
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      say({ id, error: { code: Number(error.code), message: error.message } });
    }
  };
  const listening = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of input.readable)
      for (const line of decoder.decode(chunk).split("\n")) if (line !== "") void hear(JSON.parse(line) as Message);
  };
  void listening();
  return {
    talk: { input: input.writable, output: output.readable },
    /** What the client asked, without the answers it gave. */
    asked: () => heard.flatMap(({ method, params }) => (method === undefined ? [] : [{ method, params }])),
  };
}

const WANTED: TurnWanted = {
  prompt: "Do it.",
  background: "",
  notice: "",
  cwd: "/workspace",
  directories: [],
  mode: null,
  session: null,
};

const denied = async (): Promise<never> => {
  throw new Failure("act/denied", "that is not allowed here");
};
const clientWith = (does: Partial<TurnClient> = {}): TurnClient => ({
  read: denied,
  write: denied,
  permit: async () => "deny",
  needsPerson: never,
  startTerminal: denied,
  hear: () => undefined,
  tell: () => true,
  redact: (text) => text,
  pieces: () => ({ add: (piece) => piece, rest: () => "" }),
  ...does,
});
const turnOf = (answers: Answers, client: TurnClient = clientWith(), wanted: Partial<TurnWanted> = {}) => {
  const agent = agentThat(answers);
  const report = acpProtocol().turn(agent.talk, { ...WANTED, ...wanted }, client, new AbortController().signal);
  return { agent, report };
};
const probeOf = (answers: Answers) =>
  acpProtocol().probe(agentThat(answers).talk, "/workspace", new AbortController().signal);

afterEach(() => vi.useRealTimers());

test("a turn is told with what the agent said, used and asked for", async () => {
  const { agent, report } = turnOf(
    {
      "session/prompt": (_, peer) => {
        peer.update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: "Done." } });
        return { stopReason: "max_tokens", usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } };
      },
    },
    clientWith(),
    { background: "What happened before: nothing.", notice: "Mind the gap." },
  );
  expect(await report).toEqual({
    stop: "max_tokens",
    agent: "peer",
    version: "2.0",
    session: "s1",
    resumed: false,
    message: "Done.",
    usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5, cost: null },
    toolCalls: 0,
    invalidMessages: 0,
    trouble: null,
  });
  expect(agent.asked()).toEqual([
    {
      method: "initialize",
      params: {
        protocolVersion: 1,
        clientInfo: { name: "agentos", version: "1" },
        clientCapabilities: { fs: { readTextFile: true, writeTextFile: true }, terminal: true },
      },
    },
    { method: "session/new", params: { cwd: "/workspace", mcpServers: [] } },
    {
      method: "session/prompt",
      params: {
        sessionId: "s1",
        prompt: [{ type: "text", text: "What happened before: nothing.\n\nMind the gap.\n\nDo it." }],
      },
    },
  ]);
});

test("a secret that an agent says in two pieces, or in its trouble, is in nothing that is heard or told of it", async () => {
  const redact = (text: string): string => text.replaceAll("sk-0123456789", "[redacted]");
  // The most hesitant there could be: nothing is told before all of it is known.
  const pieces = () => {
    let all = "";
    return {
      add: (piece: string) => {
        all += piece;
        return "";
      },
      rest: () => {
        const rest = redact(all);
        all = "";
        return rest;
      },
    };
  };
  const heard: string[] = [];
  const told: string[] = [];
  const { report } = turnOf(
    {
      "session/prompt": (_, peer) => {
        for (const kind of ["agent_message_chunk", "agent_thought_chunk"])
          for (const text of ["it is sk-01234", "56789, I say", " sk-0"])
            peer.update({ sessionUpdate: kind, content: { type: "text", text } });
        throw Object.assign(new Error(`${"x".repeat(395)}sk-0123456789`), { code: -32_000 });
      },
    },
    clientWith({
      hear: (from, message) => void (from === "agent" && heard.push(JSON.stringify(message))),
      tell: (text) => told.push(text) > 0,
      redact,
      pieces,
    }),
  );
  expect(await report).toMatchObject({
    stop: "error",
    message: "it is [redacted], I say sk-0",
    trouble: `${"x".repeat(395)}[reda`,
  });
  expect(told.join("")).toBe("it is [redacted], I say sk-0");
  const texts = (kind: string): string =>
    heard
      .flatMap((line) => (line.includes(kind) ? [...line.matchAll(/"text":"([^"]*)"/g)].map(([, text]) => text) : []))
      .join("");
  expect([texts("agent_message_chunk"), texts("agent_thought_chunk")]).toEqual([
    "it is [redacted], I say sk-0",
    "it is [redacted], I say sk-0",
  ]);
});

test("a session is gone on with where the agent can load it, in the mode that is wanted, without what it knows already", async () => {
  const { agent, report } = turnOf(
    {
      initialize: () => ({ ...HELLO, agentCapabilities: { loadSession: true } }),
      "session/load": () => ({
        modes: {
          currentModeId: "work",
          availableModes: [
            { id: "work", name: "Work" },
            { id: "plan", name: "Plan" },
          ],
        },
      }),
    },
    clientWith(),
    { session: "s0", mode: "plan", background: "What happened before: much." },
  );
  expect(await report).toMatchObject({ stop: "end_turn", session: "s0", resumed: true });
  expect(agent.asked().slice(1)).toEqual([
    { method: "session/load", params: { cwd: "/workspace", mcpServers: [], sessionId: "s0" } },
    { method: "session/set_mode", params: { sessionId: "s0", modeId: "plan" } },
    { method: "session/prompt", params: { sessionId: "s0", prompt: [{ type: "text", text: "Do it." }] } },
  ]);
});

test("a session that the agent does not know any more is begun anew, and it is told what happened before", async () => {
  const { agent, report } = turnOf(
    {
      initialize: () => ({ ...HELLO, agentCapabilities: { loadSession: true } }),
      "session/load": () => {
        throw refusal(-32_002, "no such session");
      },
    },
    clientWith(),
    { session: "s0", background: "What happened before: much." },
  );
  expect(await report).toMatchObject({ stop: "end_turn", session: "s1", resumed: false });
  expect(agent.asked().at(-1)).toEqual({
    method: "session/prompt",
    params: { sessionId: "s1", prompt: [{ type: "text", text: "What happened before: much.\n\nDo it." }] },
  });
});

test("an agent that never answers whether it knows its session is given up, and not taken for one that does not", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true });
  const { agent, report } = turnOf(
    {
      initialize: () => ({ ...HELLO, agentCapabilities: { loadSession: true } }),
      "session/load": () => {
        vi.advanceTimersByTime(120_000);
        return never;
      },
    },
    clientWith(),
    { session: "s0" },
  );
  expect(await report).toMatchObject({
    stop: "protocol",
    session: null,
    trouble: "it did not answer session/load within 120000 ms",
  });
  expect(agent.asked().map(({ method }) => method)).toEqual(["initialize", "session/load"]);
});

test.each<[string, Answers, object]>([
  [
    "speaks another version of the protocol",
    { initialize: () => ({ ...HELLO, protocolVersion: 2 }) },
    { stop: "protocol", trouble: "it speaks version 2 of the protocol, not 1" },
  ],
  [
    "begins no session",
    {
      "session/new": () => {
        throw refusal(-32_000, "log in\n first");
      },
    },
    { stop: "error", trouble: "log in first" },
  ],
  [
    "refuses the prompt",
    {
      "session/prompt": () => {
        throw refusal(-32_603, "no credit left");
      },
    },
    { stop: "error", trouble: "no credit left" },
  ],
  [
    "stops for a reason that is none",
    { "session/prompt": () => ({ stopReason: "bored" }) },
    { stop: "protocol", trouble: "it answered with something else than the protocol says" },
  ],
  [
    "dies",
    {
      "session/prompt": (_, peer) => {
        peer.die();
        return never;
      },
    },
    { stop: "died", trouble: "its process ended before its turn did" },
  ],
])("an agent that %s has its turn ended with a sentence about it", async (_, answers, told) => {
  expect(await turnOf(answers).report).toMatchObject(told);
});

test("files are read and written for the agent, and a refusal is told to it with its reason", async () => {
  const acts: unknown[] = [];
  const answered: unknown[] = [];
  const { report } = turnOf(
    {
      "session/prompt": async (_, peer) => {
        answered.push(
          await peer.ask("fs/read_text_file", { path: "/workspace/a", line: 2, limit: 3 }),
          await peer.ask("fs/read_text_file", { path: "/workspace/b" }),
          await peer.ask("fs/write_text_file", { path: "/workspace/a", content: "new" }),
          await peer.ask("fs/write_text_file", { path: "/etc/passwd", content: "new" }),
        );
        return { stopReason: "end_turn" };
      },
    },
    clientWith({
      read: async (...asked) => {
        acts.push(["read", ...asked]);
        return "text";
      },
      write: async (path, content) => {
        if (path.startsWith("/etc")) return denied();
        acts.push(["write", path, content]);
      },
    }),
  );
  expect(await report).toMatchObject({ stop: "end_turn", trouble: null });
  expect(acts).toEqual([
    ["read", "/workspace/a", 2, 3],
    ["read", "/workspace/b", null, null],
    ["write", "/workspace/a", "new"],
  ]);
  expect(answered).toEqual([
    { result: { content: "text" } },
    { result: { content: "text" } },
    { result: {} },
    { error: { code: -32_000, message: "that is not allowed here" } },
  ]);
});

test("a permission is asked with all that was said of the tool call, and granted once, never always", async () => {
  const wishes: unknown[] = [];
  const answered: unknown[] = [];
  const both = [
    { optionId: "always", name: "Always", kind: "allow_always" },
    { optionId: "once", name: "Once", kind: "allow_once" },
  ];
  const { report } = turnOf(
    {
      "session/prompt": async (_, peer) => {
        peer.update({
          sessionUpdate: "tool_call",
          toolCallId: "t1",
          kind: "edit",
          title: "Edit a",
          rawInput: { path: "a" },
          locations: [{ path: "/workspace/a" }],
        });
        for (const options of [both, []])
          answered.push(await peer.ask("session/request_permission", { toolCall: { toolCallId: "t1" }, options }));
        answered.push(await peer.ask("session/request_permission", { toolCall: { toolCallId: "t2" }, options: both }));
        return { stopReason: "end_turn" };
      },
    },
    clientWith({
      permit: async (wish) => {
        wishes.push(wish);
        return wish.tool === "edit" ? "allow" : "deny";
      },
    }),
  );
  expect(await report).toMatchObject({ stop: "end_turn", toolCalls: 1 });
  const edit = { tool: "edit", title: "Edit a", rawInput: { path: "a" }, locations: ["/workspace/a"] };
  expect(wishes).toEqual([edit, edit, { tool: "other", title: "", rawInput: null, locations: [] }]);
  expect(answered).toEqual([
    { result: { outcome: { outcome: "selected", optionId: "once" } } },
    { result: { outcome: { outcome: "cancelled" } } },
    { result: { outcome: { outcome: "cancelled" } } },
  ]);
});

test("where only a person can say, the agent is told to stop and the turn waits for them", async () => {
  let needed: () => void = () => {};
  const needsPerson = new Promise<void>((resolve) => {
    needed = resolve;
  });
  const { agent, report } = turnOf(
    {
      "session/prompt": async (_, peer) => {
        await peer.ask("session/request_permission", { toolCall: { toolCallId: "t1" }, options: [] });
        return { stopReason: "cancelled" };
      },
    },
    clientWith({
      needsPerson,
      permit: async () => {
        needed();
        return "ask";
      },
    }),
  );
  expect(await report).toMatchObject({ stop: "permission", session: "s1", trouble: null });
  expect(agent.asked().at(-1)).toEqual({ method: "session/cancel", params: { sessionId: "s1" } });
});

test("a terminal is started as asked, looked at, waited for and ended; all that are left end with the turn", async () => {
  const started: unknown[] = [];
  const killed: string[] = [];
  const answered: unknown[] = [];
  const ended = { exitCode: 0, signal: null };
  const terminalOf = (command: string): TurnTerminal => ({
    output: async () => ({ text: "out", truncated: false, exit: killed.includes(command) ? ended : null }),
    ended: command === "sleep" ? never : Promise.resolve(ended),
    kill: () => void killed.push(command),
  });
  const { report } = turnOf(
    {
      "session/prompt": async (_, peer) => {
        const first = {
          command: "make",
          args: ["all"],
          env: [{ name: "A", value: "1" }],
          cwd: "/w",
          outputByteLimit: 9,
        };
        for (const [method, params] of [
          ["terminal/create", first],
          ["terminal/output", { terminalId: "terminal-1" }],
          ["terminal/wait_for_exit", { terminalId: "terminal-1" }],
          ["terminal/kill", { terminalId: "terminal-1" }],
          ["terminal/output", { terminalId: "terminal-1" }],
          ["terminal/create", { command: "true" }],
          ["terminal/release", { terminalId: "terminal-2" }],
          ["terminal/create", { command: "sleep" }],
          ["terminal/output", { terminalId: "terminal-9" }],
        ] as const)
          answered.push(await peer.ask(method, params));
        expect(killed).toEqual(["make", "true"]);
        return { stopReason: "end_turn" };
      },
    },
    clientWith({
      startTerminal: async (asked) => {
        started.push(asked);
        return terminalOf(asked.command);
      },
    }),
  );
  expect(await report).toMatchObject({ stop: "end_turn" });
  const plain = { args: [], environment: {}, cwd: null, outputBytesMax: null };
  expect(started).toEqual([
    { command: "make", args: ["all"], environment: { A: "1" }, cwd: "/w", outputBytesMax: 9 },
    { command: "true", ...plain },
    { command: "sleep", ...plain },
  ]);
  expect(answered).toEqual([
    { result: { terminalId: "terminal-1" } },
    { result: { output: "out", truncated: false } },
    { result: ended },
    { result: {} },
    { result: { output: "out", truncated: false, exitStatus: ended } },
    { result: { terminalId: "terminal-2" } },
    { result: {} },
    { result: { terminalId: "terminal-3" } },
    { error: { code: -32_602, message: expect.stringContaining("there is no terminal terminal-9") } },
  ]);
  expect(killed).toEqual(["make", "true", "make", "true", "sleep"]);
});

test("what is thrown and is no refusal ends the turn and is thrown on; the agent hears nothing of it", async () => {
  const bug = new Error("the disk is gone");
  let heard: unknown = null;
  const { report } = turnOf(
    {
      "session/prompt": async (_, peer) => {
        heard = await peer.ask("fs/read_text_file", { path: "/workspace/a" });
        return never;
      },
    },
    clientWith({
      read: async () => {
        throw bug;
      },
    }),
  );
  await expect(report).rejects.toBe(bug);
  expect(JSON.stringify(heard)).not.toContain("disk");
});

test("a terminal whose end could not be recorded ends the turn, and why is thrown on", async () => {
  const bug = new Error("the journal is gone");
  const { report } = turnOf(
    {
      "session/prompt": async (_, peer) => {
        await peer.ask("terminal/create", { command: "make" });
        return never;
      },
    },
    clientWith({
      startTerminal: async () => ({
        output: async () => ({ text: "", truncated: false, exit: null }),
        ended: Promise.reject(bug),
        kill: () => undefined,
      }),
    }),
  );
  await expect(report).rejects.toBe(bug);
});

test("what is no message is counted and heard as what it is, and the turn goes on", async () => {
  const odd: unknown[] = [];
  const { report } = turnOf(
    {
      "session/prompt": (_, peer) => {
        for (const line of ["hello", "[1]", '{"jsonrpc":"2.0","id":77,"result":{}}']) peer.put(line);
        peer.update({ sessionUpdate: "no-such" });
        return { stopReason: "end_turn" };
      },
    },
    clientWith({ hear: (from, message, invalid) => void (invalid !== null && odd.push([from, message, invalid])) }),
  );
  expect(await report).toMatchObject({ stop: "end_turn", invalidMessages: 4 });
  expect(odd).toEqual([
    ["agent", "hello", "no JSON"],
    ["agent", [1], "no JSON-RPC message"],
    ["agent", { jsonrpc: "2.0", id: 77, result: {} }, "an answer nobody asked for"],
    [
      "agent",
      {
        jsonrpc: "2.0",
        method: "session/update",
        params: { sessionId: "s1", update: { sessionUpdate: "no-such" } },
      },
      "no update of a session",
    ],
  ]);
});

test("a probe tells who the agent is, how one logs in and which modes it has", async () => {
  expect(
    await probeOf({
      initialize: () => ({
        ...HELLO,
        agentCapabilities: { loadSession: true },
        authMethods: [{ id: "key", name: "A key" }],
      }),
      "session/new": () => ({
        sessionId: "s1",
        modes: { currentModeId: "work", availableModes: [{ id: "work", name: "Work" }] },
      }),
    }),
  ).toEqual({
    protocol: 1,
    agent: "peer",
    version: "2.0",
    canLoadSession: true,
    authMethods: ["key"],
    modes: ["work"],
    trouble: null,
  });
});

const NOTHING = {
  protocol: 0,
  agent: null,
  version: null,
  canLoadSession: false,
  authMethods: [],
  modes: [],
};

test.each<[string, Answers, object]>([
  [
    "cannot begin a session",
    {
      "session/new": () => {
        throw refusal(-32_000, "log in first");
      },
    },
    {
      ...NOTHING,
      protocol: 1,
      agent: "peer",
      version: "2.0",
      trouble: "a session could not be begun: log in first",
    },
  ],
  [
    "says hello in other words",
    { initialize: () => ({ hello: "there" }) },
    { ...NOTHING, trouble: "it answered with something else than the protocol says" },
  ],
])("a probe of an agent that %s says so", async (_, answers, told) => {
  expect(await probeOf(answers)).toEqual(told);
});

test("an agent that is only probed is given nothing, whatever it asks for", async () => {
  const answered: unknown[] = [];
  const probed = await probeOf({
    "session/new": async (_, peer) => {
      const options = [
        { optionId: "yes", name: "Yes", kind: "allow_once" },
        { optionId: "no", name: "No", kind: "reject_once" },
      ];
      answered.push(
        await peer.ask("fs/read_text_file", { path: "/etc/passwd" }),
        await peer.ask("fs/write_text_file", { path: "/workspace/a", content: "new" }),
        await peer.ask("terminal/create", { command: "make" }),
        await peer.ask("session/request_permission", { toolCall: { toolCallId: "t1" }, options }),
      );
      return { sessionId: "s1" };
    },
  });
  expect(probed).toMatchObject({ agent: "peer", trouble: null });
  const refused = { error: expect.objectContaining({ code: -32_601 }) };
  expect(answered).toEqual([
    refused,
    refused,
    refused,
    { result: { outcome: { outcome: "selected", optionId: "no" } } },
  ]);
});

test.each<[string, (peer: Peer) => void, string]>([
  [
    "nothing but chatter",
    (peer) => {
      for (let line = 0; line <= 1_000; line += 1) peer.put(`loading ${line}`);
    },
    "it said 1001 things that are no messages of the protocol",
  ],
  [
    "a message without an end",
    (peer) => peer.put("x".repeat(16 * 1024 ** 2 + 1)),
    `it sent a message of more than ${16 * 1024 ** 2} bytes`,
  ],
])("an agent that says %s is not listened to any longer", async (_, say, why) => {
  const { report } = turnOf({
    initialize: (_params, peer) => {
      say(peer);
      return never;
    },
  });
  expect(await report).toMatchObject({ stop: "protocol", trouble: why });
});
