import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { scriptPlanFrom } from "../../contract/from-wire.ts";
import { CompareQuery, ForkInput, Id, NoInput } from "../../contract/inputs.ts";
import { comparedView } from "../../contract/present.ts";
import { AttemptsView, ComparedView, ForkedView } from "../../contract/views.ts";
import { json, jsonBody, optionalBody, problems } from "./shapes.ts";
import type { Surface } from "./surface.ts";

const TaskParam = z.object({ id: Id });

/** Several attempts at one thing. */
export function forkRoutes(api: OpenAPIHono, { cases, person, takeCreation }: Surface): void {
  api.openapi(
    createRoute({
      method: "post",
      path: "/api/tasks/{id}/fork",
      summary: "Make more tasks from its frozen spec, at its base, and let them run",
      request: { params: TaskParam, body: jsonBody(ForkInput) },
      responses: { 201: json(ForkedView, "The new tasks"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { times, agent, plan, created_by } = c.req.valid("json");
      await takeCreation(times);
      const tasks = await cases.forkTask(person, id, {
        times,
        agent: agent ?? null,
        plan: plan === undefined ? null : scriptPlanFrom(plan),
        createdBy: created_by ?? person.name,
      });
      return c.json({ origin: id, tasks: [...tasks] }, 201);
    },
  );
  api.openapi(
    createRoute({
      method: "get",
      path: "/api/tasks/{id}/attempts",
      summary: "All attempts at what the task is for, the first one first",
      request: { params: TaskParam },
      responses: { 200: json(AttemptsView, "Their ids"), ...problems },
    }),
    async (c) => c.json({ tasks: [...(await cases.attemptsOf(c.req.valid("param").id))] }, 200),
  );
  api.openapi(
    createRoute({
      method: "get",
      path: "/api/compare",
      summary: "Tasks side by side; of one task all attempts at what it is for",
      request: { query: CompareQuery },
      responses: { 200: json(ComparedView, "What each came to"), ...problems },
    }),
    async (c) => c.json(comparedView(await cases.compareTasks(c.req.valid("query").tasks)), 200),
  );
  api.openapi(
    createRoute({
      method: "post",
      path: "/api/tasks/{id}/supersede-others",
      summary: "Say that this delivered attempt is the one; the others end as superseded",
      request: { params: TaskParam, body: optionalBody(NoInput) },
      responses: { 200: json(AttemptsView, "The tasks that were ended"), ...problems },
    }),
    async (c) => c.json({ tasks: [...(await cases.supersedeOthers(person, c.req.valid("param").id))] }, 200),
  );
}
