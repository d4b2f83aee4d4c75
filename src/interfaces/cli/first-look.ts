import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { CONNECTIONS } from "../client/connections.ts";

/*
 * What can be known of a daemon before anything else is loaded: so nothing here needs a schema, and nothing of the client that does.
 */

export const HEALTH_PATH = "/api/health";
export const HEALTH_MS_MAX = 3_000;
const HEALTH_BYTES_MAX = 64 * 1024;

export interface FirstLook {
  /** Where the daemon said that it is. */
  readonly url: string;
  /** How it says it is, not looked at yet; null: nothing was heard. */
  readonly answer: Promise<string | null>;
}

/**
 * Asks the daemon of a data directory how it is while the code of the command is still being loaded, which takes longer than an answer. Null
 * when none has announced itself. Whether it is the right one is for `daemonProcess` to judge, which asks again where nothing was heard.
 */
export function firstLook(home: string, signal: AbortSignal): FirstLook | null {
  const said = announced(home);
  if (said === null || !isAlive(said.pid, said.startTicks)) return null;
  return { url: said.url, answer: healthAsTold(said.url, signal) };
}

const healthAsTold = (url: string, signal: AbortSignal): Promise<string | null> =>
  new Promise((resolve) => {
    const sent = request(new URL(HEALTH_PATH, url), { agent: CONNECTIONS, signal }, (answer) => {
      let told = "";
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => {
        told += part;
        if (told.length > HEALTH_BYTES_MAX) answer.destroy();
      });
      answer.once("close", () => resolve(answer.complete && answer.statusCode === 200 ? told : null));
    });
    sent.setTimeout(HEALTH_MS_MAX, () => sent.destroy());
    sent.once("error", () => resolve(null));
    sent.end();
  });

export interface Announced {
  readonly pid: number;
  /** When it started, in the kernel's ticks; null on systems that do not say. */
  readonly startTicks: string | null;
  readonly url: string;
}

/** What the daemon of a data directory wrote there of itself. */
export function announced(home: string): Announced | null {
  const file = join(home, "daemon.json");
  if (!existsSync(file)) return null;
  try {
    const {
      pid,
      start_ticks: ticks,
      url,
    } = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, unknown>>;
    const isPid = typeof pid === "number" && Number.isSafeInteger(pid) && pid > 0;
    return isPid && typeof url === "string" && URL.canParse(url)
      ? { pid, startTicks: typeof ticks === "number" || typeof ticks === "string" ? String(ticks) : null, url }
      : null;
  } catch {
    return null; // gone in this moment, or written by something else: then no daemon of ours has announced itself
  }
}

/** A pid comes back to another process; its start time does not. */
export function isAlive(pid: number, startTicks: string | null): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return process.platform !== "linux"; // ended between the two looks; elsewhere there is no /proc and the pid must do
  }
  // After the command's name, which may hold anything, in the last parenthesis: state is field 3, threads field 20, start time field 22.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A zombie with threads left still holds its lock and its port.
  const ended = fields[0] === "Z" && Number(fields[17]) <= 1;
  return !ended && (startTicks === null || fields[19] === startTicks);
}
