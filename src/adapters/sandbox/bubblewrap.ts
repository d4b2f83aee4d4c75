import { homedir, userInfo } from "node:os";
import { checkWords } from "../../domain/command-words.ts";
import { Failure } from "../../domain/failure.ts";
import type {
  Limits,
  RunCommand,
  Sandbox,
  SandboxCommand,
  SandboxOutcome,
  SandboxSession,
  SessionCommand,
} from "../../ports/sandbox.ts";
import { type CommandLine, commandLine, ownHardLimits, type Surroundings } from "./command-line.ts";
import { type ControlGroups, openControlGroups } from "./control-groups.ts";
import { environmentDigest, variablesFor } from "./environment.ts";
import { checkMounts, systemArguments, systemProgram } from "./file-system.ts";
import { watchLife } from "./life.ts";
import { findProgram, sandboxMissing } from "./missing.ts";
import { captured, type Listener, type LiveOutput, liveFile, outputPipes, recordOutput, streamed } from "./output.ts";
import { endOrphans } from "./owner.ts";
import { endProcess, treeResidentBytes } from "./process-tree.ts";
import { syscallFilter } from "./seccomp.ts";
import { selfTest } from "./self-test.ts";
import { type Spoken, spoken } from "./spoken.ts";
import { start } from "./start.ts";
import { toolchainsOn } from "./toolchains.ts";

export interface BubblewrapOptions {
  /** The user that confined commands run as when the daemon is root; a uid that owns nothing else. */
  readonly agentUid?: number;
  /** Directories that no toolchain may uncover: the person's home (always) and, say, AGENTOS_HOME. */
  readonly privateDirectories?: readonly string[];
  /** Where TZ, NODE_EXTRA_CA_CERTS and SSL_CERT_FILE are taken from; nothing else is. */
  readonly hostEnvironment?: Readonly<Record<string, string | undefined>>;
  /** The bwrap program; found in the system's directories when not given. */
  readonly program?: string;
  /** Control groups are used where this user may; false: the watchdog alone bounds memory. */
  readonly controlGroups?: boolean;
}

/**
 * The sandbox on Linux: bubblewrap. As root it drops in two stages: the outer bwrap mounts with root's eyes (so a
 * workspace below a 0700 directory works), setpriv becomes `agentUid`, and an inner bwrap takes away user namespaces.
 * As an ordinary user one bwrap does both.
 *
 * How a command starts, and why nothing can be left behind at any instant of it:
 * 1. A shell joins the control groups and becomes the outer bwrap, which dies with this process (parent death signal).
 * 2. bwrap reports the pid namespace's init, builds the sandbox and starts a gate (a shell) as the confined user. The
 *    gate says "ready" and waits for "go" on its own socket. If we die before "go", the gate reads end-of-file and exits.
 * 3. Only now is the process announced (`onStart`), and only then does the gate become the command.
 * 4. Killing the init kills everybody in its namespace; `run` settles when the kernel has taken the init away.
 */
export const bubblewrapSandbox = (options: BubblewrapOptions = {}): Sandbox => {
  const uid = process.getuid?.() ?? 0;
  const agentUid = options.agentUid ?? AGENT_UID;
  const drops = uid === 0;
  const identity = drops ? { uid: agentUid, gid: agentUid, drops } : { uid, gid: process.getgid?.() ?? uid, drops };
  let surroundings: Surroundings | null = null;
  const box: Box = {
    surroundings: () => {
      if (surroundings !== null) return surroundings;
      endOrphans();
      surroundings = {
        program: options.program ?? findProgram(),
        identity,
        system: systemArguments(),
        hardLimits: ownHardLimits(),
        filter: syscallFilter(process.arch),
      };
      return surroundings;
    },
    privateDirectories: [...homes(), ...(options.privateDirectories ?? [])],
    hostEnvironment: options.hostEnvironment ?? {},
    openGroups: (limits) => (options.controlGroups === false ? null : openControlGroups(limits)),
    pipes: outputPipes(),
  };
  const runHere: Sandbox["run"] = (command: RunCommand, signal) =>
    run(box, command, () => liveFile(command.outputFile), signal);
  return {
    run: runHere,
    open: (command, signal) => openSession(box, command, signal),
    systemProgram,
    reap: endProcess,
    owner: () => (drops ? { uid: identity.uid, gid: identity.gid } : null),
    selfTest: async () => selfTest(runHere, box.surroundings()),
  };
};

