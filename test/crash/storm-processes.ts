import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Life } from "./life.ts";

/** The last resort against a wait for what never ends; nothing is timed by it. */
const ORPHAN_MS_MAX = 20_000;

/** One process of a confined command, and which run of which step that is. */
export interface Confined {
  readonly pid: number;
  readonly task: string;
  readonly step: string;
  readonly run: number;
}

/**
 * One of the processes that run commands of this life: of the command itself, or of the sandbox around it. `pick` in [0, 1) says which
 * of all. Waits until there is one; null when that is in vain.
 */
export async function confinedProcess(
  life: Life,
  directory: string,
  pick: number,
  inVain: () => boolean,
): Promise<Confined | null> {
  for (;;) {
    const all = confinedProcesses(life, directory);
    const one = all[Math.floor(pick * all.length)];
    if (one !== undefined) return one;
    if (inVain() || life.endedBy() !== null) return null;
    await delay(5);
  }
}

function confinedProcesses(life: Life, directory: string): readonly Confined[] {
  const found = new Map<number, Confined>();
  const look = (pid: number, line: readonly number[]): void => {
    const { AGENTOS_TASK: task, AGENTOS_STEP: step, AGENTOS_RUN: run, AGENTOS_CRASH_TEST: place } = environmentOf(pid);
    if (place === directory && task !== undefined && step !== undefined)
      for (const one of [...line, pid]) found.set(one, { pid: one, task, step, run: Number(run) });
    for (const child of childrenOf(pid)) look(child, [...line, pid]);
  };
  for (const child of childrenOf(life.pid)) look(child, []);
  return [...found.values()].sort((a, b) => a.pid - b.pid);
}

/** Asked of the kernel for one process: to look through all of a busy machine's takes longer than a command lives. */
const childrenOf = (pid: number): readonly number[] =>
  threadsOf(pid).flatMap((thread) =>
    text(`/proc/${pid}/task/${thread}/children`)
      .split(" ")
      .filter((child) => child !== "")
      .map(Number),
  );

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // It ended meanwhile.
  }
}

const environmentOf = (pid: number): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text(`/proc/${pid}/environ`)
      .split("\0")
      .filter((one) => one.startsWith("AGENTOS_"))
      .map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]),
  );

/** SIGKILL to a process, or to a group when the number is negative. False: it was gone already. */
export function kill(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

/** Resolves when none of them runs any more. */
export async function gone(pids: readonly number[]): Promise<void> {
  const since = performance.now();
  for (const pid of pids)
    while (isAlive(pid)) {
      if (performance.now() - since > ORPHAN_MS_MAX)
        throw new Error(`process ${pid} outlived its daemon: ${text(`/proc/${pid}/cmdline`).replaceAll("\0", " ")}`);
      await delay(10);
    }
}

const isAlive = (pid: number): boolean => !["", "Z"].includes(fields(pid)[0] ?? "");

/** From the state on: the name before it may hold spaces and parentheses. */
const fields = (pid: number): readonly string[] => {
  const stat = text(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
};

function text(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // It ended meanwhile, or belongs to somebody else.
  }
}
