import { fullFailure } from "./blob-content.ts";
import type { Database, Tx } from "./database.ts";
import { BUSY_MS, busyFailure, overfullFailure, pauseBeforeTry } from "./wait-while-busy.ts";

/** Writes that may wait at the same time; beyond it a writer is told that the store is busy. */
export const WAITING_MAX = 10_000;

/** Writes that share one commit at most, so that a full queue does not keep the event loop for long. */
const BATCH_MAX = 256;

export interface WriterQueue {
  /**
   * Settles after the commit that made it durable, in the order of the writes. `work` may be called again when the commit did not come
   * about, so it changes nothing but the database. What it throws undoes this write only.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Settles when nothing waits any more; later writes are refused. */
  close(): Promise<void>;
}

export interface WriterQueueOptions {
  /** Where the database lies, for messages. */
  readonly place: string;
  readonly busyMs?: number;
  /** Told once when nothing can be acknowledged any more: the process must end and read the journal anew. */
  readonly onFatal?: (error: unknown) => void;
  /** Told after each commit how many writes it made durable. */
  readonly onCommit?: (writes: number) => void;
}

interface Waiting {
  readonly sinceMs: number;
  readonly work: (tx: Tx) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome =
  | { readonly kind: "done"; readonly value: unknown }
  | { readonly kind: "failed"; readonly error: unknown };

class OneThrew extends Error {}

/*
 * One writer, many waiting. All that wait when the lock is free are taken together into one transaction, so that one fsync makes all of
 * them durable; each is answered only after it. What can go wrong and what follows:
 *
 *   a write throws            all is undone and done again with a savepoint each: then only its own is undone, the others go on
 *   lock is another's         all wait on a timer, the event loop runs; each is given up after its own `busyMs`
 *   no space                  all of it was undone; tried again one by one, so that a small one is not lost to a large one
 *   input/output fails        nobody can know what the file holds now: nothing is acknowledged any more, `onFatal` is told
 */
export function writerQueue(database: Database, options: WriterQueueOptions): WriterQueue {
  const { place, busyMs = BUSY_MS, onFatal = () => {}, onCommit = () => {} } = options;
  const waiting: Waiting[] = [];
  let fatal: { readonly error: unknown } | null = null;
  let closed = false;
  let draining: Promise<void> | null = null;

  const drain = async (): Promise<void> => {
    // Lets everybody who was just answered ask again before the next batch is taken.
    await new Promise((resolve) => setImmediate(resolve));
    for (let tries = 0; waiting.length > 0; ) {
      const batch = waiting.splice(0, BATCH_MAX);
      if (fatal !== null) {
        for (const { reject } of batch) reject(fatal.error);
        continue;
      }
      const busy = await attempt(batch);
      if (busy === null) {
        tries = 0;
        continue;
      }
      waiting.unshift(...giveUpOverdue(batch, busy.error));
      await pauseBeforeTry(tries);
      tries += 1;
    }
    draining = null;
  };

  /**
   * Null when every write of the batch was answered; the error when the lock is another's and all of them still wait. A write seldom
   * throws, so that each has a savepoint only when one did.
   */
  const attempt = async (batch: readonly Waiting[], how = together): Promise<{ readonly error: unknown } | null> => {
    const outcomes: Outcome[] = [];
    try {
      await database.transaction(async (tx) => {
        for (const { work } of batch) outcomes.push(await how(tx, work));
      });
    } catch (error) {
      if (error instanceof OneThrew) return attempt(batch, apart);
      const trouble = database.dialect.trouble(error);
      if (trouble === "busy") return { error };
      if (trouble === "full") return oneByOne(batch, error);
      fatal = { error };
      for (const { reject } of batch) reject(error);
      onFatal(error);
      return null;
    }
    onCommit(outcomes.filter((outcome) => outcome.kind === "done").length);
    for (const [index, { resolve, reject }] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome?.kind === "done") resolve(outcome.value);
      else reject(outcome?.error);
    }
    return null;
  };

  const together = async (tx: Tx, work: Waiting["work"]): Promise<Outcome> => {
    try {
      return { kind: "done", value: await work(tx) };
    } catch (error) {
      throw isOfTheDatabase(error) ? error : new OneThrew();
    }
  };
  const apart = async (tx: Tx, work: Waiting["work"]): Promise<Outcome> => {
    try {
      return { kind: "done", value: await tx.savepoint(() => work(tx)) };
    } catch (error) {
      if (isOfTheDatabase(error)) throw error;
      return { kind: "failed", error };
    }
  };
  /** Not this write's fault alone: none beside it can go on. */
  const isOfTheDatabase = (error: unknown): boolean => {
    const trouble = database.dialect.trouble(error);
    return trouble === "busy" || trouble === "full" || trouble === "broken";
  };

  const oneByOne = async (batch: readonly Waiting[], error: unknown): Promise<null> => {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) only.reject(fullFailure(place, error));
    else
      for (const one of batch) {
        if (fatal !== null) one.reject((fatal as { readonly error: unknown }).error);
        else if ((await attempt([one])) !== null) waiting.unshift(one);
      }
    return null;
  };

  const giveUpOverdue = (batch: readonly Waiting[], error: unknown): readonly Waiting[] => {
    const now = performance.now();
    const overdue = (one: Waiting): boolean => now - one.sinceMs >= busyMs;
    // Those beyond this batch wait for the same lock.
    for (const one of [...batch, ...waiting].filter(overdue)) one.reject(busyFailure(busyMs, error));
    waiting.splice(0, waiting.length, ...waiting.filter((one) => !overdue(one)));
    return batch.filter((one) => !overdue(one));
  };

  return {
    write: <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        if (fatal !== null) return reject(fatal.error);
        if (closed) return reject(new Error(`${place} is closed`));
        if (waiting.length >= WAITING_MAX) return reject(overfullFailure(waiting.length));
        waiting.push({
          sinceMs: performance.now(),
          work,
          resolve: (value) => resolve(value as T),
          reject,
        });
        draining ??= drain();
      }),
    async close() {
      closed = true;
      await draining;
    },
  };
}