/** By account and by HOME, which may differ; a user without an account has perhaps neither. */
const homes = (): readonly string[] =>
  [() => userInfo().homedir, homedir].flatMap((home) => {
    try {
      return [home()];
    } catch {
      return []; // No account and no HOME: there is no home that a toolchain could uncover.
    }
  });

const AGENT_UID = 59_999;
const WATCH_MS = 200;

interface Box {
  /** Found at the first use, so that making a sandbox needs none; throws `sandbox/missing`. */
  readonly surroundings: () => Surroundings;
  readonly privateDirectories: readonly string[];
  readonly hostEnvironment: Readonly<Record<string, string | undefined>>;
  readonly openGroups: (limits: Limits) => ControlGroups | null;
  readonly pipes: ReturnType<typeof outputPipes>;
}

/** Both ends of what is said, and the outcome of a process that has them for stdin and stdout. */
const openSession = (box: Box, command: SessionCommand, signal: AbortSignal): SandboxSession => {
  const said = spoken();
  const heard = streamed();
  let stdoutBytes = 0;
  const talk: Talk = {
    said,
    heard: {
      take: (chunk) => {
        stdoutBytes += chunk.length;
        return heard.take(chunk);
      },
    },
    over: heard.over,
  };
  const told: LiveOutput = {
    place: "the data directory",
    write: async (chunk) => command.onStderr(chunk),
    close: async () => undefined,
  };
  const outcome = run(box, command, async () => told, signal, talk)
    .then(({ stdout: _, ...rest }) => ({ ...rest, stdoutBytes }))
    .finally(() => {
      said.gone();
      heard.end();
    });
  return { input: said.stream, output: heard.stream, outcome };
};

interface Talk {
  readonly said: Spoken;
  readonly heard: Listener;
  /** Nothing of it is alive: what it said last is waited for by nobody. */
  over(): void;
}

const run = async (
  box: Box,
  command: SandboxCommand,
  openLive: () => Promise<LiveOutput>,
  signal: AbortSignal,
  talk: Talk | null = null,
): Promise<SandboxOutcome> => {
  checkMounts(command);
  checkWords(command.argv);
  const toolchains = toolchainsOn(command.toolPath, box.privateDirectories);
  const variables = variablesFor(command, toolchains.path, toolchains.variables, box.hostEnvironment);
  const digest = environmentDigest(command, variables);
  const line = commandLine(box.surroundings(), command, variables, toolchains.binds);
  if (signal.aborted) return { ...NEVER_STARTED, environmentDigest: digest };

  const live = await openLive();
  const groups = box.openGroups(command.limits);
  try {
    for (let builds = 1; ; builds += 1) {
      const confined = await runConfined(box, command, signal, line, groups, live, talk);
      if (confined.kind === "ran") return { ...confined.outcome, environmentDigest: digest };
      // Somebody ended it before anything of the command had begun. Of a conversation the beginning may have been said already.
      if (!confined.killed || talk !== null || builds === BUILDS_MAX)
        throw sandboxMissing(`bubblewrap could not build a sandbox: ${confined.why}`);
    }
  } finally {
    await groups?.remove();
    await live.close();
  }
};

const BUILDS_MAX = 3;

const NEVER_STARTED = {
  exitCode: null,
  signal: null,
  endedBy: "cancel",
  stdout: captured([]),
  stderr: captured([]),
  durationMs: 0,
} as const;

type Confined =
  | { readonly kind: "ran"; readonly outcome: Omit<SandboxOutcome, "environmentDigest"> }
  /** It came to nothing by itself or was `killed`; the command had not begun. */
  | { readonly kind: "not built"; readonly killed: boolean; readonly why: string };

