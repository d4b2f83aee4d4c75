import { chmod, mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { Failure } from "../../domain/failure.ts";
import { fullFailure } from "./blob-content.ts";
import { SQLITE } from "./dialect.ts";

export interface DaemonLock {
  release(): Promise<void>;
}

/**
 * One daemon per data directory. An exclusive transaction on a file of its own: the operating system's lock is on the file, not on
 * the path that led to it, so a symlinked directory does not get around it; it is gone the moment the process is, however that
 * ended. Throws `Failure("daemon/running")` at once when another has it, `store/full` without space.
 *
 * Nobody else in this process may open `daemon.lock`: POSIX gives a process's locks on a file back when any handle of it closes.
 */
export async function acquireDaemonLock(home: string): Promise<DaemonLock> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const real = await realpath(home);
  const file = join(real, "daemon.lock");
  const connection = new BetterSqlite3(file, { timeout: 0 });
  try {
    // SQLite gives the journal beside it the mode of the file, so the file has its mode before the first transaction.
    connection.pragma("user_version");
    await chmod(file, 0o600);
    connection.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    connection.close();
    if (SQLITE.trouble(error) === "full") throw fullFailure(file, error);
    if (SQLITE.trouble(error) !== "busy") throw error;
    throw new Failure("daemon/running", `a daemon is running on ${real} already`, {
      next: "Use it (agentos daemon status shows where it listens), or stop it: agentos daemon stop.",
      cause: error,
    });
  }
  return {
    async release() {
      connection.close();
    },
  };
}
