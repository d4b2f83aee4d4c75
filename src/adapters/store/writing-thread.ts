import { extname, join } from "node:path";
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
  | { readonly kind: "fatal"; readonly error: Crossing }
  | { readonly kind: "closed" };

interface Asked {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** Its live data are one batch of writes and the states that were folded last. */
const YOUNG_MEBIBYTES = 16;

export interface WritingThread extends Writer {
  /** Opens the connection; the database has today's schema by then. Throws what `openSqlite` throws. */
  open(): Promise<void>;
  /** Settles when nothing waits any more and the connection is closed; later writes are refused. */
  close(): Promise<void>;
}

/**
 * The one writer, in a thread of its own: while it works and the disk syncs, the event loop goes on. It does not keep the process alive
 * but while something waits to be written. `onCommit` and `onFatal` as for `writerQueue`; a thread that ends by itself is fatal too.
 */
export function writingThread(
  place: WriterPlace,
  { onCommit, onFatal }: { readonly onCommit: (writes: number) => void; readonly onFatal: (error: unknown) => void },
): WritingThread {
  // Beside this file, and with its suffix: `.js` in a bundle.
  const program = join(import.meta.dirname, `writing-worker${extname(import.meta.filename)}`);
  const worker = new Worker(program, {
    workerData: place,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEBIBYTES },
  });
  worker.unref();
  const asked = new Map<number, Asked>();
  let last = 0;
  let ended: Error | null = null;
  const end = (error: Error): void => {
    if (ended !== null) return;
    ended = error;
    for (const { reject } of asked.values()) reject(error);
    asked.clear();
  };
  const ask = <T>(said: (id: number) => ToWriter): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (ended !== null) return reject(ended);
      last += 1;
      if (asked.size === 0) worker.ref();
      asked.set(last, { resolve, reject });
      worker.postMessage(said(last));
    });
  const settle = (id: number, how: (one: Asked) => void): void => {
    const one = asked.get(id);
    asked.delete(id);
    if (asked.size === 0) worker.unref();
    if (one !== undefined) how(one);
  };
  let opening = 0;
  let closing = 0;
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
      case "closed":
        return settle(closing, ({ resolve }) => resolve(undefined as never));
    }
  });
  const died = (error: Error): void => {
    if (ended !== null) return;
    end(error);
    onFatal(error);
  };
  worker.on("error", (error) => died(error instanceof Error ? error : new Error(String(error))));
  const gone = new Promise((resolve) => worker.once("exit", resolve));
  worker.on("exit", (code) => died(new Error(`the writing thread of ${place.database} ended with ${code}`)));
  return {
    open: () =>
      ask((id) => {
        opening = id;
        return { kind: "open" };
      }),
    write: (write) => ask((id) => ({ kind: "write", id, write })),
    async close() {
      if (ended !== null) return;
      await ask((id) => {
        closing = id;
        return { kind: "close" };
      });
      end(new Error(`${place.database} is closed`));
      worker.ref();
      await gone;
    },
  };
}
