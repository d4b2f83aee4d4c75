import { access, chmod, constants, mkdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Logger, pino } from "pino";
import { acquireDaemonLock } from "../adapters/store/daemon-lock.ts";
import { SCHEMA_VERSION } from "../adapters/store/migrate.ts";
import { diskRoom } from "../adapters/system/disk-room.ts";
import { ownProcess } from "../adapters/system/own-process.ts";
import { webFiles } from "../adapters/system/web-files.ts";
import { noteSystem } from "../app/system-journal.ts";
import type { DaemonConfig } from "../config/config.ts";
import { SETTINGS } from "../config/settings.ts";
import { pausedView, time } from "../contract/present.ts";
import { failure } from "../contract/problems.ts";
import { type Actor, SYSTEM } from "../domain/actor.ts";
import type { SystemEvent } from "../domain/event.ts";
import { isFailure } from "../domain/failure.ts";
import { nodeServer } from "../interfaces/http/node-server.ts";
import { httpSurface } from "../interfaces/http/server.ts";
import { ownAccount } from "./account.ts";
import { startDailyGc } from "./daily-gc.ts";
import { strangers } from "./strangers.ts";
import { assemble, type System, type SystemOptions, webDirectory } from "./system.ts";
import { VERSION } from "./version.ts";

const MINUTE_MS = 60_000;

