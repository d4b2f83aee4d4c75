import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import BetterSqlite3 from "better-sqlite3";
import { pino } from "pino";
import { afterAll } from "vitest";
import type { DaemonConfig } from "../../src/config/config.ts";
import type { TaskView } from "../../src/contract/views.ts";
import { type Client, connect } from "../../src/interfaces/client/client.ts";
import { announced, type Daemon, startDaemon } from "../../src/main/daemon.ts";
import { coverageEnvironment } from "./coverage.ts";
import { program } from "./programs.ts";

/*
 * Daemons for tests: each on a data directory of its own below the temporary directory and on a port the system chooses. What a
 * test file makes here is stopped and removed when the file is through, whether its tests passed or not.
 */

export interface TestDaemon {
  /** The data directory. */
  readonly home: string;
  readonly url: string;
  readonly pid: number;
  /** The product's own typed client: throws `Trouble` where the daemon says no. */
  readonly api: Client;
  /** The daemon in this process; null when it is a process of its own. */
  readonly inside: Daemon | null;
  /** One request as it stands, for what no client would send; any status is an answer. */
  ask(method: string, path: string, wanted?: Asked): Promise<Answer>;
  /** What it wrote to its log so far, line by line: warnings and worse in this process, everything from a child. */
  log(): readonly string[];
  /** In good order. Twice is once. */
  stop(): Promise<void>;
  /** SIGKILL; only a process of its own can be killed. */
  kill(): Promise<void>;
}

export interface Asked {
  /** Sent as JSON with its content type, unless `text` is given. */
  readonly body?: unknown;
  /** Sent as it stands, without a content type unless `headers` names one. */
  readonly text?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body parsed; null when it is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what the tests find out
  readonly json: any;
}

export interface DaemonWanted {
  /** An earlier daemon's, to start again on it; a new one when left out. */
  readonly home?: string;
  /** A process of its own instead of one in the test's process. */
  readonly child?: boolean;
  readonly config?: Partial<DaemonConfig>;
  /** Only for a process of its own: more variables. `config.yaml` in `home` is read there too. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Only in the test's process: other adapters behind the ports, and `busyMs`. */
  readonly adapters?: Parameters<typeof startDaemon>[2];
}

const MANY = 1_000_000;
/** What the product does when nobody says anything. */
export const RETENTION: DaemonConfig["retention"] = {
  succeededDays: 14,
  failedDays: 60,
  canceledDays: 14,
  layersDays: 30,
};
const DEADLINE_MS = 30_000;

const living: TestDaemon[] = [];
const directories: string[] = [];

afterAll(async () => {
  for (const daemon of living.splice(0)) await daemon.stop();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}, 60_000);

/** A running daemon. Task creation is not limited unless `config` says so. */
export async function withDaemon(wanted: DaemonWanted = {}): Promise<TestDaemon> {
  const home = wanted.home ?? temporaryDirectory("home");
  const config: DaemonConfig = {
    home,
    host: "127.0.0.1",
    port: 0,
    toolPath: toolPath(),
    tasksMax: 4,
    startPaused: false,
    createPerMinute: MANY,
    createPerHour: MANY,
    retention: RETENTION,
    remotes: {},
    logLevel: "warn",
    ...wanted.config,
  };
  const daemon =
    wanted.child === true ? await inChild(config, wanted.environment) : await inProcess(config, wanted.adapters);
  living.push(daemon);
  return daemon;
}

/** A new directory that other users of the machine may enter, as the repositories of people usually are; removed after the test file. */
export function temporaryDirectory(name: string): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), `agentos-test-${name}-`)));
  directories.push(directory);
  return directory;
}

/** The login PATH of the machine, without what npm put before it. */
export const toolPath = (): readonly string[] =>
  (process.env["PATH"] ?? "/usr/bin:/bin")
    .split(":")
    .filter((entry) => entry.startsWith("/") && !/node_modules\/\.bin|node-gyp-bin/.test(entry));

