import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { PolicyCheckInput, PolicyExplainInput, PolicySetInput } from "../../contract/inputs.ts";
import { decisionView, policyView } from "../../contract/present-policy.ts";
import { DecisionView, PolicyView } from "../../contract/views.ts";
import { json, jsonBody, problems } from "./shapes.ts";
import type { Surface } from "./surface.ts";

export function policyRoutes(api: OpenAPIHono, { cases: { policies }, person }: Surface): void {
  api.openapi(
    createRoute({
      method: "get",
      path: "/api/policy",
      summary: "The policies in force, shipped ones and those below them",
      request: { query: z.object({ project: z.string().min(1).max(200).optional() }) },
      responses: { 200: json(PolicyView, "Layers and policies"), ...problems },
    }),
    async (c) => c.json(policyView(await policies.inForce(c.req.valid("query").project ?? null)), 200),
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/policy",
      summary: "Set a project's policies, or the person's own; they replace those before",
      request: { body: jsonBody(PolicySetInput) },
      responses: { 200: json(PolicyView, "What is in force now"), ...problems },
    }),
    async (c) => {
      const { text, project, grant } = c.req.valid("json");
      return c.json(policyView(await policies.set(person, project ?? null, text, grant)), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/policy/check",
      summary: "Whether policies could be set; changes nothing",
      request: { body: jsonBody(PolicyCheckInput) },
      responses: { 200: json(PolicyView, "What would be in force"), ...problems },
    }),
    async (c) => {
      const { text, layer, grant } = c.req.valid("json");
      return c.json(policyView(policies.check({ name: layer, text, granted: grant })), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/policy/explain",
      summary: "Which policy decided a step, or would decide an act, and why",
      request: { body: jsonBody(PolicyExplainInput) },
      responses: { 200: json(DecisionView, "The decision"), ...problems },
    }),
    async (c) => {
      const { task, step, project, argv, edit, network, phase, run_mode, planned } = c.req.valid("json");
      if (task !== undefined && step !== undefined)
        return c.json(decisionView(await policies.explainStep(task, step)), 200);
      const act = argv === undefined ? { edit: edit ?? "" } : { argv };
      const told = await policies.suppose({
        project: project ?? null,
        act,
        network,
        phase,
        runMode: run_mode,
        planned,
      });
      return c.json(decisionView(told), 200);
    },
  );
}