export interface Daemon {
  readonly url: string;
  readonly system: System;
  /** Resolves when it has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Takes the data directory, recovers, listens, works. `daemon.json` in the data directory says where, while it runs. Throws
 * `daemon/running` when another daemon has the directory. A start that fails leaves nothing open: no port, no store, no lock.
 */
export async function startDaemon(
  config: DaemonConfig,
  log: Logger,
  adapters: NonNullable<SystemOptions["adapters"]> = {},
): Promise<Daemon> {
  const home = await usableHome(config.home);
  const lock = await acquireDaemonLock(home);
  try {
    return await runUnderLock({ ...config, home }, log, adapters, () => lock.release());
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Made when missing. On a full disk what was set aside is given up, so that a daemon can start and say which tasks wait. */
async function usableHome(wanted: string): Promise<string> {
  try {
    await mkdir(wanted, { recursive: true, mode: 0o700 });
    const home = await realpath(wanted);
    await access(home, constants.W_OK);
    const room = diskRoom(home);
    if (await room.full()) await room.release();
    return home;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOSPC" || code === "EDQUOT")
      throw failure("store/full", `there is no space left for the data directory ${wanted}`);
    if (code !== "EROFS" && code !== "EACCES" && code !== "EPERM") throw error;
    const why = code === "EROFS" ? "its file system is mounted read-only" : "this user may not";
    throw failure("store/unwritable", `nothing can be written into the data directory ${wanted}: ${why}`);
  }
}

async function runUnderLock(
  config: DaemonConfig,
  log: Logger,
  adapters: NonNullable<SystemOptions["adapters"]>,
  unlock: () => Promise<void>,
): Promise<Daemon> {
  if (!LOOPBACK.has(config.host))
    throw failure(
      "input/invalid",
      `the host ${config.host} is not loopback, and this version has no tokens to tell people apart`,
      "Use 127.0.0.1 or ::1.",
    );
  const warn = (sentence: string, error: unknown): void => log.error({ err: error }, sentence);
  const listens: { port: number | null } = { port: null };
  const system = await assemble({
    ownPort: () => listens.port,
    home: config.home,
    toolPath: config.toolPath,
    tasksMax: config.tasksMax,
    retention: config.retention,
    remotes: {
      home: process.env["HOME"] ?? ownAccount().home,
      variable: (name) => process.env[name],
      hosts: config.remotes,
    },
    warn,
    onFatal: (error) => {
      log.fatal({ err: error }, "nothing can be made durable any more; the daemon ends, and the next start recovers");
      log.flush();
      process.exit(74);
    },
    adapters,
  });
  try {
    return await work(config, log, system, listens, warn, unlock);
  } catch (error) {
    await rm(join(config.home, "daemon.json"), { force: true });
    await system.stop().catch((worse: unknown) => warn("what was started could not be put down in good order", worse));
    throw error;
  }
}

async function work(
  config: DaemonConfig,
  log: Logger,
  system: System,
  listens: { port: number | null },
  warn: (sentence: string, error: unknown) => void,
  unlock: () => Promise<void>,
): Promise<Daemon> {
  const startedAtMs = Date.now();
  const person = { kind: "person", name: ownAccount().name } as const;
  const [box] = await allOf(tryOut(system, log), takeOver(system, config.startPaused ? person : null));
  let askedToStop = (): void => {};
  const wanted = new Promise<void>((resolve) => {
    askedToStop = resolve;
  });
  let hosts: ReadonlySet<string> = new Set();
  const api = httpSurface({
    surface: {
      cases: system.cases,
      person,
      takeCreation: async (points) => {
        const windows = creationLimits(config);
        const never = windows.find(({ most }) => points > most);
        if (never !== undefined) throw neverSoMany(points, never);
        const wait = await system.store.operations.take(
          `create ${person.name}`,
          windows.map(({ windowMs, most }) => ({ windowMs, most, points })),
          Date.now(),
        );
        if (wait !== null) throw rateLimited(wait, config);
      },
      health: async () => ({
        ok: true,
        version: VERSION,
        pid: process.pid,
        started_at: time(startedAtMs),
        home: config.home,
        sandbox: box.name,
        sandbox_problem: box.problem,
        tasks: await system.cases.look.counts(),
        working: system.worker.busy(),
        inbox: await system.cases.inbox.count(),
        paused: pausedView(await system.cases.look.allPaused()),
      }),
      stop: () => askedToStop(),
    },
    answers: {
      reserve: (key, digest) => system.store.operations.reserve(key, digest, system.newId(), Date.now()),
      idempotent: system.store.operations.idempotent,
      rememberAnswer: (key, digest, status, body) =>
        system.store.operations.rememberAnswer(key, digest, status, body, Date.now()),
    },
    web: await webFiles(webDirectory),
    hosts: () => hosts,
    stranger: strangers(process.getuid?.() ?? null),
    version: VERSION,
    warn,
  });
  const server = await listening(nodeServer(api.fetch), config);
  const { port } = server.address() as AddressInfo;
  listens.port = port;
  const names = config.host === "::1" ? ["[::1]", "localhost"] : [config.host, "localhost"];
  hosts = new Set(names.map((name) => `${name}:${port}`));
  const url = `http://${names[0]}:${port}`;
  let cleaning: Awaited<ReturnType<typeof startDailyGc>>;
  try {
    await system.start();
    await note(system, {
      type: "DAEMON_STARTED",
      body: { version: VERSION, boot: ownProcess().bootId, sandbox: box.name ?? "none" },
    });
    cleaning = await startDailyGc(system, warn);
    await announce(config.home, { pid: process.pid, start_ticks: ownProcess().startTicks, url, version: VERSION });
  } catch (error) {
    closeAll(server);
    throw error;
  }
  log.info({ url, home: config.home }, "listening");

  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      askedToStop();
      closeAll(server);
      await Promise.all([system.delivery.stop(), system.worker.stop(), cleaning.stop()]);
      await note(system, { type: "DAEMON_STOPPED", body: {} });
      await rm(join(config.home, "daemon.json"), { force: true });
      await system.stop();
      await unlock();
      log.info("stopped");
    })();
    return stopping;
  };
  return { url, system, stop, stopped: wanted.then(stop) };
}

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "localhost"]);

interface CreationLimit {
  readonly windowMs: number;
  readonly most: number;
  readonly span: string;
  readonly setting: "create_per_minute" | "create_per_hour";
}

