import { chmod, mkdir, open, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncDirectory } from "./durable-file.ts";

/** Where the store keeps its things below the data directory. */
export interface StorePaths {
  readonly home: string;
  readonly database: string;
  readonly blobs: string;
}

export const storePaths = (home: string): StorePaths => ({
  home,
  database: join(home, "agentos.db"),
  blobs: join(home, "blobs"),
});

/** Makes directory and database file, readable by their owner only; links are followed once, here. */
export async function prepareHome(given: string): Promise<StorePaths> {
  await mkdir(given, { recursive: true, mode: 0o700 });
  const paths = storePaths(await realpath(given));
  await chmod(paths.home, 0o700);
  await mkdir(paths.blobs, { recursive: true, mode: 0o700 });
  // SQLite gives its side files the mode of the database, and never syncs the directory entry of the database itself.
  const file = await open(paths.database, "a", 0o600);
  await file.chmod(0o600);
  await file.close();
  await syncDirectory(paths.home);
  await syncDirectory(dirname(paths.home));
  return paths;
}
