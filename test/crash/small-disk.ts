import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A file system of its own, with an end, at a path that only the processes inside see as such. */
export interface SmallDisk {
  /** Words before a program's name that make it run inside. */
  readonly enter: readonly string[];
  /** Where the test finds it. */
  readonly outside: string;
  /** Takes all space, to the last byte. */
  fill(): void;
  /** Takes all inodes. */
  fillInodes(): void;
  /** Gives back what was taken. */
  free(): void;
  remount(how: "ro" | "rw"): void;
  /** Copies what is on it to the path where it is seen inside, and gives it up. */
  close(): Promise<void>;
}

/**
 * A tmpfs in a mount namespace, which is gone with the process that holds it. An ordinary user makes it in a user namespace, and programs
 * inside run in a second one, in which they are that user again.
 */
export async function smallDisk(
  path: string,
  { bytes, inodes }: { readonly bytes: number; readonly inodes: number },
): Promise<SmallDisk> {
  mkdirSync(path, { recursive: true });
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const holder: ChildProcess = spawn(
    "unshare",
    [
      ...(uid === 0 ? [] : ["-U", "-r"]),
      ...["-m", "--propagation", "private", "sh", "-c"],
      'mount -t tmpfs -o "$2" tmpfs "$1" && echo ready && exec cat',
      ...["sh", path, `size=${bytes},nr_inodes=${inodes},mode=0700`],
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const ended = once(holder, "exit");
  await Promise.race([
    holder.stdout === null ? Promise.reject(new Error("no pipe")) : once(holder.stdout, "data"),
    ended.then(() => {
      throw new Error("a tmpfs could not be mounted");
    }),
  ]);
  const at = ["nsenter", "-t", String(holder.pid), ...(uid === 0 ? [] : ["-U", "--preserve-credentials"]), "-m", "--"];
  const self = uid === 0 ? [] : ["unshare", "-U", `--map-user=${uid}`, `--map-group=${gid}`, "--"];
  const outside = `/proc/${holder.pid}/root${path}`;
  const taken = join(outside, "taken");
  return {
    enter: [...at, ...self],
    outside,
    fill() {
      mkdirSync(taken, { recursive: true });
      const fd = openSync(join(taken, `bytes-${readdirSync(taken).length}`), "w");
      try {
        for (let size = 1024 ** 2; size >= 1; )
          try {
            writeSync(fd, Buffer.alloc(size));
          } catch {
            size = Math.floor(size / 16); // No room for so much: then for less.
          }
      } finally {
        closeSync(fd);
      }
    },
    fillInodes() {
      mkdirSync(taken, { recursive: true });
      try {
        for (let n = 0; ; n += 1) writeFileSync(join(taken, String(n)), "");
      } catch {
        // That was the last one.
      }
    },
    free: () => rmSync(taken, { recursive: true, force: true }),
    remount(how) {
      const [program = "", ...args] = [...at, "mount", "-o", `remount,bind,${how}`, path];
      execFileSync(program, args);
    },
    async close() {
      execFileSync("cp", ["-a", `${outside}/.`, path]);
      holder.stdin?.end();
      await ended;
    },
  };
}
