import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { ModelPolicyInput, ModelPolicyQuery } from "../../contract/model-inputs.ts";
import { modelPolicyFrom } from "../../contract/model-wire.ts";
import { layersView } from "../../contract/present-models.ts";
import { ModelCheckView, ModelPolicyLayersView } from "../../contract/views.ts";
import { json, jsonBody, problems } from "./shapes.ts";
import type { Surface } from "./surface.ts";

/** Which models do the work. A task's own layer is part of its spec, a project's of its settings. */
export function modelRoutes(api: OpenAPIHono, { cases, person }: Surface): void {
  const { models } = cases;

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/model-policy",
      summary: "Which models are asked in which phase, by which layer; of a task, a project, or nobody in particular",
      request: { query: ModelPolicyQuery },
      responses: { 200: json(ModelPolicyLayersView, "The layers, and what is in force"), ...problems },
    }),
    async (c) => {
      const { task, project } = c.req.valid("query");
      return c.json(layersView(await models.layers({ task: task ?? null, project: project ?? null })), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "put",
      path: "/api/model-policy",
      summary: "Set the models of whoever names none; it replaces what was set before",
      request: { body: jsonBody(ModelPolicyInput) },
      responses: { 200: json(ModelPolicyLayersView, "The layers, and what is in force"), ...problems },
    }),
    async (c) => c.json(layersView(await models.set(person, modelPolicyFrom(c.req.valid("json")))), 200),
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/model-policy/check",
      summary: "Whether each named model can be asked; no model is asked anything",
      request: { query: ModelPolicyQuery },
      responses: { 200: json(ModelCheckView, "Each named model, and phases without one"), ...problems },
    }),
    async (c) => {
      const { task, project } = c.req.valid("query");
      const checked = await models.check({ task: task ?? null, project: project ?? null });
      return c.json(
        {
          items: checked.models.map(({ namedBy, ...one }) => ({ ...one, named_by: [...namedBy] })),
          unnamed: [...checked.unnamed],
        },
        200,
      );
    },
  );
}
