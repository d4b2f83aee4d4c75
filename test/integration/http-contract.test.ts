import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { testAgent } from "../support/acp-kit.ts";
import {
  type Answer,
  type Asked,
  approve,
  MEND_SUM,
  sampleRepo,
  type TestDaemon,
  until,
  waitForStatus,
  withDaemon,
} from "../support/daemon.ts";
import { ollamaServer } from "../support/fake-providers.ts";
import { freePort } from "../support/free-port.ts";
import { scriptedModels } from "../support/scripted-models.ts";
import { fixture, type Machine, machine } from "./providers-kit.ts";

/*
 * Every operation of /api/openapi.json is asked for at least one good answer, and each answer is held against the document: the
 * schema there, made strict, must take it. The journey below is one; which operations it reached is compared with the document
 * at its end, so that a new route without a line here is red.
 */

type Schema = Readonly<Record<string, unknown>>;
interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, Schema>>>>;
}

let on: Machine;
let daemon: TestDaemon;
let document: Document;
const reached = new Set<string>();

beforeAll(async () => {
  on = machine();
  daemon = await on.daemon({ models: scriptedModels(() => ({ text: "Hello yourself" })) });
  document = (await daemon.ask("GET", "/api/openapi.json")).json as Document;
});

/** Asks, expects `status`, and holds the answer against what the document says of `template`. */
async function answered(
  operation: string,
  parameters: Readonly<Record<string, string>> = {},
  wanted: Asked = {},
  query = "",
): Promise<Answer> {
  const [method = "", template = ""] = operation.split(" ");
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parameters[name] ?? ""));
  const answer = await daemon.ask(method, path + query, wanted);
  const described = document.paths[template]?.[method.toLowerCase()]?.responses[String(answer.status)];
  expect(
    described,
    `${operation} answered ${answer.status}, of which the document knows nothing: ${answer.text}`,
  ).toBeDefined();
  expect(answer.status, `${operation}: ${answer.text}`).toBeLessThan(300);
  const type = (answer.headers["content-type"] ?? "").split(";")[0] ?? "";
  const content = described?.content?.[type];
  expect(content, `${operation} answers ${type}, of which the document knows nothing`).toBeDefined();
  if (type === "application/json")
    expect(misfits(content?.schema, answer.json), `${operation} does not answer as the document says`).toEqual([]);
  reached.add(operation);
  return answer;
}

const misfits = (schema: unknown, value: unknown) =>
  z.fromJSONSchema(strict(schema) as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value).error?.issues ?? [];

/** References put in place, and no field allowed that is not named. */
function strict(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strict);
  if (typeof value !== "object" || value === null) return value;
  const schema = value as Record<string, unknown>;
  if (typeof schema["$ref"] === "string") return strict(pointed(schema["$ref"]));
  const inner = Object.fromEntries(Object.entries(schema).map(([name, one]) => [name, strict(one)]));
  return schema["properties"] !== undefined && schema["additionalProperties"] === undefined
    ? { ...inner, additionalProperties: false }
    : inner;
}

const pointed = (reference: string): unknown =>
  reference
    .replace(/^#\//, "")
    .split("/")
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document);

