import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { Failure } from "../../domain/failure.ts";

export interface Person {
  readonly uid: number;
  readonly gid: number;
}

/** One program, run to its end. */
export interface Program {
  readonly words: readonly [string, ...string[]];
  readonly cwd: string;
  /** Beside what all programs of a starter have. */
  readonly environment: Readonly<Record<string, string>>;
  readonly input: Buffer;
  /** Files it creates are 0644 and 0755 whatever the daemon's umask is. */
  readonly plainModes: boolean;
  /** Whom it runs as; null: as the daemon. */
  readonly person: Person | null;
  /** A process group of its own, ended as a whole. */
  readonly ownGroup: boolean;
  readonly timeoutMs: number;
  /** Takes its output, piece by piece. False: enough, the program is ended. What it throws ends the program, and is what the run throws. */
  onOutput(piece: Buffer): boolean;
}

export interface Ended {
  /** null: a signal, ours at the time limit or when there was enough. */
  readonly code: number | null;
  readonly stderr: string;
}

/** Runs a program to its end. One that is not there is `Failure("doctor/unready")`, a directory that is not `Failure("repo/refused")`. */
export type Starter = (program: Program) => Promise<Ended>;

/** The code with which a shell says that there is no such program, or no such directory to run it in. */
export const NOT_FOUND = 127;
const STDERR_BYTES_MAX = 65_536;

/** What is known of a running program, whoever started it. */
export interface Running {
  out(piece: Buffer): void;
  err(piece: Buffer): void;
  ended(code: number | null): void;
  failed(error: unknown): void;
  readonly result: Promise<Ended>;
}

/** @param end ends the program at once; called more than once at times */
export function running(program: Program, end: () => void): Running {
  const { promise: result, resolve, reject } = Promise.withResolvers<Ended>();
  const timer = setTimeout(end, program.timeoutMs);
  let stderr = "";
  let enough = false;
  let thrown: { readonly error: unknown } | null = null;
  return {
    result,
    out(piece) {
      if (enough || piece.length === 0) return;
      try {
        enough = !program.onOutput(piece);
      } catch (error) {
        enough = true;
        thrown = { error };
      }
      if (enough) end();
    },
    err(piece) {
      if (stderr.length < STDERR_BYTES_MAX) stderr += piece.toString("utf8");
    },
    ended(code) {
      clearTimeout(timer);
      if (thrown !== null) reject(thrown.error);
      else resolve({ code, stderr });
    },
    failed(error) {
      clearTimeout(timer);
      reject(error);
    },
  };
}

/** Programs as children of this process: any of them, anywhere, at the price of a fork of all its memory. */
export function forked(environment: Readonly<Record<string, string>>): Starter {
  return (program) => {
    const [first, ...rest] = program.plainModes
      ? (["sh", "-c", 'umask 022 && exec "$@"', "sh", ...program.words] as const)
      : program.words;
    const child = spawn(first, rest, {
      cwd: program.cwd,
      env: { ...environment, ...program.environment },
      stdio: ["pipe", "pipe", "pipe"],
      detached: program.ownGroup,
      ...(program.person ?? {}),
    });
    const run = running(program, () => {
      if (program.ownGroup && child.pid !== undefined && child.exitCode === null) endGroup(child.pid);
      else child.kill("SIGKILL");
    });
    child.stdout.on("data", run.out);
    child.stderr.on("data", run.err);
    // A process that ended early closes its input; its exit code tells the story.
    child.stdin.on("error", () => {});
    child.stdin.end(program.input);
    child.on("error", (error: NodeJS.ErrnoException) =>
      run.failed(error.code === "ENOENT" && error.path !== undefined ? missing(program, error.path, error) : error),
    );
    child.on("close", run.ended);
    return run.result;
  };
}

export function endGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    // All of it ended in this very moment.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** The system says the same of a program that is not there and of a directory that it cannot run in. */
export const missing = (program: Pick<Program, "cwd">, path: string, cause: unknown): Error =>
  isEnterable(program.cwd)
    ? new Failure("doctor/unready", `${path} could not be started: it does not exist`, {
        next: "Install git 2.38 or newer and coreutils, for example: apt install git coreutils",
        cause,
      })
    : new Failure("repo/refused", `${program.cwd} is not there, or cannot be entered`, {
        next: "Put the directory back. A linked working tree that is gone for good: git worktree prune, after git worktree unlock where it is locked.",
        cause,
      });

function isEnterable(directory: string): boolean {
  try {
    accessSync(`${directory}/.`, constants.X_OK);
    return true;
  } catch {
    return false; // whatever the reason, nothing can be run there
  }
}
