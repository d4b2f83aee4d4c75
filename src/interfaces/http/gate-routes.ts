import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { DetectGatesInput, Id } from "../../contract/inputs.ts";
import { gatesView, pinnedGatesView } from "../../contract/present-gates.ts";
import { OfferedGatesListView, OfferedGatesView, PinnedGatesView } from "../../contract/views.ts";
import { json, jsonBody, problems } from "./shapes.ts";
import type { Surface } from "./surface.ts";

export function gateRoutes(api: OpenAPIHono, { cases }: Surface): void {
  api.openapi(
    createRoute({
      method: "post",
      path: "/api/gates/detect",
      summary: "What a spec frozen now would pin for the repository at a path; changes nothing",
      request: { body: jsonBody(DetectGatesInput) },
      responses: { 200: json(OfferedGatesView, "Gates, preparations, notes"), ...problems },
    }),
    async (c) => {
      const { path, tool_path } = c.req.valid("json");
      return c.json(gatesView(await cases.detectGates(path, tool_path ?? null)), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/projects/{id}/gates",
      summary: "The same for each repo of a project, by id or name",
      request: { params: z.object({ id: z.string().min(1).max(200) }) },
      responses: { 200: json(OfferedGatesListView, "Gates by repo"), ...problems },
    }),
    async (c) => {
      const offered = await cases.gatesOfProject(c.req.valid("param").id);
      return c.json({ items: offered.map(gatesView) }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/tasks/{id}/gates",
      summary: "The gates a task's spec has frozen, with their verdicts so far",
      request: { params: z.object({ id: Id }) },
      responses: { 200: json(PinnedGatesView, "Gates and verdicts"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const [{ task }, spec] = [await cases.look.task(id), await cases.look.frozenSpec(id)];
      return c.json(pinnedGatesView(task, spec), 200);
    },
  );
}
