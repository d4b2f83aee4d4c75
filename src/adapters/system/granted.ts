import { constants, realpathSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Granted } from "../../ports/foreign.ts";

const FILE_BYTES_MAX = 1024 ** 2;

/** What grants name, from the daemon's environment and below the person's home. */
export const grantedThings = (
  environment: Readonly<Record<string, string | undefined>>,
  home: string | null,
): Granted => ({
  variable: (name) => environment[name],
  async file(path) {
    if (home === null) return null;
    try {
      const top = realpathSync(home);
      const real = realpathSync(join(top, path));
      if (real !== join(top, path)) return null;
      const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const stat = await file.stat();
        return stat.isFile() && stat.size <= FILE_BYTES_MAX ? await file.readFile() : null;
      } finally {
        await file.close();
      }
    } catch {
      return null; // Not there, or not to be read: the caller says which grant that was.
    }
  },
});
