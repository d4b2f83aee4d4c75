import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, constants, openSync } from "node:fs";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Captured } from "../../ports/sandbox.ts";

export interface Recorded {
  readonly stdout: Captured;
  readonly stderr: Captured;
}

/**
 * Reads both streams to their end: every byte up to the bound goes to the live file as it comes and into its own
 * buffer. Reading waits for the file, so a fast command waits for a slow disk instead of filling our memory.
 * `onPastBound` is called once when more than `bytesMax` came; `onTrouble` once when the file cannot be written.
 * After either, what still comes is read and dropped, because a full pipe would keep the writer from ending.
 */
export const recordOutput = async (
  pipes: OutputPipes,
  file: FileHandle,
  bytesMax: number,
  onPastBound: () => void,
  onTrouble: (error: unknown) => void,
): Promise<Recorded> => {
  let room = bytesMax;
  let dropping = false;
  const record = async (stream: Socket): Promise<Captured> => {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        if (dropping) continue;
        const kept = chunk.subarray(0, room);
        room -= kept.length;
        chunks.push(kept);
        if (kept.length < chunk.length) {
          dropping = true;
          onPastBound();
        }
        try {
          await file.appendFile(kept);
        } catch (error) {
          dropping = true;
          onTrouble(error);
        }
      }
    } catch (error) {
      onTrouble(error);
    }
    return captured(chunks);
  };
  const [stdout, stderr] = await Promise.all([record(pipes.stdout.read), record(pipes.stderr.read)]);
  return { stdout, stderr };
};

export const captured = (chunks: readonly Uint8Array[]): Captured => {
  const bytes = Buffer.concat(chunks);
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
};

/** The live file, 0600, never through a link that somebody left in its place. */
export const openLiveFile = (path: string): Promise<FileHandle> =>
  open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);

/** One stream of a command: the writing end is a descriptor for the child, the reading end ours. */
export interface OutputPipe {
  readonly writeFd: number;
  readonly read: Socket;
  /** To be called once the child has its copy: only then can the reading end come to an end. */
  closeWriteEnd(): void;
}

export interface OutputPipes {
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
}

/**
 * Node gives children sockets as stdout and stderr, and `echo … > /dev/stderr` fails on a socket (ENXIO). Test suites
 * do that. So the streams are real pipes: FIFOs without a name, which this pool keeps as O_PATH handles (neither
 * reader nor writer) and opens afresh through /proc/self/fd for every command.
 */
export const outputPipes = () => {
  const idle: number[] = [];
  return {
    async borrow(): Promise<OutputPipes & { giveBack(): void }> {
      const handles = idle.length >= 2 ? idle.splice(0, 2) : await createPipes();
      const [stdout, stderr] = handles.map(openPipe) as [OutputPipe, OutputPipe];
      return {
        stdout,
        stderr,
        /** Only when both ends of both are closed: else the next command would see this one's bytes. */
        giveBack: () => void idle.push(...handles),
      };
    },
  };
};

const O_PATH = 0o10000000;

/** Mode 0622: the confined user may reopen its own stdout for writing (/dev/stdout), never for reading. */
const createPipes = async (): Promise<number[]> => {
  const directory = await mkdtemp(join(tmpdir(), "agentos-pipes-"));
  try {
    const paths = [join(directory, "stdout"), join(directory, "stderr")];
    await promisify(execFile)("/usr/bin/mkfifo", ["-m", "0622", ...paths]);
    return paths.map((path) => openSync(path, O_PATH));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

const openPipe = (handle: number): OutputPipe => {
  // The reader first and without blocking, else opening the writer would wait for it.
  const readFd = openSync(`/proc/self/fd/${handle}`, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeFd = openSync(`/proc/self/fd/${handle}`, constants.O_WRONLY);
  return {
    writeFd,
    read: new Socket({ fd: readFd, readable: true, writable: false }),
    closeWriteEnd: () => closeSync(writeFd),
  };
};
