import { execFile } from "node:child_process";
import { chmod, chown, lstat, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Failure } from "../../domain/failure.ts";
import type { AgentHomes } from "../../ports/foreign.ts";
import { bytesBelow } from "./disk-use.ts";

/** `<home>/homes/<task>/<step>.<run>/`: one home per turn. Links in one are copied as links: nothing of it is followed. */
export function agentHomes({
  home,
  owner,
}: {
  readonly home: string;
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}): AgentHomes {
  const of = (task: string): string => join(home, "homes", task);
  const exists = async (task: string, name: string): Promise<boolean> => {
    const found = await lstat(join(of(task), name)).catch(() => null);
    return found?.isDirectory() === true;
  };
  return {
    exists,
    async begin(task, from, to, directories) {
      const path = join(of(task), to);
      await rm(path, { recursive: true, force: true });
      await mkdir(of(task), { recursive: true, mode: 0o700 });
      if (from !== null && from !== to && (await exists(task, from)))
        await promisify(execFile)("/bin/cp", ["-a", "--reflink=auto", "--", join(of(task), from), path]);
      else await mkdir(path);
      await chmod(path, 0o700);
      if (owner !== null) await chown(path, owner.uid, owner.gid);
      for (const directory of directories) await makeWithin(path, directory, owner);
      return path;
    },
    async keepOnly(task, names) {
      for (const name of await readdir(of(task)).catch(() => []))
        if (!names.includes(name)) await rm(join(of(task), name), { recursive: true, force: true });
    },
    drop: (task) => rm(of(task), { recursive: true, force: true }),
    async use() {
      const used = [];
      for (const task of await readdir(join(home, "homes")).catch(() => []))
        used.push({ task, bytes: await bytesBelow(of(task)) });
      return used;
    },
  };
}

/** Directory by directory, none of them a link: an agent wrote what lies there. Nothing of it runs while we look. */
async function makeWithin(
  top: string,
  path: string,
  owner: { readonly uid: number; readonly gid: number } | null,
): Promise<void> {
  let at = top;
  for (const part of path.split("/")) {
    at = join(at, part);
    const found = await lstat(at).catch(() => null);
    if (found === null) {
      await mkdir(at, { mode: 0o700 });
      if (owner !== null) await chown(at, owner.uid, owner.gid);
    } else if (!found.isDirectory())
      throw new Failure(
        "act/denied",
        `~/${path} in the agent's home is no directory, and a granted file belongs there`,
      );
  }
}
