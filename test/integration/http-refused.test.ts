import { connect as connectTo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROBLEMS, type ProblemCode } from "../../src/contract/problems.ts";
import {
  type Answer,
  type Asked,
  MEND_SUM,
  rowsOf,
  sampleRepo,
  type TestDaemon,
  waitForStatus,
  withDaemon,
} from "../support/daemon.ts";

/*
 * What must be refused, as data. Every answer is a problem with the status and code of the table and words for what to do next,
 * tells nothing of the inside, and leaves every table of the database with as many rows as before.
 */

type Row = readonly [what: string, code: ProblemCode, method: string, path: string, wanted?: Asked];

let daemon: TestDaemon;
const id = { draft: "", waiting: "", done: "", project: "", repo: "", plan: "" };

beforeAll(async () => {
  daemon = await withDaemon();
  const { project } = await daemon.api.projectOfPath({ path: sampleRepo("red") });
  const made = async (title: string): Promise<string> =>
    (await daemon.api.createTask({ title, project: project.id, plan: MEND_SUM })).id;
  id.project = project.id;
  id.repo = project.repos[0]?.id ?? "";
  id.draft = await made("A draft");
  id.waiting = await made("Waits");
  id.done = await made("Over");
  await daemon.api.freezeTask(id.waiting);
  await daemon.api.readyTask(id.waiting);
  await daemon.api.cancelTask(id.done, {});
  await waitForStatus(daemon.api, id.waiting, ["awaiting_approval"]);
  id.plan = (await daemon.api.plan(id.waiting)).hash;
}, 60_000);

afterAll(() => expect(daemon.log()).toEqual([]));

const JSON_TYPE = { "content-type": "application/json" };
const text = (content: string | Buffer, headers: Readonly<Record<string, string>> = JSON_TYPE): Asked => ({
  text: content,
  headers,
});
const task = (fields: Readonly<Record<string, unknown>>): Asked => ({ body: { title: "x", ...fields } });
const DO = { id: "a", title: "b" };

/** Replaced by the ids of the tasks and projects made before; rows are data, made before those exist. */
const path = (template: string): string => template.replaceAll(/<(\w+)>/g, (_, name: keyof typeof id) => id[name]);

