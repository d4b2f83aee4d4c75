import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeServer } from "../../src/interfaces/http/node-server.ts";
import { rowsOf, type TestDaemon, until, withDaemon } from "../support/daemon.ts";

/*
 * Who talks to the daemon beside its person: other users of the machine (W11, W12), pages (W05, W07, W09), and whoever sends what no client
 * would (D07, D08). The whole of routes, hosts, origins and bodies is in test/integration/http-origin.test.ts and http-refused.test.ts.
 */

/** A user of the machine that owns nothing here. */
const STRANGER = 65_533;
const isRoot = process.getuid?.() === 0;

let daemon: TestDaemon;
let host = "";
beforeAll(async () => {
  daemon = await withDaemon();
  host = new URL(daemon.url).host;
});
afterAll(() => expect(daemon.log()).toEqual([]));

/** Everything that is answered to these bytes until the connection closes. */
async function raw(sent: string | Buffer, port = Number(new URL(daemon.url).port)): Promise<string> {
  const socket = connect(port, "127.0.0.1", () => socket.write(sent));
  let said = "";
  socket
    .setEncoding("latin1")
    .on("data", (more: string) => {
      said += more;
    })
    .on("error", () => undefined);
  await once(socket, "close");
  return said;
}

const JSON_HEAD = "Content-Type: application/json\r\nConnection: close\r\n";
const statusOf = (said: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1] ?? 0);

/** curl as that user; null: as the one who runs this. Its answer and, on a line of its own, the status. */
function curl(
  uid: number | null,
  url: string,
  ...more: readonly string[]
): { readonly status: number; readonly body: string } {
  const line = ["curl", "-s", "-m", "10", "-w", "\n%{http_code}", ...more, url];
  const [program = "", ...words] =
    uid === null ? line : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", ...line];
  const said = spawnSync(program, words, { encoding: "utf8" }).stdout ?? "";
  const at = said.lastIndexOf("\n");
  return { status: Number(said.slice(at + 1)), body: said.slice(0, at) };
}

describe("another user of the machine", () => {
  // W11 and W12 need a second user, whom only root can become.
  const asRoot = it.skipIf(!isRoot);
  let own: TestDaemon;
  beforeAll(async () => {
    // A process of its own: curl is waited for here.
    if (isRoot) own = await withDaemon({ child: true });
  });

  asRoot(
    "W11: is not the local person: 401 with what to do, on every route and page, and nothing changes (needs root to become another)",
    async () => {
      // The control: the port is reachable for that user, and the very same line works for the owner.
      const open = createServer((_, answer) => answer.end("reached"));
      await once(open.listen(0, "127.0.0.1"), "listening");
      const { port } = open.address() as AddressInfo;
      const reached = await reachable(port);
      open.close();
      expect(reached).toBe(true);
      expect(curl(null, `${own.url}/api/health`).status).toBe(200);

      const before = rowsOf(own.home);
      for (const path of ["/api/health", "/api/tasks", "/api/events", "/api/openapi.json", "/", "/nowhere"]) {
        const { status, body } = curl(STRANGER, `${own.url}${path}`);
        expect({ path, status, code: (JSON.parse(body) as { readonly code: string }).code }).toEqual({
          path,
          status: 401,
          code: "peer/refused",
        });
        expect(body).not.toContain(own.home);
      }
      const write = ["-H", "content-type: application/json", "-d", '{"title":"x"}'];
      expect(curl(STRANGER, `${own.url}/api/tasks`, ...write).status).toBe(401);
      expect(rowsOf(own.home)).toEqual(before);
      expect(curl(null, `${own.url}/api/tasks`, ...write).status).toBe(201);
    },
  );

  asRoot(
    "W11: reads nothing of the data directory: it and all in it belong to its owner alone (needs root to become another)",
    () => {
      for (const [path, mode] of [
        ["", 0o700],
        ["agentos.db", 0o600],
        ["daemon.json", 0o600],
      ] as const)
        expect([path, (statSync(join(own.home, path)).mode & 0o777).toString(8)]).toEqual([path, mode.toString(8)]);
      const read = (uid: number | null) =>
        spawnSync(
          ...((uid === null
            ? ["cat", [join(own.home, "daemon.json")]]
            : ["setpriv", [`--reuid=${uid}`, "--clear-groups", "cat", join(own.home, "daemon.json")]]) as [
            string,
            string[],
          ]),
        );
      expect([read(null).status, read(STRANGER).status]).toEqual([0, 1]);
    },
  );

  asRoot(
    "W12: who sends a write and hangs up before anybody looks has written nothing (needs root to become another)",
    async () => {
      const before = rowsOf(own.home);
      const script = `const s = require("net").connect(${new URL(own.url).port}, "127.0.0.1", () => {
      for (let n = 0; n < 20; n++) s.write("POST /api/tasks HTTP/1.1\\r\\nHost: ${new URL(own.url).host}\\r\\nContent-Type: application/json\\r\\nContent-Length: 13\\r\\n\\r\\n{\\"title\\":\\"x\\"}");
      HOW
    });
    s.on("error", () => process.exit()); s.on("close", () => process.exit()); s.on("data", () => undefined); setTimeout(() => process.exit(), 1000)`;
      for (const how of ["", "s.end()", "s.destroy()", "process.exit()"]) {
        const line = [`--reuid=${STRANGER}`, "--clear-groups", process.execPath, "-e", script.replace("HOW", how)];
        spawnSync("setpriv", line, { encoding: "utf8", cwd: "/" });
      }
      // The control: the same bytes from the owner's own program make tasks.
      spawnSync(process.execPath, ["-e", script.replace("HOW", "")], { encoding: "utf8" });
      await until(
        "the owner's tasks are there",
        async () => (rowsOf(own.home)["tasks"] ?? 0) === (before["tasks"] ?? 0) + 20,
      );
    },
  );
});

