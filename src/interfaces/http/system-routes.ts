import type { HttpBindings } from "@hono/node-server";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { AllEventsQuery, CleanInput, GcInput, NoInput, ReasonInput } from "../../contract/inputs.ts";
import { parse } from "../../contract/parse.ts";
import { eventView } from "../../contract/present.ts";
import { CleanedView, EventListView, GcView, HealthView, WorkspaceListView } from "../../contract/views.ts";
import { bodyOf, json, jsonBody, jsonOrStream, optionalBody, problems } from "./shapes.ts";
import { asksToFollow, cursorOf, FollowHeaders, follow } from "./stream.ts";
import type { Surface } from "./surface.ts";

export function systemRoutes(api: OpenAPIHono, { cases, health, person, stop }: Surface): void {
  const { look } = cases;

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/health",
      summary: "Whether and how the daemon lives",
      responses: { 200: json(HealthView, "Health"), ...problems },
    }),
    async (c) => c.json(await health(), 200),
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/events",
      summary: "Everything that happened, by position; as text/event-stream it goes on",
      request: { query: AllEventsQuery, headers: FollowHeaders },
      responses: { 200: jsonOrStream(EventListView, "Events"), ...problems },
    }),
    async (c) => {
      const { after, limit } = c.req.valid("query");
      const headers = c.req.valid("header");
      // Whoever comes back says where it left off; only a first visit begins now.
      const from = after !== "now" ? after : headers["last-event-id"] === undefined ? await look.position() : 0;
      const cursor = cursorOf({ after: from }, headers);
      if (asksToFollow(c)) return follow(c, look, cursor, null) as never;
      const page = await look.since(cursor, limit);
      return c.json(
        {
          items: page.map(({ stream, recorded, position }) => eventView(stream, recorded, position)),
          next: page.length < limit ? null : (page.at(-1)?.position ?? null),
        },
        200,
      );
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/workspaces",
      summary: "Working directories on this machine",
      responses: { 200: json(WorkspaceListView, "Workspaces"), ...problems },
    }),
    async (c) =>
      c.json(
        {
          items: (await look.workspaces()).map((one) => ({
            task: one.task,
            status: one.status,
            bytes: one.bytes,
            epochs: [...one.epochs],
          })),
        },
        200,
      ),
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/workspaces/clean",
      summary: "Remove the working directories of a task that ended; what is not in git is kept",
      request: { body: jsonBody(CleanInput) },
      responses: { 200: json(CleanedView, "What was kept"), ...problems },
    }),
    async (c) => {
      const { task, undelivered } = c.req.valid("json");
      const cleaned = await look.clean(task, undelivered);
      return c.json({ task: cleaned.task, bytes: cleaned.bytes, rescued: [...cleaned.rescued] }, 200);
    },
  );

  for (const [verb, summary, act] of [
    ["pause", "Take up no task, now and after any restart, until it is resumed", cases.pauseAll],
    ["resume", "Take up tasks again", cases.resumeAll],
  ] as const)
    api.openapi(
      createRoute({
        method: "post",
        path: `/api/daemon/${verb}`,
        summary,
        request: { body: optionalBody(ReasonInput) },
        responses: { 200: json(HealthView, "How the daemon is now"), ...problems },
      }),
      async (c) => {
        const { reason } = parse(ReasonInput, await bodyOf(c.req));
        await act(person, reason ?? null);
        return c.json(await health(), 200);
      },
    );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/gc",
      summary: "Clean up what nobody needs any more; with dry_run only say what that is",
      request: { body: optionalBody(GcInput) },
      responses: { 200: json(GcView, "What went and what stays, with the reasons"), ...problems },
    }),
    async (c) => {
      const { items, bytes, keptBytes, rescued } = await cases.gc(person, c.req.valid("json").dry_run);
      return c.json({ items: [...items], bytes, kept_bytes: keptBytes, rescued: [...rescued] }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/daemon/stop",
      summary: "Stop the daemon in good order",
      request: { body: optionalBody(NoInput) },
      responses: { 200: json(z.object({ ok: z.boolean() }), "It stops"), ...problems },
    }),
    (c) => {
      // Stopping closes every connection; this one's answer is to be out before. Called without a server there is no connection.
      const connection = (c.env as Partial<HttpBindings> | undefined)?.outgoing;
      if (connection === undefined) stop();
      else connection.once("close", stop);
      return c.json({ ok: true }, 200);
    },
  );
}
