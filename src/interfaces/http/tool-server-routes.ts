import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { NewToolServerInput, PinToolsInput } from "../../contract/inputs.ts";
import { lookedAtServerView, toolServerView } from "../../contract/present-tools.ts";
import { LookedAtServerView, ToolServerListView } from "../../contract/views.ts";
import { json, jsonBody, problems } from "./shapes.ts";
import type { Surface } from "./surface.ts";

const ProjectParam = z.object({ id: z.string().min(1).max(200) });
const ServerParam = z.object({ id: z.string().min(1).max(200), server: NewToolServerInput.shape.name });

export function toolServerRoutes(api: OpenAPIHono, { cases, person }: Surface): void {
  const listed = async (project: string) => ({ items: (await cases.toolServersOf(project)).map(toolServerView) });

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/projects/{id}/tool-servers",
      summary: "Servers of tools for the built-in agent",
      request: { params: ProjectParam },
      responses: { 200: json(ToolServerListView, "Servers, with the tools that were agreed to"), ...problems },
    }),
    async (c) => c.json(await listed(c.req.valid("param").id), 200),
  );
  api.openapi(
    createRoute({
      method: "post",
      path: "/api/projects/{id}/tool-servers",
      summary: "Start a server once, in the sandbox, and keep it; none of its tools is agreed to by that",
      request: { params: ProjectParam, body: jsonBody(NewToolServerInput) },
      responses: { 201: json(LookedAtServerView, "What it offers"), ...problems },
    }),
    async (c) => {
      const added = await cases.addToolServer(person, c.req.valid("param").id, c.req.valid("json"));
      return c.json(lookedAtServerView(added), 201);
    },
  );
  api.openapi(
    createRoute({
      method: "post",
      path: "/api/projects/{id}/tool-servers/{server}/probe",
      summary: "What it offers now, and what of that changed since it was agreed to",
      request: { params: ServerParam },
      responses: { 200: json(LookedAtServerView, "What it offers"), ...problems },
    }),
    async (c) => {
      const { id, server } = c.req.valid("param");
      return c.json(lookedAtServerView(await cases.probeToolServer(id, server)), 200);
    },
  );
  api.openapi(
    createRoute({
      method: "post",
      path: "/api/projects/{id}/tool-servers/{server}/pin",
      summary: "Agree to exactly these tools, as they are offered now",
      request: { params: ServerParam, body: jsonBody(PinToolsInput) },
      responses: { 200: json(LookedAtServerView, "What it offers, and what of it is agreed to"), ...problems },
    }),
    async (c) => {
      const { id, server } = c.req.valid("param");
      return c.json(lookedAtServerView(await cases.pinTools(person, id, server, c.req.valid("json").digests)), 200);
    },
  );
  api.openapi(
    createRoute({
      method: "delete",
      path: "/api/projects/{id}/tool-servers/{server}",
      summary: "Take it out of the project; tasks whose spec is frozen keep what they were frozen with",
      request: { params: ServerParam },
      responses: { 200: json(ToolServerListView, "The ones that are left"), ...problems },
    }),
    async (c) => {
      const { id, server } = c.req.valid("param");
      await cases.removeToolServer(person, id, server);
      return c.json(await listed(id), 200);
    },
  );
}
