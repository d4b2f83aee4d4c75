import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { models } from "../../src/adapters/models/models.ts";
import { ask, failureOf, oneEndpoint, target } from "../contract/models-contract.ts";
import { machine } from "../integration/providers-kit.ts";
import { rowsOf, type TestDaemon, temporaryDirectory } from "../support/daemon.ts";

/*
 * Where models are asked, and with what key: N05, T09. A person may name any server of theirs, also one in their network; a link-local
 * address is asked by nobody, and no server sends the daemon on to another one.
 */

const KEY = "sk-attacks/8f3c51d0+e7b24";
const servers: Server[] = [];
let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await machine({ variables: { ATTACKS_KEY: KEY } }).daemon();
});
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
});

/** A server of this machine; where it answers. */
async function serving(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("N05: the address of a provider", () => {
  it.each([
    "http://169.254.169.254",
    "http://169.254.169.254:80/latest",
    "http://2852039166/v1",
    "http://0xa9.0xfe.0xa9.0xfe",
    "http://[::ffff:169.254.169.254]:8080",
    "http://[fe80::1]",
    "http://[fd00:ec2::254]/latest",
    "http://100.100.100.200",
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1/",
    "http://",
    "//127.0.0.1",
  ])("%s is refused for a new one and for a known one, and nothing is recorded", async (url) => {
    const before = rowsOf(daemon.home);
    const said = await daemon.ask("POST", "/api/providers", {
      body: { id: "evil", kind: "openai-compatible", base_url: url },
    });
    const changed = await daemon.ask("PATCH", "/api/providers/llamacpp", { body: { base_url: url } });
    expect([said.status, said.json.code, changed.status]).toEqual([400, "input/invalid", 400]);
    expect(rowsOf(daemon.home)).toEqual(before);
  });

  it("the control: a person may add a server of this machine and one of their network", async () => {
    for (const [id, url] of [
      ["here", "http://127.0.0.1:9"],
      ["there", "http://192.168.254.254:9"],
    ] as const) {
      const said = await daemon.ask("POST", "/api/providers", { body: { id, kind: "llamacpp", base_url: url } });
      expect([said.status, said.json.base_url]).toEqual([201, url]);
    }
  });

  it("that sends on to another one is not followed, by a look, a list, a trial or a call of a model, and the key goes nowhere", async () => {
    const reached: string[] = [];
    const other = await serving((request, response) => {
      reached.push(String(request.headers.authorization));
      response.end('{"object":"list","data":[{"id":"m"}]}');
    });
    let turns = 0;
    const sending = await serving((request, response) => {
      turns += 1;
      const status = [301, 302, 303, 307, 308][turns % 5] ?? 302;
      response.writeHead(status, { location: `${other}${request.url}` }).end();
    });
    // The control: who follows arrives there.
    for (let n = 0; n < 5; n += 1) await fetch(`${sending}/models`);
    expect(reached).toHaveLength(5);
    await daemon.api.addProvider({
      id: "sends",
      kind: "openai-compatible",
      base_url: sending,
      key_name: "ATTACKS_KEY",
    });
    expect((await daemon.api.provider("sends")).status).not.toBe("running");
    await expect(daemon.api.providerModels("sends")).rejects.toMatchObject({ problem: { code: "provider/failed" } });
    expect(await daemon.api.probeProvider("sends", { model: "m" })).toMatchObject({ tool_call: "failed" });
    for (const kind of ["openai-compatible", "ollama", "openai", "anthropic", "google"] as const)
      expect(await failureOf(models(oneEndpoint(kind, sending)).call(target(), ask("hello"), CALLING))).toMatchObject({
        code: "model/bad-answer",
      });
    expect(reached).toHaveLength(5);
    expect(turns).toBeGreaterThan(10);
  });

  it("that only became a link-local one, by a variable or by what its name resolves to, is not asked (needs root for a machine of its own)", (context) => {
    const place = temporaryDirectory("clouds");
    writeFileSync(join(place, "hosts"), "127.0.0.1 here.test\n169.254.169.254 metadata.test\n");
    writeFileSync(join(place, "trial.ts"), TRIAL);
    const { status, stdout, stderr } = spawnSync("unshare", ["-nm", "sh", "-c", MACHINE, "sh", place], {
      encoding: "utf8",
      timeout: 50_000,
    });
    if (status === 77 || process.getuid?.() !== 0)
      context.skip(`this machine cannot be given an address like a cloud's: ${stderr.slice(0, 200)}`);
    const said: unknown = JSON.parse(stdout === "" ? JSON.stringify(stderr) : stdout);
    expect(said).toEqual({
      plain: { "http://169.254.169.254:8080": 1, "http://metadata.test:8080": 1, "http://here.test:8080": 1 },
      looks: { "http://169.254.169.254:8080": 0, "http://metadata.test:8080": 0, "http://here.test:8080": 1 },
      calls: { "http://169.254.169.254:8080": 0, "http://metadata.test:8080": 0, "http://here.test:8080": 1 },
    });
  });
});

const CALLING = { signal: new AbortController().signal, onText: () => undefined };

const MACHINE = `
{ mount --bind "$1/hosts" /etc/hosts && ip link set lo up && ip addr add 169.254.169.254/32 dev lo; } || exit 77
exec '${process.execPath}' --disable-warning=ExperimentalWarning "$1/trial.ts"
`;

/** On a machine that answers at a cloud's address: how many connections each way of asking makes there. */
const TRIAL = `
import { createServer, get } from "node:http";
import { ask } from "${join(import.meta.dirname, "../../src/adapters/providers/ask.ts")}";
import { models } from "${join(import.meta.dirname, "../../src/adapters/models/models.ts")}";

let connections = 0;
const server = createServer((_, response) => response.end("credentials"));
server.on("connection", () => { connections += 1; });
await new Promise((resolve) => server.listen(8080, "0.0.0.0", resolve));
const urls = ["http://169.254.169.254:8080", "http://metadata.test:8080", "http://here.test:8080"];
async function counted(way) {
  const counts = {};
  for (const url of urls) {
    connections = 0;
    await way(url).catch(() => {});
    counts[url] = connections;
  }
  return counts;
}
const target = { provider: "mine", model: "m", parameters: {} };
const request = { messages: [{ role: "user", text: "hello" }], tools: [], toolChoice: "auto", output: null };
const said = {
  plain: await counted((url) => new Promise((resolve) => get(url, { agent: false }, (answer) => answer.resume().once("end", resolve)).once("error", resolve))),
  looks: await counted((url) => ask(url)),
  calls: await counted((baseUrl) =>
    models({ endpoint: async () => ({ kind: "openai-compatible", baseUrl, key: async () => null, prices: {} }) })
      .call(target, request, { signal: new AbortController().signal, onText: () => {} })),
};
process.stdout.write(JSON.stringify(said));
process.exit(0);
`;

describe("T09: the key of a provider", () => {
  /** A server that says what it was told to whoever asks: in its words, in its headers, in what it calls its error. */
  const echoing = (status: number): Promise<string> =>
    serving((request, response) => {
      const key = String(request.headers.authorization ?? "").replace("Bearer ", "");
      const told = `the key ${key} (${encodeURIComponent(key)}, ${Buffer.from(`key ${key}`).toString("base64")}) is wrong at http://x/?key=${key}`;
      response
        .writeHead(status, { "content-type": "application/json", "www-authenticate": key, server: key })
        .end(JSON.stringify({ error: { message: told, type: key, code: key } }));
    });
  const FORMS = [KEY, encodeURIComponent(KEY), Buffer.from(KEY).toString("base64").slice(4, -4)];
  const holds = (text: string): boolean => FORMS.some((form) => text.includes(form));

  it("that a server says again stands in no answer, event, log or file", async () => {
    const answers: string[] = [];
    const asked = async (method: string, path: string, body?: unknown): Promise<void> => {
      answers.push((await daemon.ask(method, path, body === undefined ? {} : { body })).text);
    };
    for (const [at, status] of [400, 401, 403, 404, 429, 500, 503].entries()) {
      const url = await echoing(status);
      // The control: what it says holds the key.
      const raw = await fetch(`${url}/models`, { headers: { authorization: `Bearer ${KEY}` } });
      expect([raw.status, holds(await raw.text())]).toEqual([status, true]);
      const id = `echo-${at}`;
      await asked("POST", "/api/providers", { id, kind: "openai-compatible", base_url: url, key_name: "ATTACKS_KEY" });
      await asked("GET", `/api/providers/${id}`);
      await asked("GET", `/api/providers/${id}/models`);
      await asked("POST", `/api/providers/${id}/probe`, { model: "m" });
    }
    await asked("GET", "/api/providers");
    await asked("GET", "/api/events?after=0&limit=500");
    expect(answers.filter(holds)).toEqual([]);
    expect(answers.join("")).toContain("[redacted]");
    expect(daemon.log().filter(holds)).toEqual([]);
    expect(filesHolding(daemon.home, holds)).toEqual([]);
  });

  it("that is sent where none belongs is refused, and not said again", async () => {
    const before = rowsOf(daemon.home);
    const given = { id: "typed", kind: "openai-compatible" };
    for (const [path, body] of [
      ["/api/providers", { ...given, base_url: `http://me:${KEY}@127.0.0.1` }],
      ["/api/providers", { ...given, base_url: `http://127.0.0.1/?key=${encodeURIComponent(KEY)}` }],
      ["/api/providers", { ...given, base_url: "http://127.0.0.1", key_name: KEY }],
      ["/api/providers", { ...given, base_url: "http://127.0.0.1", key: KEY }],
      ["/api/providers", { ...given, base_url: "http://127.0.0.1", model_file: KEY }],
      ["/api/providers/openai/key", { key: `two words ${KEY}` }],
      ["/api/providers/openai/key", { secret: KEY }],
    ] as const) {
      const said = await daemon.ask("POST", path, { body });
      expect([said.status, JSON.stringify(body), holds(said.text)]).toEqual([400, JSON.stringify(body), false]);
    }
    expect(rowsOf(daemon.home)).toEqual(before);
    expect(daemon.log().filter(holds)).toEqual([]);
  });

  it("that is stored is in no answer and in no file as it is; the control: the server gets it", async () => {
    const got: string[] = [];
    const url = await serving((request, response) => {
      got.push(String(request.headers.authorization));
      response.end('{"object":"list","data":[{"id":"m"}]}');
    });
    await daemon.api.addProvider({ id: "stored", kind: "openai-compatible", base_url: url });
    const kept = await daemon.ask("POST", "/api/providers/stored/key", { body: { key: KEY } });
    const listed = await daemon.ask("GET", "/api/providers/stored/models");
    const shown = await daemon.ask("GET", "/api/providers/stored");
    expect([kept.status, listed.status, got.at(-1)]).toEqual([200, 200, `Bearer ${KEY}`]);
    expect([kept, listed, shown].map(({ text }) => holds(text))).toEqual([false, false, false]);
    expect(filesHolding(daemon.home, holds)).toEqual([]);
  });
});

/** Files of the data directory whose bytes hold it. */
function filesHolding(home: string, holds: (text: string) => boolean): readonly string[] {
  return readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => holds(readFileSync(path, "latin1")));
}
