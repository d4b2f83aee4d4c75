import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Failure } from "../../domain/failure.ts";
import type { Limits, SandboxCommand } from "../../ports/sandbox.ts";
import { BRIDGE_PORT } from "./environment.ts";
import { commandArguments, SEAL, syntheticFiles } from "./file-system.ts";

/** Whom the command runs as; `drops`: the daemon is root and must become that user on the way. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly drops: boolean;
}

/** What is the same for every command of one sandbox. */
export interface Surroundings {
  /** Path of bwrap. */
  readonly program: string;
  readonly identity: Identity;
  /** bwrap's arguments for the system's part of the tree. */
  readonly system: readonly string[];
  readonly hardLimits: ReadonlyMap<string, number>;
  readonly filter: Buffer | null;
}

const OPEN_FILES = 16_384;

/** Descriptors of the outer process above stderr: the conversation with the gate, bwrap's report, then what is fed. */
export const GATE_FD = 3;
export const STATUS_FD = 4;

/** Joins the groups, makes itself the kernel's first choice when memory runs out, becomes the rest of its arguments. */
export const JOIN = `
while [ "$1" != -- ]; do echo 0 2>/dev/null >"$1/cgroup.procs" || :; shift; done
shift
echo 900 2>/dev/null >/proc/self/oom_score_adj || :
exec "$@"
`;

/**
 * The gate: arguments are its bounds, the directory to start in, the program to look for, and the command. It runs confined. A bound
 * that cannot be set ends it before it is ready. What cannot be started is an ordinary outcome: 127 and a sentence.
 * Processes are counted by -p in dash, by -u in other shells; files are measured in blocks of 512 bytes (POSIX).
 */
const GATE = `
{ ulimit -u "$1" 2>/dev/null || ulimit -p "$1"; } && ulimit -f "$2" && ulimit -n "$3" && ulimit -c 0 || exit 125
cwd=$4 program=$5
shift 5
printf 'ready\\n' >&3
IFS= read -r go <&3 || exit 125
exec 3>&-
cd -- "$cwd" 2>/dev/null || { printf 'agentos: there is no directory %s in the sandbox\\n' "$cwd" >&2; exit 127; }
unset OLDPWD go
case $program in
-*) found= ;;
*) found=$(command -v "$program" 2>/dev/null) ;;
esac
[ -n "$found" ] || { printf 'agentos: there is no program %s on the path %s\\n' "$program" "$PATH" >&2; exit 127; }
unset found cwd program
exec "$@"
`;

export interface CommandLine {
  readonly argv: readonly string[];
  /** What is fed to each descriptor from GATE_FD on; null: nothing, the descriptor is a conversation (GATE_FD) or a report (STATUS_FD). */
  readonly pipes: readonly (string | Buffer | null)[];
}

/** Options end with a NUL each: one inside of a word would be read as further options, and mount what nobody said. */
function joined(words: readonly string[]): string {
  const broken = words.find((word) => word.includes("\0"));
  if (broken !== undefined)
    throw new Failure("input/invalid", `a NUL character stands in ${JSON.stringify(broken.slice(0, 100))}`, {
      next: "Leave it out: no name, no value and no path can hold one.",
    });
  return words.map((word) => `${word}\0`).join("");
}

/** What `setenv` takes; bwrap would end without a word of the variable. */
function variable([name, value]: readonly [string, string]): readonly string[] {
  if (name === "" || name.includes("="))
    throw new Failure("input/invalid", `${JSON.stringify(name.slice(0, 100))} is no name of a variable`, {
      next: "Give it a name without an equals sign.",
    });
  return ["--setenv", name, value];
}

/**
 * The whole command line. bwrap's options travel over descriptors, not as arguments: the environment may hold secrets
 * and a process's arguments are everybody's to read.
 */
