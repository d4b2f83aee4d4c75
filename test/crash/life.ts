import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { program } from "../support/programs.ts";
import type { DieAt } from "./boundaries.ts";

/** One life of the daemon under test, from its start to its end, however it ends. */
export interface Life {
  readonly url: string;
  readonly pid: number;
  /** Commands that wait in their middle now. */
  readonly middle: ReadonlySet<string>;
  /** The signal that ended it, "exit N", or null while it lives. */
  readonly endedBy: () => string | null;
  readonly ended: Promise<void>;
  /** Null: it is not to die any more. */
  arm(where: DieAt | null): Promise<void>;
  watch(repository: string): Promise<void>;
  release(name: string): void;
  /** Asks it to stop in good order and waits for its end. */
  stop(): Promise<void>;
}

const MAIN = program("crashPrograms", "daemon-under-test");

export interface LifeWanted {
  readonly dieAt: DieAt | null;
  /** Where compiled modules are kept between lives. */
  readonly codeCache: string;
  /** Called whenever it says something or ends. */
  readonly changed: () => void;
  /** Told the process as soon as there is one, long before it listens. */
  readonly born?: (pid: number) => void;
  /** What enters where it is to live, before the program's own name. */
  readonly within?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** It leads a process group of its own, so that the group can be killed and not the test. */
  readonly ownGroup?: boolean;
}

/** Starts a life and waits until it listens; null when it died before. */
export async function beginLife(
  directory: string,
  { dieAt, codeCache, changed, born = () => undefined, within = [], env = {}, ownGroup = false }: LifeWanted,
): Promise<Life | null> {
  const [executable = "", ...args] = [
    ...within,
    process.execPath,
    MAIN,
    directory,
    ...(dieAt === null ? [] : [JSON.stringify(dieAt)]),
  ];
  const child: ChildProcess = spawn(executable, args, {
    stdio: ["pipe", "pipe", "inherit"],
    detached: ownGroup,
    env: { PATH: "/usr/bin:/bin", HOME: directory, NODE_COMPILE_CACHE: codeCache, TZ: "UTC", ...env },
  });
  const { stdin, stdout, pid } = child;
  if (pid !== undefined) born(pid);
  if (stdin === null || stdout === null) throw new Error("the daemon under test has no pipes");
  stdin.on("error", () => undefined); // It may die before it has read what it is told.
  let end: string | null = null;
  let url: string | null = null;
  const middle = new Set<string>();
  const waiting: { readonly key: string; readonly tell: () => void }[] = [];
  const ended = once(child, "exit").then(([code, signal]: (string | number | null)[]) => {
    end = signal === null ? `exit ${code}` : String(signal);
    for (const { tell } of waiting.splice(0)) tell();
    changed();
  });
  const said = (key: string): Promise<void> =>
    new Promise((tell) => {
      if (end === null) waiting.push({ key, tell });
      else tell();
    });
  const ready = said("ready");
  createInterface({ input: stdout }).on("line", (line) => {
    const told = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (typeof told["ready"] === "string") url = told["ready"];
    if (typeof told["middle"] === "string") middle.add(told["middle"]);
    for (const key of Object.keys(told)) {
      const at = waiting.findIndex((one) => one.key === key);
      if (at >= 0) waiting.splice(at, 1)[0]?.tell();
    }
    changed();
  });
  const tell = (line: unknown): void => {
    if (end === null) stdin.write(`${JSON.stringify(line)}\n`);
  };

  await ready;
  if (url === null) {
    await ended;
    if (end !== "SIGKILL") throw new Error(`the daemon under test did not start: ${end}`);
    return null;
  }
  return {
    url,
    pid: child.pid ?? 0,
    middle,
    endedBy: () => end,
    ended,
    async arm(where) {
      const armed = said("armed");
      tell({ arm: where });
      await armed;
    },
    async watch(repository) {
      const watching = said("watching");
      tell({ watch: repository });
      await watching;
    },
    release(name) {
      middle.delete(name);
      tell({ release: name });
    },
    async stop() {
      tell({ stop: true });
      await ended;
    },
  };
}
