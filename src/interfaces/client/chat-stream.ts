import type { ChatToldView } from "../../contract/chat-views.ts";
import { parse } from "../../contract/parse.ts";
import { isProblemCode } from "../../contract/problems.ts";
import { messages } from "./event-stream.ts";
import { type Call, connected, type FindDaemon, problemOfAnswer } from "./transport.ts";
import { trouble } from "./trouble.ts";

export type ChatTold = Exclude<ChatToldView, { readonly type: "problem" }>;

/** Says something in a chat, and tells the answer as it is made; the last thing told is its `end`. Aborting ends the model's call. */
export async function* sayInChat(
  find: FindDaemon,
  session: string,
  text: string,
  signal: AbortSignal,
): AsyncGenerator<ChatTold> {
  const form = (await import("../../contract/chat-views.ts")).ChatToldView;
  const call: Call = {
    method: "POST",
    path: `/api/chat/${encodeURIComponent(session)}`,
    body: { text },
    accept: "text/event-stream",
    timeoutMs: 0,
    signal,
  };
  const answer = await connected(find, call);
  if (answer.status !== 200) throw await problemOfAnswer(answer, call);
  for await (const { data } of messages(answer.message)) {
    const told = parse(form, JSON.parse(data), "what a chat told");
    if (told.type === "problem")
      throw trouble(isProblemCode(told.code) ? told.code : "internal", told.detail, { next: told.next });
    yield told;
    if (told.type === "end") return;
  }
  throw trouble("daemon/unreachable", "the daemon went away in the middle of an answer");
}
