import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { closeSync, constants, openSync } from "node:fs";
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Captured } from "../../ports/sandbox.ts";
import { isOwnerGone, ownerName } from "./owner.ts";

export interface Recorded {
  readonly stdout: Captured;
  readonly stderr: Captured;
}

/** Where output goes as it comes. */
export interface LiveOutput {
  /** As it is named where there is no room in it. */
  readonly place: string;
  write(chunk: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/**
 * Reads both streams to their end: every byte up to the bound goes to the live output as it comes and into its own
 * buffer. Reading waits for it, so a fast command waits for a slow disk instead of filling our memory.
 * `onPastBound` is called once when more than `bytesMax` came; `onTrouble` once when the live output cannot be written.
 * After either, what still comes is read and dropped, because a full pipe would keep the writer from ending.
 * With a listener stdout is its alone: nothing of it is kept, counted or written.
 */
export const recordOutput = async (
  pipes: OutputPipes,
  live: LiveOutput,
  bytesMax: number,
  onPastBound: () => void,
  onTrouble: (error: unknown) => void,
  onBytes: (bytes: number) => void = () => {},
  listener: Listener | null = null,
): Promise<Recorded> => {
  let room = bytesMax;
  let dropping = false;
  const record = async (stream: Socket): Promise<Captured> => {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        onBytes(chunk.length);
        if (stream === pipes.stdout.read && listener !== null) {
          await listener.take(chunk);
          continue;
        }
        if (dropping) continue;
        const kept = chunk.subarray(0, room);
        room -= kept.length;
        chunks.push(kept);
        if (kept.length < chunk.length) {
          dropping = true;
          onPastBound();
        }
        try {
          await live.write(kept);
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

/** Who hears stdout as it comes. */
export interface Listener {
  /** Resolves when more may come. */
  take(chunk: Uint8Array): Promise<void>;
}

/** Stdout as a stream: a chunk is taken when it is wanted, or when the process is over and nothing can be slowed any more. */
export const streamed = (): Listener & { readonly stream: ReadableStream<Uint8Array>; over(): void; end(): void } => {
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  let canceled = false;
  let over = false;
  let wake = (): void => {};
  const stream = new ReadableStream<Uint8Array>(
    {
      start: (given) => {
        controller = given;
      },
      pull: () => wake(),
      cancel: () => {
        canceled = true;
        wake();
      },
    },
    { highWaterMark: WAITING_CHUNKS },
  );
  return {
    stream,
    async take(chunk) {
      if (canceled || controller === null) return;
      controller.enqueue(Uint8Array.from(chunk));
      while (!over && !canceled && (controller.desiredSize ?? 0) <= 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
    over() {
      over = true;
      wake();
    },
    end() {
      if (!canceled) controller?.close();
      canceled = true;
    },
  };
};

const WAITING_CHUNKS = 16;

export const captured = (chunks: readonly Uint8Array[]): Captured => {
  const bytes = Buffer.concat(chunks);
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
};

/** The live file, 0600, never through a link that somebody left in its place. */
export const liveFile = async (path: string): Promise<LiveOutput> => {
  const file = await open(
    path,
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
    0o600,
  );
  return { place: path, write: (chunk) => file.appendFile(chunk), close: () => file.close() };
};

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
  /** For bwrap's own report. Its writing end can be read from as well: see `openPipe`. */
  readonly status: OutputPipe;
}

/**
 * Node gives children sockets as stdout and stderr, and `echo … > /dev/stderr` fails on a socket (ENXIO). Test suites
 * do that. So the streams are real pipes: FIFOs without a name, which this pool keeps as O_PATH handles (neither
 * reader nor writer) and opens afresh through /proc/self/fd for every command.
 */
export const outputPipes = () => {
  const idle: Handles[] = [];
  let tidied: Promise<void> | null = null;
  return {
    async borrow(): Promise<OutputPipes & Returned> {
      tidied ??= removeAbandonedPipes();
      await tidied;
      const handles = idle.pop() ?? (await createPipes());
      const status = openPipe(handles.status, constants.O_RDWR);
      return {
        stdout: openPipe(handles.stdout, constants.O_WRONLY),
        stderr: openPipe(handles.stderr, constants.O_WRONLY),
        status,
        giveBack: async () => {
          if (!status.read.closed) await once(status.read, "close");
          idle.push(handles);
        },
      };
    },
  };
};

interface Returned {
  /**
   * To be called when no process of the command is alive and both outputs were read to their end. Waits until the report was, too: a reader that
   * has not seen its end yet would take the next command's report away from it, and that command would wait for ever.
   */
  giveBack(): Promise<void>;
}

interface Handles {
  readonly stdout: number;
  readonly stderr: number;
  readonly status: number;
}

const O_PATH = 0o10000000;

/** Mode 0622: the confined user may reopen its own stdout for writing (/dev/stdout), never for reading. */
const createPipes = async (): Promise<Handles> => {
  const directory = await mkdtemp(join(tmpdir(), `${DIRECTORY}${ownerName()}-`));
  try {
    const [stdout, stderr, status] = ["stdout", "stderr", "status"].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    await promisify(execFile)("/usr/bin/mkfifo", ["-m", "0622", stdout, stderr, status]);
    return { stdout: openSync(stdout, O_PATH), stderr: openSync(stderr, O_PATH), status: openSync(status, O_PATH) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

const DIRECTORY = "agentos-pipes-";

/** The directories of daemons that were killed in the two milliseconds in which they had one. */
const removeAbandonedPipes = async (): Promise<void> => {
  for (const name of await readdir(tmpdir())) {
    const owner = name.startsWith(DIRECTORY) ? /^(\d+-\d+)-/.exec(name.slice(DIRECTORY.length))?.[1] : undefined;
    if (owner === undefined || !isOwnerGone(owner)) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {
      // Another user's: theirs to remove.
    });
  }
};

/**
 * A writing end that is open for reading too never breaks: bwrap reports to it in the middle of its start, and one
 * ended there by SIGPIPE, because we are gone, would leave its init waiting for it.
 */
const openPipe = (handle: number, writing: number): OutputPipe => {
  // The reader first and without blocking, else opening the writer would wait for it.
  const readFd = openSync(`/proc/self/fd/${handle}`, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeFd = openSync(`/proc/self/fd/${handle}`, writing);
  return {
    writeFd,
    read: new Socket({ fd: readFd, readable: true, writable: false }),
    closeWriteEnd: () => closeSync(writeFd),
  };
};
