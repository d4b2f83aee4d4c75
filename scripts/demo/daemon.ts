import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { bundle } from "../bundle.mjs";

const START_MS_MAX = 30_000;
const ROOT = join(import.meta.dirname, "..", "..");

/** A daemon of the demo's own: started, killed and started again like any other process. */
export class DemoDaemon {
  readonly home: string;
  #child: ChildProcess | null = null;
  #url = "";

  constructor(home: string) {
    this.home = home;
  }

  get url(): string {
    return this.#url;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    await mkdir(join(this.home, "logs"), { recursive: true, mode: 0o700 });
    await rm(join(this.home, "daemon.json"), { force: true });
    const log = await open(join(this.home, "logs", "daemon.log"), "a", 0o600);
    this.#child = spawn(process.execPath, [join(await bundle(ROOT), "daemon-program.js")], {
      env: {
        ...process.env,
        AGENTOS_HOME: this.home,
        AGENTOS_PORT: "0",
        AGENTOS_HOST: "127.0.0.1",
        AGENTOS_LOGIN_PATH: process.env["AGENTOS_LOGIN_PATH"] ?? process.env["PATH"],
      },
      stdio: ["ignore", log.fd, log.fd],
    });
    await log.close();
    const child = this.#child;
    for (const deadline = Date.now() + START_MS_MAX; Date.now() < deadline; await wait(50)) {
      if (child.exitCode !== null) break;
      const said = await readFile(join(this.home, "daemon.json"), "utf8").catch(() => null); // not there until it listens
      if (said === null) continue;
      const { pid, url } = JSON.parse(said) as { readonly pid: number; readonly url: string };
      if (pid !== child.pid) continue;
      this.#url = url;
      return;
    }
    throw new Error(
      `the daemon did not start; its log is ${join(this.home, "logs", "daemon.log")}:\n${(await readFile(join(this.home, "logs", "daemon.log"), "utf8")).split("\n").slice(-8).join("\n")}`,
    );
  }

  /** SIGKILL: no handler runs, nothing is tidied up. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    await gone;
  }

  async get<T>(path: string): Promise<T> {
    return this.#ask<T>("GET", path);
  }

  async post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.#ask<T>("POST", path, body);
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(this.#url + path, {
      method,
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (answer.ok) return JSON.parse(text) as T;
    const { detail, next } = JSON.parse(text) as { readonly detail: string; readonly next: string };
    throw new Error(`${detail} ${next}`);
  }
}
