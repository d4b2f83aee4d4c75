/** A directory or file of the host as the confined command sees it. */
export interface Mount {
  readonly host: string;
  readonly inside: string;
  readonly access: "read" | "write";
}

/** A private, bounded, empty file system at a path inside. */
export interface Scratch {
  readonly inside: string;
  readonly bytesMax: number;
}

export interface Limits {
  readonly wallMs: number;
  readonly memoryBytes: number;
  readonly processes: number;
  /** stdout and stderr together; past it the command is ended. */
  readonly outputBytes: number;
  /** The largest file the command may write. */
  readonly fileBytes: number;
}

/** A command without a sign of life: no output, hardly any processor time, nothing written, no process come or gone. */
export interface StallWatch {
  readonly afterMs: number;
  /** Whether it is ended then. */
  readonly ends: boolean;
  /** Told once, with how long it has been quiet. */
  readonly onStall: (quietMs: number) => void;
}

/** A process of ours that can be told from a stranger with the same pid. */
export interface ProcessMark {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat: clock ticks since boot. */
  readonly startTicks: number;
  readonly bootId: string;
}

export interface SandboxCommand {
  readonly argv: readonly string[];
  /** Absolute path inside the sandbox. */
  readonly cwd: string;
  readonly mounts: readonly Mount[];
  readonly scratches: readonly Scratch[];
  /** Added to the built environment; nothing is inherited from the daemon. */
  readonly environment: Readonly<Record<string, string>>;
  /** The person's PATH, recorded at binding: directories on the host, in order. */
  readonly toolPath: readonly string[];
  /** Host path of the egress proxy's unix socket, or null: no network at all. */
  readonly egressSocket: string | null;
  readonly limits: Limits;
  /** Null: nobody asks whether it stalls. */
  readonly stall: StallWatch | null;
  /** Called once the process exists, before its outcome is known. */
  readonly onStart: (mark: ProcessMark) => void;
}

/** A command that is run to its end. */
export interface RunCommand extends SandboxCommand {
  /** Host file that live output (stdout and stderr as they come) is appended to; created 0600 when missing. */
  readonly outputFile: string;
}

/** A command that is talked with. */
export interface SessionCommand extends SandboxCommand {
  /** Told its stderr as it comes, up to the bound on output: whoever writes it down takes out first what must not be read there. */
  readonly onStderr: (chunk: Uint8Array) => void;
}

export interface Captured {
  /** At most `limits.outputBytes` bytes. */
  readonly bytes: Uint8Array;
  /** Hex SHA-256 of exactly these bytes. */
  readonly sha256: string;
}

export interface SandboxOutcome {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Which bound ended it, when a bound did. */
  readonly endedBy: "itself" | "time" | "memory" | "output" | "stall" | "cancel";
  readonly stdout: Captured;
  readonly stderr: Captured;
  readonly durationMs: number;
  /** Hex SHA-256 over the stable part of the environment: variables, mounts as seen inside, limits. No host paths. */
  readonly environmentDigest: string;
}

export interface SandboxReport {
  readonly name: string;
  readonly version: string;
  /** Plain sentences: what was tried and seen. */
  readonly checks: readonly string[];
}

/** How a conversation ended. What the process said on stdout went to whoever listened; none of it is kept here. */
export interface SessionOutcome extends Omit<SandboxOutcome, "stdout"> {
  readonly stdoutBytes: number;
}

/** A process that is talked with. */
export interface SandboxSession {
  /** Its stdin. Writing to a process that is gone is an error of that write; closing gives it end-of-file. */
  readonly input: WritableStream<Uint8Array>;
  /** Its stdout as it comes, to its end; who stops listening does not stop it. */
  readonly output: ReadableStream<Uint8Array>;
  /** Settles when none of its processes is alive, whoever still listens. Fails as `run` does. */
  readonly outcome: Promise<SessionOutcome>;
}

/**
 * Contract: a command run here can write only below mounts with access `write` and its scratches, reads only what is
 * mounted and the system's own programs, has no network but the egress socket, no privilege and no way to the daemon's
 * processes; when `run` settles, none of its processes is alive, whatever it forked. Aborting ends it at once
 * (`endedBy: "cancel"`). If the daemon dies, all of them die. A command that cannot be started at all (no such program)
 * is an outcome (exit code 127), not an error; words that no system starts (a NUL in one, one of 128 KiB) are
 * `Failure("input/invalid")`, and nothing of them is started. No working sandbox: `Failure("sandbox/missing")` naming what to install.
 * All of this holds for `open` as it does for `run`, but for stdout: it is handed on as it comes, a slow listener slows the process, and
 * the bound on output counts stderr alone, which is told as it comes and written nowhere.
 */
export interface Sandbox {
  /** One command that must work, one write, one read and one packet that must fail. Throws `sandbox/missing`. */
  selfTest(): Promise<SandboxReport>;
  run(command: RunCommand, signal: AbortSignal): Promise<SandboxOutcome>;
  /** Starts one command and returns as soon as it can be talked with. */
  open(command: SessionCommand, signal: AbortSignal): SandboxSession;
  /**
   * Where the absolute path of a program leads inside, known without starting anything because the system's own directories are there as
   * on the host, read-only. Null: it is none of those, so only a command inside can tell.
   */
  systemProgram(path: string): string | null;
  /** Ends what a dead daemon left, if pid, start time and boot are still the same process; says whether one was. */
  reap(mark: ProcessMark): Promise<boolean>;
  /** The uid and gid that workspaces must belong to so that confined commands can write them; null: the daemon's own. */
  owner(): { readonly uid: number; readonly gid: number } | null;
}
