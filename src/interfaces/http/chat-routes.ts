import type { HttpBindings } from "@hono/node-server";
import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { ChatInput, ChatParam } from "../../contract/chat-inputs.ts";
import type { ChatToldView } from "../../contract/chat-views.ts";
import { chatAnswerView, chatHistoryView } from "../../contract/present-chat.ts";
import { problemOf } from "../../contract/problems.ts";
import { ChatAnswerView, ChatHistoryView } from "../../contract/views.ts";
import { json, jsonBody, jsonOrStream, problems } from "./shapes.ts";
import type { Surface } from "./surface.ts";

/** Talking about projects and tasks, and drafting. Whoever closes the connection ends the call of the model. */
export function chatRoutes(api: OpenAPIHono, { cases, person, takeCreation }: Surface): void {
  const { chat } = cases;

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/chat/{session}",
      summary: "What was said in a chat, oldest first",
      request: { params: ChatParam },
      responses: { 200: json(ChatHistoryView, "Messages, calls of models, drafts"), ...problems },
    }),
    async (c) => {
      const { session } = c.req.valid("param");
      return c.json(chatHistoryView(session, await chat.history(session)), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/chat/{session}",
      summary: "Say something; as text/event-stream the answer comes as it is made",
      request: { params: ChatParam, body: jsonBody(ChatInput) },
      responses: { 200: jsonOrStream(ChatAnswerView, "The answer, and the drafts it left"), ...problems },
    }),
    async (c) => {
      const { session } = c.req.valid("param");
      const { text } = c.req.valid("json");
      const signal = untilClosed(c);
      const say = (tell: Parameters<typeof chat.say>[3]["tell"]) =>
        chat.say(person, session, text, { signal, tell, takeCreation: () => takeCreation(1) });
      if (!(c.req.header("accept") ?? "").includes("text/event-stream"))
        return c.json(chatAnswerView(session, await say(() => {})), 200);
      return streamSSE(c, async (stream) => {
        let last = Promise.resolve();
        const tell = (told: ChatToldView): void => {
          last = last.then(() => stream.writeSSE({ data: JSON.stringify(told) }));
        };
        try {
          tell({ type: "end", ...chatAnswerView(session, await say(tell)) });
        } catch (error) {
          if (signal.aborted) return;
          const { code, detail, next, status } = problemOf(error);
          tell({ type: "problem", code, detail, next, status });
        } finally {
          await last;
        }
      }) as never;
    },
  );
}

/** Aborted when nobody is there any more to be answered. Called without a server there is no connection to close. */
function untilClosed(c: Context): AbortSignal {
  const gone = new AbortController();
  const connection = (c.env as Partial<HttpBindings> | undefined)?.outgoing;
  connection?.once("close", () => gone.abort());
  return gone.signal;
}
