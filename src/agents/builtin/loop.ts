import { parseWellFormed } from "../../domain/well-formed.ts";
import type { TalkCapabilities } from "../../ports/agent.ts";
import type { ModelMessage, ToolCall } from "../../ports/model.ts";
import { isAnswer } from "./answered.ts";
import { bounded } from "./compaction.ts";
import { conversation } from "./conversation.ts";
import type { Finish, Tool } from "./tools.ts";

/** Answers of the model that call no tool, in a row: after each it is told to, after these it is over. */
const SILENT_MAX = 3;
const MALFORMED_MAX = 5;
/** The very same call with the same arguments, in a row: it is told so, and then it is over. */
const SAME_CALLS_TOLD = 3;
const SAME_CALLS_MAX = 6;
const CALLS_PER_ANSWER_MAX = 16;

/** How a conversation ended: with what the model handed in, or without, for a reason that is one sentence. */
export type Ended<T> = { readonly handedIn: T } | { readonly stuck: string };

type Heard =
  /** `trouble`: it was not done as asked, and the model has to see that before it may call its work finished. */
  { readonly told: string; readonly trouble: "none" | "refused" | "malformed" };

/**
 * The whole agent: ask the model, do what it calls through the capabilities it was handed, tell it what came of it, until it hands in what
 * is wanted or a bound is reached. Every ask and every act is a durable step, so the same answers lead to the same asks: there is
 * no clock here, no chance, and nothing that is kept from one conversation to the next.
 */
export async function converse<C extends Pick<TalkCapabilities, "model">, T>(
  can: C,
  opening: readonly ModelMessage[],
  tools: readonly Tool<C>[],
  finish: Finish<T>,
  turnsMax: number,
): Promise<Ended<T>> {
  const talk = conversation(can, opening, [...tools.map(({ told }) => told), finish.told]);
  let silent = 0;
  let malformed = 0;
  let same = { call: "", times: 0 };

  for (let turn = 0; turn < turnsMax; turn += 1) {
    const reply = await talk.ask();
    if (reply.calls.length === 0) {
      silent += 1;
      if (silent === SILENT_MAX)
        return { stuck: `the model answered ${SILENT_MAX} times in a row without calling a tool (${reply.finish})` };
      talk.add({ role: "user", text: nudge(reply.finish, finish.told.name) });
      continue;
    }
    silent = 0;
    let troubled = false;
    for (const [at, call] of reply.calls.entries()) {
      if (at >= CALLS_PER_ANSWER_MAX) {
        talk.add(resultOf(call, `Not done: at most ${CALLS_PER_ANSWER_MAX} calls in one answer.`));
        continue;
      }
      const args = argumentsOf(call);
      const key = `${call.name} ${args === null ? call.arguments : JSON.stringify(args.value)}`;
      same = { call: key, times: same.call === key ? same.times + 1 : 1 };
      if (same.times === SAME_CALLS_MAX)
        return { stuck: `the model made the same call of ${call.name} ${SAME_CALLS_MAX} times in a row` };

      let heard: Heard;
      if (args === null) heard = { told: "Not done: the arguments are not valid JSON.", trouble: "malformed" };
      else if (call.name !== finish.told.name)
        heard = await perform(can, tools, finish.told.name, call.name, args.value);
      else if (troubled)
        heard = {
          told: "Not taken: an earlier call of this answer was not done. Look at it first.",
          trouble: "refused",
        };
      else {
        const taken = finish.take(args.value);
        if ("handedIn" in taken) return taken;
        heard = { told: taken.wrong, trouble: "refused" };
      }

      troubled ||= heard.trouble !== "none";
      malformed = heard.trouble === "malformed" ? malformed + 1 : 0;
      if (malformed === MALFORMED_MAX)
        return { stuck: `the model made ${MALFORMED_MAX} malformed tool calls in a row; the last: ${heard.told}` };
      const again =
        same.times >= SAME_CALLS_TOLD ? `\n(The same call ${same.times} times in a row. Try another way.)` : "";
      talk.add(resultOf(call, `${bounded(heard.told, talk.resultCharsMax())}${again}`));
    }
  }
  return { stuck: `the model came to no end in ${turnsMax} turns` };
}

async function perform<C>(
  can: C,
  tools: readonly Tool<C>[],
  finish: string,
  name: string,
  args: unknown,
): Promise<Heard> {
  const tool = tools.find(({ told }) => told.name === name);
  if (tool === undefined) {
    const names = [...tools.map(({ told }) => told.name), finish].join(", ");
    return {
      told: `Not done: there is no tool ${JSON.stringify(name.slice(0, 100))}. There are: ${names}.`,
      trouble: "malformed",
    };
  }
  const call = tool.parse(args);
  if ("wrong" in call) return { told: `Not done: ${call.wrong}`, trouble: "malformed" };
  try {
    return { told: await call.act(can), trouble: "none" };
  } catch (error) {
    if (isAnswer(error)) return { told: `Not done: ${error.message}`, trouble: "refused" };
    throw error;
  }
}

/** What the model wrote as arguments; null: no JSON. Nothing at all means none. */
function argumentsOf(call: ToolCall): { readonly value: unknown } | null {
  if (call.arguments.trim() === "") return { value: {} };
  try {
    return { value: parseWellFormed(call.arguments) };
  } catch {
    return null; // The model is told, and may write them anew.
  }
}

const resultOf = (call: ToolCall, text: string): ModelMessage => ({
  role: "tool",
  call: call.id,
  name: call.name,
  text,
});

const nudge = (finish: string, tool: string): string =>
  finish === "length"
    ? "Your answer was cut off at its greatest length. Go on with one tool call, with less in it."
    : `Only tool calls count here. Go on with one, or call ${tool} when you are done.`;
