import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Queries, Row, Value } from "./database.ts";

/** A question to the thread and its answer. Errors cross as their message and code. */
export interface ScanRequest {
  readonly id: number;
  readonly sql: string;
  readonly params: readonly Value[];
}

export type ScanAnswer =
  | { readonly id: number; readonly rows: readonly Row[] }
  | { readonly id: number; readonly message: string; readonly code: string | null };

interface Asked {
  readonly resolve: (rows: readonly Row[]) => void;
  readonly reject: (error: Error) => void;
}

interface Running {
  readonly worker: Worker;
  readonly asked: Map<number, Asked>;
  /** Ends the thread once it has been quiet for long enough. */
  resting: NodeJS.Timeout | null;
}

/** A thread costs tens of megabytes; starting one costs about a tenth of a second. */
const QUIET_MS = 10_000;
/** It holds one answer at a time, which is a page. */
const YOUNG_MEBIBYTES = 4;

/**
 * A reader in a thread of its own, for questions that may look at every row: those must not stop the event loop. The thread is
 * started by the first question, ends when it was asked nothing for a while, and does not keep the process alive.
 */
export function scanningThread(
  file: string,
  quietMs: number = QUIET_MS,
): Queries & { close(): Promise<void>; isRunning(): boolean } {
  let running: Running | null = null;
  let asked = 0;
  let closed = false;
  const start = (): Running => {
    // Beside this file, and with its suffix: `.js` in a bundle.
    const program = join(import.meta.dirname, `scanning-worker${extname(import.meta.filename)}`);
    const worker = new Worker(program, {
      workerData: file,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEBIBYTES },
    });
    const started: Running = { worker, asked: new Map(), resting: null };
    const rest = (): void => {
      worker.unref();
      started.resting = setTimeout(() => {
        if (running === started) running = null;
        void worker.terminate();
      }, quietMs).unref();
    };
    const ended = (error: Error): void => {
      for (const { reject } of started.asked.values()) reject(error);
      started.asked.clear();
      if (running === started) running = null;
    };
    worker.on("message", (answer: ScanAnswer) => {
      const waiting = started.asked.get(answer.id);
      started.asked.delete(answer.id);
      if (started.asked.size === 0) rest();
      if ("rows" in answer) waiting?.resolve(answer.rows);
      else waiting?.reject(Object.assign(new Error(answer.message), answer.code === null ? {} : { code: answer.code }));
    });
    worker.on("error", (error) => ended(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", (code) => ended(new Error(`the scanning thread of ${file} ended with ${code}`)));
    return started;
  };
  return {
    query: (sql, params = []) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new Error(`${file} is closed`));
        running ??= start();
        asked += 1;
        if (running.resting !== null) clearTimeout(running.resting);
        running.asked.set(asked, { resolve, reject });
        running.worker.ref();
        running.worker.postMessage({ id: asked, sql, params } satisfies ScanRequest);
      }),
    isRunning: () => running !== null,
    async close() {
      closed = true;
      if (running?.resting != null) clearTimeout(running.resting);
      await running?.worker.terminate();
    },
  };
}
