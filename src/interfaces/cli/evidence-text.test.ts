import { expect, test } from "vitest";
import { evidenceText } from "./evidence-text.ts";

const blob = (digest: string, bytes: number) => ({ digest, bytes });
const command = {
  kind: "command",
  argv: ["/bin/sh", "-c", "npm test"],
  exitCode: 0,
  signal: null,
  endedBy: "itself",
  durationMs: 12,
  stdout: blob("d1", 3),
  stderr: blob("d2", 0),
};
const turn = {
  kind: "turn",
  agent: "opencode",
  version: "1.2.3",
  argv: ["opencode", "acp"],
  environment: "e1",
  exitCode: null,
  signal: "SIGTERM",
  endedBy: "closed",
  stderr: blob("d2", 0),
  durationMs: 4_000,
  prompt: blob("d5", 20),
  transcript: blob("d6", 900),
  stop: "end_turn",
  session: "s1",
  home: "h",
  resumed: false,
  usage: { inputTokens: null, outputTokens: null, totalTokens: null, cost: null },
  toolCalls: 7,
  acts: 0,
  invalidMessages: 0,
  redactions: 0,
};
const KEPT = "prompt digest d5 (20 bytes), transcript digest d6 (900 bytes), stderr digest d2 (0 bytes)";
const tool = {
  kind: "tool",
  server: "notes",
  tool: "find",
  digest: "d7",
  argv: [],
  environment: "e1",
  answer: blob("d8", 5),
  stderr: blob("d2", 0),
  isError: false,
  durationMs: 3,
};
const model = {
  kind: "model",
  provider: "ollama",
  model: "qwen3",
  answeredBy: "qwen3",
  request: blob("d9", 7),
  response: blob("d0", 8),
  inputTokens: 10,
  outputTokens: 5,
  estimated: false,
  microdollars: null,
  durationMs: 3,
};
const PUT_OUT = "12 ms, stdout digest d1 (3 bytes), stderr digest d2 (0 bytes)";

test.each([
  [command, `command npm test: exit code 0, ${PUT_OUT}`],
  [{ ...command, exitCode: null, signal: "SIGSEGV" }, `command npm test: SIGSEGV, ${PUT_OUT}`],
  [{ ...command, exitCode: null, endedBy: "timeout" }, `command npm test: ended: timeout, ${PUT_OUT}`],
  [{ kind: "file", path: "a.txt", before: null, after: "h2" }, "file a.txt: none → h2"],
  [{ kind: "file", path: "a.txt", before: "h1", after: null }, "file a.txt: h1 → none"],
  [{ kind: "tree", repo: "app", before: "t1", after: "t2" }, "tree of app: t1 → t2"],
  [{ kind: "tree", repo: "app", before: "t1", after: "t1" }, "tree of app: t1, unchanged"],
  [{ kind: "mount", repo: "app", line: "/work app rw", readOnly: false }, "mount of app, writable: /work app rw"],
  [{ kind: "mount", repo: "app", line: "/work app ro", readOnly: true }, "mount of app, read-only: /work app ro"],
  [
    { kind: "tests", runner: "node", counts: { passed: 3, failed: 1, skipped: 2 }, report: blob("d3", 9) },
    "tests by node: 3 passed, 1 failed, 2 skipped, report digest d3 (9 bytes)",
  ],
  [{ kind: "artifact", name: "report.md", content: blob("d4", 9) }, "artifact report.md: digest d4 (9 bytes)"],
  [
    { kind: "egress", host: "registry.npmjs.org", port: 443, verdict: "allowed", bytesUp: 1, bytesDown: 2 },
    "connection to registry.npmjs.org:443: allowed, 1 bytes up, 2 down",
  ],
  [
    { kind: "decision", verdict: "ask", rule: "r", policy: "shipped:default", set: "h0" },
    "decision: asked and allowed by shipped:default, policies h0",
  ],
  [
    { kind: "decision", verdict: "allow", rule: "r", policy: "shipped:default", set: "h0" },
    "decision: allow by shipped:default, policies h0",
  ],
  [{ kind: "commit", repo: "app", commit: "c1", tree: "t1" }, "commit of app: c1, tree t1"],
  [{ kind: "program", name: "make", path: "/usr/bin/make" }, "program make: /usr/bin/make"],
  [{ kind: "program", name: "make", path: null }, "program make: not found"],
  [{ kind: "layer", repo: "app", key: "k1", files: 12, reused: false }, "dependencies of app: layer k1, 12 files"],
  [
    { kind: "layer", repo: "app", key: "k1", files: 12, reused: true },
    "dependencies of app: layer k1, 12 files, reused",
  ],
  [turn, `turn of opencode 1.2.3: end turn, 4000 ms, 7 tool calls, 0 acts, ${KEPT}`],
  [
    {
      ...turn,
      version: null,
      exitCode: 3,
      signal: null,
      endedBy: "itself",
      stop: "died",
      resumed: true,
      usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15, cost: { amount: 0.02, currency: "EUR" } },
      invalidMessages: 2,
      redactions: 1,
    },
    `turn of opencode, going on in its session: died, exit code 3, 4000 ms, 7 tool calls, 0 acts, 15 tokens as it says, 0.02 EUR as it says, 2 messages that were none, 1 secrets taken out, ${KEPT}`,
  ],
  [tool, "tool find of notes, agreed on as d7: answered, 3 ms, answer digest d8 (5 bytes), stderr digest d2 (0 bytes)"],
  [
    { ...tool, isError: true },
    "tool find of notes, agreed on as d7: an error, 3 ms, answer digest d8 (5 bytes), stderr digest d2 (0 bytes)",
  ],
  [model, "model ollama/qwen3: 10 tokens in, 5 out, 3 ms, request digest d9 (7 bytes), response digest d0 (8 bytes)"],
  [
    { ...model, answeredBy: "qwen3:8b", estimated: true, microdollars: 1_234 },
    "model ollama/qwen3, answered by qwen3:8b: 10 tokens in, 5 out, estimated, 0.0012 USD, 3 ms, request digest d9 (7 bytes), response digest d0 (8 bytes)",
  ],
])("a piece of evidence is one line: %j", (piece, line) => expect(evidenceText(piece)).toBe(line));

test("evidence that this version does not know is shown as it is", () =>
  expect(evidenceText({ kind: "hologram", depth: 3 })).toBe('{"kind":"hologram","depth":3}'));