const BODIES: readonly Row[] = [
  ["an unknown field", "input/invalid", "POST", "/api/tasks", task({ titel: "y" })],
  [
    "an unknown field far inside",
    "input/invalid",
    "POST",
    "/api/tasks",
    task({ plan: { items: [{ ...DO, do: [{ run: "true", sudo: true }] }] } }),
  ],
  ["a title that is a number", "input/invalid", "POST", "/api/tasks", { body: { title: 7 } }],
  ["a title that is null", "input/invalid", "POST", "/api/tasks", { body: { title: null } }],
  ["no title", "input/invalid", "POST", "/api/tasks", { body: {} }],
  ["an empty title", "input/invalid", "POST", "/api/tasks", task({ title: "" })],
  ["a title of spaces", "input/invalid", "POST", "/api/tasks", task({ title: "   " })],
  ["a title of a million characters", "input/invalid", "POST", "/api/tasks", task({ title: "x".repeat(1_000_000) })],
  ["a title of two lines", "input/invalid", "POST", "/api/tasks", task({ title: "a\nb" })],
  ["a title with an escape sequence", "input/invalid", "POST", "/api/tasks", task({ title: "a\u001b[2Jb" })],
  ["a title with a C1 control character", "input/invalid", "POST", "/api/tasks", task({ title: "a\u009b2Jb" })],
  ["a title with a NUL", "input/invalid", "POST", "/api/tasks", task({ title: "a\u0000b" })],
  ["half a surrogate pair in the title", "input/invalid", "POST", "/api/tasks", text('{"title":"\\ud800"}')],
  [
    "half a surrogate pair in the metadata",
    "input/invalid",
    "POST",
    "/api/tasks",
    text('{"title":"x","metadata":{"a":["\\udc00"]}}'),
  ],
  [
    "half a surrogate pair in a name of the metadata",
    "input/invalid",
    "POST",
    "/api/tasks",
    text('{"title":"x","metadata":{"\\ud800":1}}'),
  ],
  [
    "half a surrogate pair in a file to write",
    "input/invalid",
    "POST",
    "/api/tasks",
    text(
      JSON.stringify({ title: "x", plan: { items: [{ ...DO, do: [{ write: "a", content: "@" }] }] } }).replace(
        "@",
        "\\ud800",
      ),
    ),
  ],
  ["a number that is infinite", "input/invalid", "POST", "/api/tasks", text('{"title":"x","metadata":{"a":1e999}}')],
  [
    "a field called __proto__",
    "input/invalid",
    "POST",
    "/api/tasks",
    text('{"title":"x","metadata":{"__proto__":{"admin":true}}}'),
  ],
  ["a name with a megabyte", "input/invalid", "POST", "/api/tasks", task({ ["x".repeat(1_000_000)]: 1 })],
  [
    "ten thousand unknown names",
    "input/invalid",
    "POST",
    "/api/tasks",
    task(Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`unknown-${index}`, 1]))),
  ],
  [
    "metadata of more than 64 KiB",
    "input/invalid",
    "POST",
    "/api/tasks",
    task({ metadata: { a: "x".repeat(70_000) } }),
  ],
  [
    "a command with a NUL",
    "input/invalid",
    "POST",
    "/api/tasks",
    task({ plan: { items: [{ ...DO, do: [{ run: "true\u0000" }] }] } }),
  ],
  [
    "an argument with a NUL",
    "input/invalid",
    "POST",
    "/api/tasks",
    task({ plan: { items: [{ ...DO, do: [{ run: ["true", "\u0000"] }] }] } }),
  ],
  [
    "a gate's command with a NUL",
    "input/invalid",
    "POST",
    "/api/tasks",
    task({ gates: [{ id: "a", run: "true\u0000" }] }),
  ],
  [
    "a file above the workspace",
    "input/invalid",
    "POST",
    "/api/tasks",
    task({ plan: { items: [{ ...DO, do: [{ write: "../a", content: "" }] }] } }),
  ],
  [
    "a file at the root",
    "input/invalid",
    "POST",
    "/api/tasks",
    task({ plan: { items: [{ ...DO, do: [{ remove: "/etc/passwd" }] }] } }),
  ],
  ["a run mode nobody knows", "input/invalid", "POST", "/api/tasks", task({ run_mode: "yolo" })],
  ["a project nobody knows", "project/not-found", "POST", "/api/tasks", task({ project: "nowhere" })],
  ["its status", "input/invalid", "POST", "/api/tasks", task({ status: "succeeded" })],
  ["its id", "input/invalid", "POST", "/api/tasks", task({ id: "01ARZ3NDEKTSV4RRFFQ69G5FAV" })],
  ["that its spec is frozen", "input/invalid", "POST", "/api/tasks", task({ spec_frozen: true })],
  ["its status, later", "input/invalid", "PATCH", "/api/tasks/<draft>/spec", { body: { status: "succeeded" } }],
  [
    "its id, later",
    "input/invalid",
    "PATCH",
    "/api/tasks/<draft>/spec",
    { body: { id: "01ARZ3NDEKTSV4RRFFQ69G5FAV" } },
  ],
  [
    "that its spec is frozen, later",
    "input/invalid",
    "PATCH",
    "/api/tasks/<draft>/spec",
    { body: { spec_frozen: true } },
  ],
  ["who made it, later", "input/invalid", "PATCH", "/api/tasks/<draft>/spec", { body: { created_by: "somebody" } }],
  [
    "who approves",
    "input/invalid",
    "POST",
    "/api/tasks/<waiting>/approve",
    { body: { plan: "0".repeat(64), by: "somebody" } },
  ],
  [
    "a project's id",
    "input/invalid",
    "POST",
    "/api/projects",
    { body: { name: "other", id: "01ARZ3NDEKTSV4RRFFQ69G5FAV" } },
  ],
  [
    "a project's creation date",
    "input/invalid",
    "PATCH",
    "/api/projects/<project>",
    { body: { created_at: "2020-01-01" } },
  ],
  ["a repo moved to what is no repository", "repo/refused", "PATCH", "/api/repos/<repo>", { body: { path: "/etc" } }],
  ["a project's name that climbs", "input/invalid", "POST", "/api/projects", { body: { name: "../etc" } }],
  ["a relative path of a repository", "input/invalid", "POST", "/api/projects/of-path", { body: { path: "etc" } }],
  ["a path with a NUL", "input/invalid", "POST", "/api/projects/of-path", { body: { path: "/tmp\u0000/x" } }],
  [
    "a path where nothing is",
    "repo/refused",
    "POST",
    "/api/projects/of-path",
    { body: { path: "/nonexistent/place" } },
  ],
  ["a path that is no repository", "repo/refused", "POST", "/api/projects/of-path", { body: { path: "/etc" } }],
  ["a list where an object belongs", "input/invalid", "POST", "/api/tasks", { body: [] }],
  ["a text where an object belongs", "input/invalid", "POST", "/api/tasks", { body: "title" }],
  ["null where an object belongs", "input/invalid", "POST", "/api/tasks", { body: null }],
  ["half an object", "input/invalid", "POST", "/api/tasks", text('{"title":')],
  ["two objects", "input/invalid", "POST", "/api/tasks", text('{"title":"x"}{}')],
  ["a single quote", "input/invalid", "POST", "/api/tasks", text("{'title':'x'}")],
  ["nothing", "input/invalid", "POST", "/api/tasks", text("")],
  [
    "bytes that are no UTF-8",
    "input/invalid",
    "POST",
    "/api/tasks",
    text(Buffer.from([...Buffer.from('{"title":"'), 0xff, 0xfe, ...Buffer.from('"}')])),
  ],
  ["UTF-16", "input/invalid", "POST", "/api/tasks", text(Buffer.from('\ufeff{"title":"x"}', "utf16le"))],
  [
    "a hundred thousand brackets",
    "input/invalid",
    "POST",
    "/api/tasks",
    text(`{"title":"x","metadata":{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`),
  ],
  [
    "a hundred thousand objects",
    "input/invalid",
    "POST",
    "/api/tasks",
    text(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`),
  ],
  ["nine megabytes", "input/too-large", "POST", "/api/tasks", task({ intent: "x".repeat(9 * 1024 ** 2) })],
  [
    "nine megabytes without a length",
    "input/too-large",
    "POST",
    "/api/tasks",
    { text: Buffer.alloc(9 * 1024 ** 2, 0x20), headers: { ...JSON_TYPE, "transfer-encoding": "chunked" } },
  ],
  [
    "JSON as plain text",
    "input/media-type",
    "POST",
    "/api/tasks",
    text('{"title":"x"}', { "content-type": "text/plain" }),
  ],
  ["JSON without a type", "input/media-type", "POST", "/api/tasks", text('{"title":"x"}', {})],
  [
    "a form",
    "input/media-type",
    "POST",
    "/api/tasks",
    text("title=x", { "content-type": "application/x-www-form-urlencoded" }),
  ],
  [
    "a form of parts",
    "input/media-type",
    "POST",
    "/api/tasks",
    text("--b\r\n\r\n--b--", { "content-type": "multipart/form-data; boundary=b" }),
  ],
  [
    "a type that only begins like JSON",
    "input/media-type",
    "POST",
    "/api/tasks",
    text('{"title":"x"}', { "content-type": "application/jsonp" }),
  ],
  [
    "plain text where a body may be left out",
    "input/media-type",
    "POST",
    "/api/tasks/<waiting>/reject",
    text("{}", { "content-type": "text/plain" }),
  ],
  [
    "an unknown field where a body may be left out",
    "input/invalid",
    "POST",
    "/api/tasks/<draft>/ready",
    { body: { force: true } },
  ],
  [
    "an Idempotency-Key with a space",
    "input/invalid",
    "POST",
    "/api/tasks",
    { ...task({}), headers: { "idempotency-key": "a b" } },
  ],
  [
    "an Idempotency-Key of 201 characters",
    "input/invalid",
    "POST",
    "/api/tasks",
    { ...task({}), headers: { "idempotency-key": "k".repeat(201) } },
  ],
];

const provider = (fields: Readonly<Record<string, unknown>>): Asked => ({
  body: { id: "box", kind: "llamacpp", ...fields },
});
const PROVIDERS: readonly Row[] = [
  ["a provider whose name is a path", "input/invalid", "POST", "/api/providers", provider({ id: "../x" })],
  ["a provider of no kind", "input/invalid", "POST", "/api/providers", provider({ kind: "magic" })],
  ["a provider's key itself", "input/invalid", "POST", "/api/providers", provider({ key_name: "sk-abc-def" })],
  ["a key called key", "input/invalid", "POST", "/api/providers", provider({ key: "secret" })],
  ["a file for an address", "input/invalid", "POST", "/api/providers", provider({ base_url: "file:///etc/passwd" })],
  ["an address with a password", "input/invalid", "POST", "/api/providers", provider({ base_url: "http://a:b@c/" })],
  ["an address with a query", "input/invalid", "POST", "/api/providers", provider({ base_url: "http://a/?x=1" })],
  ["a port and an address", "input/invalid", "POST", "/api/providers", provider({ port: 1, base_url: "http://a" })],
  ["a port of a cloud", "input/invalid", "POST", "/api/providers", provider({ kind: "openai", port: 1 })],
  ["a program by a relative path", "input/invalid", "POST", "/api/providers", provider({ executable: "bin/x" })],
  ["a program that is not there", "provider/refused", "POST", "/api/providers", provider({ executable: "/none/x" })],
  [
    "one that is known already",
    "provider/refused",
    "POST",
    "/api/providers",
    provider({ id: "ollama", kind: "ollama" }),
  ],
  ["an API without an address", "provider/refused", "POST", "/api/providers", provider({ kind: "openai-compatible" })],
  ["a change of nothing known", "input/invalid", "PATCH", "/api/providers/ollama", { body: { kind: "openai" } }],
  ["a provider nobody knows", "provider/not-found", "GET", "/api/providers/none"],
  ["the start of one nobody knows", "provider/not-found", "POST", "/api/providers/none/start", { body: {} }],
  ["the start of a cloud", "provider/refused", "POST", "/api/providers/openai/start", { body: {} }],
  ["the stop of a cloud", "provider/refused", "POST", "/api/providers/openai/stop", { body: {} }],
  ["to forget what nobody said", "provider/refused", "DELETE", "/api/providers/openai"],
  ["a pull of a flag", "input/invalid", "POST", "/api/providers/ollama/pull", { body: { model: "--force" } }],
  ["a directory outside of all roots", "input/invalid", "GET", "/api/browse?path=/proc/self"],
  ["a directory by way of another", "input/invalid", "GET", "/api/browse?path=/home/../etc"],
  ["a directory with a NUL", "input/invalid", "GET", "/api/browse?path=/home%00/x"],
  ["a relative directory", "input/invalid", "GET", "/api/browse?path=etc"],
];

const STATES: readonly Row[] = [
  ["ready before freeze", "task/refused", "POST", "/api/tasks/<draft>/ready"],
  [
    "approve before there is a plan",
    "task/refused",
    "POST",
    "/api/tasks/<draft>/approve",
    { body: { plan: "0".repeat(64) } },
  ],
  ["pause of what does not run", "task/refused", "POST", "/api/tasks/<draft>/pause"],
  ["resume of what does not wait", "task/refused", "POST", "/api/tasks/<draft>/resume"],
  ["retry of what did not fail", "task/refused", "POST", "/api/tasks/<waiting>/retry"],
  ["deliver of what is not proven", "task/refused", "POST", "/api/tasks/<waiting>/deliver"],
  ["accept of what was not tried", "task/refused", "POST", "/api/tasks/<draft>/accept", { body: { reason: "fine" } }],
  ["freeze of what is over", "task/refused", "POST", "/api/tasks/<done>/spec/freeze"],
  ["a revision of what is over", "task/refused", "PATCH", "/api/tasks/<done>/spec", { body: { title: "Again" } }],
  ["cancel of what is over", "task/refused", "POST", "/api/tasks/<done>/cancel"],
  ["the plan before there is one", "task/refused", "GET", "/api/tasks/<draft>/plan"],
  ["the change before there is one", "task/refused", "GET", "/api/tasks/<draft>/diff"],
  ["clean while it lives", "task/refused", "POST", "/api/workspaces/clean", { body: { task: "<draft>" } }],
  ["a project while a task of it lives", "project/refused", "DELETE", "/api/projects/<project>"],
  ["a project's name twice", "project/refused", "POST", "/api/projects", { body: { name: "sample" } }],
  ["a repository twice", "project/refused", "POST", "/api/projects/<project>/repos", { body: { path: "<path>" } }],
];

/** Refused as well, and that it was tried is remembered: one event says it. */
const APPROVALS: readonly Row[] = [
  [
    "approval of another plan",
    "task/refused",
    "POST",
    "/api/tasks/<waiting>/approve",
    { body: { plan: "0".repeat(64) } },
  ],
  [
    "approval of another spec",
    "task/refused",
    "POST",
    "/api/tasks/<waiting>/approve",
    { body: { plan: "<plan>", spec: "0".repeat(64) } },
  ],
];

const UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const QUERIES: readonly Row[] = [
  ["a limit of none", "input/invalid", "GET", "/api/tasks?limit=0"],
  ["a limit of a million", "input/invalid", "GET", "/api/tasks?limit=1000000"],
  ["a limit that is a word", "input/invalid", "GET", "/api/tasks?limit=all"],
  ["two limits", "input/invalid", "GET", "/api/tasks?limit=1&limit=2"],
  ["a status nobody knows", "input/invalid", "GET", "/api/tasks?status=done"],
  ["a parameter nobody knows", "input/invalid", "GET", "/api/tasks?order=title"],
  [
    "a thousand parameters",
    "input/invalid",
    "GET",
    `/api/tasks?${Array.from({ length: 1_000 }, (_, index) => `p${index}=1`).join("&")}`,
  ],
  ["a cursor of one's own", "input/invalid", "GET", "/api/tasks?cursor=1%20OR%201=1"],
  ["an after below nothing", "input/invalid", "GET", "/api/events?after=-1"],
  ["an after that is half", "input/invalid", "GET", "/api/events?after=1.5"],
  ["an after beyond what a number holds", "input/invalid", "GET", "/api/events?after=1e300"],
  ["a Last-Event-ID that is a word", "input/invalid", "GET", "/api/events", { headers: { "last-event-id": "last" } }],
  ["a Last-Event-ID without end", "input/invalid", "GET", "/api/events", { headers: { "last-event-id": "Infinity" } }],
  [
    "a Last-Event-ID below nothing, to follow",
    "input/invalid",
    "GET",
    "/api/tasks/<draft>/events",
    { headers: { "last-event-id": "-1", accept: "text/event-stream" } },
  ],
  ["bytes of logs without end", "input/invalid", "GET", "/api/tasks/<draft>/logs?bytes=99999999999"],
  ["an artifact nobody stored", "artifact/not-found", "GET", "/api/tasks/<draft>/artifacts/report.json"],
  [
    "the log of a task nobody knows, to follow",
    "task/not-found",
    "GET",
    `/api/tasks/${UNKNOWN}/events`,
    { headers: { accept: "text/event-stream" } },
  ],
  ["a method nobody knows", "route/not-found", "PUT", "/api/tasks"],
  ["OPTIONS", "route/not-found", "OPTIONS", "/api/tasks"],
  ["TRACE", "route/not-found", "TRACE", "/api/tasks"],
  ["a route nobody knows", "route/not-found", "GET", "/api/everything"],
  ["a write to the page", "route/not-found", "POST", "/index.html", { body: {} }],
  ["a file nobody built", "route/not-found", "GET", "/assets/none.js"],
];

const TASK_PATHS = ["", "/spec", "/plan", "/artifacts", "/audits", "/evidence", "/events", "/logs", "/diff"];
const UNKNOWN_IDS: readonly Row[] = [
  ...TASK_PATHS.map((rest): Row => [`task${rest}`, "task/not-found", "GET", `/api/tasks/${UNKNOWN}${rest}`]),
  ...["spec/freeze", "ready", "reject", "pause", "resume", "cancel", "retry", "deliver"].map(
    (verb): Row => [verb, "task/not-found", "POST", `/api/tasks/${UNKNOWN}/${verb}`],
  ),
  ["approve", "task/not-found", "POST", `/api/tasks/${UNKNOWN}/approve`, { body: { plan: "0".repeat(64) } }],
  ["accept", "task/not-found", "POST", `/api/tasks/${UNKNOWN}/accept`, { body: { reason: "fine" } }],
  [
    "request-changes",
    "task/not-found",
    "POST",
    `/api/tasks/${UNKNOWN}/request-changes`,
    { body: { request: "other" } },
  ],
  ["bind", "task/not-found", "POST", `/api/tasks/${UNKNOWN}/bind`, { body: { project: "sample" } }],
  ["revise", "task/not-found", "PATCH", `/api/tasks/${UNKNOWN}/spec`, { body: { title: "x" } }],
  ["bind to", "project/not-found", "POST", "/api/tasks/<draft>/bind", { body: { project: UNKNOWN } }],
  ["clean", "task/not-found", "POST", "/api/workspaces/clean", { body: { task: UNKNOWN } }],
  ["project", "project/not-found", "GET", `/api/projects/${UNKNOWN}`],
  ["project's repos", "project/not-found", "GET", `/api/projects/${UNKNOWN}/repos`],
  ["project to change", "project/not-found", "PATCH", `/api/projects/${UNKNOWN}`, { body: { name: "x" } }],
  ["project to delete", "project/not-found", "DELETE", `/api/projects/${UNKNOWN}`],
  ["project to list by", "project/not-found", "GET", `/api/tasks?project=${UNKNOWN}`],
  ["repo", "repo/not-found", "GET", `/api/repos/${UNKNOWN}`],
  ["repo to change", "repo/not-found", "PATCH", `/api/repos/${UNKNOWN}`, { body: { writable: false } }],
  ["repo to scan", "repo/not-found", "POST", `/api/repos/${UNKNOWN}/scan`],
];

/** Never another row, never a file, never a route of another depth: only 400 or 404. */
const CLIMBERS = [
  "..%2f",
  "..%2f..%2fhealth",
  "%2e%2e",
  "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
  "..",
  "%00",
  "x%00.json",
  "/etc/passwd",
  "%2fetc%2fpasswd",
  "..%5c..",
  "//",
  "x.",
  "x%20",
  "%c0%ae%c0%ae",
  "%zz",
  "%",
  "*",
  "__proto__",
  "constructor",
  "x".repeat(3_000),
];
const CLIMBED = [
  "/api/tasks/@",
  "/api/tasks/@/spec",
  "/api/tasks/@/events",
  "/api/tasks/<draft>/artifacts/@",
  "/api/projects/@",
  "/api/projects/@/repos",
  "/api/repos/@",
  "/assets/@",
  "/@",
];

async function refused(answer: Answer, told: ProblemCode): Promise<void> {
  const { json } = answer;
  expect(
    { status: answer.status, code: json?.code, type: answer.headers["content-type"] },
    answer.text.slice(0, 500),
  ).toEqual({ status: PROBLEMS[told].status, code: told, type: "application/problem+json" });
  expect(json).toEqual({
    type: `urn:agentos:problem:${told.replace("/", ":")}`,
    title: told,
    status: answer.status,
    code: told,
    detail: expect.stringMatching(/\S/),
    next: expect.stringMatching(/\S/),
    facts: expect.any(Object),
  });
  tellsNothingOfTheInside(answer);
}

function tellsNothingOfTheInside({ text: said, headers }: Answer): void {
  expect(said.length).toBeLessThan(10_000);
  expect(said).not.toMatch(
    /\bat \S+ \(|node_modules|node:internal|SQLITE|\b(SELECT .* FROM tasks|INSERT INTO|UPDATE \w+ SET) |database is locked/,
  );
  expect(said).not.toContain(process.cwd());
  expect(said).not.toContain(daemon.home);
  expect(headers["x-powered-by"]).toBeUndefined();
}

async function unchanged(work: () => Promise<void>): Promise<void> {
  const before = rowsOf(daemon.home);
  await work();
  // An attempt to create counts for the limit whatever becomes of it.
  expect({ ...rowsOf(daemon.home), limits: 0 }).toEqual({ ...before, limits: 0 });
}

const named = (wanted: Asked | undefined, place: string): Asked | undefined =>
  wanted?.body === undefined
    ? wanted
    : {
        ...wanted,
        body: JSON.parse(
          JSON.stringify(wanted.body).replaceAll(/<(\w+)>/g, (_, name: keyof typeof id | "path") =>
            name === "path" ? place : id[name],
          ),
        ),
      };

const TABLES: readonly (readonly [string, readonly Row[]])[] = [
  ["a body is refused:", BODIES],
  ["of providers and directories, what must not be is refused:", PROVIDERS],
  ["what the task's state does not allow is refused:", STATES],
  ["a question is refused:", QUERIES],
  ["what nobody knows is not found:", UNKNOWN_IDS],
];

for (const [title, rows] of TABLES)
  describe(title, () => {
    test.each(rows.map((row) => [row[0], row] as const))("%s", async (_, [, code, method, template, wanted]) => {
      const place = (await daemon.api.repo(id.repo)).path;
      await unchanged(async () => refused(await daemon.ask(method, path(template), named(wanted, place)), code));
    });
  });

describe("a yes to something else than what waits is refused, and one event says that it was tried:", () => {
  test.each(APPROVALS.map((row) => [row[0], row] as const))("%s", async (_, [, code, method, template, wanted]) => {
    const before = rowsOf(daemon.home);
    await refused(await daemon.ask(method, path(template), named(wanted, "")), code);
    const one = (table: string): number => (before[table] ?? 0) + 1;
    expect(rowsOf(daemon.home)).toEqual({
      ...before,
      events: one("events"),
      log_leaves: one("log_leaves"),
      position: one("position"),
    });
    expect((await daemon.api.audits(id.waiting, 0, 1_000)).items.at(-1)).toMatchObject({ type: "DENIED" });
  });
});

test("what is refused by state names what is allowed instead", async () => {
  const answer = await daemon.ask("POST", path("/api/tasks/<waiting>/retry"));
  expect(answer.json.facts).toEqual({
    status: "awaiting_approval",
    refused: "retry",
    why: null,
    allowed: (await daemon.api.task(id.waiting)).allowed,
  });
  expect(answer.json.facts.allowed).toContain("approve");
  expect(answer.json.next).toContain("approve");
});

describe("no path leads anywhere but where it says:", () => {
  test.each(CLIMBERS.map((climber) => [climber.slice(0, 40), climber]))("%s", async (_, climber) => {
    await unchanged(async () => {
      for (const template of CLIMBED)
        for (const method of ["GET", "POST", "PATCH", "DELETE"]) {
          const answer = await daemon.ask(
            method,
            path(template).replace("@", () => climber),
            method === "GET" || method === "DELETE" ? {} : { body: {} },
          );
          expect([400, 404], `${method} ${template} with ${climber}: ${answer.text.slice(0, 200)}`).toContain(
            answer.status,
          );
          expect(answer.headers["content-type"]).toBe("application/problem+json");
          tellsNothingOfTheInside(answer);
        }
    });
  });

  test("case counts", async () => {
    for (const other of [`/api/tasks/${id.draft.toLowerCase()}`, "/API/tasks", "/api/Tasks", "/INDEX.HTML"])
      expect([400, 404]).toContain((await daemon.ask("GET", other)).status);
  });
});

describe("what looks like SQL is text:", () => {
  const SQL = [
    "' OR '1'='1",
    "'; DROP TABLE tasks; --",
    '" OR 1=1 --',
    "%' OR '%'='",
    "x') UNION SELECT body FROM events --",
    "\\'; --",
    "%",
    "_",
    "!%",
  ];
  test.each(SQL)("%s", async (sql) => {
    const asked = encodeURIComponent(sql);
    await unchanged(async () => {
      for (const parameter of ["text", "session"])
        expect((await daemon.ask("GET", `/api/tasks?${parameter}=${asked}`)).json, parameter).toEqual({
          items: [],
          next: null,
        });
      for (const [parameter, code] of [
        ["project", "project/not-found"],
        ["status", "input/invalid"],
        ["cursor", "input/invalid"],
        ["limit", "input/invalid"],
        ["order", "input/invalid"],
      ] as const)
        await refused(await daemon.ask("GET", `/api/tasks?${parameter}=${asked}`), code);
      await refused(await daemon.ask("GET", `/api/events?after=${asked}`), "input/invalid");
      await refused(await daemon.ask("GET", path(`/api/tasks/<draft>/logs?step=${asked}`)), "input/invalid");
      expect((await daemon.api.tasks()).items).toHaveLength(3);
    });
  });
});

describe("what is no request at all is refused:", () => {
  test("64 KB of headers", async () => {
    const answer = await daemon.ask("GET", "/api/health", { headers: { "x-much": "x".repeat(65_536) } });
    expect(answer.status).toBe(431);
    tellsNothingOfTheInside(answer);
  });

  test("ten thousand parameters", async () => {
    const answer = await daemon.ask("GET", `/api/tasks?${"a=1&".repeat(10_000)}`);
    expect(answer.status).toBe(431);
    tellsNothingOfTheInside(answer);
  });

  test.each([
    ["noise", "hello\r\n\r\n"],
    ["no Host", "GET /api/health HTTP/1.1\r\n\r\n"],
    ["no Host in HTTP/1.0", "GET /api/health HTTP/1.0\r\n\r\n"],
    ["a backslash in the path", "GET /api\\health HTTP/1.1\r\nHost: @\r\nConnection: close\r\n\r\n"],
    [
      "two lengths",
      'POST /api/tasks HTTP/1.1\r\nHost: @\r\nContent-Type: application/json\r\nContent-Length: 13\r\nContent-Length: 0\r\nConnection: close\r\n\r\n{"title":"x"}',
    ],
    [
      "a length and chunks",
      'POST /api/tasks HTTP/1.1\r\nHost: @\r\nContent-Type: application/json\r\nContent-Length: 13\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{"title":"x"}',
    ],
    [
      "a bare line feed in a header",
      "GET /api/health HTTP/1.1\r\nHost: @\r\nX: a\nY: b\rZ: c\r\nConnection: close\r\n\r\n",
    ],
  ])("%s", async (_, sent) => {
    await unchanged(async () => {
      const said = await rawAnswer(daemon.url, sent.replace("@", new URL(daemon.url).host));
      expect(said).toMatch(/^HTTP\/1\.1 (400|421) /);
    });
  });

  test("and the daemon goes on", async () => expect((await daemon.ask("GET", "/api/health")).status).toBe(200));
});

/** Everything a server says to these bytes until it closes. */
function rawAnswer(url: string, sent: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let said = "";
    const socket = connectTo(Number(port), hostname, () => socket.write(sent));
    socket.setEncoding("latin1").on("data", (more: string) => {
      said += more;
    });
    socket.once("error", reject).once("close", () => resolve(said));
  });
}
