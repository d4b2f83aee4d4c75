import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { marksFor } from "../../src/adapters/providers/process-mark.ts";
import { localProviders } from "../../src/adapters/providers/providers.ts";
import { endGroup } from "../../src/adapters/providers/server-process.ts";
import { PLATFORMS } from "../../src/domain/provider-platforms.ts";
import { offline } from "../../src/main/offline.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { until } from "../support/daemon.ts";
import { noEngine, startEngine } from "../support/engine.ts";
import { type FakeServer, impostor, llamaServer, lmStudioServer, ollamaServer } from "../support/fake-providers.ts";
import { freePort } from "../support/free-port.ts";
import { fixture, lives, type Machine, machine } from "./providers-kit.ts";

/*
 * Providers with real processes and real ports: what is found is what answers as one, what is stopped is what AgentOS started, and
 * nothing else; after a restart of the daemon, too.
 */

const servers: FakeServer[] = [];
const children: ChildProcess[] = [];
const here = async (server: Promise<FakeServer>): Promise<FakeServer> => {
  const one = await server;
  servers.push(one);
  return one;
};
/** Servers that AgentOS started outlive their daemon: that is what is tested. */
const started: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const stop of started.splice(0)) await stop().catch(() => {}); // Most are stopped by their test.
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const server of servers.splice(0)) await server.close();
});

async function llama(on: Machine, { api }: TestDaemon, id: string, model = "small"): Promise<number> {
  const port = await freePort();
  await api.addProvider({
    id,
    kind: "llamacpp",
    port,
    executable: fixture("llama-server"),
    model_file: on.model(model),
  });
  return port;
}

async function start({ api }: TestDaemon, id: string): Promise<number> {
  const { provider } = await api.startProvider(id);
  const pid = provider.started?.pid ?? 0;
  started.push(async () => process.kill(pid, "SIGKILL"));
  return pid;
}

const status = async ({ api }: TestDaemon, id: string): Promise<string> => (await api.provider(id)).status;
const eventsOf = async ({ api }: TestDaemon, id: string) =>
  (await api.events(0, 500)).items.filter(({ stream }) => stream === `provider/${id}`).map(({ type }) => type);
const refusal = (act: Promise<unknown>) =>
  act.then(
    () => null,
    ({ problem }) => problem,
  );

describe("several llama-servers and an impostor", () => {
  it("only the real ones answer as providers, and only what AgentOS started can be stopped", async () => {
    const on = machine();
    const daemon = await on.daemon();
    const { api } = daemon;
    const stranger = await here(impostor());
    const foreign = await here(llamaServer());
    const pids = [];
    for (const id of ["llama-1", "llama-2"]) {
      await llama(on, daemon, id);
      pids.push(await start(daemon, id));
    }
    await api.addProvider({ id: "llama-3", kind: "llamacpp", port: stranger.port });
    await api.addProvider({ id: "llama-4", kind: "llamacpp", port: foreign.port });

    const { items } = await api.detectProviders();
    const running = items.filter((one) => one.status === "running").map(({ id }) => id);
    expect(running.filter((id) => id.startsWith("llama-"))).toEqual(["llama-1", "llama-2", "llama-4"]);
    expect(items.find(({ id }) => id === "llama-3")).toMatchObject({
      status: "impostor",
      detail: `at ${stranger.url} another program answers, which is not llama-server (llama.cpp)`,
      next: "Name the port where it is: agentos provider set llama-3 --port PORT",
    });

    expect(await refusal(api.stopProvider("llama-4"))).toMatchObject({
      code: "provider/refused",
      detail: "AgentOS did not start llama-4, so it does not end it",
      next: expect.stringContaining("End it where you started it"),
    });
    expect(await refusal(api.restartProvider("llama-4"))).toMatchObject({ code: "provider/refused" });
    expect(await refusal(api.stopProvider("llama-3"))).toMatchObject({ code: "provider/refused" });
    expect(await refusal(api.startProvider("llama-3"))).toMatchObject({
      code: "provider/refused",
      detail: expect.stringContaining("another program answers"),
    });
    expect(await refusal(api.startProvider("llama-4"))).toMatchObject({
      detail: "llama-4 runs already, and AgentOS did not start it",
    });
    expect(await status(daemon, "llama-4")).toBe("running");

    expect((await api.stopProvider("llama-1")).provider.status).toBe("stopped");
    expect(pids.map(lives)).toEqual([false, true]);
    expect(await status(daemon, "llama-2")).toBe("running");
    expect((await api.restartProvider("llama-2")).provider.started?.pid).not.toBe(pids[1]);
    expect((await api.stopProvider("llama-2")).provider.started).toBeNull();
    expect(await eventsOf(daemon, "llama-1")).toEqual([
      "PROVIDER_ADDED",
      "PROVIDER_STARTED",
      "PROVIDER_STATUS_CHANGED",
      "PROVIDER_STOPPED",
    ]);
    expect((await offline.auditVerify(on.home)).findings).toEqual([]);
  });
});

