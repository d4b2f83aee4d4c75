import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { ServerMark } from "../../domain/provider-facts.ts";
import type { PlatformName } from "../../domain/provider-platforms.ts";

/** How one platform tells a process from a later one with the same pid. */
export interface Marks {
  /** Null: there is no such process (one that only waits to be reaped runs nothing and counts as gone). */
  of(pid: number): ServerMark | null;
  /** Living processes of a group, its leader included; null: this platform does not say. */
  group(leader: number): readonly number[] | null;
  /** Which of these processes, or of all, listens on a port of this machine; null: none, `unknown`: this platform does not say. */
  listening(port: number, among: readonly number[] | null): number | null | "unknown";
}

export const isSame = (one: ServerMark, other: ServerMark | null): boolean =>
  other !== null && one.pid === other.pid && one.startTicks === other.startTicks && one.bootId === other.bootId;

export function marksFor(platform: PlatformName): Marks {
  switch (platform) {
    case "linux":
    case "wsl":
      return LINUX;
    case "darwin":
      return asking("darwin", (pid) => ["ps", "-o", "stat=,lstart=", "-p", String(pid)], startedByPs);
    case "win32":
      return asking(
        "win32",
        (pid) => [
          "powershell.exe",
          "-NoProfile",
          "-NonInteractive",
          "-Command",
          `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`,
        ],
        (said) => (/^\d+$/.test(said.trim()) ? Number(said.trim().slice(0, -4)) : null),
      );
  }
}

/** Started when, by the wall clock: no two processes of one pid share it, so the boot needs no name of its own. */
function asking(
  name: string,
  argv: (pid: number) => readonly string[],
  started: (said: string) => number | null,
): Marks {
  return {
    of(pid) {
      const [program = "", ...rest] = argv(pid);
      const said = spawnSync(program, rest, { encoding: "utf8", timeout: 5_000, windowsHide: true });
      const startTicks = said.status === 0 ? started(said.stdout) : null;
      return startTicks === null ? null : { pid, startTicks, bootId: name };
    },
    group: () => null,
    listening: () => "unknown",
  };
}

/** `S    Thu Nov 26 13:40:24 2026`: seconds since 1970; null for a zombie. */
export function startedByPs(said: string): number | null {
  const [, state = "", date = ""] = /^\s*(\S+)\s+(.+?)\s*$/.exec(said) ?? [];
  const at = Date.parse(date);
  return state === "" || state.startsWith("Z") || Number.isNaN(at) ? null : at / 1_000;
}

const LINUX: Marks = {
  of(pid) {
    const stat = statOf(pid);
    return stat === null ? null : { pid, startTicks: stat.startTicks, bootId: bootId() };
  },

  group(leader) {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => statOf(pid)?.group === leader);
  },

  listening(port, among) {
    const sockets = new Set([...inodes("/proc/net/tcp", port), ...inodes("/proc/net/tcp6", port)]);
    if (sockets.size === 0) return null;
    const pids =
      among ??
      readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map(Number);
    return pids.find((pid) => descriptorsOf(pid).some((target) => sockets.has(target))) ?? null;
  },
};

function statOf(pid: number): ProcessStat | null {
  const stat = read(`/proc/${pid}/stat`);
  return stat === null ? null : livingIn(stat);
}

interface ProcessStat {
  readonly group: number;
  readonly startTicks: number;
}

/**
 * What proc(5)'s `stat` says of a living process; its name may hold spaces and parentheses. Null: it has ended. Its first thread is a
 * zombie while others still end and hold what it listens on: whoever took it for gone then would be answered by a broken connection.
 */
export function livingIn(stat: string): ProcessStat | null {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const threads = Number(fields[17]);
  if (fields[0] === "X" || (fields[0] === "Z" && threads <= 1)) return null;
  return { group: Number(fields[2]), startTicks: Number(fields[19]) };
}

const LISTENS = "0A";

/** `socket:[inode]` of what listens on the port. */
function inodes(table: string, port: number): readonly string[] {
  return (read(table) ?? "")
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const at = Number.parseInt((fields[1] ?? "").split(":").at(-1) ?? "", 16);
      return at === port && fields[3] === LISTENS ? [`socket:[${fields[9]}]`] : [];
    });
}

function descriptorsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${name}`)];
      } catch {
        return []; // Closed between the two looks.
      }
    });
  } catch {
    return []; // Another user's, or gone: not one that we could have started.
  }
}

let knownBootId: string | undefined;
const bootId = (): string => {
  knownBootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return knownBootId;
};

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // The process ended, or the kernel has no such table.
  }
}