describe("the document", () => {
  test("is OpenAPI 3.1, and every reference in it leads somewhere", () => {
    expect(document.openapi).toBe("3.1.0");
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, reference]) => reference ?? "",
    );
    expect(references.filter((reference) => pointed(reference) === undefined)).toEqual([]);
    expect(new Set(references)).toEqual(
      new Set(["#/components/schemas/Json", "#/components/schemas/Problem", "#/components/parameters/IdempotencyKey"]),
    );
  });

  test("names every parameter of a path, and only those", () => {
    for (const [path, operations] of Object.entries(document.paths)) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const operation of Object.values(operations) as {
        readonly parameters?: readonly { readonly in?: string; readonly name?: string }[];
      }[])
        expect(
          (operation.parameters ?? []).filter((one) => one.in === "path").map(({ name }) => name),
          path,
        ).toEqual(inPath);
    }
  });

  test("says of every operation that it may refuse, and how", () => {
    for (const operation of Object.values(document.paths).flatMap((one) => Object.values(one)))
      for (const [status, { content }] of Object.entries(operation.responses))
        if (Number(status) >= 400)
          expect(content?.["application/problem+json"]).toEqual({ schema: { $ref: "#/components/schemas/Problem" } });
  });

  test("would not take an answer with a field more, a field less, or a number as text", () => {
    const schema =
      document.paths["/api/daemon/stop"]?.["post"]?.responses["200"]?.content?.["application/json"]?.schema;
    expect(misfits(schema, { ok: true })).toEqual([]);
    for (const wrong of [{ ok: true, more: 1 }, {}, { ok: "true" }]) expect(misfits(schema, wrong)).toHaveLength(1);
  });

  test("is the same twice", async () => expect((await daemon.ask("GET", "/api/openapi.json")).json).toEqual(document));
});

