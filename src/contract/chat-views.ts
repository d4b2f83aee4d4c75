import { z } from "zod";
import { Time } from "./first-views.ts";

export const ChatHistoryView = z.object({
  session: z.string(),
  items: z.array(
    z.object({
      seq: z.number(),
      at: Time,
      by: z.string(),
      kind: z.enum(["message", "call", "draft", "failure"]),
      role: z.enum(["person", "model"]).nullable(),
      text: z.string().nullable(),
      task: z.string().nullable(),
      call: z
        .object({
          provider: z.string(),
          model: z.string(),
          input_tokens: z.number(),
          output_tokens: z.number(),
          tools: z.array(z.string()),
          refused: z.number(),
        })
        .nullable(),
    }),
  ),
});
export type ChatHistoryView = z.infer<typeof ChatHistoryView>;

export const ChatAnswerView = z.object({
  session: z.string(),
  text: z.string(),
  /** Drafts it left. */
  drafted: z.array(z.string()),
  spent: z.object({ tokens: z.number(), usd: z.number(), turns: z.number() }),
});
export type ChatAnswerView = z.infer<typeof ChatAnswerView>;

/** What a stream of an answer tells. A `model` after some text: the one before failed, and its text does not count. */
export const ChatToldView = z.discriminatedUnion("type", [
  z.object({ type: z.literal("model"), provider: z.string(), model: z.string() }),
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("tool"), name: z.string(), ok: z.boolean() }),
  z.object({ type: z.literal("drafted"), task: z.string(), title: z.string() }),
  ChatAnswerView.extend({ type: z.literal("end") }),
  z.object({
    type: z.literal("problem"),
    code: z.string(),
    detail: z.string(),
    next: z.string(),
    status: z.number(),
  }),
]);
export type ChatToldView = z.infer<typeof ChatToldView>;
