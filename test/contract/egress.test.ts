import { spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type EgressProxyOptions, egressProxy } from "../../src/adapters/egress/proxy.ts";
import { bubblewrapSandbox } from "../../src/adapters/sandbox/bubblewrap.ts";
import type { EgressDoor, EgressRecord, EgressTarget } from "../../src/ports/egress.ts";
import type { RunCommand } from "../../src/ports/sandbox.ts";
import { freePort } from "../support/free-port.ts";

const NODE = realpathSync(process.execPath);
const HOST = "packages.example";

let directory: string;
let upstream: Server;
let port: number;
let requests: { readonly line: string; readonly headers: IncomingMessage["rawHeaders"]; readonly body: string }[];
let connections: number;
const doors: EgressDoor[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "agentos-egress-"));
  upstream = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      requests.push({ line: `${request.method} ${request.url}`, headers: request.rawHeaders, body });
      if (request.url === "/big") return response.end(Buffer.alloc(3_000_000, "x"));
      if (request.url === "/drop") return request.socket.destroy();
      response.setHeader("Connection", "close, X-Between");
      response.setHeader("X-Between", "us");
      response.setHeader("Set-Cookie", ["a=1", "b=2"]);
      response.end(`hello ${request.url}`);
    });
  });
  upstream.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  port = portOf(upstream);
});
beforeEach(() => {
  requests = [];
  connections = 0;
});
afterEach(async () => {
  for (const door of doors.splice(0)) await door.close();
});
afterAll(() => {
  upstream.close();
  rmSync(directory, { recursive: true, force: true });
});

describe("what a door opens", () => {
  it("tunnels to exactly the named target, and counts bytes", async () => {
    const door = await open([target()]);
    const reply = await say(door, `CONNECT ${HOST}:${port} HTTP/1.1\r\n\r\n`, "GET /x HTTP/1.0\r\n\r\n");
    expect(reply).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nHTTP\/1\.1 200 OK/);
    expect(reply).toMatch(/hello \/x$/);
    const [record] = await door.close();
    expect(record).toEqual({
      ...target(),
      verdict: "allowed",
      reason: null,
      bytesUp: 19,
      bytesDown: expect.any(Number),
    });
    expect(record?.bytesDown).toBeGreaterThan(100);
  });

  it("rewrites absolute-form requests: the target's Host, nothing that belongs to one hop", async () => {
    const door = await open([target()]);
    const reply = await say(
      door,
      [
        `POST http://${HOST.toUpperCase()}.:${port}/path?q=1 HTTP/1.1`,
        "Host: elsewhere.example",
        "Proxy-Authorization: Basic c2VjcmV0",
        "Proxy-Connection: keep-alive",
        "Connection: close, X-Mine",
        "X-Mine: gone",
        "X-Kept: kept",
        "Content-Length: 4",
        "",
        "body",
      ].join("\r\n"),
    );
    expect(requests).toEqual([
      {
        line: "POST /path?q=1",
        headers: ["Host", `${HOST}:${port}`, "X-Kept", "kept", "Content-Length", "4", "Connection", "close"],
        body: "body",
      },
    ]);
    expect(reply).toContain("hello /path?q=1");
    expect(reply).toMatch(/set-cookie: a=1\r\nset-cookie: b=2/i);
    expect(reply).not.toMatch(/x-between/i);
    expect(await door.close()).toMatchObject([{ ...target(), verdict: "allowed" }]);
  });

  it("carries a body of unknown length", async () => {
    const door = await open([target()]);
    const head = `POST http://${HOST}:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
    await say(door, `${head}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`);
    expect(requests.map(({ body }) => body)).toEqual(["abcde"]);
  });

  it("loses nothing of a large answer", async () => {
    const door = await open([target()]);
    const reply = await say(door, `CONNECT ${HOST}:${port} HTTP/1.1\r\n\r\n`, "GET /big HTTP/1.0\r\n\r\n");
    expect(reply.length).toBeGreaterThan(3_000_000);
    const [record] = await door.close();
    expect(record?.bytesDown).toBeGreaterThan(3_000_000);
  });

  it("tries every address of a name", async () => {
    const door = await open([target()], [target()], { resolve: async () => ["127.0.0.9", "127.0.0.1"] });
    expect(await say(door, `GET http://${HOST}:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toContain(
      "hello",
    );
    expect(await door.close()).toMatchObject([{ verdict: "allowed", reason: null }]);
  });
});

