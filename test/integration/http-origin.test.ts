import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, rowsOf, type TestDaemon, withDaemon } from "../support/daemon.ts";

/* Who may talk to a daemon that has no login: programs that name it exactly, and pages of its own. */

let daemon: TestDaemon;
let port = "";
let id = "";
let operations: readonly (readonly [method: string, path: string])[] = [];

beforeAll(async () => {
  daemon = await withDaemon();
  port = new URL(daemon.url).port;
  id = (await daemon.api.createTask({ title: "Looked at" })).id;
  const { paths } = (await daemon.ask("GET", "/api/openapi.json")).json as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  operations = [
    ...Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(
        (method) => [method.toUpperCase(), path.replace("{id}", id).replace("{name}", "report")] as const,
      ),
    ),
    ["GET", "/api/openapi.json"],
    ["GET", "/"],
    ["GET", "/favicon.svg"],
    ["GET", "/nowhere"],
    ["OPTIONS", "/api/tasks"],
  ];
});

afterAll(() => expect(daemon.log()).toEqual([]));

/** Every value is sent to a quarter of all routes, another quarter from value to value: each route sees several of each kind. */
const SHARE = 4;
let turn = 0;

async function everywhere(
  headers: Readonly<Record<string, string>>,
  check: (answer: Answer, operation: string, path: string) => void,
): Promise<void> {
  const before = rowsOf(daemon.home);
  turn += 1;
  for (const [method, path] of operations.filter((_, at) => at % SHARE === turn % SHARE))
    check(
      await daemon.ask(method, path, {
        headers: { accept: path.endsWith("/events") ? "text/event-stream" : "*/*", ...headers },
      }),
      `${method} ${path}`,
      path,
    );
  expect(rowsOf(daemon.home)).toEqual(before);
}

function isGuarded({ headers }: Answer, operation: string): void {
  expect(headers["content-security-policy"], operation).toMatch(/default-src 'self';.*frame-ancestors 'none'/);
  expect(headers["x-content-type-options"], operation).toBe("nosniff");
  expect(headers["referrer-policy"], operation).toBe("no-referrer");
  expect(headers["cross-origin-resource-policy"], operation).toBe("same-origin");
  expect(
    Object.keys(headers).filter((name) => name.startsWith("access-control-")),
    operation,
  ).toEqual([]);
}

describe("on every route, page and stream, in turn, with all their guards,", () => {
  test.each([
    "evil.test",
    "evil.test:PORT",
    "127.0.0.1",
    "localhost",
    "127.0.0.1:1",
    "localhost.:PORT",
    "127.0.0.1:PORT.evil.test",
    "evil@127.0.0.1:PORT",
    "0.0.0.0:PORT",
    "[::1]:PORT",
  ])("the Host %s is refused", async (host) =>
    everywhere({ host: host.replace("PORT", port) }, (answer, operation) => {
      // What is no host name at all never becomes a request.
      expect([400, 421], operation).toContain(answer.status);
      if (answer.status === 400) return;
      expect(answer.json.code, operation).toBe("host/refused");
      expect(answer.headers["content-type"]).toBe("application/problem+json");
      isGuarded(answer, operation);
    }),
  );

  test.each([
    "null",
    "https://evil.test",
    "http://evil.test",
    "http://127.0.0.1:1",
    "https://127.0.0.1:PORT",
    "http://127.0.0.1:PORT.evil.test",
    "http://localhost",
    "127.0.0.1:PORT",
    "file://",
    "chrome-extension://abc",
    "",
  ])("the Origin %j is refused", async (origin) =>
    everywhere({ origin: origin.replace("PORT", port) }, (answer, operation) => {
      expect({ status: answer.status, code: answer.json?.code }, operation).toEqual({
        status: 403,
        code: "origin/refused",
      });
      isGuarded(answer, operation);
    }),
  );

  test.each(["cross-site", "same-site"])("a browser that says %s reaches nothing of the API", async (site) =>
    everywhere({ "sec-fetch-site": site }, (answer, operation, path) => {
      if (path.startsWith("/api/"))
        expect({ status: answer.status, code: answer.json?.code }, operation).toEqual({
          status: 403,
          code: "origin/refused",
        });
      isGuarded(answer, operation);
    }),
  );
});

test("a request line that names another host is refused, whatever the Host header says", async () => {
  const answer = await daemon.ask("GET", "http://evil.test/api/health");
  expect([400, 421]).toContain(answer.status);
  expect(answer.text).not.toContain(daemon.home);
});

test("its own names and its own pages are served", async () => {
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`])
    for (const headers of [
      { host },
      { host, origin: `http://${host}` },
      { host, origin: `http://${host}`, "sec-fetch-site": "same-origin" },
      { host, "sec-fetch-site": "none" },
    ])
      expect((await daemon.ask("GET", "/api/health", { headers })).status, JSON.stringify(headers)).toBe(200);
});

test("a page's write from elsewhere creates nothing", async () => {
  const before = rowsOf(daemon.home);
  const body = { title: "x" };
  const elsewhere = { origin: "https://evil.test", "sec-fetch-site": "cross-site" };
  expect((await daemon.ask("POST", "/api/tasks", { body, headers: elsewhere })).status).toBe(403);
  expect(
    (
      await daemon.ask("POST", "/api/tasks", {
        text: JSON.stringify(body),
        headers: { ...elsewhere, "content-type": "text/plain" },
      })
    ).status,
  ).toBe(403);
  expect(
    (await daemon.ask("POST", "/api/tasks", { text: JSON.stringify(body), headers: { "content-type": "text/plain" } }))
      .status,
  ).toBe(415);
  expect(rowsOf(daemon.home)).toEqual(before);
});

test("an upgrade to a web socket is not taken", async () => {
  const answer = await daemon.ask("GET", "/api/events", {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      origin: "https://evil.test",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  });
  expect(answer.status).toBe(403);
});

test("looking changes nothing: every GET and HEAD, and every table as before", async () => {
  const before = rowsOf(daemon.home);
  const position = (await daemon.api.events(0, 1_000)).items.length;
  for (const [method, path] of operations)
    if (method === "GET")
      for (const asked of ["GET", "HEAD"]) {
        const answer = await daemon.ask(asked, path);
        expect(answer.status, `${asked} ${path}: ${answer.text}`).toBeLessThan(500);
        isGuarded(answer, `${asked} ${path}`);
        if (path.startsWith("/api/")) expect(answer.headers["cache-control"], path).toBe("no-store");
      }
  expect(rowsOf(daemon.home)).toEqual(before);
  expect((await daemon.api.events(0, 1_000)).items).toHaveLength(position);
});

describe("the page", () => {
  test("is served as HTML that names no address but its own", async () => {
    const page = await daemon.ask("GET", "/");
    expect(page.status).toBe(200);
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//);
    for (const [, file] of page.text.matchAll(/(?:src|href)="([^"]+)"/g))
      expect((await daemon.ask("GET", String(file))).status, file).toBe(200);
  });

  test("has no file that nobody built, and no folder to look into", async () => {
    for (const path of ["/assets/", "/assets", "/index.htm", "/package.json", "/.env", "/src/main/daemon.ts"]) {
      const answer = await daemon.ask("GET", path);
      expect({ status: answer.status, code: answer.json?.code, type: answer.headers["content-type"] }, path).toEqual({
        status: 404,
        code: "route/not-found",
        type: "application/problem+json",
      });
    }
  });
});
