import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, constants, lstatSync, openSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { type ByteName, baseOf, onDisk, parentOf, toByteName, toText } from "./names.ts";

/** So many entries, then the others have their turn: a tree of 100,000 files must not hold up the daemon's answers. */
const ENTRIES_AT_ONCE = 256;

/** Counts entries, and gives way after each `ENTRIES_AT_ONCE`. */
export function givingWay(): () => Promise<void> | null {
  let count = 0;
  return () => (++count % ENTRIES_AT_ONCE === 0 ? setImmediate() : null);
}

/** Removes whatever stands at a path, following no link; nothing there is fine. */
export async function removeTree(path: ByteName): Promise<void> {
  try {
    await removeBelow(path, true, givingWay());
  } catch (error) {
    if (!isCode(error, "ENAMETOOLONG")) throw error;
    await removeDeep(path);
  }
}

/** Removes what is in a directory and keeps the directory; a file or link at the path is removed itself. */
export async function emptyTree(path: ByteName): Promise<void> {
  try {
    await removeBelow(path, false, givingWay());
  } catch (error) {
    if (!isCode(error, "ENAMETOOLONG")) throw error;
    for (const name of readdirSync(onDisk(path), { encoding: "latin1" })) await removeTree(`${path}/${name}`);
  }
}

async function removeBelow(path: ByteName, itself: boolean, turn: ReturnType<typeof givingWay>): Promise<void> {
  const stats = lstatSync(onDisk(path), { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    unlinkSync(onDisk(path));
    return;
  }
  if ((stats.mode & 0o700) !== 0o700) chmodSync(onDisk(path), 0o700);
  for (const name of readdirSync(onDisk(path), { encoding: "latin1" })) {
    const pause = turn();
    if (pause !== null) await pause;
    await removeBelow(`${path}/${name}`, true, turn);
  }
  if (itself) rmdirSync(onDisk(path));
  else chmodSync(onDisk(path), stats.mode & 0o7777);
}

/**
 * Deeper than a path can say: coreutils go down directory by directory, following no link. They start where the parent was
 * opened and read the name from their input, because neither has to be text.
 */
async function removeDeep(path: ByteName): Promise<void> {
  const parent = openSync(onDisk(parentOf(path)), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const cwd = process.platform === "linux" ? `/proc/${process.pid}/fd/${parent}` : toText(parentOf(path));
    const name = Buffer.concat([onDisk(`./${baseOf(path)}`), Buffer.of(0)]);
    for (const command of [
      ["chmod", "-R", "u+rwx", "--"],
      ["rm", "-rf", "--"],
    ]) {
      const child = spawn("xargs", ["-0", ...command], {
        cwd,
        env: { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C" },
        stdio: ["pipe", "ignore", "ignore"],
      });
      child.stdin.end(name);
      // chmod complains about links and strangers' files; whether rm could do its work is seen below.
      await once(child, "close");
    }
    const left = lstatSync(onDisk(`${toByteName(cwd)}/${baseOf(path)}`), { throwIfNoEntry: false });
    if (left !== undefined) throw new Error(`${toText(path)} could not be removed`);
  } finally {
    closeSync(parent);
  }
}

export const isCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code);
