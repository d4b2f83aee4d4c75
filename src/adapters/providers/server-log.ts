import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rename, stat } from "node:fs/promises";
import { join } from "node:path";

/** Of the server that ran before, so much is kept beside the log of the present one. */
const BYTES_MAX = 8 * 1024 ** 2;

/** Where the servers that AgentOS starts put out what they say: one file each, for the person alone. */
export function serverLogs(home: string) {
  const directory = join(home, "logs", "providers");
  const path = (id: string): string => join(directory, `${id}.log`);
  return {
    path,

    /** Ready to be given to a child. One that has grown large is put aside as `.1` first. */
    async open(id: string): Promise<FileHandle> {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      if (((await stat(path(id)).catch(() => null))?.size ?? 0) > BYTES_MAX) await rename(path(id), `${path(id)}.1`);
      const file = await open(
        path(id),
        constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
        0o600,
      );
      await file.chmod(0o600);
      return file;
    },

    end: (id: string, bytesMax: number): Promise<string | null> => endOf(path(id), bytesMax),
  };
}

/** The last bytes of a regular file, from the beginning of a line; null when there is none. No link is followed. */
export async function endOf(path: string, bytesMax: number): Promise<string | null> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null; // Not there, a link, or not ours to read: there is nothing to show.
  }
  try {
    const found = await file.stat();
    if (!found.isFile()) return null;
    const from = Math.max(0, found.size - bytesMax);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(Math.min(found.size, bytesMax)),
      0,
      bytesMax > found.size ? found.size : bytesMax,
      from,
    );
    const text = buffer.subarray(0, bytesRead).toString("utf8");
    return from === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } finally {
    await file.close();
  }
}
