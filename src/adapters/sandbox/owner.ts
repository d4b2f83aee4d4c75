import { readdirSync, readFileSync } from "node:fs";
import { kill, markOf } from "./process-tree.ts";

/**
 * The name of this process among all that ever were since boot, `<pid>-<start>`. It is part of what could be left
 * behind by a daemon that was killed, so that the next one can tell it from what is still in use.
 */
export const ownerName = (): string => {
  const mark = markOf(process.pid);
  if (mark === null) throw new Error("this process is not in /proc");
  return `${mark.pid}-${mark.startTicks}`;
};

/** Whether the process of that name has ended. */
export const isOwnerGone = (name: string): boolean => {
  const [pid, start] = name.split("-").map(Number);
  return pid === undefined || markOf(pid)?.startTicks !== start;
};

/** The variable by which an outer bwrap and its init are known; confined commands never have it. */
export const OWNER_VARIABLE = "AGENTOS_SANDBOX_OF";

/**
 * Ends sandboxes that dead daemons left half-built. bwrap's init waits for its parent before anything else; when daemon
 * and parent are killed in the few microseconds before it may go on, it waits for ever. It runs nothing, but it stays.
 */
export const endOrphans = (): void => {
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const owner = ownerOf(pid);
    if (owner !== null && isOwnerGone(owner)) kill(Number(pid));
  }
};

const ownerOf = (pid: string): string | null => {
  try {
    return (
      new RegExp(`(?:^|\\0)${OWNER_VARIABLE}=(\\d+-\\d+)\\0`).exec(
        readFileSync(`/proc/${pid}/environ`, "latin1"),
      )?.[1] ?? null
    );
  } catch {
    return null; // It ended meanwhile, or is another user's and so none of ours.
  }
};
