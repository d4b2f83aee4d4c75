import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { marksFor } from "../../src/adapters/providers/process-mark.ts";
import { localProviders } from "../../src/adapters/providers/providers.ts";
import { serverLogs } from "../../src/adapters/providers/server-log.ts";
import {
  endGroup,
  type ServerProcesses,
  startProcess,
  startService,
} from "../../src/adapters/providers/server-process.ts";
import type { ServerStarted } from "../../src/domain/provider-facts.ts";
import type { Judged } from "../../src/domain/provider-look.ts";
import { PLATFORMS } from "../../src/domain/provider-platforms.ts";
import type { ProviderPlace } from "../../src/ports/providers.ts";
import { temporaryDirectory, until } from "../support/daemon.ts";
import { freePort } from "../support/free-port.ts";
import { fixture, lives } from "./providers-kit.ts";

/*
 * How a provider's server is started, recognised and ended where something is in the way, and on platforms other than this one: their
 * programs (ps, powershell.exe, taskkill.exe) are small scripts here that say what they were asked and answer as the real ones do.
 */

const children: ChildProcess[] = [];
const closers: (() => void)[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const close of closers.splice(0)) close();
});

const PATH = process.env["PATH"] ?? "";

/** A directory with one program in it. */
function withProgram(name: string, script: string): string {
  const directory = temporaryDirectory("programs");
  writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, name), 0o755);
  return directory;
}

async function sleeper(): Promise<number> {
  const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
  children.push(child);
  await once(child, "spawn");
  return child.pid ?? 0;
}

const judged = (is: Judged["is"]): Judged => ({ is, loading: false, version: null, keyWanted: false });

/** Each answer once, the last one again and again. */
const looking = (...answers: readonly Judged["is"][]): ServerProcesses["look"] => {
  const left = [...answers];
  return async () => judged((left.length > 1 ? left.shift() : left[0]) ?? "nobody");
};

/** The clock of this process only goes on when somebody looks: a minute each time. */
const lookingByMinutes = (is: Judged["is"]): ServerProcesses["look"] => {
  vi.useFakeTimers({ toFake: ["performance"] });
  return async () => {
    vi.advanceTimersByTime(60_001);
    return judged(is);
  };
};

const using = (more: Partial<ServerProcesses> = {}): ServerProcesses => ({
  marks: marksFor("linux"),
  logs: serverLogs(temporaryDirectory("home")),
  look: looking("nobody"),
  windows: false,
  environment: { PATH },
  ...more,
});

const place = (more: Partial<ProviderPlace> = {}): ProviderPlace => ({
  id: "mine",
  kind: "llamacpp",
  baseUrl: "http://127.0.0.1:9",
  key: async () => null,
  executable: null,
  modelsDirectory: null,
  modelFile: null,
  contextTokens: null,
  ...more,
});

/** Listens on a port of this machine, in this process. */
async function taken(): Promise<{ readonly port: number; readonly baseUrl: string }> {
  const port = await freePort();
  const server = createServer((caller) => caller.destroy());
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  return { port, baseUrl: `http://127.0.0.1:${port}` };
}

const LOGS = "agentos provider logs mine shows what it said.";