describe("every operation answers as the document says:", () => {
  const repos = { red: "", green: "", plain: "" };
  let project = "";

  test("projects and repos", async () => {
    repos.red = sampleRepo("red");
    project = (await answered("POST /api/projects", {}, { body: { name: "sums" } })).json.id;
    const added = await answered("POST /api/projects/{id}/repos", { id: "sums" }, { body: { path: repos.red } });
    expect(added.json).toMatchObject({ project, name: "sample", path: repos.red });
    const id: string = added.json.id;
    await answered("GET /api/projects");
    await answered("GET /api/projects/{id}", { id: project });
    await answered("PATCH /api/projects/{id}", { id: project }, { body: { settings: { run_mode: "assisted" } } });
    for (const verb of ["pause", "resume"] as const)
      await answered(`POST /api/projects/{id}/${verb}`, { id: project }, { body: { reason: "to look" } });
    await answered("PATCH /api/projects/{id}", { id: project }, { body: { settings: { tasks_max: 3 } } });
    await answered("GET /api/projects/{id}/repos", { id: project });
    await answered("GET /api/repos/{id}", { id });
    await answered("PATCH /api/repos/{id}", { id }, { body: { path_filters: ["**"] } });
    await answered("POST /api/repos/{id}/scan", { id });
    await answered("POST /api/repos/{id}/probe", { id });
    const offered = (await answered("POST /api/gates/detect", {}, { body: { path: repos.red } })).json;
    expect((await answered("GET /api/projects/{id}/gates", { id: project })).json.items).toEqual([offered]);
    expect((await answered("POST /api/projects/of-path", {}, { body: { path: repos.red } })).json.made).toBe(false);
    repos.plain = sampleRepo("plain");
    expect((await answered("POST /api/projects/of-path", {}, { body: { path: repos.plain } })).json.made).toBe(true);
  });

  test("policies", async () => {
    const text = '@id("no-touch") forbid (principal, action, resource) when { context.commands.contains("touch") };';
    await answered("POST /api/policy/check", {}, { body: { text } });
    await answered("POST /api/policy", {}, { body: { text, project } });
    expect((await answered("GET /api/policy")).json.layers).toHaveLength(1);
    const explained = await answered("POST /api/policy/explain", {}, { body: { argv: ["touch", "x"], project } });
    expect(explained.json).toMatchObject({ verdict: "deny", policy: "project:no-touch" });
    await answered("POST /api/policy", {}, { body: { text: "", project } });
  });

  test("providers of models, and directories", async () => {
    const server = await ollamaServer();
    try {
      const of = { id: "box" };
      await answered("POST /api/providers", {}, { body: { id: "box", kind: "ollama", base_url: server.url } });
      expect((await answered("GET /api/providers/{id}", of)).json.status).toBe("running");
      await answered("GET /api/providers");
      await answered("POST /api/providers/detect");
      const prices = { small: { input: 0, output: 0 } };
      expect((await answered("PATCH /api/providers/{id}", of, { body: { prices } })).json.prices).toEqual(prices);
      await answered("GET /api/providers/{id}/models", of);
      await answered("POST /api/providers/{id}/pull", of, { body: { model: "small" } });
      await answered("POST /api/providers/{id}/probe", of, { body: {} });
      await answered("POST /api/providers/{id}/key", of, { body: { key: "sk-1" } });
      await answered("DELETE /api/providers/{id}/key", of);
      await answered("GET /api/providers/{id}", of);
      await answered("DELETE /api/providers/{id}", of);
    } finally {
      await server.close();
    }
    const mine = { id: "mine" };
    const llama = { executable: fixture("llama-server"), model_file: on.model("small"), port: await freePort() };
    await answered("POST /api/providers", {}, { body: { id: "mine", kind: "llamacpp", ...llama } });
    await answered("POST /api/providers/{id}/start", mine);
    await answered("GET /api/providers/{id}", mine);
    await answered("POST /api/providers/{id}/restart", mine);
    await answered("GET /api/providers/{id}/log", mine);
    await answered("POST /api/providers/{id}/stop", mine);
    expect((await answered("GET /api/browse")).json).toMatchObject({ path: on.personHome, parent: null });
  });

  test("a task from draft to delivered", async () => {
    const created = (
      await answered("POST /api/tasks", {}, { body: { title: "Mend the sum", metadata: { deep: [null, { x: [1] }] } } })
    ).json;
    const of = { id: created.id as string };
    await answered("GET /api/tasks/{id}/output", of, {}, "?step=none.1");
    expect((await answered("PATCH /api/tasks/{id}", of, { body: { priority: "high" } })).json.priority).toBe("high");
    await answered("POST /api/tasks/bulk", {}, { body: { verb: "pause", ids: [of.id], dry_run: true } });
    await answered("GET /api/tasks/{id}/spec", of);
    await answered("PATCH /api/tasks/{id}/spec", of, { body: { plan: MEND_SUM, criteria: ["1 and 2 are 3"] } });
    await answered("POST /api/tasks/{id}/bind", of, { body: { project: "sums" } });
    await answered("POST /api/tasks/{id}/spec/freeze", of);
    await answered("GET /api/tasks/{id}/spec", of);
    await answered("POST /api/tasks/{id}/ready", of);
    await waitForStatus(daemon.api, of.id, ["awaiting_approval"]);
    const plan = (await answered("GET /api/tasks/{id}/plan", of)).json;
    await answered("POST /api/tasks/{id}/request-changes", of, { body: { request: "Once more, please" } });
    await waitForStatus(daemon.api, of.id, ["awaiting_approval"]);
    expect((await answered("GET /api/tasks/{id}/plan", of)).json.version).toBeGreaterThan(plan.version);
    const { hash } = (await answered("GET /api/tasks/{id}/plan", of)).json;
    await answered("POST /api/tasks/{id}/approve", of, { body: { plan: hash } });
    await waitForStatus(daemon.api, of.id, ["succeeded"]);
    for (const what of ["", "/evidence", "/logs", "/diff", "/events", "/audits", "/spec", "/plan"])
      await answered(`GET /api/tasks/{id}${what}`, of);
    await answered("POST /api/tasks/{id}/deliver", of, { body: { way: "branch", branch: "mended" } });
    await answered("GET /api/tasks/{id}", of);
    const [fork] = (await answered("POST /api/tasks/{id}/fork", of, { body: {} })).json.tasks;
    expect((await answered("GET /api/tasks/{id}/attempts", of)).json.tasks).toEqual([of.id, fork]);
    expect((await answered("GET /api/compare", {}, {}, `?tasks=${of.id}`)).json.items).toHaveLength(2);
    expect((await answered("POST /api/tasks/{id}/supersede-others", of)).json.tasks).toEqual([fork]);
    await answered("GET /api/workspaces");
    await answered("GET /api/tasks/{id}/moved", of);
    await answered("POST /api/gc", {}, { body: { dry_run: true } });
    await answered("POST /api/workspaces/clean", {}, { body: { task: of.id } });
  });

  test("what comes before what", async () => {
    const [one, two] = [await daemon.api.createTask({ title: "One" }), await daemon.api.createTask({ title: "Two" })];
    const said = { kind: "requires", other: two.id };
    await answered("POST /api/tasks/{id}/dependencies", { id: one.id }, { body: said });
    await answered("GET /api/tasks/{id}/dependencies", { id: two.id });
    await answered("GET /api/tasks/{id}", { id: one.id });
    await answered("GET /api/dependencies");
    await answered("DELETE /api/tasks/{id}/dependencies", { id: one.id }, {}, `?kind=requires&other=${two.id}`);
  });

  test("a report of the gates as an artifact", async () => {
    repos.green = sampleRepo("green");
    const { project: bound } = await daemon.api.projectOfPath({ path: repos.green });
    const { id } = await daemon.api.createTask({ title: "Run tests and generate report", project: bound.id });
    await daemon.api.freezeTask(id);
    await daemon.api.readyTask(id);
    const proposed = await waitForStatus(daemon.api, id, ["awaiting_approval", "succeeded"]);
    if (proposed.status === "awaiting_approval") await approve(daemon.api, id);
    await waitForStatus(daemon.api, id, ["succeeded"]);
    const { items } = (await answered("GET /api/tasks/{id}/artifacts", { id })).json as {
      readonly items: readonly { readonly name: string; readonly bytes: number }[];
    };
    const [first] = items;
    const bytes = await answered("GET /api/tasks/{id}/artifacts/{name}", { id, name: first?.name ?? "" });
    expect(Buffer.byteLength(bytes.text)).toBe(first?.bytes);
    expect(bytes.headers["content-disposition"]).toMatch(/^attachment/);
  });

  test("the answers of a person: reject, pause, resume, cancel, retry, accept", async () => {
    const waiting = { items: [{ id: "wait", title: "Wait", do: [{ run: ["sleep", "120"] }] }] };
    const begun = async (body: Parameters<TestDaemon["api"]["createTask"]>[0]): Promise<string> => {
      const { id } = await daemon.api.createTask({ project: "sums", ...body });
      await daemon.api.freezeTask(id);
      await daemon.api.readyTask(id);
      return id;
    };
    const refused = await begun({ title: "Refused", plan: waiting });
    const paused = await begun({ title: "Paused", plan: waiting, run_mode: "autonomous" });
    const hopeless = await begun({
      title: "Hopeless",
      attempts: 1,
      run_mode: "autonomous",
      plan: { items: [{ id: "no", title: "Fail", do: [{ run: ["false"] }] }] },
    });
    const { project: plain } = await daemon.api.projectOfPath({ path: repos.plain });
    const unproven = await begun({
      title: "Unproven",
      project: plain.id,
      attempts: 1,
      plan: { items: [{ id: "note", title: "Note", do: [{ write: "NOTE", content: "noted\n" }] }] },
    });

    await waitForStatus(daemon.api, refused, ["awaiting_approval"]);
    expect(
      (await answered("POST /api/tasks/{id}/reject", { id: refused }, { body: { reason: "not today" } })).json,
    ).toMatchObject({ status: "canceled", exit_reason: "plan_rejected" });

    await until("its command runs", async () => (await daemon.api.task(paused)).open_step?.doing.includes("sleep"));
    await answered("POST /api/tasks/{id}/pause", { id: paused });
    await answered("POST /api/tasks/{id}/cancel", { id: paused }, { body: { reason: "enough" } });
    await waitForStatus(daemon.api, paused, ["canceled"]);

    await waitForStatus(daemon.api, hopeless, ["failed"]);
    await answered("POST /api/tasks/{id}/retry", { id: hopeless });
    await waitForStatus(daemon.api, hopeless, ["failed"]);

    await waitForStatus(daemon.api, unproven, ["awaiting_approval"]);
    await approve(daemon.api, unproven);
    await waitForStatus(daemon.api, unproven, ["blocked"]);
    await answered(
      "POST /api/tasks/{id}/resume",
      { id: unproven },
      { text: "", headers: { "content-type": "application/json" } },
    );
    await waitForStatus(daemon.api, unproven, ["blocked"]);
    expect(
      (
        await answered(
          "POST /api/tasks/{id}/accept",
          { id: unproven },
          { body: { reason: "There is nothing to test" } },
        )
      ).json,
    ).toMatchObject({ status: "succeeded", exit_reason: "accepted_unproven" });
  });

  test("looking at everything, page by page", async () => {
    const [newest] = (await daemon.api.tasks({ limit: 1 })).items;
    expect((await answered("GET /api/tasks/{id}/gates", { id: newest?.id ?? "" })).json.task).toBe(newest?.id);
    await answered("GET /api/health");
    expect((await answered("POST /api/daemon/pause", {}, { body: { reason: "to look" } })).json.paused).toMatchObject({
      reason: "to look",
    });
    expect((await answered("POST /api/daemon/resume")).json.paused).toBeNull();
    await answered("GET /api/events", {}, {}, "?limit=7");
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Answer = await answered(
        "GET /api/tasks",
        {},
        {},
        `?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`,
      );
      seen.push(...page.json.items.map(({ id }: { readonly id: string }) => id));
      cursor = page.json.next;
    }
    expect(seen).toEqual((await daemon.api.tasks()).items.map(({ id }) => id));
    expect(new Set(seen).size).toBe(9);
  });

  test("models, what waits for a person, notes and a chat", async () => {
    const models = {
      any: { use: [{ provider: "scripted", model: "small", parameters: { temperature: 0 } }], budget: {} },
    };
    await answered("PUT /api/model-policy", {}, { body: models });
    const layers = (await answered("GET /api/model-policy", {}, {}, `?project=${project}`)).json;
    expect([layers.user, layers.in_force.planning]).toEqual([models, { ...models.any, from: "user" }]);
    expect((await answered("GET /api/model-policy/check")).json.items).toHaveLength(1);

    const { id } = await daemon.api.createTask({ title: "Waits", project: "sums", plan: MEND_SUM });
    await daemon.api.freezeTask(id);
    await daemon.api.readyTask(id);
    await waitForStatus(daemon.api, id, ["awaiting_approval"]);
    expect((await answered("GET /api/inbox")).json.items).toMatchObject([{ id, kind: "plan" }]);
    expect((await answered("GET /api/health")).json.inbox).toBe(1);
    const item = (await answered("GET /api/inbox/{id}", { id })).json;
    const stale = { body: { answer: "approve", seq: item.seq - 1 } };
    expect(await daemon.ask("POST", `/api/inbox/${id}/answer`, stale)).toMatchObject({
      status: 409,
      json: { code: "task/changed" },
    });
    const { body } = item.ways.find(({ answer }: { readonly answer: string }) => answer === "reject").call;
    expect((await answered("POST /api/inbox/{id}/answer", { id }, { body })).json.task.exit_reason).toBe(
      "plan_rejected",
    );

    const note = (await answered("POST /api/projects/{id}/notes", { id: "sums" }, { body: { text: "Sums are sums" } }))
      .json;
    await answered("POST /api/projects/{id}/notes/{note}/approve", { id: "sums", note: note.id });
    await answered("POST /api/projects/{id}/notes/{note}/retire", { id: "sums", note: note.id });
    expect((await answered("GET /api/projects/{id}/notes", { id: "sums" }, {}, "?all=true")).json.items).toHaveLength(
      1,
    );

    const said = { body: { text: "Hello" } };
    expect((await answered("POST /api/chat/{session}", { session: "s1" }, said)).json.text).toBe("Hello yourself");
    const streamed = await answered(
      "POST /api/chat/{session}",
      { session: "s1" },
      { ...said, headers: { accept: "text/event-stream" } },
    );
    expect([...streamed.text.matchAll(/"type":"(\w+)"/g)].map(([, type]) => type)).toEqual(["model", "text", "end"]);
    expect((await answered("GET /api/chat/{session}", { session: "s1" })).json.items).toHaveLength(6);
  });

  test("foreign agents, and servers of tools", async () => {
    expect((await answered("GET /api/agents")).json.items.map(({ name }: { name: string }) => name)).toContain(
      "opencode",
    );
    const agent = { kind: "acp", command: [...(await testAgent())] };
    expect((await answered("POST /api/agents/probe", {}, { body: { agent } })).json).toMatchObject({ protocol: 1 });
    expect((await answered("POST /api/agents/test", {}, { body: { agent } })).json.stop).toBe("end_turn");

    const of = { id: "sums", server: "notes" };
    const server = { name: "notes", argv: ["node", join(import.meta.dirname, "../fixtures/mcp/server.mjs")] };
    const added = await answered("POST /api/projects/{id}/tool-servers", of, { body: server });
    const digests = added.json.offered.map(({ digest }: { digest: string }) => digest);
    await answered("POST /api/projects/{id}/tool-servers/{server}/pin", of, { body: { digests } });
    const looked = await answered("POST /api/projects/{id}/tool-servers/{server}/probe", of);
    expect([looked.json.tools.length, looked.json.changes]).toEqual([2, []]);
    expect((await answered("GET /api/projects/{id}/tool-servers", of)).json.items).toHaveLength(1);
    expect((await answered("DELETE /api/projects/{id}/tool-servers/{server}", of)).json.items).toEqual([]);
  });

  test("a project nothing lives in any more is deleted", async () => {
    await answered("DELETE /api/projects/{id}", { id: "sums" });
    expect((await daemon.ask("GET", "/api/projects/sums")).status).toBe(404);
  });

  test("and the last: to stop", async () => {
    expect((await answered("POST /api/daemon/stop")).json).toEqual({ ok: true });
    await daemon.inside?.stopped;
  });

  test("none was left out", () =>
    expect([...reached].sort()).toEqual(
      Object.entries(document.paths)
        .flatMap(([path, operations]) => Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`))
        .sort(),
    ));

  afterAll(() => expect(daemon.log()).toEqual([]));
});

describe("the curl of the README, word for word,", () => {
  // `http://localhost:8000` is where a person's own daemon may be; this one's port is put in its place.
  const CURL = `curl -X POST http://localhost:8000/api/tasks \\
     -H "Content-Type: application/json" \\
     -d '{
       "title": "Implement feature X",
       "created_by": "user@example.com",
       "metadata": {"priority": "high"}
     }'`;

  test.skipIf(!existsSync("/usr/bin/curl"))("answers with the draft and its session", async () => {
    const fresh = await withDaemon({ child: true });
    const before = Math.floor(Date.now() / 1_000);
    const said = execFileSync(
      "/bin/sh",
      [
        "-c",
        `${CURL.replace("localhost:8000", `localhost:${new URL(fresh.url).port}`)} -s -w '\\n%{http_code} %{content_type}'`,
      ],
      { encoding: "utf8" },
    );
    const [body = "", status] = said.split("\n");
    expect(status).toBe("201 application/json");
    const task = JSON.parse(body) as Record<string, unknown>;
    expect(task).toMatchObject({
      title: "Implement feature X",
      created_by: "user@example.com",
      metadata: { priority: "high" },
      priority: "high",
      status: "draft",
      phase: "intent",
      project: null,
    });
    const [, id, seconds] = /^auto_([0-9A-HJKMNP-TV-Z]{26})_(\d+)$/.exec(String(task["session"])) ?? [];
    expect(id).toBe(task["id"]);
    expect(Number(seconds)).toBeGreaterThanOrEqual(before);
    expect(Number(seconds)).toBeLessThanOrEqual(Math.floor(Date.now() / 1_000));
  });
});
