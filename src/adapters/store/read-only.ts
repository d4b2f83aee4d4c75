import { constants } from "node:fs";
import { copyFile, mkdtemp, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../domain/failure.ts";
import type { Database } from "./database.ts";
import { SQLITE } from "./dialect.ts";
import { type StorePaths, storePaths } from "./home.ts";
import { requireSchema } from "./migrate.ts";
import { patient, type StoreReads, storeReads } from "./reading.ts";
import { openSqlite } from "./sqlite.ts";
import { waitWhileBusy } from "./wait-while-busy.ts";

export interface ReadOnlyStore extends StoreReads {
  close(): Promise<void>;
}

/** Offline commands are short: somebody waits in front of them. */
const OFFLINE_BUSY_MS = 5_000;

/** How often a copy is tried again when a daemon starts and ends in the middle of it. */
const COPY_TRIES = 5;

/**
 * The store as it is, for commands that need no daemon: nothing in the data directory is written or made, and a running daemon
 * is not disturbed. Throws `Failure("doctor/unready")` when there is no database or it is older than this program.
 */
export async function openReadOnly(home: string): Promise<ReadOnlyStore> {
  const { database, paths, close } = await connectReadOnly(home);
  const queries = patient(database, OFFLINE_BUSY_MS);
  return { ...storeReads(queries, queries, paths.blobs), close };
}

export interface ReadOnlyConnection {
  readonly database: Database;
  readonly paths: StorePaths;
  close(): Promise<void>;
}

/*
 * While the write-ahead log lies beside the database, somebody has it open or died with it open: then a reader joins through the
 * log. Without one, SQLite would have to make it to read at all (owned by whoever reads, root perhaps, and in the daemon's way
 * later), so the file is copied and the copy is read. The file alone is the whole truth then, and it does not change until a
 * new log exists and is written back; so a copy between two equal looks at it is one consistent state.
 */
export async function connectReadOnly(home: string): Promise<ReadOnlyConnection> {
  const paths = storePaths(await realpath(home).catch(() => home));
  for (let tries = 0; tries < COPY_TRIES; tries += 1) {
    const before = await identity(paths.database);
    if (before === null)
      throw new Failure("doctor/unready", `there is no AgentOS database at ${paths.database}`, {
        next: "Point AGENTOS_HOME at the data directory, or start the daemon once (agentos daemon start).",
      });
    if ((await identity(`${paths.database}-wal`)) !== null)
      return ready(openOffline(paths.database), paths, async () => {});
    const directory = await mkdtemp(join(tmpdir(), "agentos-read-"));
    const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
    try {
      const copy = join(directory, "agentos.db");
      await copyFile(paths.database, copy, constants.COPYFILE_FICLONE);
      if ((await identity(paths.database)) === before) return await ready(openOffline(copy), paths, remove);
      await remove();
    } catch (error) {
      await remove();
      throw error;
    }
  }
  throw new Failure("store/busy", `${paths.database} changed during each of ${COPY_TRIES} tries to read it`, {
    facts: { retryAfterSeconds: 1 },
  });
}

const openOffline = (file: string): Promise<Database> =>
  waitWhileBusy(SQLITE, OFFLINE_BUSY_MS, async () => openSqlite(file, "offline"));

async function ready(
  opening: Promise<Database>,
  paths: StorePaths,
  after: () => Promise<void>,
): Promise<ReadOnlyConnection> {
  const database = await opening;
  const close = async (): Promise<void> => {
    await database.close();
    await after();
  };
  try {
    await requireSchema(database.dialect, patient(database, OFFLINE_BUSY_MS));
    return { database, paths, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What changes whenever a file's content may have; null when there is none. */
async function identity(file: string): Promise<string | null> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