describe("a server that is started", () => {
  const start = async (how: ServerProcesses, at: ProviderPlace, argv: readonly string[]) => {
    const started: ServerStarted[] = [];
    const ended = await startProcess(how, at, { how: "process", argv, environment: {} }, async (one) => {
      started.push(one);
    }).then(
      (found) => ({ found }),
      ({ code, message, next }) => ({ code, message, next }),
    );
    return { ended, pid: started[0]?.mark?.pid ?? 0 };
  };

  it("is not what answers, when another process listens at its address, and is ended", async () => {
    const { baseUrl } = await taken();
    const { ended, pid } = await start(using({ look: looking("llamacpp") }), place({ baseUrl }), ["sleep", "600"]);
    expect(ended).toEqual({
      code: "provider/failed",
      message: `mine could not be started: another server answers at ${baseUrl}, not the one that was started`,
      next: LOGS,
    });
    expect(pid).toBeGreaterThan(0);
    await until("it is gone", async () => !lives(pid));
  });

  it("is ended when a stranger answers at its address", async () => {
    const { ended, pid } = await start(using({ look: looking("nobody", "stranger") }), place(), ["sleep", "600"]);
    expect(ended).toEqual({
      code: "provider/failed",
      message: "mine could not be started: another program answers at http://127.0.0.1:9",
      next: LOGS,
    });
    await until("it is gone", async () => !lives(pid));
  });

  it("is ended when it has not answered within a minute", async () => {
    const { ended, pid } = await start(using({ look: lookingByMinutes("silent") }), place(), ["sleep", "600"]);
    expect(ended).toEqual({
      code: "provider/failed",
      message: "mine could not be started: it did not answer at http://127.0.0.1:9 within 60 s",
      next: LOGS,
    });
    await until("it is gone", async () => !lives(pid));
  });

  it("and does not get its port is said to find it taken", async () => {
    const { port, baseUrl } = await taken();
    const argv = [fixture("llama-server"), "--host", "127.0.0.1", "--port", String(port)];
    expect((await start(using(), place({ baseUrl }), argv)).ended).toEqual({
      code: "provider/failed",
      message: `port ${port} is taken by another program`,
      next: "agentos provider set mine --port PORT names another.",
    });
  });

  it("without a program on Windows says which one could not be started", async () => {
    const program = join(temporaryDirectory("programs"), "llama-server.exe");
    expect((await start(using({ windows: true }), place(), [program])).ended).toEqual({
      code: "provider/failed",
      message: `mine could not be started: ${program} could not be started`,
      next: LOGS,
    });
  });
});

describe("a service that is started by its provider's command", () => {
  const launch = (argv: readonly string[]) => ({ how: "service", argv }) as const;
  const never = async () => {
    throw new Error("nothing was started");
  };

  it("has started when it answers, and is marked as what listens there", async () => {
    const { baseUrl } = await taken();
    const started: ServerStarted[] = [];
    const argv = ["true", "server", "start"];
    expect(
      await startService(
        using({ look: looking("nobody", "stranger", "lmstudio") }),
        place({ kind: "lmstudio", baseUrl }),
        launch(argv),
        async (one) => void started.push(one),
      ),
    ).toEqual(judged("lmstudio"));
    expect(started).toEqual([{ how: "service", mark: marksFor("linux").of(process.pid), argv }]);
  });

  it("has no mark where the platform does not say who listens", async () => {
    const started: ServerStarted[] = [];
    const how = using({ marks: marksFor("darwin"), look: looking("lmstudio") });
    await startService(how, place({ kind: "lmstudio" }), launch(["true"]), async (one) => void started.push(one));
    expect(started).toEqual([{ how: "service", mark: null, argv: ["true"] }]);
  });

  it("has not when nobody answers within a minute, whatever the command said", async () => {
    const how = using({ look: lookingByMinutes("nobody") });
    await expect(startService(how, place({ kind: "lmstudio" }), launch(["true"]), never)).rejects.toMatchObject({
      code: "provider/failed",
      message: "mine could not be started: nobody answers at http://127.0.0.1:9",
      next: LOGS,
    });
  });

  it("has not when the command fails: its last line says why", async () => {
    const lms = join(withProgram("lms", "echo starting; echo no such option >&2; exit 3"), "lms");
    await expect(startService(using(), place(), launch([lms, "server", "start"]), never)).rejects.toMatchObject({
      code: "provider/failed",
      message: `mine could not be started: ${lms} server start ended with 3: no such option`,
      next: LOGS,
    });
  });
});

