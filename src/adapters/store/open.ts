import type { Project } from "../../domain/project.ts";
import type { Seal } from "../../domain/seal.ts";
import type { Append, Positioned, Store } from "../../ports/store.ts";
import { type Appended, type Appending, appendIn, type Folded, prepareAppend, textFrom } from "./append.ts";
import { stageBlob } from "./blob-content.ts";
import type { Queries } from "./database.ts";
import { SQLITE } from "./dialect.ts";
import { requireGuards } from "./guards.ts";
import { prepareHome, type StorePaths } from "./home.ts";
import { keepCopy } from "./keep-copy.ts";
import { migrate } from "./migrate.ts";
import { operations } from "./operations.ts";
import type { KnownTask } from "./projection.ts";
import { patient, storeReads } from "./reading.ts";
import { recent } from "./recent.ts";
import { scanningThread } from "./scanning-thread.ts";
import { openSqlite } from "./sqlite.ts";
import { BUSY_MS, waitWhileBusy } from "./wait-while-busy.ts";
import { type WriterQueue, writerQueue } from "./writer-queue.ts";

export interface StoreOptions {
  /** The data directory; made when missing. */
  readonly home: string;
  readonly seal: Seal;
  /** Wall clock in milliseconds. */
  readonly now: () => number;
  /** How long a write waits for another process's lock; 30 s unless said otherwise. */
  readonly busyMs?: number;
  /** Told once when nothing can be acknowledged any more (a sync failed, the file is broken): the process must end. */
  readonly onFatal?: (error: unknown) => void;
  /** Told after each commit how many writes it made durable. */
  readonly onCommit?: (writes: number) => void;
}

/** States of streams kept in memory, so that an append folds only what is new. */
const STATES_KEPT = 512;

/**
 * The store on SQLite, migrated to today's schema. The caller holds the daemon lock. Throws `Failure("store/newer")`,
 * `Failure("store/corrupt")`, and `Failure("store/busy")` when another process keeps the lock for longer than `busyMs`.
 */
export async function openStore({
  home,
  seal,
  now,
  busyMs = BUSY_MS,
  onFatal,
  onCommit,
}: StoreOptions): Promise<Store> {
  const paths = await prepareHome(home);
  const opened: { close(): Promise<void> }[] = [];
  const keep = <C extends { close(): Promise<void> }>(connection: C): C => {
    opened.unshift(connection);
    return connection;
  };
  const close = async (): Promise<void> => {
    for (const connection of opened.splice(0)) await connection.close();
  };
  const waiting = <T>(work: () => Promise<T>): Promise<T> => waitWhileBusy(SQLITE, busyMs, work);
  try {
    const writing = keep(await waiting(async () => openSqlite(paths.database, "write")));
    await waiting(() =>
      migrate(writing, {
        nowMs: now(),
        keepCopy: (before) => keepCopy(writing, paths.database, before),
        said: (tx) => textFrom(tx, paths.blobs),
      }),
    );
    await waiting(() => requireGuards(writing));
    const reading = keep(await waiting(async () => openSqlite(paths.database, "read")));
    const scan = keep(scanningThread(paths.database));
    const writer = writerQueue(writing, {
      place: paths.database,
      busyMs,
      ...(onFatal === undefined ? {} : { onFatal }),
      ...(onCommit === undefined ? {} : { onCommit }),
    });
    const ending = async (): Promise<void> => {
      await writer.close();
      await close();
    };
    return assemble(seal, paths, patient(reading, busyMs), scan, writer, ending);
  } catch (error) {
    await close();
    throw error;
  }
}

function assemble(
  seal: Seal,
  paths: StorePaths,
  queries: Queries,
  scan: Queries,
  writer: WriterQueue,
  close: () => Promise<void>,
): Store {
  const listeners = new Set<(appended: Positioned) => void>();
  const appending: Appending = {
    seal,
    blobDirectory: paths.blobs,
    tasks: recent<Folded<KnownTask>>(STATES_KEPT),
    projects: recent<Folded<Project>>(STATES_KEPT),
  };
  const told = tellInOrder(listeners);
  const append = async (given: Append): Promise<{ readonly seq: number; readonly position: number }> => {
    const prepared = prepareAppend(seal, given);
    const { seq, position } = await writer.write((tx) => appendIn(tx, appending, prepared), told);
    return { seq, position };
  };
  return {
    ...storeReads(queries, scan, paths.blobs),
    append,
    onAppended(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stage: (bytes) => stageBlob(paths.blobs, bytes),
    operations: operations(queries, writer),
    close,
  };
}

/** A listener that throws is a bug of its own; it must neither undo what is durable nor keep the others from hearing of it. */
const tellInOrder =
  (listeners: ReadonlySet<(appended: Positioned) => void>) =>
  ({ rows }: Appended): void => {
    for (const row of rows)
      for (const listener of listeners)
        try {
          listener(row);
        } catch (error) {
          queueMicrotask(() => {
            throw error;
          });
        }
  };