async function inProcess(config: DaemonConfig, adapters: DaemonWanted["adapters"]): Promise<TestDaemon> {
  const lines: string[] = [];
  const log = pino({ level: config.logLevel }, { write: (line: string) => lines.push(line) });
  const daemon = await startDaemon(config, log, adapters);
  return {
    ...reached(config.home, daemon.url),
    pid: process.pid,
    inside: daemon,
    log: () => lines,
    stop: () => daemon.stop(),
    kill: async () => {
      throw new Error("this daemon runs in the test's own process; ask for { child: true }");
    },
  };
}

async function inChild(config: DaemonConfig, environment: DaemonWanted["environment"] = {}): Promise<TestDaemon> {
  const { child, output } = daemonChild(config, environment);
  const ended = once(child, "exit");
  const pid = child.pid;
  if (pid === undefined) throw new Error("the daemon's process did not start");
  const url = await until(`the daemon with pid ${pid} has announced itself`, async () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the daemon ended: ${output.join("\n")}`);
    const said = await announced(config.home);
    return said !== null && said.pid === pid ? said.url : null;
  });
  const end = (signal: "SIGTERM" | "SIGKILL") => async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  return {
    ...reached(config.home, url),
    pid,
    inside: null,
    log: () => output,
    stop: end("SIGTERM"),
    kill: end("SIGKILL"),
  };
}

/** A daemon's process that nobody waits for yet: for tests of its very start. Its output fills `output` line by line. */
export function daemonChild(
  config: Pick<DaemonConfig, "home"> & Partial<DaemonConfig>,
  environment: Readonly<Record<string, string>> = {},
): {
  readonly child: ChildProcess;
  readonly output: string[];
} {
  const output: string[] = [];
  const child = spawn(process.execPath, [program("product", "daemon-program")], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...coverageEnvironment(),
      HOME: process.env["HOME"] ?? "/",
      PATH: toolPath().join(":"),
      AGENTOS_HOME: config.home,
      AGENTOS_HOST: config.host ?? "127.0.0.1",
      AGENTOS_PORT: String(config.port ?? 0),
      AGENTOS_TASKS_MAX: String(config.tasksMax ?? 4),
      AGENTOS_START_PAUSED: String(config.startPaused ?? false),
      AGENTOS_CREATE_PER_MINUTE: String(config.createPerMinute ?? MANY),
      AGENTOS_CREATE_PER_HOUR: String(config.createPerHour ?? MANY),
      AGENTOS_LOG_LEVEL: config.logLevel ?? "info",
      ...environment,
    },
  });
  for (const stream of [child.stdout, child.stderr])
    stream
      ?.setEncoding("utf8")
      .on("data", (text: string) => output.push(...text.split("\n").filter((line) => line !== "")));
  return { child, output };
}

function reached(home: string, url: string): Pick<TestDaemon, "home" | "url" | "api" | "ask"> {
  return { home, url, api: connect(async () => url), ask: (method, path, wanted) => askAt(url, method, path, wanted) };
}

/** One HTTP request, its path byte for byte as given. */
export async function askAt(
  url: string,
  method: string,
  path: string,
  { body, text, headers = {} }: Asked = {},
): Promise<Answer> {
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const type = text === undefined && body !== undefined ? { "content-type": "application/json" } : {};
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const asked = request(
      {
        hostname,
        port,
        method,
        path,
        agent: false,
        headers: {
          ...type,
          ...(sent === undefined || headers["transfer-encoding"] !== undefined
            ? {}
            : { "content-length": Buffer.byteLength(sent) }),
          ...headers,
        },
      },
      resolve,
    );
    asked.once("error", reject);
    asked.end(sent);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const answer = Buffer.concat(chunks).toString();
  return { status: message.statusCode ?? 0, headers: message.headers, text: answer, json: parsed(answer) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // no JSON: then the text tells
  }
}

/** Asks again until there is something; the deadline is far beyond what a slow machine needs. */
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false>,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  const begun = performance.now();
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() - begun > deadlineMs) throw new Error(`${deadlineMs / 1000} s passed and not yet: ${what}`);
    await delay(20);
  }
}

/** The task once it has one of the statuses. A status that no longer changes by itself and is not among them fails at once. */
export async function waitForStatus(
  api: Client,
  id: string,
  statuses: readonly TaskView["status"][],
  deadlineMs = 60_000,
): Promise<TaskView> {
  const stays: ReadonlySet<TaskView["status"]> = new Set([
    "draft",
    "awaiting_approval",
    "blocked",
    "succeeded",
    "failed",
    "canceled",
  ]);
  return until(
    `task ${id} is ${statuses.join(" or ")}`,
    async () => {
      const task = await api.task(id);
      if (statuses.includes(task.status)) return task;
      if (stays.has(task.status))
        throw new Error(
          `task ${id} is ${task.status}, not ${statuses.join(" or ")}: ${JSON.stringify(task.waiting)} ${task.exit_reason ?? ""}`,
        );
      return null;
    },
    deadlineMs,
  );
}

/** A person's yes to what waits, bound to the plan as it is shown now. */
export async function approve(api: Client, id: string): Promise<TaskView> {
  return api.approveTask(id, { plan: (await api.plan(id)).hash });
}

/** How many rows each table of a data directory holds, and the last position: equal before and after means nothing was written. */
export function rowsOf(home: string): Readonly<Record<string, number>> {
  const database = new BetterSqlite3(join(home, "agentos.db"), { readonly: true });
  try {
    const tables = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
      .pluck()
      .all() as string[];
    const counts = tables.map(
      (table) => [table, database.prepare(`SELECT COUNT(*) FROM "${table}"`).pluck().get() as number] as const,
    );
    return {
      ...Object.fromEntries(counts),
      position: database.prepare("SELECT COALESCE(MAX(position), 0) FROM log_leaves").pluck().get() as number,
    };
  } finally {
    database.close();
  }
}

const MANIFEST = { name: "sample", version: "1.0.0", private: true, type: "module", scripts: { test: "node --test" } };
const TEST =
  'import assert from "node:assert/strict";\nimport { test } from "node:test";\nimport { sum } from "./sum.js";\n\ntest("sums", () => assert.equal(sum(1, 2), 3));\n';

/** What is in each kind of sample: `red` fails its tests for a real reason (a minus in sum.js), `green` passes, `plain` has no tests at all. */
const SAMPLES = {
  red: {
    "package.json": `${JSON.stringify(MANIFEST, null, 2)}\n`,
    "sum.js": "export const sum = (a, b) => a - b;\n",
    "sum.test.js": TEST,
  },
  green: {
    "package.json": `${JSON.stringify(MANIFEST, null, 2)}\n`,
    "sum.js": "export const sum = (a, b) => a + b;\n",
    "sum.test.js": TEST,
  },
  plain: { "README.md": "Nothing to run here.\n" },
  empty: null,
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>> | null>>;

/** Turns a `red` sample green: the plan of a script task. */
export const MEND_SUM = {
  items: [{ id: "mend", title: "Add instead of subtract", do: [{ replace: "sum.js", find: "a - b", with: "a + b" }] }],
};

/** A real git repository with one commit (`empty`: none); its path. */
export function sampleRepo(kind: keyof typeof SAMPLES): string {
  const path = join(temporaryDirectory("repo"), "sample");
  mkdirSync(path);
  git(path, "init", "--quiet", "--initial-branch=main");
  const files = SAMPLES[kind];
  if (files === null) return path;
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  git(path, "add", "--all");
  git(path, "commit", "--quiet", "--message", "Begin");
  return path;
}

/** Git as a person with no configuration of their own would run it; its output. */
export const git = (path: string, ...args: readonly string[]): string =>
  execFileSync(
    "git",
    ["-C", path, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false", ...args],
    {
      encoding: "utf8",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" },
    },
  );
