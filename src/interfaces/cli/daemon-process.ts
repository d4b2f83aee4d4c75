import { spawn } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { HealthForm } from "../../contract/first-forms.ts";
import type { HealthView } from "../../contract/first-views.ts";
import { PROBLEMS, type ProblemCode } from "../../contract/problems.ts";
import { connect } from "../client/client.ts";
import { exchange } from "../client/transport.ts";
import { trouble } from "../client/trouble.ts";
import { announced, type FirstLook, HEALTH_MS_MAX, HEALTH_PATH, isAlive } from "./first-look.ts";

/** For whoever needs both: a file of the bundle less. */
export { connect };

export interface Launch {
  readonly program: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface Wanted {
  readonly home: string;
  readonly host: string;
  readonly port: number;
  readonly launch: Launch;
  /** What was asked already of the daemon of this directory. */
  readonly looked?: FirstLook | null;
}

export interface RunningDaemon {
  readonly pid: number;
  readonly url: string;
  readonly health: HealthView;
}

export interface StartWanted {
  /** A new one takes up nothing until it is resumed. One that runs already stays as it is. */
  readonly paused: boolean;
}

export interface DaemonProcess {
  /** The daemon of this data directory, null when none answers. */
  find(): Promise<RunningDaemon | null>;
  /** The one that runs, else a new one, once it answers. Throws `daemon/unreachable` with the end of its log. */
  start(wanted?: StartWanted): Promise<RunningDaemon & { readonly started: boolean }>;
  /** Asks it to stop, and returns when its process is gone. False when none ran. */
  stop(): Promise<boolean>;
  /** After a connection to it broke: whether a person stopped it, which is nothing to undo behind their back. */
  wasStopped(): Promise<boolean>;
}

interface Child {
  readonly pid: number | undefined;
  end(): { readonly code: number | null; readonly why: string } | null;
  /** Where in the log its words begin; before that are those of others. */
  readonly logFrom: number;
  /** Ends it, and returns when it has. */
  stop(): Promise<void>;
}

const START_MS_MAX = 20_000;
const STOP_MS_MAX = 60_000;
const LOOK_AGAIN_MS = 25;
const TRY_AGAIN_MS = 250;
const FORCE_MS = 5_000;
const LOG_LINES_SHOWN = 12;
const LOG_BYTES_READ = 16_384;
/** Exit code of a daemon that found another one on its data directory. */
const ANOTHER_RUNS = 73;
/** Exit codes of a daemon that could not use what it stored: then no other start will do better, and that is what is told. */
const STORE_TROUBLE: ReadonlyMap<number, ProblemCode> = new Map([
  [PROBLEMS["store/corrupt"].exit, "store/corrupt"],
  [PROBLEMS["store/newer"].exit, "store/newer"],
]);

/**
 * A data directory belongs to whoever holds its lock, and only daemons take locks: the CLI never decides who the daemon is. It
 * starts one and then believes `daemon.json` plus an answer that names the same pid and directory. Of two CLIs that start
 * one at the same moment, one child takes the lock and the other ends with ANOTHER_RUNS; both CLIs find the first.
 */
export function daemonProcess({ home, host, port, launch, looked = null }: Wanted): DaemonProcess {
  const log = join(home, "logs", "daemon.log");
  let first = looked;

  async function find(): Promise<RunningDaemon | null> {
    const asked = first;
    first = null; // once: what it says of itself goes out of date
    const said = announced(home);
    if (said === null || !isAlive(said.pid, said.startTicks)) return null;
    const answer = asked?.url === said.url ? await asked.answer : null;
    const health = answer === null ? await healthAt(said.url) : healthIn(answer);
    return health !== null && health.pid === said.pid && isSamePlace(health.home, home)
      ? { pid: said.pid, url: said.url, health }
      : null;
  }

  async function start(
    { paused }: StartWanted = { paused: false },
  ): Promise<RunningDaemon & { readonly started: boolean }> {
    const running = await find();
    if (running !== null) return { ...running, started: false };
    await refuseForeignPort();
    const deadline = performance.now() + START_MS_MAX;
    let child = begin(paused);
    while (performance.now() < deadline) {
      const found = await find();
      if (found !== null) {
        // Ours came second. Left alone it would take the directory over, should the first be stopped before ours looked.
        if (found.pid !== child.pid) await child.stop();
        return { ...found, started: found.pid === child.pid };
      }
      const end = child.end();
      if (end !== null && end.code !== ANOTHER_RUNS) throw failed(child, end.why, STORE_TROUBLE.get(end.code ?? 0));
      // Whoever has the directory is still coming up and will be found, or is going down: then it is our turn.
      if (end !== null) child = begin(paused);
      await pause(end === null ? LOOK_AGAIN_MS : TRY_AGAIN_MS);
    }
    // One that is slow is left to come up: a long recovery would otherwise never end.
    throw failed(
      child,
      child.end() === null
        ? `it did not answer within ${START_MS_MAX / 1000} s, and may still be coming up`
        : `another daemon has the data directory and does not answer`,
    );
  }

  function begin(paused: boolean): Child {
    const output = openLog();
    const logFrom = fstatSync(output).size;
    const child = spawn(launch.program, launch.argv, {
      detached: true,
      cwd: home,
      env: paused ? { ...launch.environment, AGENTOS_START_PAUSED: "true" } : launch.environment,
      stdio: ["ignore", output, output],
    });
    closeSync(output);
    let end: { readonly code: number | null; readonly why: string } | null = null;
    child.once("error", (error) => {
      end = { code: null, why: error.message };
    });
    child.once("exit", (code, signal) => {
      end = { code, why: signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}` };
    });
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()).once("error", () => resolve()));
    child.unref();
    return {
      pid: child.pid,
      end: () => end,
      logFrom,
      async stop() {
        if (end !== null) return;
        child.ref();
        child.kill();
        const force = setTimeout(() => child.kill("SIGKILL"), FORCE_MS);
        await exited;
        clearTimeout(force);
      },
    };
  }

  function openLog(): number {
    try {
      mkdirSync(join(home, "logs"), { recursive: true, mode: 0o700 });
      return openSync(log, "a", 0o600);
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      throw trouble("daemon/unreachable", `the data directory ${home} cannot be written (${error.code})`, {
        next: "Make it writable, or use another: AGENTOS_HOME=DIR",
        cause: error,
      });
    }
  }

  /** Said before a daemon is started that could only fail. Where nobody answers, the daemon itself finds out. */
  async function refuseForeignPort(): Promise<void> {
    if (port === 0) return;
    const next = `Use another port: AGENTOS_PORT=${port < 65_535 ? port + 1 : port - 1}`;
    const answering = await whoAnswers(`http://${host.includes(":") ? `[${host}]` : host}:${port}`);
    if (answering === "nobody") return;
    if (answering === "a stranger")
      throw trouble(
        "daemon/unreachable",
        `port ${port} of ${host} is in use by another program, which is not AgentOS`,
        { next },
      );
    if (!isSamePlace(answering.home, home))
      throw trouble(
        "daemon/unreachable",
        `port ${port} of ${host} belongs to the AgentOS daemon of ${answering.home} (pid ${answering.pid})`,
        { next: `${next}, or that data directory: AGENTOS_HOME=${answering.home}` },
      );
  }

  async function stop(): Promise<boolean> {
    const running = await find();
    if (running === null) return false;
    const said = announced(home);
    await connect(async () => running.url).stopDaemon();
    const deadline = performance.now() + STOP_MS_MAX;
    while (isAlive(running.pid, said?.pid === running.pid ? said.startTicks : null)) {
      if (performance.now() > deadline)
        throw trouble(
          "daemon/running",
          `the daemon (pid ${running.pid}) was asked to stop and still runs after ${STOP_MS_MAX / 1000} s`,
          { next: `Its log says why: ${log}. Ending it by force loses nothing: kill -9 ${running.pid}` },
        );
      await pause(LOOK_AGAIN_MS);
    }
    return true;
  }

  async function wasStopped(): Promise<boolean> {
    const deadline = performance.now() + STOP_MS_MAX;
    for (;;) {
      const said = announced(home);
      // In good order it takes its announcement back; one that died left it.
      if (said === null) return true;
      if (!isAlive(said.pid, said.startTicks) || (await find()) !== null || performance.now() > deadline) return false;
      await pause(LOOK_AGAIN_MS);
    }
  }

  const failed = ({ logFrom }: Child, why: string, code: ProblemCode = "daemon/unreachable") => {
    const lines = lastLines(log, logFrom);
    return trouble(
      code,
      `the daemon could not be started: ${why}${lines.length === 0 ? "" : `; the end of its log: ${lines.join(" | ")}`}`,
      {
        ...(code === "daemon/unreachable" && { next: `Read ${log}; agentos doctor looks at the machine.` }),
        facts: { log, lines },
      },
    );
  };
  return { find, start, stop, wasStopped };
}

async function healthAt(url: string): Promise<HealthView | null> {
  const answering = await whoAnswers(url);
  return typeof answering === "string" ? null : answering;
}

async function whoAnswers(url: string): Promise<HealthView | "a stranger" | "nobody"> {
  try {
    const bytes = await exchange(async () => url, { method: "GET", path: HEALTH_PATH, timeoutMs: HEALTH_MS_MAX });
    return healthIn(bytes.toString()) ?? "a stranger";
  } catch (error) {
    return error instanceof Error &&
      error.cause instanceof Error &&
      "code" in error.cause &&
      error.cause.code === "ECONNREFUSED"
      ? "nobody"
      : "a stranger";
  }
}

/** Null: no daemon of ours says that. */
function healthIn(answer: string): HealthView | null {
  let told: unknown;
  try {
    told = JSON.parse(answer);
  } catch {
    return null; // no JSON: whoever answers there, it is not AgentOS
  }
  const health = HealthForm.safeParse(told);
  return health.success ? health.data : null;
}

function isSamePlace(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return one === other; // one of them is not there (any more)
  }
}

function lastLines(file: string, from: number): readonly string[] {
  try {
    const said = readFileSync(file).subarray(from).subarray(-LOG_BYTES_READ).toString().trim();
    return said === "" ? [] : said.split("\n").slice(-LOG_LINES_SHOWN);
  } catch {
    return []; // no log was written: the child did not come that far
  }
}