describe("a server that comes while it is asked", () => {
  it("is asked again, instead of being taken for a stranger by the half that it said", async () => {
    const on = machine();
    const daemon = await on.daemon();
    const server = await here(llamaServer());
    let lost = 0;
    const door = createServer((caller) => {
      lost -= 1;
      if (lost >= 0) return void caller.destroy();
      const inside = connect(server.port, "127.0.0.1");
      for (const end of [caller, inside]) end.on("error", () => {}); // Whoever hangs up first is fine.
      caller.pipe(inside).pipe(caller);
    });
    door.listen(0, "127.0.0.1");
    await once(door, "listening");
    try {
      await daemon.api.addProvider({ id: "coming", kind: "llamacpp", port: (door.address() as AddressInfo).port });
      lost = 5;
      expect(await status(daemon, "coming")).toBe("running");
      expect(lost).toBeLessThan(0);
    } finally {
      door.close();
    }
  });
});

describe("a server that AgentOS started", () => {
  it("is still its own after the daemon was restarted, and is stopped by the later one", async () => {
    const on = machine();
    const first = await on.daemon();
    await llama(on, first, "mine");
    const pid = await start(first, "mine");
    await first.stop();
    expect(lives(pid)).toBe(true);

    const second = await on.daemon();
    expect(await second.api.provider("mine")).toMatchObject({ status: "running", started: { pid, alive: true } });
    expect(await refusal(second.api.startProvider("mine"))).toMatchObject({ detail: "mine runs already (running)" });
    expect(await refusal(second.api.removeProvider("mine"))).toMatchObject({ code: "provider/refused" });
    expect(await refusal(second.api.changeProvider("mine", { port: 9 }))).toMatchObject({ code: "provider/refused" });
    const { from, text } = await second.api.providerLog("mine");
    expect(text).toContain("server is listening on");
    expect(statSync(from).mode & 0o777).toBe(0o600);
    expect((await second.api.stopProvider("mine")).provider.status).toBe("stopped");
    await until("it is gone", async () => !lives(pid));
    expect(await refusal(second.api.stopProvider("mine"))).toMatchObject({
      detail: expect.stringContaining("AgentOS runs no mine"),
    });
    expect(await second.api.removeProvider("mine")).toEqual({ id: "mine", removed: true });
    expect(await refusal(second.api.provider("mine"))).toMatchObject({ code: "provider/not-found" });
  });

  it("that died is shown as failed, is not taken for what answers there later, and can be started again", async () => {
    const on = machine();
    const daemon = await on.daemon();
    const port = await llama(on, daemon, "mortal");
    const pid = await start(daemon, "mortal");
    process.kill(pid, "SIGKILL");
    await until("it is gone", async () => !lives(pid));
    expect(await daemon.api.provider("mortal")).toMatchObject({
      status: "failed",
      detail: "AgentOS started it, and it has ended since",
      started: { alive: false },
    });
    const another = await here(llamaServer({ port }));
    expect(await status(daemon, "mortal")).toBe("running");
    expect(await refusal(daemon.api.stopProvider("mortal"))).toMatchObject({
      detail: "AgentOS did not start mortal, so it does not end it",
    });
    expect(await status(daemon, "mortal")).toBe("running");
    await another.close();
    await start(daemon, "mortal");
    expect((await daemon.api.stopProvider("mortal")).provider.status).toBe("stopped");
  });

  it("is never another process that got its number: that one is left alone", async () => {
    const on = machine();
    const daemon = await on.daemon();
    await llama(on, daemon, "recycled");
    const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
    children.push(child);
    await once(child, "spawn");
    const pid = child.pid ?? 0;
    await daemon.inside?.system.store.append({
      stream: "provider/recycled",
      expected: 1,
      events: [
        {
          actor: { kind: "person", name: "ada" },
          atMs: 1,
          event: {
            type: "PROVIDER_STARTED",
            body: { how: "process", mark: { pid, startTicks: 1, bootId: "another" }, argv: ["llama-server"] },
          },
        },
      ],
      blobs: [],
      lease: null,
    });
    expect((await daemon.api.stopProvider("recycled")).provider.started).toBeNull();
    expect(lives(pid)).toBe(true);
  });

  it("that cannot start says why: its own words, a taken port, a missing model, no program", async () => {
    const on = machine();
    const daemon = await on.daemon();
    const { api } = daemon;
    await llama(on, daemon, "broken", "broken");
    expect(await refusal(api.startProvider("broken"))).toMatchObject({
      code: "provider/failed",
      detail: "broken could not be started: it ended at once, saying “error: failed to load model”",
      next: "agentos provider logs broken shows what it said.",
    });
    expect(await api.provider("broken")).toMatchObject({ status: "stopped", started: null });

    await api.addProvider({ id: "bare", kind: "llamacpp", port: await freePort(), model_file: on.model("small") });
    const bare = await refusal(api.startProvider("bare"));
    expect([bare.code, bare.next.includes("Install llama.cpp")]).toEqual(["provider/refused", true]);
    await api.changeProvider("bare", {
      executable: fixture("llama-server"),
      model_file: join(on.personHome, "none.gguf"),
    });
    expect(await refusal(api.startProvider("bare"))).toMatchObject({
      code: "provider/refused",
      detail: `there is no model file at ${join(on.personHome, "none.gguf")}`,
    });
  });

  it("that loads its model for long has come up: it says that it loads", async () => {
    const on = machine();
    const daemon = await on.daemon();
    await llama(on, daemon, "slow", "slow");
    await start(daemon, "slow");
    expect(await daemon.api.provider("slow")).toMatchObject({ status: "loading", detail: "it is loading its model" });
    await daemon.api.stopProvider("slow");
  });
});