describe("LM Studio's command", () => {
  const providers = () =>
    localProviders({
      home: temporaryDirectory("home"),
      personHome: temporaryDirectory("person"),
      platform: PLATFORMS.linux,
      environment: { PATH },
    });
  const lms = (script: string) => place({ kind: "lmstudio", executable: join(withProgram("lms", script), "lms") });

  it("fetches a model without asking back", async () =>
    expect(await providers().pull(lms('echo "$@"'), "qwen-small")).toBe("get qwen-small --yes"));

  it("that fetches none says why, and where its name is found", async () =>
    await expect(providers().pull(lms("echo no such model; exit 1"), "qwen")).rejects.toMatchObject({
      code: "provider/failed",
      message: "lms get qwen ended with 1: no such model",
      next: "Search for the model in LM Studio (Discover); its name there is what is wanted here.",
    }));

  it("that does not stop the server says why", async () =>
    await expect(
      providers().stop(lms("echo it is busy; exit 4"), { how: "service", mark: null, argv: ["lms"] }),
    ).rejects.toMatchObject({ code: "provider/failed", message: "lms server stop ended with 4: it is busy" }));

  it("is missing, and so is the application that is to be opened: that is said", async () => {
    const argv = [join(temporaryDirectory("programs"), "LM-Studio.AppImage")];
    await expect(providers().open({ how: "app", argv, say: "" })).rejects.toMatchObject({
      code: "provider/failed",
      message: `${argv[0]} could not be started`,
    });
  });
});

describe("a process of another platform", () => {
  it("is marked on macOS by what ps says of it", async () => {
    const asked = join(temporaryDirectory("asked"), "by");
    const said =
      'case "$4" in 77) echo "Ss   Thu Nov 26 13:40:24 2026    ";; 78) echo "Z    Thu Nov 26 13:40:24 2026";; *) exit 1;; esac';
    vi.stubEnv("PATH", `${withProgram("ps", `echo "$@" >${asked}\n${said}`)}:${PATH}`);
    const { of } = marksFor("darwin");
    expect(of(77)).toEqual({
      pid: 77,
      startTicks: Date.parse("Thu Nov 26 13:40:24 2026") / 1_000,
      bootId: "darwin",
    });
    expect(readFileSync(asked, "utf8")).toBe("-o stat=,lstart= -p 77\n");
    expect([of(78), of(79)]).toEqual([null, null]);
  });

  it("is marked on Windows by what PowerShell says of it, without the part below a millisecond", async () => {
    const asked = join(temporaryDirectory("asked"), "by");
    const said = 'case "$4" in *" 77)"*) echo 134086812241234567;; *) exit 1;; esac';
    vi.stubEnv("PATH", `${withProgram("powershell.exe", `echo "$@" >${asked}\n${said}`)}:${PATH}`);
    const { of } = marksFor("win32");
    expect(of(77)).toEqual({ pid: 77, startTicks: 13_408_681_224_123, bootId: "win32" });
    expect(readFileSync(asked, "utf8")).toBe(
      "-NoProfile -NonInteractive -Command (Get-Process -Id 77).StartTime.ToFileTimeUtc()\n",
    );
    expect(of(78)).toBeNull();
  });

  it("has no mark where the program that would say it is missing", () => {
    vi.stubEnv("PATH", temporaryDirectory("programs"));
    expect([marksFor("darwin").of(process.pid), marksFor("win32").of(process.pid)]).toEqual([null, null]);
  });

  it("is ended on Windows by taskkill, with what it started, and only while it is the marked one", async () => {
    const pid = await sleeper();
    const asked = join(temporaryDirectory("asked"), "by");
    const programs = withProgram("taskkill.exe", `echo "$@" >${asked}\nkill -9 "$2"`);
    const on = using({ windows: true, environment: { PATH: `${programs}:${PATH}` } });
    const mark = on.marks.of(pid);
    if (mark === null) throw new Error("it is gone");
    expect(await endGroup(on, { ...mark, bootId: "another" })).toBe(false);
    expect([existsSync(asked), lives(pid)]).toEqual([false, true]);
    expect(await endGroup(on, mark)).toBe(true);
    expect(readFileSync(asked, "utf8")).toBe(`/PID ${pid} /T /F\n`);
    await until("it is gone", async () => on.marks.of(pid) === null);
  });
});

it("a process that ends just before it is signalled has been ended", async () => {
  // Larger than any number Linux gives a process: nobody else can be hit.
  const mark = { pid: 2 ** 22 + 1, startTicks: 1, bootId: "this" };
  const seen = [mark, null];
  const marks = { ...marksFor("linux"), of: () => seen.shift() ?? null };
  expect(await endGroup(using({ marks }), mark)).toBe(true);
});
