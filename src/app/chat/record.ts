import { actorText } from "../../domain/actor.ts";
import { add, NOTHING_SPENT, type Spent } from "../../domain/budget.ts";
import type { ChatEvent, Recorded } from "../../domain/event.ts";
import { chatStream } from "../../domain/stream.ts";
import type { ModelMessage } from "../../ports/model.ts";
import type { Blobs, EventLog } from "../../ports/store.ts";

type Reads = Pick<EventLog, "read"> & Blobs;

/** One line of what was said and done in a chat. */
export interface ChatEntry {
  readonly seq: number;
  readonly atMs: number;
  readonly by: string;
  readonly kind: "message" | "call" | "draft" | "failure";
  readonly role: "person" | "model" | null;
  /** What was said, or why there is no answer; null of a call or draft, or where it was erased. */
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
}

/** What the next answer stands on: the newest of what was said, and what the session has spent. */
export interface ChatRecord {
  readonly messages: readonly ModelMessage[];
  readonly spent: Spent;
}

/** The model is told so much of what was said before, the newest of it. */
const MESSAGES_MAX = 40;
const CHARACTERS_MAX = 60_000;

export async function readChat(store: Reads, session: string): Promise<ChatRecord> {
  const entries = await chatEntries(store, session);
  const messages: ModelMessage[] = [];
  let characters = 0;
  for (const { role, text } of entries.filter(({ kind }) => kind === "message").toReversed()) {
    if (role === null || text === null) continue;
    characters += text.length;
    if (messages.length === MESSAGES_MAX || characters > CHARACTERS_MAX) break;
    messages.unshift(role === "person" ? { role: "user", text } : { role: "assistant", text, calls: [] });
  }
  return { messages, spent: await spentIn(store, session) };
}

async function spentIn(store: Reads, session: string): Promise<Spent> {
  let spent = NOTHING_SPENT;
  for await (const { event } of eventsOf(store, session))
    if (event.type === "CHAT_CALLED")
      spent = add(spent, {
        tokens: event.body.inputTokens + event.body.outputTokens,
        microdollars: event.body.microdollars ?? 0,
        turns: 1,
        ms: event.body.durationMs,
      });
  return spent;
}

export async function chatEntries(store: Reads, session: string): Promise<readonly ChatEntry[]> {
  const entries: ChatEntry[] = [];
  for await (const { event, seq, atMs, actor } of eventsOf(store, session)) {
    const one = { seq, atMs, by: actorText(actor), role: null, text: null, task: null, call: null };
    switch (event.type) {
      case "CHAT_MESSAGE": {
        const bytes = await store.get(event.body.text);
        const text = bytes === null ? null : new TextDecoder().decode(bytes);
        entries.push({ ...one, kind: "message", role: event.body.role, text });
        break;
      }
      case "CHAT_CALLED": {
        const { provider, model, inputTokens, outputTokens, tools, refused } = event.body;
        entries.push({ ...one, kind: "call", call: { provider, model, inputTokens, outputTokens, tools, refused } });
        break;
      }
      case "CHAT_DRAFTED":
        entries.push({ ...one, kind: "draft", task: event.body.task });
        break;
      case "CHAT_FAILED":
        entries.push({ ...one, kind: "failure", text: event.body.detail });
        break;
    }
  }
  return entries;
}

const PAGE = 500;

async function* eventsOf(store: Pick<EventLog, "read">, session: string): AsyncGenerator<Recorded<ChatEvent>> {
  for (let after = 0; ; ) {
    const page = await store.read(chatStream(session), after, PAGE);
    for (const one of page) {
      after = one.seq;
      if (isOfChat(one)) yield one;
    }
    if (page.length < PAGE) return;
  }
}

const isOfChat = (recorded: Recorded): recorded is Recorded<ChatEvent> => recorded.event.type.startsWith("CHAT_");
