import { type ChildProcess, spawn } from "node:child_process";
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { Failure } from "../../domain/failure.ts";

export interface Person {
  readonly uid: number;
  readonly gid: number;
}

/** Everything a git process gets. Nothing is inherited: what is not here does not exist for it. */
export interface GitCall {
  /** Explicit, so that git neither searches for a repository nor asks who owns it; null: a call without repository. */
  readonly gitDir: string | null;
  readonly workTree?: string;
  readonly index?: string;
  /** Where new objects go, when not into the git directory's own. */
  readonly objects?: string;
  readonly alternates?: readonly string[];
  readonly config?: readonly (readonly [string, string])[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  /** Exit codes besides 0 that are an answer. */
  readonly answers?: readonly number[];
  readonly outputBytesMax?: number;
  /** At the bound: stop reading and return what came, instead of failing. */
  readonly cut?: boolean;
  readonly timeoutMs?: number;
  /** Runs as the repository's owner: a root daemon leaves no root-owned files in a person's repository. */
  readonly as?: Person | null;
  /** Files git creates are 0644 and 0755 whatever the daemon's umask is. */
  readonly plainModes?: boolean;
  /** The process dies with the daemon: for calls that write where a restarted daemon would go on. */
  readonly diesWithUs?: boolean;
  /** A process group of its own, ended as a whole: network git leaves the talking to children that outlive it. */
  readonly ownGroup?: boolean;
}

export interface GitAnswer {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly cut: boolean;
}

export interface Git {
  /** Runs to the end; an exit code that is no answer throws `GitError`. */
  run(args: readonly string[], call: GitCall): Promise<GitAnswer>;
  /** `run`, as trimmed text. */
  line(args: readonly string[], call: GitCall): Promise<string>;
  /** A process to talk to; the caller ends it. */
  start(args: readonly string[], call: GitCall): ChildProcess;
  /** Makes all that was written to the file system of `path` durable. */
  sync(path: string): Promise<void>;
}

/** Git said no. The message is for the log; nothing branches on it. */
export class GitError extends Error {
  readonly code: number | null;
  readonly stderr: string;
  constructor(args: readonly string[], code: number | null, stderr: string) {
    super(`git ${args.slice(0, 6).join(" ")} ended with ${code ?? "a signal"}: ${stderr.trim().slice(0, 2000)}`);
    this.name = "GitError";
    this.code = code;
    this.stderr = stderr;
  }
}

const OUTPUT_BYTES_MAX = 512 * 1024 * 1024;
const TIMEOUT_MS = 15 * 60 * 1000;
const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin:/run/current-system/sw/bin";

/**
 * Said on each call, stronger than any file: nothing named in a repository's own configuration is run. Drivers with names
 * of their own (filter.*, diff.*, merge.*) cannot be listed here; against them, calls that touch content get a git
 * directory of ours, whose configuration names none (see source.ts).
 */
const HARDENED: readonly (readonly [string, string])[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.untrackedCache", "false"],
  ["core.splitIndex", "false"],
  ["core.attributesFile", "/dev/null"],
  ["core.excludesFile", "/dev/null"],
  ["core.pager", "cat"],
  ["core.editor", "false"],
  ["core.askPass", ""],
  ["core.sshCommand", "false"],
  ["core.alternateRefsCommand", "true"],
  ["credential.helper", ""],
  ["core.quotePath", "false"],
  ["core.autocrlf", "false"],
  ["core.safecrlf", "false"],
  ["core.fileMode", "true"],
  ["core.symlinks", "true"],
  ["core.ignoreCase", "false"],
  ["core.protectHFS", "true"],
  ["core.protectNTFS", "true"],
  // Durability is one syncfs per boundary; git's own fsyncs keep less and cost more.
  ["core.fsync", "none"],
  ["core.looseCompression", "1"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["protocol.allow", "never"],
  ["submodule.recurse", "false"],
  ["fetch.recurseSubmodules", "false"],
  ["commit.gpgSign", "false"],
  ["log.showSignature", "false"],
  ["diff.renames", "false"],
  ["index.sparse", "false"],
];

export const AGENTOS = { name: "AgentOS", email: "agentos@localhost" } as const;

function environmentOf(call: GitCall, path: string): Record<string, string> {
  const config = [...HARDENED, ...(call.config ?? [])];
  const environment: Record<string, string> = {
    PATH: path,
    LC_ALL: "C",
    TZ: "UTC",
    HOME: "/nonexistent",
    XDG_CONFIG_HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "false",
    GIT_SSH_COMMAND: "false",
    GIT_EDITOR: "false",
    GIT_PAGER: "cat",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_LAZY_FETCH: "1",
    // A repository can carry refs/replace and grafts that make one commit read as another.
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_GRAFT_FILE: "/dev/null",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_COMMITTER_NAME: AGENTOS.name,
    GIT_COMMITTER_EMAIL: AGENTOS.email,
    GIT_AUTHOR_NAME: AGENTOS.name,
    GIT_AUTHOR_EMAIL: AGENTOS.email,
    GIT_DIR: call.gitDir ?? "/dev/null",
    GIT_CONFIG_COUNT: String(config.length),
  };
  for (const [at, [key, value]] of config.entries()) {
    environment[`GIT_CONFIG_KEY_${at}`] = key;
    environment[`GIT_CONFIG_VALUE_${at}`] = value;
  }
  if (call.workTree !== undefined) environment["GIT_WORK_TREE"] = call.workTree;
  if (call.index !== undefined) environment["GIT_INDEX_FILE"] = call.index;
  if (call.objects !== undefined) environment["GIT_OBJECT_DIRECTORY"] = call.objects;
  if (call.alternates !== undefined && call.alternates.length > 0) {
    environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = call.alternates
      .map((directory) => `"${directory.replace(/["\\]/g, "\\$&")}"`)
      .join(":");
  }
  return { ...environment, ...call.environment };
}

function commandOf(args: readonly string[], call: GitCall): readonly [string, ...string[]] {
  const git = ["git", ...args];
  const mortal =
    call.diesWithUs === true && process.platform === "linux" ? ["setpriv", "--pdeathsig", "KILL", ...git] : git;
  const [program, ...rest] =
    call.plainModes === true ? ["sh", "-c", 'umask 022 && exec "$@"', "sh", ...mortal] : mortal;
  if (program === undefined) throw new Error("a command has a program");
  return [program, ...rest];
}

export function hardenedGit(path: string = SYSTEM_PATH): Git {
  const start = (args: readonly string[], call: GitCall): ChildProcess => {
    const [program, ...rest] = commandOf(args, call);
    return spawn(program, rest, {
      cwd: call.workTree ?? call.gitDir ?? "/",
      env: environmentOf(call, path),
      stdio: ["pipe", "pipe", "pipe"],
      detached: call.ownGroup === true,
      ...(call.as ? { uid: call.as.uid, gid: call.as.gid } : {}),
    });
  };

  const run = async (args: readonly string[], call: GitCall): Promise<GitAnswer> => {
    const answer = await finish(start(args, call), call);
    if (answer.code === 0 || answer.cut || call.answers?.includes(answer.code ?? -1))
      return { ...answer, code: answer.code ?? -1 };
    if (call.gitDir !== null) await refuseWhenFull(call.objects ?? call.gitDir);
    throw new GitError(args, answer.code, answer.stderr);
  };

  return {
    start,
    run,
    line: async (args, call) => (await run(args, call)).stdout.toString("utf8").trim(),
    sync: async (at) => {
      const child = spawn("sync", process.platform === "linux" ? ["-f", at] : [], {
        env: { PATH: path, LC_ALL: "C" },
        stdio: ["pipe", "pipe", "pipe"],
      });
      const answer = await finish(child, {});
      if (answer.code !== 0)
        throw Object.assign(new Error(`sync -f ${at} ended with ${answer.code}: ${answer.stderr}`), { code: "EIO" });
    },
  };
}

type Bounds = Pick<GitCall, "input" | "outputBytesMax" | "cut" | "timeoutMs" | "ownGroup">;

function finish(
  child: ChildProcess,
  bounds: Bounds,
): Promise<Omit<GitAnswer, "code"> & { readonly code: number | null }> {
  const most = bounds.outputBytesMax ?? OUTPUT_BYTES_MAX;
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    let outBytes = 0;
    let stderr = "";
    let cut = false;
    const kill = (): void => {
      if (bounds.ownGroup === true && child.pid !== undefined && child.exitCode === null) killGroup(child.pid);
      else child.kill("SIGKILL");
    };
    const timer = setTimeout(kill, bounds.timeoutMs ?? TIMEOUT_MS);
    child.stdout?.on("data", (chunk: Buffer) => {
      if (cut) return;
      out.push(chunk);
      outBytes += chunk.length;
      if (outBytes > most) {
        cut = true;
        kill();
      }
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      if (stderr.length < 65536) stderr += chunk.toString("utf8");
    });
    // A process that ended early closes its input; its exit code tells the story.
    child.stdin?.on("error", () => {});
    child.stdin?.end(bounds.input ?? "");
    child.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(error.code === "ENOENT" && error.path !== undefined ? missingProgram(error) : error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      if (cut && bounds.cut !== true)
        return reject(new Error(`${child.spawnargs.join(" ")} wrote more than ${most} bytes`));
      const stdout = Buffer.concat(out);
      resolve({ code, stdout: cut ? stdout.subarray(0, most) : stdout, stderr, cut });
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // All of it ended in this very moment.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

const missingProgram = (error: NodeJS.ErrnoException): Error =>
  new Failure(
    "doctor/unready",
    `${error.path} could not be started: it (or the directory it should run in) does not exist`,
    {
      next: "Install git 2.38 or newer and coreutils, for example: apt install git coreutils",
      cause: error,
    },
  );

/** More than a byte: another task may just have given up its reserve, to write down that it waits. */
const FULL_BYTES = 3 * 1024 ** 2;

/** Whether the disk is full is asked of the file system, not read out of git's message. */
async function refuseWhenFull(path: string): Promise<void> {
  const at = await statfs(path).catch(() => statfs(dirname(path)).catch(() => null));
  if (at === null) return;
  const noInodes = at.files > 0 && at.ffree < 16;
  if (at.bavail * at.bsize < FULL_BYTES || noInodes)
    throw new Failure("store/full", `there is no space left on the file system of ${path}`, {
      next: "Free some space and resume the task.",
    });
}
