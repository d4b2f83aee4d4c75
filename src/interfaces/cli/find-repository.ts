import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The git repository that a directory lies in, null when in none. `.git` may be a file: a worktree's. */
export async function findRepository(directory: string): Promise<string | null> {
  let at = await realpath(directory);
  for (;;) {
    if (existsSync(join(at, ".git"))) return at;
    const above = dirname(at);
    if (above === at) return null;
    at = above;
  }
}