describe("a program that a person names", () => {
  it("is tried at once", async () => {
    const on = machine();
    const { api } = await on.daemon();
    const plain = join(on.personHome, "notes");
    writeFileSync(plain, "text");
    const silent = join(on.personHome, "silent");
    writeFileSync(silent, "#!/bin/sh\nexit 3\n");
    chmodSync(silent, 0o755);
    const tried = async (executable: string) => (await refusal(api.changeProvider("llamacpp", { executable })))?.detail;
    expect(await tried(join(on.personHome, "gone"))).toContain("is not there");
    expect(await tried(on.personHome)).toContain("is a directory");
    expect(await tried(plain)).toContain("is not a program this user may run");
    expect(await tried(silent)).toContain("does not say its version");
    expect(await tried(fixture("llama-server"))).toBeUndefined();
    expect(await api.provider("llamacpp")).toMatchObject({ configured: true, executable: fixture("llama-server") });
    await api.removeProvider("llamacpp");
    expect(await api.provider("llamacpp")).toMatchObject({ configured: false, executable: null });
  });
});

describe("Ollama", () => {
  it("is found by OLLAMA_HOST, lists, pulls, and the probe shows a context that cuts off the tools", async () => {
    const server = await here(ollamaServer());
    const on = machine({ variables: { OLLAMA_HOST: `127.0.0.1:${server.port}` } });
    const daemon = await on.daemon();
    const { api } = daemon;
    expect(await api.provider("ollama")).toMatchObject({ status: "running", base_url: server.url, version: "0.12.6" });
    expect(await eventsOf(daemon, "ollama")).toEqual(["PROVIDER_ADDED", "PROVIDER_STATUS_CHANGED"]);
    expect((await api.providerModels("ollama")).items.map(({ id, tools }) => [id, tools])).toEqual([
      ["embedder:latest", false],
      ["small:latest", true],
    ]);
    expect(await api.pullModel("ollama", { model: "small" })).toMatchObject({ said: "success" });
    expect(await refusal(api.pullModel("ollama", { model: "missing" }))).toMatchObject({
      code: "provider/failed",
      detail: "ollama could not pull missing: pull model manifest: file does not exist",
    });
    expect(await api.probeProvider("ollama", {})).toMatchObject({
      model: "small:latest",
      tool_call: "cut_off",
      context_tokens: 4_096,
      context_tokens_max: 131_072,
      change: [expect.stringContaining("Raise num_ctx: set OLLAMA_CONTEXT_LENGTH to 32768")],
    });
    expect((await api.provider("ollama")).probe).toMatchObject({ tool_call: "cut_off" });
    const roomy = await here(ollamaServer({ contextTokens: 40_000 }));
    await api.changeProvider("ollama", { base_url: roomy.url });
    expect(await api.probeProvider("ollama", {})).toMatchObject({
      tool_call: "works",
      detail: "the tool call works, also among many tools",
      context_tokens: 40_000,
      change: [],
    });
    expect((await refusal(api.providerLog("ollama"))).next).toContain("journalctl -u ollama");
    expect(await refusal(api.stopProvider("ollama"))).toMatchObject({
      next: expect.stringContaining("sudo systemctl stop ollama"),
    });
  });

  it("is not what a llama-server is, though that lists models in Ollama's form", async () => {
    const server = await here(llamaServer());
    const on = machine({ variables: { OLLAMA_HOST: `127.0.0.1:${server.port}` } });
    expect((await (await on.daemon()).api.provider("ollama")).detail).toBe(
      `at ${server.url} llama-server (llama.cpp) answers, not Ollama`,
    );
  });
});

