import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { Json } from "../../contract/json.ts";

export type OpenApiDocument = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;

/** The name under which every schema refers to "any JSON value"; spelled out, it would go on for ever. */
const JSON_NAME = "Json";

/** What the routes of `api` take and answer, generated from the schemas that parse it. */
export function openApiDocument(api: OpenAPIHono, version: string): OpenApiDocument {
  // The contract knows nothing of OpenAPI, so its schemas have no such method of their own.
  z.ZodType.prototype.openapi.call(Json, JSON_NAME);
  const document = api.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "AgentOS", version, license: { name: "Apache-2.0" } } });
  const { schemas = {}, ...others } = document.components ?? {};
  // The generator's own words for it refuse a null inside of a list.
  return { ...document, components: { ...others, schemas: { ...schemas, [JSON_NAME]: { description: "Any JSON value" } } } };
}
