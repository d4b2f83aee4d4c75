import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Database } from "./database.ts";
import { syncDirectory } from "./durable-file.ts";

export const copyBefore = (file: string, version: number): string => `${file}.before-${version}`;

/** A whole copy of the database beside it, as it was before a migration: there completely or not at all. */
export async function keepCopy(database: Database, file: string, version: number): Promise<void> {
  const aside = `${file}.copying`;
  await rm(aside, { force: true });
  // Made empty first, because SQLite would make it readable for others.
  await (await open(aside, "wx", 0o600)).close();
  await database.query("VACUUM INTO ?", [aside]);
  const copy = await open(aside, "r+");
  try {
    await copy.sync();
  } finally {
    await copy.close();
  }
  await rename(aside, copyBefore(file, version));
  await syncDirectory(dirname(file));
}
