import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { z } from "zod";
import { agentFrom } from "../../contract/from-wire.ts";
import { AgentTrialInput } from "../../contract/inputs.ts";
import { agentListView, agentProbeView, agentTestView } from "../../contract/present-agents.ts";
import { AgentListView, AgentProbeView, AgentTestView } from "../../contract/views.ts";
import { json, jsonBody, problems } from "./shapes.ts";
import type { Surface } from "./surface.ts";

export function agentRoutes(api: OpenAPIHono, { cases }: Surface): void {
  const named = async ({ agent, project }: z.infer<typeof AgentTrialInput>) => {
    const chosen = agentFrom(agent);
    return {
      agent: typeof chosen === "string" || chosen.kind === "command" ? "custom" : chosen.agent,
      argv: typeof chosen === "string" ? null : chosen.argv,
      grants: project === undefined ? null : ((await cases.look.project(project)).settings.agentGrants ?? null),
    };
  };

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/agents",
      summary: "The foreign agents AgentOS knows how to start, and which of them are on this machine",
      responses: { 200: json(AgentListView, "Agents"), ...problems },
    }),
    async (c) => c.json(agentListView(cases.agents.list()), 200),
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/agents/probe",
      summary: "Start an agent in a sandbox of its own and say what it answers; changes nothing",
      request: { body: jsonBody(AgentTrialInput) },
      responses: { 200: json(AgentProbeView, "What it said of itself"), ...problems },
    }),
    async (c) => c.json(agentProbeView(await cases.agents.probe(await named(c.req.valid("json")))), 200),
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/agents/test",
      summary: "One small turn of an agent in a scratch directory, with what the project grants",
      request: { body: jsonBody(AgentTrialInput) },
      responses: { 200: json(AgentTestView, "What it did"), ...problems },
    }),
    async (c) => c.json(agentTestView(await cases.agents.test(await named(c.req.valid("json")))), 200),
  );
}
