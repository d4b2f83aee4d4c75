import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { Failure } from "../../domain/failure.ts";
import { startedByShells } from "./kept-shell.ts";
import type { Ended, Person, Program } from "./program.ts";

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
  /** Runs to the end, whatever its exit code; `onOutput` takes the output piece by piece, and what it throws ends git. */
  read(args: readonly string[], call: GitCall, onOutput: (piece: Buffer) => void): Promise<Ended>;
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

/** What every call has. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
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
  ...configured(HARDENED, 0),
};

/** Configuration as git takes it from its environment, numbered from `first`. */
function configured(config: readonly (readonly [string, string])[], first: number): Record<string, string> {
  const pairs = config.flatMap(([key, value], at) => [
    [`GIT_CONFIG_KEY_${first + at}`, key],
    [`GIT_CONFIG_VALUE_${first + at}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(first + config.length), ...Object.fromEntries(pairs) };
}

function environmentOf(call: GitCall): Record<string, string> {
  const environment: Record<string, string> = { GIT_DIR: call.gitDir ?? "/dev/null" };
  if (call.config !== undefined) Object.assign(environment, configured(call.config, HARDENED.length));
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

const programOf = (args: readonly string[], call: GitCall, onOutput: Program["onOutput"]): Program => ({
  words:
    call.diesWithUs === true && process.platform === "linux"
      ? ["setpriv", "--pdeathsig", "KILL", "git", ...args]
      : ["git", ...args],
  cwd: call.workTree ?? call.gitDir ?? "/",
  environment: environmentOf(call),
  input: Buffer.from(call.input ?? ""),
  plainModes: call.plainModes === true,
  person: call.as ?? null,
  ownGroup: call.ownGroup === true,
  timeoutMs: call.timeoutMs ?? TIMEOUT_MS,
  onOutput,
});

export function hardenedGit(path: string = SYSTEM_PATH): Git {
  const start = startedByShells({ PATH: path, ...ENVIRONMENT });

  const run = async (args: readonly string[], call: GitCall): Promise<GitAnswer> => {
    const most = call.outputBytesMax ?? OUTPUT_BYTES_MAX;
    const pieces: Buffer[] = [];
    let bytes = 0;
    const ended = await start(
      programOf(args, call, (piece) => {
        pieces.push(piece);
        bytes += piece.length;
        return bytes <= most;
      }),
    );
    const stdout = Buffer.concat(pieces);
    if (bytes > most) {
      if (call.cut !== true) throw new Error(`git ${args.join(" ")} wrote more than ${most} bytes`);
      return { code: ended.code ?? -1, stderr: ended.stderr, stdout: stdout.subarray(0, most), cut: true };
    }
    if (ended.code === 0 || (ended.code !== null && call.answers?.includes(ended.code)))
      return { code: ended.code, stderr: ended.stderr, stdout, cut: false };
    if (call.gitDir !== null) await refuseWhenFull(call.objects ?? call.gitDir);
    throw new GitError(args, ended.code, ended.stderr);
  };

  return {
    run,
    read: (args, call, onOutput) =>
      start(
        programOf(args, call, (piece) => {
          onOutput(piece);
          return true;
        }),
      ),
    line: async (args, call) => (await run(args, call)).stdout.toString("utf8").trim(),
    sync: async (at) => {
      const { code, stderr } = await start({
        words: process.platform === "linux" ? ["sync", "-f", at] : ["sync"],
        cwd: "/",
        environment: {},
        input: Buffer.alloc(0),
        plainModes: false,
        person: null,
        ownGroup: false,
        timeoutMs: TIMEOUT_MS,
        onOutput: () => true,
      });
      if (code !== 0) throw Object.assign(new Error(`sync -f ${at} ended with ${code}: ${stderr}`), { code: "EIO" });
    },
  };
}

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