/** Nothing is thrown and nothing returned before every process of the command is gone. */
const runConfined = async (
  box: Box,
  command: SandboxCommand,
  signal: AbortSignal,
  line: CommandLine,
  groups: ControlGroups | null,
  live: LiveOutput,
  talk: Talk | null,
): Promise<Confined> => {
  const { limits, stall, onStart } = command;
  const pipes = await box.pipes.borrow();
  const started = start(line, groups?.directories ?? [], pipes, talk !== null);
  if (started.stdin !== null) talk?.said.to(started.stdin);

  const bound: { endedBy: SandboxOutcome["endedBy"]; trouble: { readonly error: unknown } | null } = {
    endedBy: "itself",
    trouble: null,
  };
  const end = (endedBy: SandboxOutcome["endedBy"]): void => {
    if (bound.endedBy === "itself") bound.endedBy = endedBy;
    started.end();
  };
  const fail = (error: unknown): void => {
    bound.trouble ??= { error };
    started.end();
  };
  const onStall = (quietMs: number): void => {
    stall?.onStall(quietMs);
    if (stall?.ends === true) end("stall");
  };
  const onAbort = (): void => end("cancel");
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  const wall = setTimeout(() => end("time"), limits.wallMs);
  let outputBytes = 0;
  const recording = recordOutput(
    pipes,
    live,
    limits.outputBytes,
    () => end("output"),
    (error) => fail(storageFailure(live.place, error)),
    (bytes) => {
      outputBytes += bytes;
    },
    talk?.heard ?? null,
  );

  let watch: NodeJS.Timeout | undefined;
  let unwatch = (): void => {};
  let startedAt = performance.now();
  const init = await started.ready;
  const open = init !== null && bound.endedBy === "itself" && bound.trouble === null;
  if (open) {
    const usedUp = memoryWatch(groups, init.pid, limits);
    watch = setInterval(() => usedUp() && end("memory"), WATCH_MS);
    try {
      onStart(init);
      startedAt = performance.now();
      started.go();
      if (stall !== null) unwatch = watchLife(init.pid, { ...stall, onStall }, () => outputBytes);
    } catch (error) {
      fail(error);
    }
  }

  const exit = await started.gone;
  talk?.over();
  const durationMs = Math.round(performance.now() - startedAt);
  clearInterval(watch);
  unwatch();
  clearTimeout(wall);
  signal.removeEventListener("abort", onAbort);
  const recorded = await recording;
  await pipes.giveBack();

  if (bound.trouble !== null) throw bound.trouble.error;
  // The kernel may have ended a process between two looks, and the command may have gone on without it.
  if (bound.endedBy === "itself" && groups !== null && groups.memoryKills() > 0) bound.endedBy = "memory";
  if (bound.endedBy === "itself" && !open) {
    const said = Buffer.from(recorded.stderr.bytes).toString("utf8").trim().split("\n")[0];
    const why = said || `it ended with ${exit.exitCode ?? exit.signal}`;
    return { kind: "not built", killed: exit.signal !== null, why };
  }
  const ended = bound.endedBy === "itself" ? exit : KILLED;
  return { kind: "ran", outcome: { ...ended, endedBy: bound.endedBy, ...recorded, durationMs } };
};

const KILLED = { exitCode: null, signal: "SIGKILL" } as const;

/** Asked every WATCH_MS: has the command used up its memory? By the kernel's count where it keeps one, else by ours. */
const memoryWatch = (groups: ControlGroups | null, initPid: number, limits: Limits): (() => boolean) => {
  if (groups?.holdsMemoryOf(initPid)) return () => groups.memoryKills() > 0;
  return () => treeResidentBytes(initPid, limits.memoryBytes) > limits.memoryBytes;
};

const storageFailure = (path: string, error: unknown): unknown => {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new Failure("store/full", `There is no room for the output of the command in ${path}.`, { cause: error });
};

/** argv which, run in the sandbox, prints the kernel's lines about the mount at `inside`. */
export const mountWitnessArgv = (inside: string): string[] => [
  "/bin/grep",
  "-F",
  "-e",
  ` ${inMountTable(inside)} `,
  "/proc/self/mountinfo",
];

/** The line of the mount table that is in force at `inside` (the last one), or null when nothing is mounted there. */
export const parseMountWitness = (stdout: string, inside: string): { line: string; readOnly: boolean } | null => {
  const wanted = inMountTable(inside);
  const line = stdout
    .split("\n")
    .filter((candidate) => candidate.split(" ")[4] === wanted)
    .at(-1);
  return line === undefined ? null : { line, readOnly: line.split(" ")[5]?.split(",").includes("ro") ?? false };
};

/** The kernel writes space, tab, newline and backslash of a path as octal. */
const inMountTable = (path: string): string =>
  path.replaceAll(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
