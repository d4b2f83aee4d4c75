import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isOwnerGone, ownerName } from "./owner.ts";

/** Control groups of one command; the process joins them itself before it becomes the sandbox. */
export interface ControlGroups {
  /** Directories whose `cgroup.procs` takes the process. */
  readonly directories: readonly string[];
  /** Whether the memory bound really holds this process; when it does not, somebody else must watch. */
  holdsMemoryOf(pid: number): boolean;
  /** How many processes the kernel ended because the group had used up its memory. */
  memoryKills(): number;
  remove(): Promise<void>;
}

export interface GroupLimits {
  readonly memoryBytes: number;
  readonly processes: number;
}

/** Creates the groups where this user may; an empty list of directories where it may not. Never throws for that. */
export const openControlGroups = (limits: GroupLimits): ControlGroups => {
  const places = placesFor(readFileSync("/proc/self/cgroup", "utf8"), readFileSync("/proc/self/mountinfo", "utf8"));
  count += 1;
  const name = `agentos-${ownerName()}-${count}`;
  const groups = places.flatMap((place) => openOne(place, name, limits) ?? []);
  const memory = groups.find((group) => group.memoryEvents !== null);
  return {
    directories: groups.map((group) => group.directory),
    holdsMemoryOf: (pid) =>
      memory !== undefined &&
      readOr(`/proc/${pid}/cgroup`, "")
        .split("\n")
        .some((line) => line.endsWith(`/${name}`) && memory.isIn(line)),
    memoryKills: () =>
      memory?.memoryEvents == null ? 0 : Number(/^oom_kill (\d+)$/m.exec(readOr(memory.memoryEvents, ""))?.[1] ?? 0),
    remove: async () => {
      for (const { directory } of groups) await removeGroup(directory);
    },
  };
};

let count = 0;

interface Place {
  readonly version: 1 | 2;
  /** Of version 1; version 2 has one tree for all. */
  readonly controller: "memory" | "pids" | null;
  /** Where a group could be made, nearest first. */
  readonly parents: readonly string[];
}

/** Where this process's groups are, from /proc/self/cgroup and /proc/self/mountinfo. */
export const placesFor = (cgroup: string, mountinfo: string): readonly Place[] => {
  const mounts = mountinfo.split("\n").flatMap(parseMount);
  const own = cgroup.split("\n").flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    return controllers === undefined || path === undefined ? [] : [{ controllers: controllers.split(","), path }];
  });
  const first = (["memory", "pids"] as const).flatMap((controller): Place[] => {
    const path = own.find((group) => group.controllers.includes(controller))?.path;
    const mount = mounts.find((candidate) => candidate.version === 1 && candidate.controllers.includes(controller));
    if (path === undefined || mount === undefined) return [];
    return [{ version: 1, controller, parents: [join(mount.point, relative(mount.root, path))] }];
  });
  const path = own.find((group) => group.controllers[0] === "")?.path;
  const mount = mounts.find((candidate) => candidate.version === 2);
  if (path === undefined || mount === undefined || path.startsWith("/..")) return first;
  const steps = relative(mount.root, path)
    .split("/")
    .filter((part) => part !== "");
  const parents = steps.map((_, index) => join(mount.point, ...steps.slice(0, steps.length - index)));
  return [...first, { version: 2, controller: null, parents: [...parents, mount.point] }];
};

const parseMount = (line: string) => {
  const [left, right] = line.split(" - ");
  const [, , , root, point] = left?.split(" ") ?? [];
  const [type, , options] = right?.split(" ") ?? [];
  if (root === undefined || point === undefined || (type !== "cgroup" && type !== "cgroup2")) return [];
  return [{ version: type === "cgroup" ? 1 : 2, root, point, controllers: options?.split(",") ?? [] }];
};

interface Group {
  readonly directory: string;
  readonly memoryEvents: string | null;
  isIn(line: string): boolean;
}

const openOne = (place: Place, name: string, limits: GroupLimits): Group | null => {
  for (const parent of place.parents) {
    // Version 2 hands a controller down only where the parent says so.
    if (place.version === 2 && !readOr(join(parent, "cgroup.subtree_control"), "").split(/\s+/).includes("memory"))
      continue;
    const directory = join(parent, name);
    try {
      sweep(parent);
      mkdirSync(directory);
    } catch {
      continue; // Not ours to write: the next parent, and in the end the watchdog.
    }
    if (limit(place, directory, limits)) {
      return {
        directory,
        memoryEvents:
          place.version === 2
            ? join(directory, "memory.events")
            : place.controller === "memory"
              ? join(directory, "memory.oom_control")
              : null,
        isIn: (line) => (place.version === 2 ? line.startsWith("0::") : /^\d+:[^:]*\bmemory\b/.test(line)),
      };
    }
    rmdirSync(directory);
  }
  return null;
};

/** More than the command's own: bwrap, its init and the gate are in the group too. */
const OWN_PROCESSES = 8;

/** Writes the limits; false when the one that the group is for was not taken. */
const limit = ({ version, controller }: Place, directory: string, { memoryBytes, processes }: GroupLimits): boolean => {
  const set = (file: string, value: string | number): boolean => {
    try {
      writeFileSync(join(directory, file), String(value), { flag: "r+" });
      return true;
    } catch {
      return false; // This kernel has no such file (swap accounting off, controller not handed down).
    }
  };
  if (version === 2) {
    set("pids.max", processes + OWN_PROCESSES);
    set("memory.swap.max", 0);
    set("memory.oom.group", 1);
    return set("memory.max", memoryBytes);
  }
  if (controller === "pids") return set("pids.max", processes + OWN_PROCESSES);
  const taken = set("memory.limit_in_bytes", memoryBytes);
  set("memory.memsw.limit_in_bytes", memoryBytes);
  return taken;
};

/** A group stays behind when its daemon was killed. It can go when that daemon is gone and it is empty. */
const sweep = (parent: string): void => {
  if (swept.has(parent)) return;
  swept.add(parent);
  for (const name of readdirSync(parent)) {
    const owner = /^agentos-(\d+-\d+)-\d+$/.exec(name)?.[1];
    if (owner === undefined || !isOwnerGone(owner)) continue;
    try {
      rmdirSync(join(parent, name));
    } catch {
      // Still in use: its processes are on their way out, the next daemon sweeps it.
    }
  }
};
const swept = new Set<string>();

const REMOVE_TRIES = 50;

const removeGroup = async (directory: string): Promise<void> => {
  for (let tries = 0; tries < REMOVE_TRIES; tries += 1) {
    try {
      rmdirSync(directory);
      return;
    } catch {
      await delay(Math.min(1 + tries, 20)); // Busy while the kernel takes the last process out of it.
    }
  }
  // An empty group costs nothing; the next daemon sweeps it.
};

const readOr = (path: string, otherwise: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise; // Gone or not readable: the caller treats both as "no such group".
  }
};
