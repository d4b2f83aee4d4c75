import { Failure, isFailure } from "../../domain/failure.ts";
import type { ModelReply, TalkCapabilities } from "../../ports/agent.ts";
import type { ModelMessage, ModelTool } from "../../ports/model.ts";
import { lastRoundAt, notesInstead, summaryRequest, tokensOf, tokensOfTools, withoutOldResults } from "./compaction.ts";

/** Where nobody knows how much a conversation may have. A model that takes less says so, and that is learned. */
const CONTEXT_TOKENS_ASSUMED = 100_000;
/** So much of it the conversation may take; the rest is left to the answer. */
const ROOM_SHARE = 0.7;
/** A conversation of this size was too long: the next one is at most so much of it. */
const SHRINK_SHARE = 0.7;
const OVERFLOWS_MAX = 3;
const RESULT_CHARS_MAX = 20_000;
const RESULT_CHARS_MIN = 600;
/** One result takes at most so much of the room. */
const RESULT_SHARE = 0.25;

/** A conversation with the model of the phase that stays within what the model can take. */
export interface Conversation {
  /** The model's next answer, kept as part of the conversation. */
  ask(): Promise<ModelReply>;
  add(message: ModelMessage): void;
  /** How long a result of a tool may be. */
  resultCharsMax(): number;
}

/**
 * Contract: what is asked depends on the opening and on the recorded answers only, the too-long ones among them. Messages are only added,
 * and the same objects are kept, but for a compaction: old results are cut first, then the model is asked to sum up, which is a
 * call and a step like any other.
 */
export function conversation(
  can: Pick<TalkCapabilities, "model">,
  opening: readonly ModelMessage[],
  tools: readonly ModelTool[],
): Conversation {
  let messages: readonly ModelMessage[] = opening;
  let context: number | null = null;
  /** The smallest size that was too long. */
  let learned = Number.POSITIVE_INFINITY;
  /** What the provider counted, and for how many of the messages. */
  let counted = { tokens: 0, messages: 0 };
  const toolTokens = tokensOfTools(tools);

  const size = (): number =>
    Math.max(tokensOf(messages) + toolTokens, counted.tokens + tokensOf(messages.slice(counted.messages)));
  const room = (): number => Math.floor(Math.min(context ?? CONTEXT_TOKENS_ASSUMED, learned) * ROOM_SHARE);
  const become = (fewer: readonly ModelMessage[]): void => {
    messages = fewer;
    counted = { tokens: 0, messages: 0 };
  };

  const makeRoom = async (): Promise<void> => {
    if (size() <= room()) return;
    become(withoutOldResults(messages, opening.length));
    if (size() <= room()) return;
    const last = lastRoundAt(messages, opening.length);
    const stretch = messages.slice(opening.length, last);
    // Notes on nothing but notes would gain nothing.
    if (!stretch.some(({ role }) => role === "assistant")) return;
    const notes = notesInstead(await summary(can, stretch, room()));
    become([...opening, notes, ...messages.slice(last)]);
  };

  return {
    async ask() {
      for (let overflows = 0; ; overflows += 1) {
        await makeRoom();
        try {
          const reply = await can.model({ messages: [...messages], tools, toolChoice: "auto", output: null });
          context = reply.contextTokens;
          // An empty turn is refused by some providers when it is told again.
          const text = reply.text === "" && reply.calls.length === 0 ? "(no answer)" : reply.text;
          messages = [...messages, { role: "assistant", text, calls: reply.calls }];
          const { estimated, inputTokens, outputTokens } = reply.usage;
          if (!estimated) counted = { tokens: inputTokens + outputTokens, messages: messages.length };
          return reply;
        } catch (error) {
          if (!isFailure(error, "model/context-overflow")) throw error;
          if (overflows === OVERFLOWS_MAX)
            throw new Failure(
              "model/context-overflow",
              `the conversation is too long for the model, also after it was made smaller ${overflows} times: ${error.message}`,
              { cause: error },
            );
          learned = Math.floor(size() * SHRINK_SHARE);
        }
      }
    },
    add(message) {
      messages = [...messages, message];
    },
    resultCharsMax: () => Math.min(RESULT_CHARS_MAX, Math.max(RESULT_CHARS_MIN, Math.floor(room() * 4 * RESULT_SHARE))),
  };
}

const SUMMARY_TRIES_MAX = 3;

/** The model's own notes on the stretch; where even the record of it is too long for the model, on less of it, and at last none. */
async function summary(
  can: Pick<TalkCapabilities, "model">,
  stretch: readonly ModelMessage[],
  room: number,
): Promise<string> {
  let charsMax = room * 2;
  for (let tries = 0; tries < SUMMARY_TRIES_MAX; tries += 1)
    try {
      return (await can.model(summaryRequest(stretch, charsMax))).text;
    } catch (error) {
      if (!isFailure(error, "model/context-overflow")) throw error;
      charsMax = Math.floor(charsMax / 3);
    }
  return "";
}
