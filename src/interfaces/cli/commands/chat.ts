import { isCancel, text } from "@clack/prompts";
import { z } from "zod";
import { ChatParam } from "../../../contract/chat-inputs.ts";
import type { ChatTold } from "../../client/chat-stream.ts";
import { problemOf, trouble } from "../../client/trouble.ts";
import { command, option, positional } from "../command.ts";
import type { Context } from "../context.ts";
import { block, field, line } from "../escape.ts";
import type { Prompt } from "../prompt.ts";

export const chat = command({
  args: z.strictObject({
    message: positional(z.string().optional(), "MESSAGE", "what you say; without it, a conversation on the terminal"),
    session: option(ChatParam.shape.session.optional(), "NAME", "goes on with this chat, instead of a new one"),
  }),
  examples: [
    'agentos chat "Which tasks wait for me, and why?"',
    'agentos chat --session parser "Draft a task that mends the parser"',
  ],
  async run({ message, session = `chat-${crypto.randomUUID()}` }, context) {
    if (message !== undefined) {
      await answer(context, session, message);
      context.out.note(`go on: agentos chat --session ${session}`);
      return;
    }
    if (context.prompt === null || context.out.json)
      throw trouble("input/invalid", "No message was given, and there is no terminal to talk on.", {
        next: 'For example: agentos chat "Which tasks wait for me?"',
      });
    await converse(context, context.prompt, session);
  },
});

/** Message after message, until the person has nothing more to say. */
async function converse(context: Context, { on }: Prompt, session: string): Promise<void> {
  const { out, signal } = context;
  out.note(`chat ${session}; it can look and leave drafts, and starts nothing. An empty message ends it.`);
  while (!signal.aborted) {
    const said = await text({ ...on, message: "You" });
    if (isCancel(said) || (said ?? "").trim() === "") return;
    try {
      await answer(context, session, said);
    } catch (error) {
      const problem = problemOf(error);
      if (problem === null || signal.aborted) throw error;
      out.note(field(problem.detail), `next: ${field(problem.next)}`);
    }
  }
}

type End = Extract<ChatTold, { readonly type: "end" }>;

/** One answer: on a terminal as it is made, elsewhere when it is whole. */
async function answer({ api, out, signal, stdoutIsTerminal }: Context, session: string, said: string): Promise<void> {
  const live = stdoutIsTerminal && !out.json && !out.quiet;
  let written = "";
  const write = (part: string): void => {
    written += part;
    if (live) out.bytes(new TextEncoder().encode(part.split("\n").map(line).join("\n")));
  };
  let end: End | null = null;
  for await (const told of api.say(session, said, signal)) {
    switch (told.type) {
      case "text":
        write(told.text);
        break;
      case "model":
        // What one that failed had said does not count.
        if (written !== "") write("\n");
        break;
      case "tool":
        out.note(`${told.ok ? "looked" : "refused"}: ${field(told.name)}`);
        break;
      case "drafted":
        out.note(`draft ${told.task}: ${field(told.title)}`);
        break;
      case "end":
        end = told;
        break;
    }
  }
  if (end === null) return;
  if (live) write("\n");
  out.result(
    end,
    ({ text: whole }) => (live ? [] : block(whole)),
    ({ drafted }) => drafted,
  );
  for (const task of end.drafted)
    out.note(`next: agentos task show ${task}; agentos task freeze ${task}; agentos task ready ${task}`);
}
