import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../../domain/failure.ts";
import type { ServerMark, ServerStarted } from "../../domain/provider-facts.ts";
import type { Judged } from "../../domain/provider-look.ts";
import type { Launch, ProviderPlace } from "../../ports/providers.ts";
import { isSame, type Marks } from "./process-mark.ts";
import { runProgram } from "./run-program.ts";
import type { serverLogs } from "./server-log.ts";

/** A llama-server listens before it has its model, and the others need none: what is not there by then has a trouble of its own. */
const START_MS = 60_000;
const LOOK_EVERY_MS = 100;
/** A llama-server needs about a second to end; one that is generating may take longer. */
const STOP_MS = 10_000;
const SERVICE_MS = 120_000;
const LAST_WORDS_BYTES = 4_096;

export interface ServerProcesses {
  readonly marks: Marks;
  readonly logs: ReturnType<typeof serverLogs>;
  /** What the servers are given of the daemon's environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly windows: boolean;
  readonly look: (place: ProviderPlace) => Promise<Judged>;
}

/**
 * A server as a child in a process group of its own, so that it outlives the daemon. On POSIX it is born as a shell that waits for a word
 * and then becomes the server: the mark is recorded in between, and if the daemon dies before it is, the shell reads the end of its
 * input instead of the word and ends. So there is no moment in which a server of ours runs that the journal does not know.
 */
export async function startProcess(
  using: ServerProcesses,
  place: ProviderPlace,
  launch: Extract<Launch, { how: "process" }>,
  onStarted: (started: ServerStarted) => Promise<void>,
): Promise<Judged> {
  const log = await using.logs.open(place.id);
  let child: ChildProcess;
  try {
    const [program = "", ...rest] = using.windows
      ? launch.argv
      : ["/bin/sh", "-c", 'read -r go && exec "$@" </dev/null', "sh", ...launch.argv];
    child = spawn(program, rest, {
      detached: true,
      windowsHide: true,
      stdio: [using.windows ? "ignore" : "pipe", log.fd, log.fd],
      env: { ...using.environment, ...launch.environment },
    });
    await once(child, "spawn");
  } catch (cause) {
    throw failed(place, `${launch.argv[0]} could not be started`, cause);
  } finally {
    await log.close();
  }
  const ended = { is: false };
  child.once("exit", () => {
    ended.is = true;
  });
  const mark = child.pid === undefined ? null : using.marks.of(child.pid);
  if (mark === null) throw failed(place, `${launch.argv[0]} ended at once`, null);
  try {
    await onStarted({ how: "process", mark, argv: launch.argv });
  } catch (error) {
    child.stdin?.destroy();
    if (using.windows) child.kill();
    throw error;
  }
  child.stdin?.on("error", () => {}); // It ended before it could read the word, which is seen below.
  child.stdin?.end("go\n");
  child.unref();
  try {
    return await answering(using, place, mark, () => ended.is);
  } catch (error) {
    await endGroup(using, mark);
    throw error;
  }
}

/** Until it answers as what it should be, and is the process that was started. */
async function answering(
  using: ServerProcesses,
  place: ProviderPlace,
  mark: ServerMark,
  ended: () => boolean,
): Promise<Judged> {
  const begun = performance.now();
  for (;;) {
    if (ended() || using.marks.of(mark.pid) === null) throw await diedWith(using, place);
    const judged = await using.look(place);
    if (judged.is === place.kind) {
      const group = using.marks.group(mark.pid);
      const listener = using.marks.listening(portOf(place), group);
      if (listener === null)
        throw failed(place, `another server answers at ${place.baseUrl}, not the one that was started`, null);
      if (!ended() && isSame(mark, using.marks.of(mark.pid))) return judged;
    } else if (judged.is !== "nobody" && judged.is !== "silent")
      throw failed(place, `another program answers at ${place.baseUrl}`, null);
    if (performance.now() - begun > START_MS)
      throw failed(place, `it did not answer at ${place.baseUrl} within ${START_MS / 1000} s`, null);
    await delay(LOOK_EVERY_MS);
  }
}

/** What a server says when its port is taken: llama.cpp, and Go's own words in Ollama. */
const PORT_TAKEN = /couldn't bind HTTP server socket|address already in use|EADDRINUSE/i;

async function diedWith({ logs }: ServerProcesses, place: ProviderPlace): Promise<Failure> {
  const words = (await logs.end(place.id, LAST_WORDS_BYTES)) ?? "";
  if (PORT_TAKEN.test(words.split("\n").slice(-20).join("\n")))
    return new Failure("provider/failed", `port ${portOf(place)} is taken by another program`, {
      next: `agentos provider set ${place.id} --port PORT names another.`,
    });
  const last = words.split("\n").findLast((line) => line.trim() !== "");
  return failed(place, `it ended at once${last === undefined ? "" : `, saying “${last.trim().slice(0, 300)}”`}`, null);
}

const failed = (place: ProviderPlace, why: string, cause: unknown): Failure =>
  new Failure("provider/failed", `${place.id} could not be started: ${why}`, {
    next: `agentos provider logs ${place.id} shows what it said.`,
    cause,
  });

export const portOf = ({ baseUrl }: Pick<ProviderPlace, "baseUrl">): number => {
  const { port, protocol } = new URL(baseUrl);
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
};

/** By the provider's own command, which returns while its service stays. */
export async function startService(
  using: ServerProcesses,
  place: ProviderPlace,
  launch: Extract<Launch, { how: "service" }>,
  onStarted: (started: ServerStarted) => Promise<void>,
): Promise<Judged> {
  const ran = await runProgram(launch.argv, SERVICE_MS, using.environment);
  if (ran.exitCode !== 0)
    throw failed(place, `${launch.argv.join(" ")} ended with ${ran.exitCode ?? ran.signal}: ${ran.last}`, null);
  const begun = performance.now();
  for (;;) {
    const judged = await using.look(place);
    if (judged.is === place.kind) {
      const listener = using.marks.listening(portOf(place), null);
      const mark = typeof listener === "number" ? using.marks.of(listener) : null;
      await onStarted({ how: "service", mark, argv: launch.argv });
      return judged;
    }
    if (performance.now() - begun > START_MS) throw failed(place, `nobody answers at ${place.baseUrl}`, null);
    await delay(LOOK_EVERY_MS);
  }
}

/** Asked first, then made to. Nothing is signalled unless exactly the marked process lives. */
export async function endGroup(
  { marks, windows, environment }: Pick<ServerProcesses, "marks" | "windows" | "environment">,
  mark: ServerMark,
  graceMs: number = STOP_MS,
): Promise<boolean> {
  const lives = (): boolean => isSame(mark, marks.of(mark.pid));
  if (!lives()) return false;
  if (windows) {
    await runProgram(["taskkill.exe", "/PID", String(mark.pid), "/T", "/F"], STOP_MS, environment);
    return true;
  }
  signal(-mark.pid, "SIGTERM");
  if (!(await within(graceMs, () => !lives() && (marks.group(mark.pid) ?? []).length === 0))) {
    // The leader, or what is left of its group: as long as one is in it, no stranger can get the group's number.
    if (lives() || (marks.group(mark.pid) ?? []).length > 0) signal(-mark.pid, "SIGKILL");
    await within(STOP_MS, () => !lives());
  }
  return true;
}

async function within(ms: number, over: () => boolean): Promise<boolean> {
  const begun = performance.now();
  while (!over()) {
    if (performance.now() - begun > ms) return false;
    await delay(20);
  }
  return true;
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    // It ended between the look and the signal, which is what was wanted.
  }
}
