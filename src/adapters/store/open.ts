import type { Positioned, Store } from "../../ports/store.ts";
import { prepareAppend, textFrom, toldOf } from "./append.ts";
import { stageBlob } from "./blob-content.ts";
import type { Queries } from "./database.ts";
import { SQLITE } from "./dialect.ts";
import { requireGuards } from "./guards.ts";
import { prepareHome, type StorePaths } from "./home.ts";
import { keepCopy } from "./keep-copy.ts";
import { migrate } from "./migrate.ts";
import { operations } from "./operations.ts";
import { patient, storeReads } from "./reading.ts";
import { scanningThread } from "./scanning-thread.ts";
import { seal } from "./seal.ts";
import { openSqlite } from "./sqlite.ts";
import { BUSY_MS, waitWhileBusy } from "./wait-while-busy.ts";
import type { Writer } from "./writes.ts";
import { writingThread } from "./writing-thread.ts";

export interface StoreOptions {
  /** The data directory; made when missing. */
  readonly home: string;
  /** Wall clock in milliseconds. */
  readonly now: () => number;
  /** How long a write waits for another process's lock; 30 s unless said otherwise. */
  readonly busyMs?: number;
  /** Told once when nothing can be acknowledged any more (a sync failed, the file is broken): the process must end. */
  readonly onFatal?: (error: unknown) => void;
  /** Told after each commit how many writes it made durable. */
  readonly onCommit?: (writes: number) => void;
}

/**
 * The store on SQLite, migrated to today's schema. The caller holds the daemon lock. Throws `Failure("store/newer")`,
 * `Failure("store/corrupt")`, and `Failure("store/busy")` when another process keeps the lock for longer than `busyMs`.
 */
export async function openStore({
  home,
  now,
  busyMs = BUSY_MS,
  onFatal = () => {},
  onCommit = () => {},
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
  try {
    // It starts while the schema is looked at, and opens its connection behind that.
    const writer = keep(writingThread({ database: paths.database, blobs: paths.blobs, busyMs }, { onCommit, onFatal }));
    await migrated(paths, now(), busyMs);
    await writer.open();
    const waiting = <T>(work: () => Promise<T>): Promise<T> => waitWhileBusy(SQLITE, busyMs, work);
    const reading = keep(await waiting(async () => openSqlite(paths.database, "read")));
    const scan = keep(scanningThread(paths.database));
    return assemble(paths, patient(reading, busyMs), scan, writer, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** Brings the database to today's schema, through a connection that only does this. */
async function migrated(paths: StorePaths, nowMs: number, busyMs: number): Promise<void> {
  const waiting = <T>(work: () => Promise<T>): Promise<T> => waitWhileBusy(SQLITE, busyMs, work);
  const connection = await waiting(async () => openSqlite(paths.database, "write"));
  try {
    await waiting(() =>
      migrate(connection, {
        nowMs,
        keepCopy: (before) => keepCopy(connection, paths.database, before),
        said: (tx) => textFrom(tx, paths.blobs),
      }),
    );
    await waiting(() => requireGuards(connection));
  } finally {
    await connection.close();
  }
}

function assemble(
  paths: StorePaths,
  queries: Queries,
  scan: Queries,
  writer: Writer,
  close: () => Promise<void>,
): Store {
  const listeners = new Set<(appended: Positioned) => void>();
  return {
    ...storeReads(queries, scan, paths.blobs),
    async append(given) {
      const append = prepareAppend(seal, given);
      const written = await writer.write({ kind: "append", append });
      // Answers come in the order of the writes, so listeners hear of them in the order of their positions, and before the writer does.
      for (const one of toldOf(append, written.position)) tell(listeners, one);
      return written;
    },
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
function tell(listeners: ReadonlySet<(appended: Positioned) => void>, appended: Positioned): void {
  for (const listener of listeners)
    try {
      listener(appended);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
}