describe("a llama-server's probe", () => {
  it("says that many tools do not fit, and which context to start it with", async () => {
    const server = await here(llamaServer({ contextTokens: 4_096 }));
    const { api } = await machine().daemon();
    await api.addProvider({ id: "box", kind: "llamacpp", port: server.port });
    const found = await api.probeProvider("box", {});
    expect(found).toMatchObject({ model: "agentos-tiny", tool_call: "works", context_tokens: 4_096 });
    expect(found.detail).toContain("many tools do not fit into its context");
    expect(found.change).toEqual([
      "Name another model: agentos-tiny itself was made for 2048 tokens, and agents need 32768.",
    ]);
  });
});

describe("LM Studio", () => {
  it.each(["v0", "v1"] as const)("is known by its greeting, its models by its API %s", async (version) => {
    const server = await here(lmStudioServer({ api: version }));
    const on = machine();
    mkdirSync(join(on.personHome, ".lmstudio", ".internal"), { recursive: true });
    writeFileSync(
      join(on.personHome, ".lmstudio", ".internal", "http-server.json"),
      JSON.stringify({ port: server.port }),
    );
    const { api } = await on.daemon();
    expect(await api.provider("lmstudio")).toMatchObject({ status: "running", base_url: server.url });
    const [model] = (await api.providerModels("lmstudio")).items;
    expect(model).toMatchObject({ id: "qwen-small", loaded: true });
    expect((await api.probeProvider("lmstudio", {})).context_tokens).toBe(version === "v1" ? 40_000 : 8_192);
  });

  it("without lms the application is opened, and it is said where to click", async () => {
    const on = machine();
    const apps = join(on.personHome, "Applications");
    mkdirSync(apps);
    const app = join(apps, "LM-Studio-0.4.2-x64.AppImage");
    writeFileSync(app, `#!/bin/sh\necho opened > ${join(on.personHome, "opened")}\n`);
    chmodSync(app, 0o755);
    const { api } = await on.daemon();
    await api.changeProvider("lmstudio", { port: await freePort() });
    expect((await api.startProvider("lmstudio")).say).toBe(
      "LM Studio was opened, because its command lms is not here. In LM Studio: Developer, then switch the server on (Status: Running).",
    );
    await until("the application is open", async () => existsSync(join(on.personHome, "opened")));
  });

  it("with lms its server is started and stopped by it, unless somebody else has started it anew", async () => {
    const on = machine();
    const { api } = await on.daemon();
    const port = await freePort();
    const pidFile = join(on.personHome, "lmstudio.pid");
    await api.changeProvider("lmstudio", { executable: fixture("lms"), port });
    expect((await api.startProvider("lmstudio")).provider).toMatchObject({
      status: "running",
      started: { how: "service", pid: Number(existsSync(pidFile) ? readFileSync(pidFile, "utf8") : 0) },
    });
    const pid = Number(readFileSync(pidFile, "utf8"));
    started.push(async () => process.kill(pid, "SIGKILL"));
    expect((await api.stopProvider("lmstudio")).provider.status).not.toBe("failed");
    await until("it is gone", async () => !lives(pid));

    await api.startProvider("lmstudio");
    const second = Number(readFileSync(pidFile, "utf8"));
    process.kill(second, "SIGKILL");
    await until("it is gone", async () => !lives(second));
    const another = await here(lmStudioServer({ port }));
    expect(await refusal(api.stopProvider("lmstudio"))).toMatchObject({
      detail: "AgentOS did not start lmstudio, so it does not end it",
    });
    expect(await (await fetch(`${another.url}/lmstudio-greeting`)).json()).toEqual({ lmstudio: true });
  });
});

