import type { ChatAnswerView, ChatHistoryView } from "./chat-views.ts";
import { time } from "./present.ts";

export const chatHistoryView = (
  session: string,
  entries: readonly {
    readonly seq: number;
    readonly atMs: number;
    readonly by: string;
    readonly kind: ChatHistoryView["items"][number]["kind"];
    readonly role: "person" | "model" | null;
    readonly text: string | null;
    readonly task: string | null;
    readonly call: {
      readonly provider: string;
      readonly model: string;
      readonly inputTokens: number;
      readonly outputTokens: number;
      readonly tools: readonly string[];
      readonly refused: number;
    } | null;
  }[],
): ChatHistoryView => ({
  session,
  items: entries.map(({ atMs, call, ...one }) => ({
    seq: one.seq,
    at: time(atMs),
    by: one.by,
    kind: one.kind,
    role: one.role,
    text: one.text,
    task: one.task,
    call:
      call === null
        ? null
        : {
            provider: call.provider,
            model: call.model,
            input_tokens: call.inputTokens,
            output_tokens: call.outputTokens,
            tools: [...call.tools],
            refused: call.refused,
          },
  })),
});

export const chatAnswerView = (
  session: string,
  {
    text,
    drafted,
    spent,
  }: {
    readonly text: string;
    readonly drafted: readonly string[];
    readonly spent: { readonly tokens: number; readonly microdollars: number; readonly turns: number };
  },
): ChatAnswerView => ({
  session,
  text,
  drafted: [...drafted],
  spent: { tokens: spent.tokens, usd: spent.microdollars / 1_000_000, turns: spent.turns },
});