export const commandLine = (
  { program, identity, system, hardLimits, filter }: Surroundings,
  command: SandboxCommand,
  variables: Readonly<Record<string, string>>,
  toolchains: readonly string[],
): CommandLine => {
  const pipes: (string | Buffer | null)[] = [null, null];
  const feed = (content: string | Buffer): string => String(GATE_FD + pipes.push(content) - 1);
  const options = (words: readonly string[]): string => feed(joined(words));

  const [bridgeBinds, bridgeArgv] = bridge(command.egressSocket);
  const outer = [
    ...["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--hostname", "agentos"],
    ...["--die-with-parent", "--new-session", "--json-status-fd", String(STATUS_FD)],
    ...system,
    ...syntheticFiles(identity.uid, identity.gid).flatMap(({ inside, content }) => [
      "--perms",
      "0444",
      "--file",
      feed(content),
      inside,
    ]),
    ...commandArguments(command, toolchains),
    ...bridgeBinds,
    ...SEAL,
  ];
  const environment = ["--clearenv", ...Object.entries(variables).flatMap(variable)];
  const confine = [
    ...["--unshare-user", "--disable-userns"],
    ...(filter === null ? [] : ["--seccomp", feed(filter)]),
    ...environment,
  ];
  const gate = [
    ...["/bin/sh", "-c", GATE, "agentos-gate", ...resourceLimits(command.limits, hardLimits)],
    ...[command.cwd, command.argv[0] ?? "", ...bridgeArgv, ...command.argv],
  ];
  if (!identity.drops) {
    return { argv: [program, "--args", options([...outer, ...confine]), "--", ...gate], pipes };
  }
  const { uid, gid } = identity;
  const drop = [
    "setpriv",
    `--reuid=${uid}`,
    `--regid=${gid}`,
    "--clear-groups",
    "--bounding-set=-all",
    "--no-new-privs",
  ];
  const inner = [program, "--args", options(["--dev-bind", "/", "/", ...confine]), "--", ...gate];
  // The confined user's variables must not reach setpriv, which still is root: LD_PRELOAD would be obeyed.
  return { argv: [program, "--args", options([...outer, "--clearenv"]), "--", ...drop, ...inner], pipes };
};

const NODE_INSIDE = "/run/agentos/node";
const BRIDGE_INSIDE = "/run/agentos/bridge.mjs";
const SOCKET_INSIDE = "/run/agentos/egress.sock";

const bridge = (egressSocket: string | null): readonly [binds: readonly string[], argv: readonly string[]] => {
  if (egressSocket === null) return [[], []];
  const source = fileURLToPath(new URL("./bridge.mjs", import.meta.url));
  return [
    [
      ...["--dir", "/run/agentos"],
      ...["--ro-bind", process.execPath, NODE_INSIDE],
      ...["--ro-bind", source, BRIDGE_INSIDE],
      ...["--bind", egressSocket, SOCKET_INSIDE],
    ],
    [NODE_INSIDE, BRIDGE_INSIDE, String(BRIDGE_PORT), SOCKET_INSIDE],
  ];
};

/**
 * Set inside the user namespace, where the kernel counts this sandbox's processes alone and not all of the user's.
 * A bound above our own hard limit cannot be set, and is not needed.
 */
const resourceLimits = (limits: Limits, own: ReadonlyMap<string, number>): readonly string[] => {
  const bounded = (name: string, wanted: number, unit = 1): string =>
    String(Math.floor(Math.min(wanted, own.get(name) ?? wanted) / unit));
  return [
    bounded("Max processes", limits.processes + GATE_PROCESSES),
    bounded("Max file size", limits.fileBytes, BLOCK_BYTES),
    bounded("Max open files", OPEN_FILES),
  ];
};

/** What `ulimit -f` counts in. */
const BLOCK_BYTES = 512;

/** The inner bwrap's waiting parent counts too. */
const GATE_PROCESSES = 1;

/** This process's own hard limits by the names of /proc/self/limits; those without a limit are left out. */
export const ownHardLimits = (): ReadonlyMap<string, number> => {
  const lines = readFileSync("/proc/self/limits", "utf8").split("\n");
  return new Map(
    lines.flatMap((line): [string, number][] => {
      const [, name, hard] = /^(Max [a-z ]+?)\s{2,}\S+\s+(\d+)/.exec(line) ?? [];
      return name === undefined || hard === undefined ? [] : [[name, Number(hard)]];
    }),
  );
};
