import { OpenAPIHono } from "@hono/zod-openapi";
import type { ZodError } from "zod";
import { invalid } from "../../contract/parse.ts";
import { agentRoutes } from "./agent-routes.ts";
import { chatRoutes } from "./chat-routes.ts";
import { dependencyRoutes } from "./dependency-routes.ts";
import { forkRoutes } from "./fork-routes.ts";
import { gateRoutes } from "./gate-routes.ts";
import { type Guarded, guard } from "./guard.ts";
import { type Answers, idempotency } from "./idempotency.ts";
import { inboxRoutes } from "./inbox-routes.ts";
import { modelRoutes } from "./model-routes.ts";
import { noteRoutes } from "./note-routes.ts";
import { type OpenApiDocument, openApiDocument } from "./openapi.ts";
import { policyRoutes } from "./policy-routes.ts";
import { answerProblem, routeNotFound, toldOf } from "./problem-response.ts";
import { projectRoutes } from "./project-routes.ts";
import { providerRoutes } from "./provider-routes.ts";
import { responseHeaders } from "./response-headers.ts";
import type { Surface } from "./surface.ts";
import { systemRoutes } from "./system-routes.ts";
import { taskRoutes } from "./task-routes.ts";
import { toolServerRoutes } from "./tool-server-routes.ts";

/** A file of the web page, held in memory: what is not in the map does not exist. */
export interface WebFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

export interface HttpOptions extends Guarded {
  readonly surface: Surface;
  readonly answers: Answers;
  readonly web: ReadonlyMap<string, WebFile>;
  readonly version: string;
  /** Told of every failure that is a bug. */
  readonly warn: (sentence: string, error: unknown) => void;
}

/** The whole HTTP surface as one request handler; tests call it without a port. */
export function httpSurface({ surface, answers, web, hosts, stranger, version, warn }: HttpOptions): OpenAPIHono {
  const api = new OpenAPIHono({
    defaultHook: (result) => {
      // What was sent is in it, too, which its type does not say.
      const { data } = result as { readonly data?: unknown };
      if (!result.success) throw invalid(result.error as ZodError, WHAT[result.target] ?? "the request", data);
    },
  });
  api.use("*", responseHeaders());
  api.use("*", guard({ hosts, stranger }));
  api.use("/api/*", idempotency(answers));
  api.onError((error, c) => {
    const told = toldOf(error);
    if (told.code === "internal") warn(`${c.req.method} ${c.req.path} failed`, error);
    return answerProblem(c, told);
  });
  api.notFound((c) => answerProblem(c, toldOf(routeNotFound(c.req.path))));

  systemRoutes(api, surface);
  projectRoutes(api, surface);
  providerRoutes(api, surface);
  agentRoutes(api, surface);
  gateRoutes(api, surface);
  policyRoutes(api, surface);
  taskRoutes(api, surface);
  modelRoutes(api, surface);
  inboxRoutes(api, surface);
  chatRoutes(api, surface);
  noteRoutes(api, surface);
  dependencyRoutes(api, surface);
  forkRoutes(api, surface);
  toolServerRoutes(api, surface);
  let document: OpenApiDocument | null = null;
  api.get("/api/openapi.json", (c) => {
    document ??= openApiDocument(api, version);
    return c.json(document);
  });

  api.get("/*", (c) => {
    const file = web.get(c.req.path === "/" ? "/index.html" : c.req.path);
    if (file === undefined) return answerProblem(c, toldOf(routeNotFound(c.req.path)));
    return c.body(file.bytes, 200, { "content-type": file.type });
  });
  return api;
}

const WHAT: Readonly<Record<string, string>> = {
  json: "the body",
  query: "the query",
  param: "the path",
  header: "the headers",
};
