import { existsSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { createConnection } from "node:net";
import os from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, expect, test, vi } from "vitest";
import { egressProxy } from "../../src/adapters/egress/proxy.ts";
import { bubblewrapSandbox } from "../../src/adapters/sandbox/bubblewrap.ts";
import type { DaemonConfig } from "../../src/config/config.ts";
import { Failure } from "../../src/domain/failure.ts";
import { startDaemon } from "../../src/main/daemon.ts";
import type { EgressTarget } from "../../src/ports/egress.ts";
import type { Store } from "../../src/ports/store.ts";
import { sampleRepo, temporaryDirectory, toolPath, until, withDaemon } from "../support/daemon.ts";
import { freePort } from "../support/free-port.ts";

/* How a daemon starts, and what is left of one that could not. */

const QUIET = pino({ level: "silent" });

const configOf = (home: string, more: Partial<DaemonConfig> = {}): DaemonConfig => ({
  home,
  host: "127.0.0.1",
  port: 0,
  toolPath: toolPath(),
  tasksMax: 1,
  startPaused: false,
  retention: { succeededDays: 14, failedDays: 60, canceledDays: 14, layersDays: 30 },
  remotes: {},
  createPerMinute: 100,
  createPerHour: 100,
  logLevel: "silent",
  ...more,
});

/** What this process has open of that directory. */
const openIn = (home: string): readonly string[] =>
  readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(`${home}/`) ? [target] : [];
    } catch {
      return []; // the one that listed this directory is closed by now
    }
  });

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

/** A store in which one question is answered with an error. */
const failing =
  (part: "succeededWithOpenStep" | "processes") =>
  (store: Store): Store => ({
    ...store,
    operations: {
      ...store.operations,
      [part]: async () => {
        throw new Error(`${part} fails`);
      },
    },
  });

for (const part of ["succeededWithOpenStep", "processes"] as const)
  test(`a start that fails at ${part} leaves no port, no store and no lock, and the next start works`, async () => {
    const home = temporaryDirectory("home");
    const port = await freePort();
    await expect(startDaemon(configOf(home, { port }), QUIET, { store: failing(part) })).rejects.toThrow(
      `${part} fails`,
    );
    expect(await answers(port)).toBe(false);
    expect(openIn(home)).toEqual([]);
    expect(existsSync(join(home, "daemon.json"))).toBe(false);
    const next = await withDaemon({ home });
    expect((await next.api.health()).ok).toBe(true);
  });

test("a port in use leaves nothing open either", async () => {
  const first = await withDaemon();
  const home = temporaryDirectory("home");
  const port = Number(new URL(first.url).port);
  await expect(startDaemon(configOf(home, { port }), QUIET)).rejects.toMatchObject({ code: "daemon/unreachable" });
  expect(openIn(home)).toEqual([]);
});

test("a host that others reach is refused, and nothing is left open", async () => {
  const home = temporaryDirectory("home");
  await expect(startDaemon(configOf(home, { host: "0.0.0.0" }), QUIET)).rejects.toMatchObject({
    code: "input/invalid",
    message: "the host 0.0.0.0 is not loopback, and this version has no tokens to tell people apart",
    next: "Use 127.0.0.1 or ::1.",
  });
  expect(openIn(home)).toEqual([]);
});

test("a data directory in which nothing can be written is named, with the reason", async () => {
  await expect(startDaemon(configOf("/sys/agentos-home"), QUIET)).rejects.toMatchObject({
    code: "store/unwritable",
    message: expect.stringMatching(
      /^nothing can be written into the data directory \/sys\/agentos-home: (this user may not|its file system is mounted read-only)$/,
    ),
  });
});

test("without a sandbox the daemon still answers, and says what is missing and what to do", async () => {
  const missing = new Failure("sandbox/missing", "bwrap is not there", { next: "Install it." });
  const daemon = await withDaemon({
    adapters: { sandbox: { ...bubblewrapSandbox(), selfTest: () => Promise.reject(missing) } },
  });
  const { ok, sandbox, sandbox_problem } = await daemon.api.health();
  expect({ ok, sandbox, sandbox_problem }).toEqual({
    ok: true,
    sandbox: null,
    sandbox_problem: "bwrap is not there Install it.",
  });
  expect(
    daemon
      .log()
      .map((line) => JSON.parse(line))
      .map(({ msg, next }) => [msg, next]),
  ).toEqual([["bwrap is not there", "Install it."]]);
});

test("nobody is answered before what a dead daemon left is dealt with", async () => {
  const home = temporaryDirectory("home");
  const port = await freePort();
  const seen: boolean[] = [];
  const store = (real: Store): Store => ({
    ...real,
    operations: {
      ...real.operations,
      succeededWithOpenStep: async () => {
        seen.push(await answers(port));
        return real.operations.succeededWithOpenStep();
      },
    },
  });
  const daemon = await startDaemon(configOf(home, { port }), QUIET, { store });
  expect(await answers(port)).toBe(true);
  await daemon.stop();
  expect(seen).toEqual([false]);
});

const realUserInfo = os.userInfo;
afterEach(() => {
  os.userInfo = realUserInfo;
  syncBuiltinESMExports();
});

test("a uid without an account is called by its number, and its daemon works", async () => {
  os.userInfo = vi.fn(() => {
    throw new Error("A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)");
  }) as unknown as typeof os.userInfo;
  syncBuiltinESMExports();
  const daemon = await withDaemon();
  const { id } = await daemon.api.createTask({ title: "Mine" });
  expect((await daemon.api.task(id)).created_by).toBe(`uid-${process.getuid?.()}`);
});

test("the registry that the machine's own npm is set to may lie in the person's own network; no other host may", async () => {
  const tools = temporaryDirectory("tools");
  mkdirSync(join(tools, "bin"));
  writeFileSync(join(tools, "bin", "npm"), "#!/bin/sh\necho http://registry.test:4873/team/\n", { mode: 0o755 });
  const opened: (readonly EgressTarget[])[] = [];
  const real = egressProxy();
  const daemon = await withDaemon({
    config: { toolPath: [join(tools, "bin"), ...toolPath()] },
    adapters: {
      egress: {
        open: (socket, targets, allowPrivate) => {
          opened.push(allowPrivate);
          return real.open(socket, targets, allowPrivate);
        },
      },
    },
  });
  const { project } = await daemon.api.projectOfPath({ path: sampleRepo("green") });
  const { id } = await daemon.api.createTask({
    title: "Reach out",
    project: project.id,
    run_mode: "autonomous",
    prepare: [{ run: "true", inputs: ["package.json"], hosts: ["registry.test:4873"] }],
    plan: { items: [{ id: "one", title: "Nothing", do: [{ run: "true" }] }] },
  });
  await daemon.api.freezeTask(id);
  await daemon.api.readyTask(id);
  await until("its preparation opened a door", async () => opened.length > 0);
  expect(opened[0]).toEqual([{ host: "registry.test", port: 4873 }]);
});
