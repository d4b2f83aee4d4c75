import { expect, test } from "vitest";
import { saidBy } from "./said.ts";

const SESSION = "s1";
const updating = (update: Readonly<Record<string, unknown>>) => ({ sessionId: SESSION, update });
const call = (toolCallId: string, more: Readonly<Record<string, unknown>> = {}) =>
  updating({ sessionUpdate: "tool_call", toolCallId, rawInput: null, ...more });
const callUpdate = (toolCallId: string, more: Readonly<Record<string, unknown>>) =>
  updating({ sessionUpdate: "tool_call_update", toolCallId, rawInput: null, ...more });
const chunk = (text: string) => updating({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } });

/** What is gathered, and what a person who looks on was told. */
function listening() {
  const told: string[] = [];
  const said = saidBy({
    tell: (text) => told.push(text) > 0,
    pieces: () => ({ add: (piece) => piece, rest: () => "" }),
  });
  return { said, told: () => told.join("") };
}

test("the answer of a turn is what the agent says after its last tool", () => {
  const { said, told } = listening();
  said.is("agent", "1.0");
  said.inSession(SESSION, false);
  said.begin();
  for (const update of [
    chunk("I look "),
    chunk("first.\n"),
    call("t1", { title: "Read a.txt", kind: "read", status: "pending" }),
    callUpdate("t1", { status: "completed" }),
    call("t2"),
    chunk(" Done. "),
  ])
    expect(said.update(update)).toBe(true);
  expect(said.soFar()).toEqual({
    agent: "agent",
    version: "1.0",
    session: SESSION,
    resumed: false,
    message: "Done.",
    usage: { inputTokens: null, outputTokens: null, totalTokens: null, cost: null },
    toolCalls: 2,
  });
  expect(told()).toBe("I look first.\n\n[read] Read a.txt\n\n[tool] t2\n Done. ");
});

test("what is known of a tool call is put together from all that was said of it", () => {
  const { said } = listening();
  said.begin();
  said.update(call("t1", { title: "Edit", kind: "edit", rawInput: { path: "a" } }));
  said.update(callUpdate("t1", { status: "done", locations: [{ path: "/w/a" }] }));
  expect(said.toolCall("t1")).toEqual({
    toolCallId: "t1",
    title: "Edit",
    kind: "edit",
    status: "done",
    rawInput: { path: "a" },
    locations: [{ path: "/w/a" }],
  });
  expect(said.toolCall("t2")).toBe(undefined);
});

test("a plan is shown to who looks on, and is no part of the answer", () => {
  const { said, told } = listening();
  said.begin();
  said.update(
    updating({
      sessionUpdate: "plan",
      entries: [
        { content: "look", status: "completed" },
        { content: "change", status: "pending" },
      ],
    }),
  );
  expect(told()).toBe("\n- look (completed)\n- change (pending)\n");
  expect(said.soFar()).toMatchObject({ message: "", toolCalls: 0 });
});

const using = (used: number, cost?: object) => updating({ sessionUpdate: "usage_update", used, ...(cost && { cost }) });

test("tokens counted at the end of a turn stand over the most that were in use on the way, and the last cost stays", () => {
  const { said } = listening();
  said.begin();
  said.update(using(700, { amount: 0.25, currency: "USD" }));
  said.update(using(900, { amount: 0.75, currency: "USD" }));
  said.update(using(300));
  const cost = { amount: 0.75, currency: "USD" };
  said.used(null);
  expect(said.soFar().usage).toEqual({ inputTokens: null, outputTokens: null, totalTokens: 900, cost });
  said.used({ inputTokens: 600, outputTokens: 20 });
  expect(said.soFar().usage).toEqual({ inputTokens: 600, outputTokens: 20, totalTokens: null, cost });
  said.used({ inputTokens: 600, outputTokens: 20, totalTokens: 620 });
  said.update(using(950));
  expect(said.soFar().usage).toEqual({ inputTokens: 600, outputTokens: 20, totalTokens: 620, cost });
});

test("what a loaded session says it used before the prompt is of no turn", () => {
  const { said } = listening();
  said.update(using(700, { amount: 0.25, currency: "USD" }));
  said.begin();
  expect(said.soFar().usage).toEqual({ inputTokens: null, outputTokens: null, totalTokens: null, cost: null });
});

test("what a loaded session repeats before the prompt does not count", () => {
  const { said, told } = listening();
  said.inSession(SESSION, true);
  expect(said.update(chunk("of last time"))).toBe(true);
  expect(said.update(call("t1"))).toBe(true);
  said.begin();
  said.update(chunk("of now"));
  expect([said.soFar(), said.toolCall("t1"), told()]).toEqual([
    expect.objectContaining({ resumed: true, message: "of now", toolCalls: 0 }),
    undefined,
    "of now",
  ]);
});

test("of a long answer the end is kept", () => {
  const { said } = listening();
  said.begin();
  said.update(chunk("a".repeat(64 * 1024)));
  said.update(chunk("the end"));
  expect(said.soFar().message).toBe(`${"a".repeat(64 * 1024 - "the end".length)}the end`);
});

test("of a long answer that is cut within a character no half of it is kept", () => {
  const { said } = listening();
  said.begin();
  said.update(chunk(`${"😀".repeat(40_000)}x`));
  expect(said.soFar().message).toBe(`\ufffd${"😀".repeat(32_767)}x`);
});

test.each([
  ["thoughts", { sessionUpdate: "agent_thought_chunk", content: { type: "text", text: "hm" } }],
  ["pictures", { sessionUpdate: "agent_message_chunk", content: { type: "image" } }],
  ["a change of mode", { sessionUpdate: "current_mode_update", currentModeId: "plan" }],
])("%s are no words of the answer", (_, update) => {
  const { said, told } = listening();
  said.begin();
  expect([said.update(updating(update)), said.soFar().message, told()]).toEqual([true, "", ""]);
});

test.each([
  ["of a kind nobody knows", updating({ sessionUpdate: "no-such" })],
  ["of no session", { update: { sessionUpdate: "notice" } }],
  ["without its text", updating({ sessionUpdate: "agent_message_chunk" })],
  ["that is nothing", null],
])("an update %s is none", (_, update) => {
  const { said } = listening();
  said.begin();
  expect(said.update(update)).toBe(false);
});

test("an update of a tool call that says only what is new is an update", () => {
  const { said } = listening();
  said.begin();
  expect(said.update(updating({ sessionUpdate: "tool_call", toolCallId: "t1", kind: "read" }))).toBe(true);
  expect(said.update(updating({ sessionUpdate: "tool_call_update", toolCallId: "t1", status: "completed" }))).toBe(
    true,
  );
  expect(said.toolCall("t1")).toMatchObject({ kind: "read", status: "completed" });
});
