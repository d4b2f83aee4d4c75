import { expect, test } from "vitest";
import { agentLines, probeLines, testLines } from "./agent-text.ts";

const AGENT = { command: [], usual_hosts: [], plans: false, quirk: null };

test("agents are listed with where they are, or how they are installed", () => {
  expect(
    agentLines({
      items: [
        { ...AGENT, name: "opencode", title: "OpenCode", path: "/usr/bin/opencode", install: "npm i -g opencode-ai" },
        { ...AGENT, name: "codex", title: "Codex", path: null, install: "npm i -g codex" },
      ],
    }),
  ).toEqual([
    "NAME      AGENT     WHERE",
    "opencode  OpenCode  /usr/bin/opencode",
    "codex     Codex     not found; install it: npm i -g codex",
  ]);
});

const PROBE = {
  protocol: 1,
  agent: null,
  version: null,
  loads_sessions: false,
  modes: [],
  auth_methods: [],
  trouble: null,
};

test("an agent that was asked says what it can do, one that says little, and one that speaks no protocol", () => {
  expect(
    probeLines({
      ...PROBE,
      agent: "test-agent",
      version: "2.0",
      loads_sessions: true,
      modes: ["ask", "code"],
      auth_methods: ["key"],
    }),
  ).toEqual([
    "test-agent 2.0 speaks version 1 of the protocol.",
    "Sessions: it goes on in the one before",
    "Modes: ask, code",
    "Ways to sign in: key",
  ]);
  expect(probeLines(PROBE)).toEqual([
    "It speaks version 1 of the protocol, and does not say its name.",
    "Sessions: always a new one, told what happened before",
    "Modes: none",
    "Ways to sign in: none asked for",
  ]);
  expect(probeLines({ ...PROBE, protocol: 0, trouble: "it ended with 1\u001b[2J" })).toEqual([
    "It does not speak the protocol.",
    "Trouble: it ended with 1\\u{1b}[2J",
  ]);
});

test("a trial says what the agent left and asked for, and all that it said", () => {
  expect(
    testLines({
      stop: "max_tokens",
      changed: ["a.txt", "b.txt"],
      asked: ["fs/read"],
      denied: ["terminal/create"],
      trouble: "it is slow",
      message: "Hello,\n\u001b[2Jworld\n",
    }),
  ).toEqual([
    "Its turn ended: max tokens",
    "Files it left: a.txt, b.txt",
    "It asked for: fs/read, terminal/create",
    "Trouble: it is slow",
    "It said:",
    "  Hello,",
    "  \\u{1b}[2Jworld",
  ]);
  expect(testLines({ stop: "end_turn", changed: [], asked: [], denied: [], trouble: null, message: "" })).toEqual([
    "Its turn ended: end turn",
    "Files it left: none",
    "It asked its client for nothing: mounts and egress alone would govern it.",
  ]);
});
