import { createRoute, type OpenAPIHono, type z } from "@hono/zod-openapi";
import type { UseCases } from "../../app/use-cases.ts";
import { InboxAnswerInput, InboxParam, InboxQuery } from "../../contract/inbox-inputs.ts";
import { budgetFrom } from "../../contract/model-wire.ts";
import { taskView } from "../../contract/present.ts";
import { inboxItemView, inboxRowView } from "../../contract/present-inbox.ts";
import { InboxAnsweredView, InboxItemView, InboxListView } from "../../contract/views.ts";
import { json, jsonBody, problems } from "./shapes.ts";
import type { Surface } from "./surface.ts";

/** What waits for a person, and their answers. */
export function inboxRoutes(api: OpenAPIHono, { cases, person }: Surface): void {
  const { inbox, look } = cases;

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/inbox",
      summary: "What waits for a person, the longest wait first",
      request: { query: InboxQuery },
      responses: { 200: json(InboxListView, "A page of it"), ...problems },
    }),
    async (c) => {
      const { project, cursor, limit } = c.req.valid("query");
      const { items, next } = await inbox.list({ project: project ?? null, after: cursor ?? null, most: limit });
      return c.json({ items: items.map(inboxRowView), next }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/inbox/{id}",
      summary: "All there is to decide on, and how it is answered",
      request: { params: InboxParam },
      responses: { 200: json(InboxItemView, "The whole matter"), ...problems },
    }),
    async (c) => c.json(inboxItemView(await inbox.show(c.req.valid("param").id)), 200),
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/inbox/{id}/answer",
      summary: "Answer it, naming the state that was looked at",
      request: { params: InboxParam, body: jsonBody(InboxAnswerInput) },
      responses: { 200: json(InboxAnsweredView, "The task as it is now, where it is a task's"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const isNote = (await inbox.show(id)).task === null;
      await inbox.answer(person, id, saidIn(c.req.valid("json")));
      return c.json({ id, task: isNote ? null : taskView(await look.task(id)) }, 200);
    },
  );
}

function saidIn(input: z.infer<typeof InboxAnswerInput>): Parameters<UseCases["inbox"]["answer"]>[2] {
  const reason = input.reason ?? null;
  if (input.answer !== "more") return { ...input, reason };
  const { seq, answer, more, more_ms } = input;
  return { seq, answer, reason, moreMs: more_ms ?? null, more: budgetFrom(more ?? {}) };
}
