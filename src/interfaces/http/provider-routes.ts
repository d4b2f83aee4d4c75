import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { NoInput } from "../../contract/inputs.ts";
import { factsSaid, probeView, providerView } from "../../contract/present-provider.ts";
import {
  BrowseQuery,
  KeyInput,
  NewProviderInput,
  ProbeInput,
  ProviderChangeInput,
  PullInput,
} from "../../contract/provider-inputs.ts";
import {
  BrowsedView,
  DetectedView,
  KeyForgottenView,
  KeyKeptView,
  ProbeResultView,
  ProviderListView,
  ProviderLogView,
  ProviderModelsView,
  ProviderRanView,
  ProviderRemovedView,
  ProviderView,
  PulledView,
} from "../../contract/provider-views.ts";
import { json, jsonBody, optionalBody, problems } from "./shapes.ts";
import type { Surface } from "./surface.ts";

const ProviderParam = z.object({ id: z.string().min(1).max(64) });

export function providerRoutes(api: OpenAPIHono, { cases: { providers }, person }: Surface): void {
  const { platform } = providers;
  const view = (seen: Parameters<typeof providerView>[0]) => providerView(seen, platform);

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/providers",
      summary: "All providers of models, and how each stands now",
      responses: { 200: json(ProviderListView, "Providers"), ...problems },
    }),
    async (c) => c.json({ platform: platform.name, items: (await providers.all()).map(view) }, 200),
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/providers",
      summary: "Add a provider",
      request: { body: jsonBody(NewProviderInput) },
      responses: { 201: json(ProviderView, "The provider"), ...problems },
    }),
    async (c) => {
      const input = c.req.valid("json");
      return c.json(view(await providers.add(person, { id: input.id, kind: input.kind, ...factsSaid(input) })), 201);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/providers/detect",
      summary: "Look at all providers, and for servers that nobody has added",
      request: { body: optionalBody(NoInput) },
      responses: { 200: json(DetectedView, "What is there"), ...problems },
    }),
    async (c) => {
      const { providers: seen, found } = await providers.detect();
      return c.json(
        {
          platform: platform.name,
          items: seen.map(view),
          found: found.map(({ kind, baseUrl, version, on, suggestedId }) => ({
            kind,
            base_url: baseUrl,
            version,
            on,
            suggested_id: suggestedId,
          })),
        },
        200,
      );
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/providers/{id}",
      summary: "One provider, and how it stands now",
      request: { params: ProviderParam },
      responses: { 200: json(ProviderView, "The provider"), ...problems },
    }),
    async (c) => c.json(view(await providers.one(c.req.valid("param").id)), 200),
  );

  api.openapi(
    createRoute({
      method: "patch",
      path: "/api/providers/{id}",
      summary: "Change what is configured of it; null takes back what was said",
      request: { params: ProviderParam, body: jsonBody(ProviderChangeInput) },
      responses: { 200: json(ProviderView, "The provider"), ...problems },
    }),
    async (c) =>
      c.json(view(await providers.change(person, c.req.valid("param").id, factsSaid(c.req.valid("json")))), 200),
  );

  api.openapi(
    createRoute({
      method: "delete",
      path: "/api/providers/{id}",
      summary: "Forget it; refused while AgentOS runs it",
      request: { params: ProviderParam },
      responses: { 200: json(ProviderRemovedView, "It is forgotten; its history stays"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      await providers.remove(person, id);
      return c.json({ id, removed: true as const }, 200);
    },
  );

  for (const [verb, summary, act] of [
    ["start", "Start its server", providers.start],
    ["stop", "Stop its server, if AgentOS started it", providers.stop],
    ["restart", "Stop its server, if AgentOS started it, and start it again", providers.restart],
  ] as const)
    api.openapi(
      createRoute({
        method: "post",
        path: `/api/providers/{id}/${verb}`,
        summary,
        request: { params: ProviderParam, body: optionalBody(NoInput) },
        responses: { 200: json(ProviderRanView, "How it stands after that"), ...problems },
      }),
      async (c) => {
        const { seen, say } = await act(person, c.req.valid("param").id);
        return c.json({ provider: view(seen), say }, 200);
      },
    );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/providers/{id}/key",
      summary: "Store its key, for the daemon alone",
      request: { params: ProviderParam, body: jsonBody(KeyInput) },
      responses: { 200: json(KeyKeptView, "Where it lies now"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { place, hiddenBy } = await providers.storeKey(person, id, c.req.valid("json").key);
      return c.json({ provider: id, place, hidden_by: hiddenBy }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "delete",
      path: "/api/providers/{id}/key",
      summary: "Forget its stored key",
      request: { params: ProviderParam },
      responses: { 200: json(KeyForgottenView, "It is forgotten"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      await providers.forgetKey(person, id);
      return c.json({ provider: id, forgotten: true as const }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/providers/{id}/models",
      summary: "The models it has; of a llama-server also the files it could serve",
      request: { params: ProviderParam },
      responses: { 200: json(ProviderModelsView, "Models"), ...problems },
    }),
    async (c) =>
      c.json(
        {
          items: (await providers.modelsOf(c.req.valid("param").id)).map(({ contextTokensMax, ...model }) => ({
            ...model,
            context_tokens_max: contextTokensMax,
          })),
        },
        200,
      ),
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/providers/{id}/pull",
      summary: "Have it fetch a model; answers when it has it",
      request: { params: ProviderParam, body: jsonBody(PullInput) },
      responses: { 200: json(PulledView, "It has the model"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { model } = c.req.valid("json");
      return c.json({ provider: id, model, said: await providers.pull(id, model) }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/providers/{id}/probe",
      summary: "Try a tool call, its context and its speed with a real conversation",
      request: { params: ProviderParam, body: jsonBody(ProbeInput) },
      responses: { 200: json(ProbeResultView, "What was found"), ...problems },
    }),
    async (c) => {
      const { model } = c.req.valid("json");
      const found = await providers.probe(person, c.req.valid("param").id, model ?? null, c.req.raw.signal);
      return c.json(probeView(found), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/providers/{id}/log",
      summary: "The end of what its server said",
      request: { params: ProviderParam },
      responses: { 200: json(ProviderLogView, "Its log"), ...problems },
    }),
    async (c) => c.json(await providers.log(c.req.valid("param").id), 200),
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/browse",
      summary: "Names in a directory of this machine, to point at a program or at models",
      request: { query: BrowseQuery },
      responses: { 200: json(BrowsedView, "Names; no link is followed or listed"), ...problems },
    }),
    async (c) => {
      const found = await providers.browse(c.req.valid("query").path ?? null);
      return c.json({ ...found, entries: [...found.entries], roots: [...found.roots] }, 200);
    },
  );
}
