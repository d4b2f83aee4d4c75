import type { Store } from "../../ports/store.ts";
import { lastPosition, textFrom } from "./append.ts";
import { blobContent } from "./blob-content.ts";
import type { Database, Queries } from "./database.ts";
import { projectReads } from "./project-reads.ts";
import { providerReads } from "./provider-reads.ts";
import { latestOf, readJournal, readSince, readStream } from "./read-stream.ts";
import { taskReads } from "./task-reads.ts";
import { BUSY_MS, waitWhileBusy } from "./wait-while-busy.ts";

/** The part of a store that needs no writer: all that offline commands get. */
export type StoreReads = Pick<
  Store,
  "read" | "latest" | "since" | "position" | "get" | "tasks" | "projects" | "providers" | "journal"
>;

export function storeReads(queries: Queries, scan: Queries, blobDirectory: string): StoreReads {
  return {
    read: (stream, afterSeq, most) => readStream(queries, stream, afterSeq, most),
    latest: (stream, types) => latestOf(queries, stream, types ?? null),
    since: (position, most) => readSince(queries, position, most),
    position: () => lastPosition(queries),
    get: (ref) => blobContent(queries, blobDirectory, ref),
    tasks: taskReads(queries, scan, textFrom(queries, blobDirectory)),
    projects: projectReads(queries),
    providers: providerReads(queries),
    journal: (stream) => readJournal(queries, stream),
  };
}

/** Readers wait for nobody in WAL mode, except for the moment in which a connection recovers or closes the log. */
export const patient = (database: Database, busyMs: number = BUSY_MS): Queries => ({
  query: (sql, params) => waitWhileBusy(database.dialect, busyMs, () => database.query(sql, params)),
});