describe("an API somewhere", () => {
  it("is asked with the key of its name, which is shown nowhere", async () => {
    const secret = "sk-very-secret";
    const seen: (string | undefined)[] = [];
    const { serve } = await import("../support/fake-providers.ts");
    const server = await here(
      serve((_, response) => void response.end(JSON.stringify({ object: "list", data: [{ id: "m" }] }))),
    );
    const raw = await import("node:http");
    const wary = raw.createServer((request, response) => {
      seen.push(request.headers.authorization);
      response
        .writeHead(request.headers.authorization === `Bearer ${secret}` ? 200 : 401, {
          "content-type": "application/json",
        })
        .end(
          request.headers.authorization === `Bearer ${secret}`
            ? JSON.stringify({ object: "list", data: [{ id: "m" }] })
            : JSON.stringify({ error: { message: "no key" } }),
        );
    });
    await new Promise<void>((resolve) => wary.listen(0, "127.0.0.1", resolve));
    const port = (wary.address() as import("node:net").AddressInfo).port;
    try {
      const { api, home } = await machine({ variables: { WARY_KEY: secret } }).daemon();
      await api.addProvider({ id: "open", kind: "openai-compatible", base_url: `${server.url}/v1/` });
      expect(await api.provider("open")).toMatchObject({ status: "running", base_url: `${server.url}/v1` });
      await api.addProvider({ id: "wary", kind: "openai-compatible", base_url: `http://127.0.0.1:${port}` });
      expect(await refusal(api.providerModels("wary"))).toMatchObject({ code: "model/refused" });
      await api.changeProvider("wary", { key_name: "WARY_KEY" });
      expect((await api.providerModels("wary")).items.map(({ id }) => id)).toEqual(["m"]);
      expect(seen).toContain(`Bearer ${secret}`);
      expect(JSON.stringify([await api.provider("wary"), await api.events(0, 500)])).not.toContain(secret);
      expect(readFileSync(join(home, "agentos.db")).includes(secret)).toBe(false);
      await api.changeProvider("wary", { key_name: null });
      expect(await refusal(api.providerModels("wary"))).toMatchObject({ code: "model/refused" });
      expect(await api.storeKey("wary", { key: secret })).toEqual({ provider: "wary", place: "file", hidden_by: null });
      expect(await api.provider("wary")).toMatchObject({ status: "running", has_key: true });
      expect((await api.providerModels("wary")).items).toHaveLength(1);
      await api.forgetKey("wary");
      expect(await refusal(api.forgetKey("wary"))).toMatchObject({ code: "provider/refused" });
      expect(await refusal(api.startProvider("wary"))).toMatchObject({ code: "provider/refused" });
      expect(await api.provider("openai")).toMatchObject({
        key_name: "OPENAI_API_KEY",
        base_url: "https://api.openai.com/v1",
      });
    } finally {
      wary.close();
      wary.closeAllConnections();
    }
  });
});

