import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { ProcessMark } from "../../ports/sandbox.ts";

/** The mark of a living process, or null when there is none (a zombie runs nothing and counts as gone). */
export const markOf = (pid: number): ProcessMark | null => {
  const stat = readProc(`${pid}/stat`);
  if (stat === null) return null;
  const seen = parseStat(stat);
  return seen.ended ? null : { pid, startTicks: seen.startTicks, bootId: bootId() };
};

/** Whether exactly this process is alive: same boot, same pid, same start. */
export const isAlive = (mark: ProcessMark): boolean => {
  if (mark.bootId !== bootId()) return false;
  return markOf(mark.pid)?.startTicks === mark.startTicks;
};

/**
 * Resolves when the process is gone. Waiting for a pid namespace's init is waiting for everybody in it: the kernel
 * lets an init end only after it has killed and reaped the whole namespace. There is no bound on purpose: after
 * SIGKILL the kernel guarantees the end, and saying "gone" too early would break the sandbox's contract.
 */
export const waitUntilGone = async (mark: ProcessMark): Promise<void> => {
  for (let pauseMs = 1; isAlive(mark); pauseMs = Math.min(pauseMs * 2, 50)) await delay(pauseMs);
};

/** Ends exactly this process and waits until it is gone; false when it was gone already. */
export const endProcess = async (mark: ProcessMark): Promise<boolean> => {
  if (!isAlive(mark)) return false;
  kill(mark.pid);
  await waitUntilGone(mark);
  return true;
};

/** SIGKILL to a process that may have ended meanwhile. */
export const kill = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    // It ended by itself between our look and our signal, which is what we wanted.
  }
};

/** Resident bytes of a process and all its descendants; shared pages are shared out when the plain sum is too much. */
export const treeResidentBytes = (rootPid: number, suspicionBytes: number): number => {
  const members = treeOf(rootPid);
  const plain = members.reduce((sum, member) => sum + member.residentBytes, 0);
  if (plain <= suspicionBytes) return plain;
  // Fork-heavy programs share pages; only the proportional size, which is dearer to read, tells them from a balloon.
  return members.reduce((sum, member) => sum + (proportionalBytes(member.pid) ?? member.residentBytes), 0);
};

interface Member {
  readonly pid: number;
  readonly parent: number;
  readonly residentBytes: number;
}

const treeOf = (rootPid: number): readonly Member[] => {
  const children = new Map<number, Member[]>();
  const members: Member[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const status = readProc(`${name}/status`);
    if (status === null) continue;
    const member = { pid: Number(name), parent: field(status, "PPid"), residentBytes: field(status, "VmRSS") * 1024 };
    if (member.pid === rootPid) members.push(member);
    else children.set(member.parent, [...(children.get(member.parent) ?? []), member]);
  }
  for (const member of members) members.push(...(children.get(member.pid) ?? []));
  return members;
};

const proportionalBytes = (pid: number): number | null => {
  const rollup = readProc(`${pid}/smaps_rollup`);
  return rollup === null ? null : field(rollup, "Pss") * 1024;
};

const field = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(text)?.[1] ?? 0);

/** The command name stands in parentheses and may hold spaces and parentheses itself: count from the last one. */
export const parseStat = (stat: string): { readonly ended: boolean; readonly startTicks: number } => {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { ended: fields[0] === "Z" || fields[0] === "X", startTicks: Number(fields[19]) };
};

const bootId = (): string => {
  knownBootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return knownBootId;
};
let knownBootId: string | undefined;

const readProc = (path: string): string | null => {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return null; // The process ended (or is not ours to read): both mean "not a member of our tree".
  }
};
