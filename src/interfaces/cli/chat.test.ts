import { describe, expect, test, vi } from "vitest";
import { confirming, givenCli } from "../../../test/support/given-cli.ts";
import { TASK } from "../../../test/support/given-views.ts";
import { ENTER, LEAVE, onScriptedTerminal, scriptedPerson, type Told } from "../../../test/support/scripted-person.ts";
import type { ChatTold } from "../client/chat-stream.ts";
import type { Client } from "../client/client.ts";
import { problemOf, trouble } from "../client/trouble.ts";
import { chat } from "./commands/chat.ts";

vi.mock("@clack/prompts", async (original) => onScriptedTerminal(await original()));

const SPENT = { tokens: 12, usd: 0, turns: 1 };
const end = (text: string, drafted: string[] = []): ChatTold => ({
  type: "end",
  session: "parser",
  text,
  drafted,
  spent: SPENT,
});
/** One draft, after a look and an act that was refused; the text comes in two parts. */
const DRAFTED: readonly ChatTold[] = [
  { type: "model", provider: "box", model: "small" },
  { type: "tool", name: "list_tasks", ok: true },
  { type: "tool", name: "run\u001b[2J", ok: false },
  { type: "drafted", task: TASK, title: "Mend the parser" },
  { type: "text", text: "It is\n" },
  { type: "text", text: "drafted.\u001b[2J" },
  end("It is\ndrafted.\u001b[2J", [TASK]),
];

/** A daemon that answers what is said, one after the other; an error is thrown. */
function talking(...answers: readonly (readonly ChatTold[] | Error)[]) {
  const said: (readonly [session: string, text: string])[] = [];
  const say: Client["say"] = async function* (session, text) {
    const answer = answers[said.length] ?? [];
    said.push([session, text]);
    if (answer instanceof Error) throw answer;
    yield* answer;
  };
  return { said, say };
}

const NOTES = `looked: list_tasks\nrefused: run\\u{1b}[2J\ndraft ${TASK}: Mend the parser\n`;
const NEXT = `next: agentos task show ${TASK}; agentos task freeze ${TASK}; agentos task ready ${TASK}\n`;

describe("a message of a chat", () => {
  test("is answered in whole where nobody looks on, with what was done for it and what is left to do", async () => {
    const { said, say } = talking(DRAFTED);
    const { context, stdout, stderr } = givenCli({ say });
    await chat.run({ message: "Draft it", session: "parser" }, context);
    expect(said).toEqual([["parser", "Draft it"]]);
    expect(stdout()).toBe("It is\ndrafted.\\u{1b}[2J\n");
    expect(stderr()).toBe(`${NOTES}${NEXT}go on: agentos chat --session parser\n`);
  });

  test("is answered as it is made on a terminal, and the answer is not said twice", async () => {
    const { say } = talking(DRAFTED);
    const { context, stdout } = givenCli({ say }, { stdoutIsTerminal: true });
    await chat.run({ message: "Draft it", session: "parser" }, context);
    expect(stdout()).toBe("It is\ndrafted.\\u{1b}[2J\n");
  });

  test("goes to a new chat unless one is named, and says which", async () => {
    const { said, say } = talking([end("Hello.")]);
    const { context, stderr } = givenCli({ say });
    await chat.run({ message: "Hello" }, context);
    const session = said[0]?.[0] ?? "";
    expect(session).toMatch(/^chat-[0-9a-f-]{36}$/);
    expect(stderr()).toBe(`go on: agentos chat --session ${session}\n`);
  });

  test("is answered by the next model below what one had said that failed", async () => {
    const { say } = talking([
      { type: "model", provider: "box", model: "small" },
      { type: "text", text: "It w" },
      { type: "model", provider: "cloud", model: "large" },
      { type: "text", text: "It works." },
      end("It works."),
    ]);
    const { context, stdout } = givenCli({ say }, { stdoutIsTerminal: true });
    await chat.run({ message: "Does it?", session: "parser" }, context);
    expect(stdout()).toBe("It w\nIt works.\n");
  });

  test("is, with --quiet, the ids of the drafts alone", async () => {
    const { say } = talking(DRAFTED);
    const { context, stdout, stderr } = givenCli({ say }, { shape: { quiet: true } });
    await chat.run({ message: "Draft it", session: "parser" }, context);
    expect([stdout(), stderr()]).toEqual([`${TASK}\n`, ""]);
  });

  test("that was interrupted before its end leaves no answer", async () => {
    const { say } = talking([{ type: "text", text: "It w" }]);
    const { context, stdout, stderr } = givenCli({ say });
    await chat.run({ message: "Does it?", session: "parser" }, context);
    expect([stdout(), stderr()]).toEqual(["", "go on: agentos chat --session parser\n"]);
  });
});

describe("a conversation", () => {
  async function conversation(say: Client["say"], told: readonly Told[], more = {}) {
    const person = scriptedPerson(...told);
    const given = givenCli({ say }, { prompt: confirming(), stdoutIsTerminal: true, ...more });
    await chat.run({ session: "parser" }, given.context);
    expect(person.waitsFor()).toEqual([]);
    return { stdout: given.stdout(), stderr: given.stderr() };
  }
  const BEGINS = "chat parser; it can look and leave drafts, and starts nothing. An empty message ends it.\n";

  test("goes on, message after message, until one is empty", async () => {
    const { said, say } = talking([end("Two.")], [end("The parser's.")]);
    const { stderr } = await conversation(say, [
      ["You", `How many wait?${ENTER}`],
      ["You", `Which?${ENTER}`],
      ["You", ENTER],
    ]);
    expect(said).toEqual([
      ["parser", "How many wait?"],
      ["parser", "Which?"],
    ]);
    expect(stderr).toBe(BEGINS);
  });

  test("ends when the person leaves it", async () => {
    const { said, say } = talking();
    await conversation(say, [["You", LEAVE]]);
    expect(said).toEqual([]);
  });

  test("goes on after a message that could not be answered", async () => {
    const { said, say } = talking(trouble("model/none", "No model answers.", { next: "Name one." }), [end("Now.")]);
    const { stderr } = await conversation(say, [
      ["You", `Hello?${ENTER}`],
      ["You", `Hello?${ENTER}`],
      ["You", ENTER],
    ]);
    expect(said).toHaveLength(2);
    expect(stderr).toBe(`${BEGINS}No model answers.\nnext: Name one.\n`);
  });

  test("ends loudly with what is a bug", async () => {
    const { say } = talking(new Error("a bug"));
    await expect(conversation(say, [["You", `Hello?${ENTER}`]])).rejects.toThrow("a bug");
  });

  test("is over when the person interrupted", async () => {
    const { said, say } = talking();
    await conversation(say, [], { signal: AbortSignal.abort() });
    expect(said).toEqual([]);
  });

  test.each([
    ["no terminal", { prompt: null }],
    ["an envelope to answer with", { prompt: confirming(), shape: { json: true } }],
  ])("is refused where there is %s", async (_, more) => {
    const { context } = givenCli({}, more);
    const error = await chat.run({ session: "parser" }, context).catch((thrown: unknown) => thrown);
    expect(problemOf(error)).toMatchObject({
      code: "input/invalid",
      detail: "No message was given, and there is no terminal to talk on.",
      next: 'For example: agentos chat "Which tasks wait for me?"',
    });
  });
});
