import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { Json } from "../../contract/json.ts";
import { IDEMPOTENCY_KEY } from "./idempotency.ts";

export type OpenApiDocument = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;

/** The name under which every schema refers to "any JSON value"; spelled out, it would go on for ever. */
const JSON_NAME = "Json";

/** What the routes of `api` take and answer, generated from the schemas that parse it. */
export function openApiDocument(api: OpenAPIHono, version: string): OpenApiDocument {
  // The contract knows nothing of OpenAPI, so its schemas have no such method of their own.
  z.ZodType.prototype.openapi.call(Json, JSON_NAME);
  const document = api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "AgentOS", version, license: { name: "Apache-2.0" } },
  });
  const { schemas = {}, parameters = {}, ...others } = document.components ?? {};
  for (const operations of Object.values(document.paths ?? {}))
    for (const write of [operations.post, operations.put, operations.patch, operations.delete])
      if (write !== undefined)
        write.parameters = [...(write.parameters ?? []), { $ref: "#/components/parameters/IdempotencyKey" }];
  return {
    ...document,
    components: {
      ...others,
      // The generator's own words for any JSON value refuse a null inside of a list.
      schemas: { ...schemas, [JSON_NAME]: { description: "Any JSON value" } },
      parameters: { ...parameters, IdempotencyKey },
    },
  };
}

const IdempotencyKey = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "The same request with the same key is done once; repeated, it is answered as it was the first time",
  schema: { type: "string", pattern: IDEMPOTENCY_KEY.source },
} as const;