describe(`llama.cpp itself${noEngine === null ? "" : ` (${noEngine})`}`, () => {
  it.skipIf(noEngine !== null)("is detected as what it is, and probed", async () => {
    const engine = await startEngine();
    const { api } = await machine().daemon();
    await api.addProvider({ id: "tiny", kind: "llamacpp", base_url: engine.url });
    expect(await api.provider("tiny")).toMatchObject({ status: "running", version: "b1-agentos" });
    expect((await api.providerModels("tiny")).items).toMatchObject([{ id: engine.model, loaded: true }]);
    const found = await api.probeProvider("tiny", {});
    expect(found).toMatchObject({ tool_call: "works", context_tokens: 2_048, context_tokens_max: 2_048 });
    expect(found.tokens_per_second).toBeGreaterThan(0);
    expect(found.change[0]).toContain("itself was made for 2048 tokens");
    expect(await refusal(api.stopProvider("tiny"))).toMatchObject({ code: "provider/refused" });
  });
});

describe("a server found beside the known ones", () => {
  it("under WSL is one on Windows, too, with a name to add it by", async () => {
    // Any address below 127 is this machine's own; this one is nobody else's.
    const windowsHost = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(2, 255)}`;
    const server = await here(ollamaServer({ host: windowsHost, port: 11_434 }));
    const { api } = await machine({ platform: "wsl", windowsHost }).daemon();
    const { platform, found } = await api.detectProviders();
    expect(platform).toBe("wsl");
    expect(found.filter(({ on }) => on === "windows")).toEqual([
      { kind: "ollama", base_url: server.url, version: "0.12.6", on: "windows", suggested_id: "ollama-windows" },
    ]);
    await api.addProvider({ id: "ollama-windows", kind: "ollama", base_url: server.url });
    expect((await api.detectProviders()).found.filter(({ on }) => on === "windows")).toEqual([]);
  });
});

describe("a process", () => {
  const using = { marks: marksFor("linux"), windows: false, environment: {} };

  it("that does not end when it is asked is made to, and what it started too", async () => {
    const child = spawn("/bin/sh", ["-c", "trap '' TERM; sleep 600 & wait; sleep 600"], {
      detached: true,
      stdio: "ignore",
    });
    children.push(child);
    await once(child, "spawn");
    const pid = child.pid ?? 0;
    await until("both are there", async () => (using.marks.group(pid) ?? []).length > 1);
    const mark = using.marks.of(pid);
    if (mark === null) throw new Error("it is gone");
    expect(await endGroup(using, { ...mark, startTicks: mark.startTicks + 1 }, 100)).toBe(false);
    expect(using.marks.of(pid)).toEqual(mark);
    expect(await endGroup(using, mark, 100)).toBe(true);
    await until("none is left", async () => (using.marks.group(pid) ?? []).length === 0);
  });

  it("whose mark could not be recorded never becomes a server", async () => {
    const on = machine();
    const port = await freePort();
    const providers = localProviders({
      home: on.home,
      personHome: on.personHome,
      platform: PLATFORMS.linux,
      environment: { PATH: process.env["PATH"] },
    });
    const place = {
      id: "unborn",
      kind: "llamacpp",
      baseUrl: `http://127.0.0.1:${port}`,
      key: async () => null,
      executable: fixture("llama-server"),
      modelsDirectory: null,
      modelFile: on.model("small"),
      contextTokens: null,
    } as const;
    const launch = await providers.launch(place);
    if (launch.how === "app") throw new Error("a llama-server is no application");
    let pid = 0;
    await expect(
      providers.start(place, launch, async ({ mark }) => {
        pid = mark?.pid ?? 0;
        throw new Error("the disk is full");
      }),
    ).rejects.toThrow("the disk is full");
    await until("it is gone", async () => !lives(pid));
    expect(await providers.log(place, 1_000)).toMatchObject({ text: "" });
  });
});
