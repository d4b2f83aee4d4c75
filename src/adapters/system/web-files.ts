import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".ico": "image/x-icon",
  ".png": "image/png",
  ".json": "application/json",
  ".woff2": "font/woff2",
};

/** The built page, whole, by URL path. Empty when it was not built. */
export async function webFiles(
  directory: string,
): Promise<ReadonlyMap<string, { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string }>> {
  const files = new Map<string, { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string }>();
  let entries: string[];
  try {
    entries = await readdir(directory, { recursive: true });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return files;
    throw error;
  }
  for (const entry of entries) {
    const type = TYPES[extname(entry)];
    if (type !== undefined)
      files.set(`/${entry}`, { bytes: new Uint8Array(await readFile(join(directory, entry))), type });
  }
  return files;
}
