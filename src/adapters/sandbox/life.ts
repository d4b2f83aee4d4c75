import { readdirSync, readFileSync } from "node:fs";
import type { StallWatch } from "../../ports/sandbox.ts";

/** Processor time below this share of the time that passed is what waiting costs (timers, polling), and no sign of life. */
const BUSY_SHARE = 0.01;
const LOOKS_PER_STALL = 8;
const LOOK_MS_MAX = 15_000;
const LOOK_MS_MIN = 100;

/** What a command's processes have done so far. */
export interface Life {
  /** Bytes it put out. */
  readonly outputBytes: number;
  /** Nanoseconds on a processor, of the processes that are there. */
  readonly processorNs: number;
  /** Bytes it wrote, to files or anywhere. */
  readonly writtenBytes: number;
  /** Which processes are there: one that comes or goes is life too. */
  readonly members: string;
}

/** Whether something happened between two looks that lie `elapsedMs` apart. */
export const hasLived = (before: Life, now: Life, elapsedMs: number): boolean =>
  now.outputBytes !== before.outputBytes ||
  now.writtenBytes !== before.writtenBytes ||
  now.members !== before.members ||
  now.processorNs - before.processorNs > elapsedMs * 1_000_000 * BUSY_SHARE;

/**
 * Looks at the processes below `rootPid` until ended: when nothing has happened for `afterMs` (no output, hardly any processor time, nothing
 * written, no process come or gone), `onStall` is told, once. Whatever changes a file takes a process that writes or computes, so the
 * files themselves need not be looked at. Returns how to end it.
 */
export const watchLife = (
  rootPid: number,
  { afterMs, onStall }: Pick<StallWatch, "afterMs" | "onStall">,
  outputBytes: () => number,
): (() => void) => {
  // Most commands end before the first look, and each look goes through all processes of the machine.
  let before: Life | null = null;
  let sinceMs = performance.now();
  const timer = setInterval(
    () => {
      const now = lifeOf(rootPid, outputBytes());
      const quietMs = performance.now() - sinceMs;
      if (before === null || hasLived(before, now, quietMs)) {
        before = now;
        sinceMs = performance.now();
      } else if (quietMs >= afterMs) {
        clearInterval(timer);
        onStall(Math.round(quietMs));
      }
    },
    Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, afterMs / LOOKS_PER_STALL)),
  );
  return () => clearInterval(timer);
};

const lifeOf = (rootPid: number, outputBytes: number): Life => {
  const members = membersOf(rootPid);
  let processorNs = 0;
  let writtenBytes = 0;
  for (const pid of members) {
    processorNs += processorNsOf(pid);
    writtenBytes += Number(/^wchar: (\d+)/m.exec(readProc(`${pid}/io`))?.[1] ?? 0);
  }
  return { outputBytes, processorNs, writtenBytes, members: members.join(" ") };
};

/** Of all threads. Where the kernel keeps no nanoseconds, its ticks must do. */
const processorNsOf = (pid: number): number => {
  let ns = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      ns += Number(readProc(`${pid}/task/${thread}/schedstat`).split(" ")[0] ?? 0);
  } catch {
    return 0; // It ended: the change of members says so.
  }
  if (ns > 0) return ns;
  const stat = readProc(`${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * NS_PER_TICK;
};
const NS_PER_TICK = 10_000_000;

/** The process and all below it, in order of their ids. */
const membersOf = (rootPid: number): readonly number[] => {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readProc(`${name}/stat`);
    if (stat !== "") parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (at === rootPid) return true;
    return false;
  };
  return [...parents.keys()].filter(isBelow).sort((a, b) => a - b);
};

const readProc = (path: string): string => {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return ""; // It ended, or is not ours to look into: then nothing is seen of it.
  }
};
