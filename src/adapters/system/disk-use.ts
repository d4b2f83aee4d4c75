import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";

/** Bytes on disk below a path, each file once however many names it has there; nothing there is 0. Never blocks the event loop. */
export async function bytesBelow(path: string): Promise<number> {
  const seen = new Set<number>();
  const rest = [path];
  let bytes = 0;
  for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
    const stats = await lstat(at).catch(absent);
    if (stats === null || (stats.nlink > 1 && !stats.isDirectory() && seen.has(stats.ino))) continue;
    seen.add(stats.ino);
    bytes += stats.blocks * 512;
    if (!stats.isDirectory()) continue;
    const directory = await opendir(at).catch(absent);
    if (directory !== null) for await (const { name } of directory) rest.push(join(at, name));
  }
  return bytes;
}

/** What went away while it was counted, or is closed to us, counts as nothing. */
function absent(error: unknown): null {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return null;
  throw error;
}
