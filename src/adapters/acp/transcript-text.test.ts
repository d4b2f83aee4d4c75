import { expect, test } from "vitest";
import { transcriptText } from "./transcript-text.ts";

const recorded = (...lines: readonly unknown[]): Uint8Array =>
  new TextEncoder().encode(lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
const agent = (message: unknown, invalid?: string) => ({ from: "agent", message, invalid });
const client = (message: unknown) => ({ from: "client", message });
const update = (one: Readonly<Record<string, unknown>>) =>
  agent({ jsonrpc: "2.0", method: "session/update", params: { sessionId: "s1", update: one } });
const says = (text: string) => update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } });
const prompt = client({ jsonrpc: "2.0", id: 3, method: "session/prompt", params: { sessionId: "s1", prompt: [] } });

test("of a recorded turn is read what the agent said, which tools it called and what it asked for", () =>
  expect(
    transcriptText(
      recorded(
        client({ jsonrpc: "2.0", id: 1, method: "session/load" }),
        says("what it said in the turn before"),
        prompt,
        says("I look "),
        says("first.\n"),
        update({ sessionUpdate: "tool_call", toolCallId: "t1", title: "Read a.txt", kind: "read" }),
        agent({ jsonrpc: "2.0", id: 7, method: "terminal/create", params: { command: "ls", args: ["-l"] } }),
        agent({ jsonrpc: "2.0", id: 8, method: "fs/write_text_file", params: { path: "/w/a.txt", content: "new" } }),
        says("Done."),
        agent({ jsonrpc: "2.0", id: 3, result: { stopReason: "end_turn" } }),
      ),
    ),
  ).toBe("I look first.\n\n[read] Read a.txt\n\n$ ls -l\n\n[write] /w/a.txt\nDone."));

test("lines of an agent that are no messages are read as it wrote them, also before its first prompt", () =>
  expect(transcriptText(recorded(agent("Error: you are not signed in", "no JSON"), prompt, agent([1, 2], "odd")))).toBe(
    "Error: you are not signed in\n",
  ));

test("an error an agent answers its prompt with is what it said", () =>
  expect(
    transcriptText(recorded(prompt, agent({ jsonrpc: "2.0", id: 3, error: { code: 1, message: "no credit left" } }))),
  ).toBe("\n[error] no credit left\n"));

test("of a program without a protocol it is what it put out", () =>
  expect(transcriptText(recorded(client("the task"), agent("one, "), agent("two\n")))).toBe("one, two\n"));

test("what was left out of a record is told, and what is no record is passed over", () =>
  expect(transcriptText(recorded(client("the task"), agent("one\n"), "{torn", { left_out: 12 }))).toBe(
    "one\n\n[12 messages were not kept]\n",
  ));
