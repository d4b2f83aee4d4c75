import { extname, join } from "node:path";
import { clearTimeout, setTimeout } from "node:timers";
import { Worker } from "node:worker_threads";
import { type Crossing, received } from "./crossing.ts";
import type { Answers, Write, Writer } from "./writes.ts";

/** Where the thread finds what it writes to, and how long it waits there for another's lock. */
export interface WriterPlace {
  readonly database: string;
  readonly blobs: string;
  readonly busyMs: number;
}

export type ToWriter =
  | { readonly kind: "open" }
  | { readonly kind: "write"; readonly id: number; readonly write: Write }
  | { readonly kind: "close" };

export type FromWriter =
  | { readonly kind: "opened" }
  | { readonly kind: "not_opened"; readonly error: Crossing }
  | { readonly kind: "committed"; readonly writes: number }
  | {
      readonly kind: "answered";
      readonly answers: readonly (
        | { readonly id: number; readonly value: Answers[keyof Answers] }
        | { readonly id: number; readonly error: Crossing }
      )[];
    }
  | { readonly kind: "fatal"; readonly error: Crossing };

export interface Told {
  /** After each commit, how many writes it made durable. */
  onCommit(writes: number): void;
  /** Once, when nothing can be acknowledged any more: the process must end. */
  onFatal(error: unknown): void;
}

/** A thread takes 15 MiB, and a tenth of a second to begin. */
const QUIET_MS = 10_000;
/** Its live data are one batch of writes and the states that were folded last. */
const YOUNG_MEBIBYTES = 16;

export interface WritingThread extends Writer {
  /** Opens the connection; the database has today's schema by then. Throws what `openSqlite` throws. */
  open(): Promise<void>;
  /** Settles when nothing waits any more and no connection is open; later writes are refused. */
  close(): Promise<void>;
  isRunning(): boolean;
}

/**
 * The one writer, in a thread of its own: while it works and the disk syncs, the event loop goes on. The thread ends when nothing was
 * written for a while, the next write begins another, and it does not keep the process alive but while something waits
 * to be written. One that ends by itself is fatal.
 */
export function writingThread(place: WriterPlace, told: Told, quietMs: number = QUIET_MS): WritingThread {
  const ending = new Set<Promise<void>>();
  let running: Running | null = begin(place, told);
  let resting: NodeJS.Timeout | null = null;
  let closed = false;

  const end = (): void => {
    if (resting !== null) clearTimeout(resting);
    if (running === null) return;
    const gone = running.end();
    running = null;
    ending.add(gone);
    void gone.finally(() => ending.delete(gone));
  };
  /** When nothing waits: ends the thread, unless something is written before. */
  const rest = (): void => {
    if (resting !== null) clearTimeout(resting);
    resting = setTimeout(end, quietMs).unref();
  };
  const asking = <T>(how: (thread: Running) => Promise<T>): Promise<T> => {
    if (closed) return Promise.reject(new Error(`${place.database} is closed`));
    if (resting !== null) clearTimeout(resting);
    const thread = running ?? begin(place, told);
    if (running === null) {
      running = thread;
      // Whatever was to be written is told why; what comes after tries anew.
      thread.open().catch(() => {
        if (running === thread) end();
      });
    }
    return how(thread).finally(() => {
      if (thread === running && thread.isIdle() && !closed) rest();
    });
  };
  return {
    open: () => asking((thread) => thread.open()),
    write: (write) => asking((thread) => thread.write(write)),
    async close() {
      closed = true;
      end();
      await Promise.all(ending);
    },
    isRunning: () => running !== null,
  };
}

interface Asked {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

type Running = ReturnType<typeof begin>;

/** One thread, from its beginning to its end. */
function begin(place: WriterPlace, { onCommit, onFatal }: Told) {
  // Beside this file, and with its suffix: `.js` in a bundle.
  const program = join(import.meta.dirname, `writing-worker${extname(import.meta.filename)}`);
  const worker = new Worker(program, {
    workerData: place,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEBIBYTES },
  });
  worker.unref();
  const asked = new Map<number, Asked>();
  let last = 0;
  let opening = 0;
  let ended = false;
  let dead: Error | null = null;

  const ask = <T>(said: (id: number) => ToWriter): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (dead !== null) return reject(dead);
      last += 1;
      if (asked.size === 0) worker.ref();
      asked.set(last, { resolve, reject });
      worker.postMessage(said(last));
    });
  const settle = (id: number, how: (one: Asked) => void): void => {
    const one = asked.get(id);
    asked.delete(id);
    if (asked.size === 0 && !ended) worker.unref();
    if (one !== undefined) how(one);
  };
  worker.on("message", (said: FromWriter) => {
    switch (said.kind) {
      case "opened":
        return settle(opening, ({ resolve }) => resolve(undefined as never));
      case "not_opened":
        return settle(opening, ({ reject }) => reject(received(said.error)));
      case "committed":
        return onCommit(said.writes);
      case "answered":
        for (const answer of said.answers)
          settle(answer.id, ({ resolve, reject }) =>
            "value" in answer ? resolve(answer.value as never) : reject(received(answer.error)),
          );
        return;
      case "fatal":
        return onFatal(received(said.error));
    }
  });
  const died = (error: Error): void => {
    if (dead !== null) return;
    dead = error;
    for (const { reject } of asked.values()) reject(error);
    asked.clear();
    if (!ended) onFatal(error);
  };
  worker.on("error", (error) => died(error instanceof Error ? error : new Error(String(error))));
  const gone = new Promise<void>((resolve) => {
    worker.once("exit", (code) => {
      died(new Error(`the writing thread of ${place.database} ended with ${code}`));
      resolve();
    });
  });
  return {
    isIdle: () => asked.size === 0,
    open: () =>
      ask<void>((id) => {
        opening = id;
        return { kind: "open" };
      }),
    write: <T>(write: Write): Promise<T> => ask<T>((id) => ({ kind: "write", id, write })),
    /** Writes what waits, closes the connection, and ends. */
    end(): Promise<void> {
      ended = true;
      worker.ref();
      worker.postMessage({ kind: "close" } satisfies ToWriter);
      return gone;
    },
  };
}
