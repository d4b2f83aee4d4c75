import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { bundle } from "../scripts/bundle.mjs";
import { CHECKOUT } from "./place.ts";

const START_MS_MAX = 60_000;

/** The daemon as it is shipped, a process of its own. */
export interface DaemonChild {
  readonly url: string;
  /** Milliseconds from its start until it answered. */
  readonly readyMs: number;
  /** When it was started, by the wall clock. */
  readonly startedAtMs: number;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export async function startDaemonChild(home: string): Promise<DaemonChild> {
  const program = join(await bundle(CHECKOUT), "daemon-program.js");
  const startedAtMs = Date.now();
  const begun = performance.now();
  const child = spawn(process.execPath, [program], {
    stdio: "ignore",
    env: {
      HOME: process.env["HOME"] ?? "/",
      PATH: "/usr/local/bin:/usr/bin:/bin",
      AGENTOS_HOME: home,
      AGENTOS_PORT: "0",
      AGENTOS_HOST: "127.0.0.1",
      AGENTOS_LOG_LEVEL: "error",
    },
  });
  const ended = once(child, "exit");
  const end = (signal: "SIGKILL" | "SIGTERM") => async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  while (performance.now() - begun < START_MS_MAX) {
    if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}`);
    const said = await readFile(join(home, "daemon.json"), "utf8").catch(() => null); // not there until it listens
    const announced = said === null ? null : (JSON.parse(said) as { readonly pid: number; readonly url: string });
    if (announced?.pid === child.pid && announced !== null)
      return {
        url: announced.url,
        readyMs: performance.now() - begun,
        startedAtMs,
        kill: end("SIGKILL"),
        stop: end("SIGTERM"),
      };
    await pause(2);
  }
  await end("SIGKILL")();
  throw new Error(`the daemon did not start within ${START_MS_MAX / 1_000} s`);
}