/** As the stranger, by a program that needs nothing but the port. */
async function reachable(port: number): Promise<boolean> {
  const child = spawn(
    "setpriv",
    [`--reuid=${STRANGER}`, "--clear-groups", "curl", "-s", "-m", "10", `http://127.0.0.1:${port}/`],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  let said = "";
  child.stdout.on("data", (more: Buffer) => {
    said += more.toString();
  });
  await once(child, "close");
  return said === "reached";
}

describe("a page from elsewhere", () => {
  it("W05: gets no web socket, and W07: is told of no right to read", async () => {
    const upgrade = (origin: string) =>
      raw(
        `GET /api/events HTTP/1.1\r\nHost: ${host}\r\n${origin}Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      );
    const refused = await upgrade("Origin: https://evil.test\r\n");
    expect(statusOf(refused)).toBe(403);
    expect(refused).not.toMatch(/101 Switching|access-control-/i);
  });

  it("W09: may show no page of the daemon in a frame, and no answer says otherwise", async () => {
    for (const path of ["/", "/api/health", "/nowhere"])
      expect((await daemon.ask("GET", path)).headers["content-security-policy"]).toContain("frame-ancestors 'none'");
  });
});

describe("who sends too much or never ends", () => {
  it("D07: 100 MB, 64 KB of headers, 10,000 parameters and a depth of 100,000 are refused, and the first before they are all sent", async () => {
    const before = rowsOf(daemon.home);
    const post = (length: number, body: string | Buffer): Buffer =>
      Buffer.concat([
        Buffer.from(`POST /api/tasks HTTP/1.1\r\nHost: ${host}\r\n${JSON_HEAD}Content-Length: ${length}\r\n\r\n`),
        Buffer.from(body),
      ]);
    // Only the first bytes of what is announced: the answer does not wait for the rest.
    expect(statusOf(await raw(post(100 * 1024 ** 2, "{")))).toBe(413);
    expect(statusOf(await raw(`GET /api/health HTTP/1.1\r\nHost: ${host}\r\nX: ${"x".repeat(65_536)}\r\n\r\n`))).toBe(
      431,
    );
    expect(statusOf(await raw(`GET /api/tasks?${"a=1&".repeat(10_000)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`))).toBe(431);
    const deep = `{"title":"x","metadata":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect(statusOf(await raw(post(deep.length, deep)))).toBe(400);
    expect({ ...rowsOf(daemon.home), limits: 0 }).toEqual({ ...before, limits: 0 });
    // The control: a body within the bounds is taken.
    expect(statusOf(await raw(post(13, '{"title":"x"}')))).toBe(201);
  });

  it("D08: a request that does not arrive is ended in time, by headers and by body", async () => {
    const slow = nodeServer(async (request) => new Response(`reached${await request.text().catch(() => "")}`), {
      headersMs: 200,
      requestMs: 500,
      lookMs: 50,
    });
    await once(slow.listen(0, "127.0.0.1"), "listening");
    const { port } = slow.address() as AddressInfo;
    expect(statusOf(await raw("GET /api/health HTTP/1.1\r\nX-A: ", port))).toBe(408);
    expect(statusOf(await raw("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{", port))).toBe(408);
    expect(statusOf(await raw("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", port))).toBe(200);
    slow.close();
    slow.closeAllConnections();
    const real = nodeServer(() => new Response("reached"));
    expect([real.headersTimeout, real.requestTimeout]).toEqual([30_000, 300_000]);
  });

  it("D08: three hundred connections that say nothing keep nobody waiting", async () => {
    const silent: Socket[] = [];
    for (let n = 0; n < 300; n += 1) {
      const socket = connect(Number(new URL(daemon.url).port), "127.0.0.1");
      socket.on("error", () => undefined);
      silent.push(socket);
      socket.write("GET /api/health HTTP/1.1\r\nX-A: ");
    }
    expect((await daemon.ask("GET", "/api/health")).status).toBe(200);
    for (const socket of silent) socket.destroy();
  });
});
