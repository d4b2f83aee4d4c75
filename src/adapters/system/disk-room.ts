import { randomBytes } from "node:crypto";
import { open, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Room } from "../../ports/room.ts";

const MIB = 1024 ** 2;
/** Enough for the waits of some hundred tasks. */
const RESERVE_BYTES = 2 * MIB;
/** Below this a write may have failed for want of space. The reserve given up is no room to work in. */
const FULL_BYTES = RESERVE_BYTES + MIB;
const FULL_INODES = 16;
/** Work goes on when there is so much beside the reserve. */
const ENOUGH_BYTES = 8 * MIB;
const ENOUGH_INODES = 256;

/** The file `reserve` in the data directory is what is set aside; it holds nothing. */
export function diskRoom(home: string): Room {
  const reserve = join(home, "reserve");
  const left = async (): Promise<{ readonly bytes: number; readonly inodes: number }> => {
    const { bavail, bsize, files, ffree } = await statfs(home);
    // Some file systems have no fixed number of inodes and say 0.
    return { bytes: bavail * bsize, inodes: files === 0 ? Number.POSITIVE_INFINITY : ffree };
  };
  const isSetAside = async (): Promise<boolean> => {
    try {
      return (await stat(reserve)).size === RESERVE_BYTES;
    } catch {
      return false; // Not there: then it is to be made.
    }
  };
  return {
    async full() {
      const { bytes, inodes } = await left();
      return bytes < FULL_BYTES || inodes < FULL_INODES;
    },
    release: () => rm(reserve, { force: true }),
    async setAside() {
      const there = await isSetAside();
      const { bytes, inodes } = await left();
      if (bytes < ENOUGH_BYTES + (there ? 0 : RESERVE_BYTES) || inodes < ENOUGH_INODES) return false;
      if (there) return true;
      try {
        const file = await open(reserve, "w", 0o600);
        try {
          // Random, so that no file system saves the space by compressing it.
          await file.writeFile(randomBytes(RESERVE_BYTES));
        } finally {
          await file.close();
        }
        return true;
      } catch {
        // Somebody else was faster with the space; what was written is no reserve.
        await rm(reserve, { force: true }).catch(() => undefined);
        return false;
      }
    },
  };
}