describe("what a door refuses", () => {
  it("opens nothing when nothing is named", async () => {
    const door = await open([]);
    for (const line of [`CONNECT ${HOST}:${port}`, `GET http://${HOST}:${port}/`, "CONNECT localhost:443"]) {
      expect(await say(door, `${line} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403 Forbidden/);
    }
    expect(connections).toBe(0);
    expect((await door.close()).map(({ verdict }) => verdict)).toEqual(["denied", "denied", "denied"]);
  });

  it.each([
    ["another port", (): string => `${HOST}:${port + 1}`],
    ["a subdomain", () => `sub.${HOST}:${port}`],
    ["a parent", () => `example:${port}`],
    ["a suffix", () => `evil${HOST}:${port}`],
  ])("denies %s", async (_, authority) => {
    const door = await open([target()]);
    expect(await say(door, `CONNECT ${authority()} HTTP/1.1\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 403 [\s\S]*\r\n\r\n\S+ is not among the allowed targets\n$/,
    );
    expect(connections).toBe(0);
    expect(await door.close()).toMatchObject([{ verdict: "denied" }]);
  });

  it.each([
    "127.0.0.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "169.254.169.254",
    "127.0.0.1.",
  ])("denies the address %s, even if somebody named it", async (host) => {
    const named = { host, port };
    const door = await open([named, target()], [named], { resolve: async () => ["127.0.0.1"] });
    expect(await say(door, `CONNECT ${host}:${port} HTTP/1.1\r\n\r\n`)).toContain("is an address, not a name");
    expect(connections).toBe(0);
  });

  it.each([
    "127.0.0.1",
    "::1",
    "10.1.2.3",
    "169.254.169.254",
    "192.168.1.1",
    "100.100.100.200",
    "fd00::1",
    "fe80::1",
    "::ffff:127.0.0.1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "0.0.0.0",
  ])("denies a name that resolves to %s", async (address) => {
    const door = await open([target()], [], { resolve: async () => [address] });
    const reply = await say(door, `CONNECT ${HOST}:${port} HTTP/1.1\r\n\r\n`);
    expect(reply).toMatch(/^HTTP\/1\.1 403 [\s\S]*resolves to .* which is not on the internet\n$/);
    expect(connections).toBe(0);
  });

  it.each(["127.0.0.1", "127.0.0.9", "0.0.0.0", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"])(
    "denies what leads to AgentOS itself by %s, whoever granted it and whatever it is called",
    async (address) => {
      let listens: number | null = null;
      const door = await open([target()], [target()], {
        resolve: async () => ["203.0.113.1", address],
        ownPort: () => listens,
        connectTimeoutMs: 50,
      });
      listens = port;
      expect(await say(door, `CONNECT ${HOST}:${port} HTTP/1.1\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 403 [\s\S]*is AgentOS itself, which nothing inside a sandbox may reach\n$/,
      );
      expect(connections).toBe(0);
      expect(await door.close()).toMatchObject([{ verdict: "denied" }]);
    },
  );

  it("lets the same port of another machine through", async () => {
    const door = await open([target()], [target()], {
      resolve: async () => ["10.1.2.3"],
      ownPort: () => port,
      connectTimeoutMs: 50,
    });
    expect(await say(door, `CONNECT ${HOST}:${port} HTTP/1.1\r\n\r\n`)).not.toContain("AgentOS itself");
  });

  it("allows a private address only to the exact target that may have one", async () => {
    const other = { host: HOST, port: port + 1 };
    const door = await open([target(), other], [other]);
    expect(await say(door, `CONNECT ${HOST}:${port} HTTP/1.1\r\n\r\n`)).toContain("403");
    expect(connections).toBe(0);
  });

  it("resolves once and connects to what it judged", async () => {
    let asked = 0;
    const door = await open([target()], [], {
      resolve: async () => {
        asked += 1;
        return asked === 1 ? ["127.0.0.1"] : ["93.184.215.14"];
      },
    });
    expect(await say(door, `CONNECT ${HOST}:${port} HTTP/1.1\r\n\r\n`)).toContain("403");
    expect([asked, connections]).toEqual([1, 0]);
  });

  it.each([
    ["a user in the address", "GET http://user@packages.example/ HTTP/1.1"],
    ["another scheme", "GET https://packages.example/ HTTP/1.1"],
    ["a fragment", "GET http://packages.example/#f HTTP/1.1"],
    ["a file", "GET file:///etc/passwd HTTP/1.1"],
    ["a path alone", "GET / HTTP/1.1"],
    ["no port", "CONNECT packages.example HTTP/1.1"],
    ["port 0", "CONNECT packages.example:0 HTTP/1.1"],
    ["port 70000", "CONNECT packages.example:70000 HTTP/1.1"],
    ["no HTTP", "\u0016\u0003\u0001 hello"],
    ["two lengths", "POST http://packages.example/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked"],
  ])("answers %s with 400 and goes on", async (_, line) => {
    const door = await open([target()]);
    expect(await say(door, `${line}\r\nHost: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await say(door, `CONNECT ${HOST}:${port} HTTP/1.1\r\n\r\n`, "GET / HTTP/1.0\r\n\r\n")).toContain("hello");
  });
});

describe("what a door survives", () => {
  it("says what failed", async () => {
    const closed = { host: "closed.example", port: await freePort() };
    const nowhere = { host: "nowhere.example", port: 443 };
    const door = await open([closed, nowhere], [closed], {
      resolve: async (host) => {
        if (host === nowhere.host) throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
        return ["127.0.0.1"];
      },
    });
    for (const { host, port: to } of [closed, nowhere]) {
      expect(await say(door, `CONNECT ${host}:${to} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1\.1 502 /);
    }
    expect(await door.close()).toEqual([
      failure(closed, `closed.example:${closed.port} could not be reached: ECONNREFUSED`),
      failure(nowhere, "nowhere.example could not be resolved: ENOTFOUND"),
    ]);
  });

  it("gives up on a resolver that does not answer", async () => {
    const door = await open([target()], [target()], {
      resolve: () => new Promise(() => undefined),
      connectTimeoutMs: 50,
    });
    expect(await say(door, `CONNECT ${HOST}:${port} HTTP/1.1\r\n\r\n`)).toMatch(/502 [\s\S]*no answer within 50 ms/);
  });

  it("lives on when clients and servers break off, whenever they do", async () => {
    const door = await open([target()]);
    for (const line of [
      `CONNECT ${HOST}:${port} HTTP/1.1\r\n\r\nGET /drop HTTP/1.0\r\n\r\n`,
      `GET http://${HOST}:${port}/drop HTTP/1.1\r\nHost: x\r\n\r\n`,
    ]) {
      await say(door, line);
      for (const cut of [1, 20, line.length]) {
        await new Promise<void>((resolve) => {
          const client = connect(door.socket, () => client.write(line.slice(0, cut), () => client.destroy()));
          client.on("error", () => undefined).on("close", () => resolve());
        });
      }
    }
    expect(await say(door, `GET http://${HOST}:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toContain(
      "hello",
    );
  });

  it("ends a connection at its bounds of size and silence, and says so", async () => {
    const small = await open([target()], [target()], { bytesMax: 100_000 });
    const reply = await say(small, `CONNECT ${HOST}:${port} HTTP/1.1\r\n\r\n`, "GET /big HTTP/1.0\r\n\r\n");
    expect(reply.length).toBeLessThan(3_000_000);
    expect(await small.close()).toMatchObject([{ verdict: "allowed", reason: "ended after 100000 bytes" }]);
    const quiet = await open([target()], [target()], { idleTimeoutMs: 50 });
    await say(quiet, `CONNECT ${HOST}:${port} HTTP/1.1\r\n\r\n`, "", false);
    expect(await quiet.close()).toMatchObject([{ reason: "ended after 50 ms without a byte" }]);
  });

  it("bounds how often it is tried", async () => {
    const door = await open([target()], [target()], { triesMax: 2 });
    const replies = [];
    for (let count = 0; count < 4; count += 1) {
      replies.push(
        (await say(door, `GET http://${HOST}:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).slice(9, 12),
      );
    }
    expect(replies).toEqual(["200", "200", "403", "403"]);
    expect((await door.close()).map(({ verdict }) => verdict)).toEqual(["allowed", "allowed", "denied"]);
  });

  it("closes with what is open, and takes its socket away", async () => {
    const door = await open([target()]);
    const client = connect(door.socket);
    client.write(`CONNECT ${HOST}:${port} HTTP/1.1\r\n\r\n`);
    await new Promise((resolve) => client.once("data", resolve));
    const ended = new Promise<void>((resolve) => client.on("error", () => undefined).once("close", () => resolve()));
    expect(await door.close()).toMatchObject([{ verdict: "allowed" }]);
    await ended;
    expect(existsSync(door.socket)).toBe(false);
  });
});

describe("through the sandbox and its bridge", () => {
  const sandbox = bubblewrapSandbox();

  const run = async (argv: readonly string[], door: EgressDoor | null) => {
    const workspace = join(directory, "workspace");
    mkdirSync(workspace, { recursive: true });
    const owner = sandbox.owner();
    if (owner !== null) chownSync(workspace, owner.uid, owner.gid);
    const command: RunCommand = {
      argv,
      cwd: "/workspace",
      mounts: [
        { host: workspace, inside: "/workspace", access: "write" },
        { host: NODE, inside: "/node", access: "read" },
      ],
      scratches: [],
      environment: {},
      toolPath: [],
      egressSocket: door?.socket ?? null,
      stall: null,
      limits: { wallMs: 30_000, memoryBytes: 2 ** 30, processes: 128, outputBytes: 2 ** 20, fileBytes: 2 ** 20 },
      outputFile: join(directory, "output"),
      onStart: () => undefined,
    };
    const outcome = await sandbox.run(command, new AbortController().signal);
    return {
      ...outcome,
      said: Buffer.from(outcome.stdout.bytes).toString(),
      erred: Buffer.from(outcome.stderr.bytes).toString(),
    };
  };
  const fetching = (url: string) =>
    `fetch(${JSON.stringify(url)}).then((r) => r.text()).then(console.log, (e) => { console.log("failed", e.cause?.message ?? e.message); process.exit(1) })`;

  it("lets Node's fetch reach the target, and nothing else", async () => {
    const door = await open([target()]);
    const allowed = await run(["/node", "-e", fetching(`http://${HOST}:${port}/from-inside`)], door);
    expect([allowed.erred, allowed.said]).toEqual(["", "hello /from-inside\n"]);
    const denied = await run(["/node", "-e", fetching("http://other.example/")], door);
    expect(denied.exitCode === 0 ? denied.said : "failed").toMatch(/failed|not among the allowed targets/);
    const direct = await run(
      ["/node", "-e", `require("net").connect(${port}, "127.0.0.1").on("error", (e) => console.log(e.code))`],
      door,
    );
    expect(direct.said).toBe("ECONNREFUSED\n");
    expect((await door.close()).map(({ host, verdict }) => [host, verdict])).toEqual([
      [HOST, "allowed"],
      ["other.example", "denied"],
    ]);
  });

  it.skipIf(spawnSync("curl", ["--version"]).status !== 0)("lets curl through, plain and tunnelled", async () => {
    const door = await open([target()]);
    const url = `http://${HOST}:${port}/curl`;
    const outcome = await run(
      ["sh", "-c", `curl -sS ${url}; curl -sS --proxytunnel ${url}; curl -sS http://127.0.0.1:${port}/`],
      door,
    );
    expect(outcome.said).toMatch(/^hello \/curlhello \/curl127\.0\.0\.1:\d+ is an address, not a name\n$/);
    expect((await door.close()).map(({ verdict }) => verdict)).toEqual(["allowed", "allowed", "denied"]);
  });

  it("hands exit code, signal and a missing program on", async () => {
    const door = await open([]);
    expect(await run(["sh", "-c", "exit 7"], door)).toMatchObject({ exitCode: 7, signal: null });
    expect(await run(["sh", "-c", "kill -TERM $$"], door)).toMatchObject({ exitCode: null, signal: "SIGTERM" });
    expect(await run(["no-such-program"], door)).toMatchObject({ exitCode: 127 });
  });

  it("sets the proxy only where there is one", async () => {
    const door = await open([]);
    expect((await run(["env"], door)).said).toMatch(/^HTTPS_PROXY=http:\/\/127\.0\.0\.1:\d+$/m);
    expect((await run(["env"], null)).said).not.toMatch(/proxy/i);
    expect((await run(["ls", "/run"], null)).said).toBe("");
  });
});

const target = (): EgressTarget => ({ host: HOST, port });

let count = 0;
/** A door whose names all resolve to this machine, where the target alone may be. */
const open = async (
  targets: readonly EgressTarget[],
  allowPrivate: readonly EgressTarget[] = [target()],
  options: EgressProxyOptions = {},
): Promise<EgressDoor> => {
  count += 1;
  const proxy = egressProxy({ resolve: async () => ["127.0.0.1"], ...options });
  const door = await proxy.open(join(directory, `${count}.sock`), targets, allowPrivate);
  doors.push(door);
  expect(statSync(door.socket).mode & 0o777).toBe(process.getuid?.() === 0 ? 0o666 : 0o600);
  return door;
};

/** Writes, and after the first answer writes on; everything that came until the other side closed. */
const say = (door: EgressDoor, first: string, then = "", end = true): Promise<string> =>
  new Promise((resolve) => {
    const received: Buffer[] = [];
    const client = connect({ path: door.socket, allowHalfOpen: true }, () => client.write(first));
    client.once("data", () => {
      if (then !== "") client.write(then);
    });
    client.on("data", (chunk: Buffer) => received.push(chunk));
    client.on("error", () => undefined);
    client.once("end", () => {
      if (end) client.end();
    });
    client.once("end", () => client.destroy());
    client.once("close", () => resolve(Buffer.concat(received).toString("latin1")));
  });

const failure = ({ host, port: to }: EgressTarget, reason: string): EgressRecord => ({
  host,
  port: to,
  verdict: "failed",
  reason,
  bytesUp: 0,
  bytesDown: 0,
});

const portOf = (server: { address(): ReturnType<Server["address"]> }): number => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
};
