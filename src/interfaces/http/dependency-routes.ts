import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { DependencyInput, GraphQuery, Id } from "../../contract/inputs.ts";
import { graphView } from "../../contract/present.ts";
import { DependencyGraphView } from "../../contract/views.ts";
import { json, jsonBody, problems } from "./shapes.ts";
import type { Surface } from "./surface.ts";

const TaskParam = z.object({ id: Id });
const graph = { 200: json(DependencyGraphView, "Tasks, and what depends on what"), ...problems };

/** What comes before what. */
export function dependencyRoutes(api: OpenAPIHono, { cases: { dependencies }, person }: Surface): void {
  api.openapi(
    createRoute({
      method: "get",
      path: "/api/dependencies",
      summary: "All dependencies, of a project or session where one is named",
      request: { query: GraphQuery },
      responses: graph,
    }),
    async (c) => {
      const { project, session } = c.req.valid("query");
      return c.json(graphView(await dependencies.all({ project: project ?? null, session: session ?? null })), 200);
    },
  );
  api.openapi(
    createRoute({
      method: "get",
      path: "/api/tasks/{id}/dependencies",
      summary: "Everything that comes before the task and after it",
      request: { params: TaskParam },
      responses: graph,
    }),
    async (c) => c.json(graphView(await dependencies.around(c.req.valid("param").id)), 200),
  );
  api.openapi(
    createRoute({
      method: "post",
      path: "/api/tasks/{id}/dependencies",
      summary: "Let the task require, block or suggest another",
      request: { params: TaskParam, body: jsonBody(DependencyInput) },
      responses: graph,
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      await dependencies.add(person, { task: id, ...c.req.valid("json") });
      return c.json(graphView(await dependencies.around(id)), 200);
    },
  );
  api.openapi(
    createRoute({
      method: "delete",
      path: "/api/tasks/{id}/dependencies",
      summary: "Take such a dependency back",
      request: { params: TaskParam, query: DependencyInput },
      responses: graph,
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      await dependencies.remove(person, { task: id, ...c.req.valid("query") });
      return c.json(graphView(await dependencies.around(id)), 200);
    },
  );
}