const creationLimits = ({ createPerMinute, createPerHour }: DaemonConfig): readonly CreationLimit[] => [
  { windowMs: MINUTE_MS, most: createPerMinute, span: "a minute", setting: "create_per_minute" },
  { windowMs: 60 * MINUTE_MS, most: createPerHour, span: "an hour", setting: "create_per_hour" },
];

/** However long somebody waited, so many would not be let through: that is no matter of trying again. */
const neverSoMany = (points: number, { most, span, setting }: CreationLimit): Error =>
  failure(
    "input/too-large",
    `${points} tasks at once are more than the ${most} that may be created in ${span}`,
    `Ask for fewer, or raise ${setting} (${SETTINGS[setting].environment}) and start the daemon again.`,
  );

function rateLimited(waitMs: number, config: DaemonConfig): Error {
  const seconds = Math.ceil(waitMs / 1_000);
  return Object.assign(
    failure(
      "rate/limited",
      `at most ${config.createPerMinute} tasks a minute and ${config.createPerHour} an hour may be created; try again in ${seconds} s`,
    ),
    { facts: { retryAfterSeconds: seconds } },
  );
}

/** Both at the same time; when one fails, the other is still waited for: nothing may go on behind a start that failed. */
async function allOf<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}

/** A new store says that it is one; on an old one, what a dead daemon left is dealt with. `pausedBy`: who starts it paused. */
async function takeOver(system: System, pausedBy: Actor | null): Promise<void> {
  if ((await system.store.position()) === 0)
    await note(system, { type: "STORE_CREATED", body: { schema: SCHEMA_VERSION } });
  // Before anything is taken up: after an incident a person wants to look first.
  if (pausedBy !== null) await system.cases.pauseAll(pausedBy, "the daemon was started paused");
  await system.recover();
}

/** The sandbox, tried for real at every start. Without one the daemon still answers; whatever would run something waits or is refused. */
async function tryOut(
  system: System,
  log: Logger,
): Promise<{ readonly name: string | null; readonly problem: string | null }> {
  try {
    const report = await system.sandbox.selfTest();
    return { name: `${report.name} ${report.version}`, problem: null };
  } catch (error) {
    if (!isFailure(error, "sandbox/missing")) throw error;
    log.warn({ next: error.next }, error.message);
    return { name: null, problem: `${error.message} ${error.next ?? ""}`.trim() };
  }
}

const note = (system: System, event: SystemEvent): Promise<void> => noteSystem(system.store, SYSTEM, Date.now(), event);

function listening(server: Server, config: DaemonConfig): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? failure(
              "daemon/unreachable",
              `port ${config.port} of ${config.host} is in use by another program`,
              "Name another: AGENTOS_PORT=8001",
            )
          : error,
      );
    });
    server.listen(config.port, config.host, () => resolve(server));
  });
}

function closeAll(server: Server): void {
  server.close();
  server.closeAllConnections();
}

/** Written whole or not at all: a CLI may read it at any moment. */
async function announce(home: string, facts: Readonly<Record<string, unknown>>): Promise<void> {
  const file = join(home, "daemon.json");
  await writeFile(`${file}.new`, `${JSON.stringify(facts)}\n`, { mode: 0o600 });
  await chmod(`${file}.new`, 0o600);
  await rename(`${file}.new`, file);
}

/** The daemon as a process of its own: until SIGTERM, SIGINT or a request to stop. */
export async function runDaemon(config: DaemonConfig): Promise<void> {
  const log = pino({ level: config.logLevel, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime });
  const daemon = await startDaemon(config, log);
  const stop = (): void => {
    daemon.stop().catch((error: unknown) => {
      log.error({ err: error }, "could not stop in good order");
      process.exit(1);
    });
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  await daemon.stopped;
}

/** Which pid a data directory's daemon says it has; null when none says so. */
export async function announced(home: string): Promise<{ readonly pid: number; readonly url: string } | null> {
  try {
    return JSON.parse(await readFile(join(home, "daemon.json"), "utf8")) as { pid: number; url: string };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
