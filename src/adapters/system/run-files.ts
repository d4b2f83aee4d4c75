import { appendFileSync, constants, mkdirSync } from "node:fs";
import { chmod, chown, mkdir, open, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bytesBelow } from "./disk-use.ts";

/**
 * Files of running steps, beside the workspaces:
 *   <home>/runs/<task>/<step>.<run>/         sockets, the failure of the attempt before, reports (private; removed after the step)
 *   <home>/output/<task>/<step>.<run>.log    live output, kept
 * Paths of sockets must be short (108 bytes), so run directories are named by a digest when the full name would be long.
 */
export interface RunFiles {
  directory(task: string, step: string, run: number): Promise<string>;
  reports(task: string, step: string, run: number): Promise<string>;
  drop(task: string, step: string, run: number): Promise<void>;
  outputFile(task: string, step: string, run: number): Promise<string>;
  /** At most `bytesMax` of the end of what a run has put out; null when there is nothing. */
  output(task: string, step: string, run: number, bytesMax: number): Promise<Uint8Array | null>;
  /** At most `bytesMax` bytes from `offset` on, and how much there is in all. */
  outputFrom(
    task: string,
    step: string,
    run: number,
    offset: number,
    bytesMax: number,
  ): Promise<{ readonly bytes: Uint8Array; readonly size: number }>;
  /** Removes the output of all of a task's runs. */
  dropOutput(task: string): Promise<void>;
  /** What the output of each task takes, in bytes on disk. */
  outputUse(): Promise<readonly { readonly task: string; readonly bytes: number }[]>;
  /** A regular file directly in the directory, no link followed; null when absent or larger than `bytesMax`. */
  readReport(directory: string, name: string, bytesMax: number): Promise<Uint8Array | null>;
  /** Reports that lie in a checkout: see the broker's dependency of that name. */
  reportsIn(
    checkout: string,
    pattern: string,
    bytesMax: number,
    then: "read" | "remove",
  ): Promise<readonly Uint8Array[]>;
  /** `place`: a plain name; the directory of that name, made readable for everyone inside the sandbox. */
  inputs(task: string, step: string, run: number, place: string): Promise<string>;
  writeText(path: string, text: string | Uint8Array): Promise<void>;
  /** Adds to a run's live output. At once: it is a few bytes, and what comes next must come after it. */
  appendOutput(file: string, text: string): void;
  /** What dead runs left. */
  dropAll(): Promise<void>;
}

export function runFiles({
  home,
  owner,
  digest,
}: {
  readonly home: string;
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  readonly digest: (text: string) => string;
}): RunFiles {
  const runs = join(home, "runs");
  // The full name goes into the digest: two runs never share a directory, and a socket's path stays within 108 bytes.
  const at = (task: string, step: string, run: number): string =>
    join(runs, digest(`${task}/${step}.${run}`).slice(0, 16));
  const output = (task: string, step: string, run: number): string => join(home, "output", task, `${step}.${run}.log`);
  // Most steps need no directory; `dropAll` deals with those of dead runs.
  const standing = new Set<string>();
  const made = async (path: string): Promise<string> => {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  };
  const begun = async (task: string, step: string, run: number): Promise<string> => {
    const path = at(task, step, run);
    standing.add(path);
    return made(path);
  };
  return {
    directory: (task, step, run) => begun(task, step, run),
    async reports(task, step, run) {
      const path = await made(join(await begun(task, step, run), "report"));
      if (owner !== null) await chown(path, owner.uid, owner.gid);
      return path;
    },
    async inputs(task, step, run, place) {
      const top = join(await begun(task, step, run), "inputs");
      const path = join(top, place);
      await mkdir(path, { recursive: true });
      for (const directory of [top, path]) await chmod(directory, 0o755);
      return path;
    },
    async drop(task, step, run) {
      const path = at(task, step, run);
      if (!standing.has(path)) return;
      await rm(path, { recursive: true, force: true });
      standing.delete(path);
    },
    async outputFile(task, step, run) {
      // At every step and nearly always there: asking another thread would take longer than looking.
      mkdirSync(join(home, "output", task), { recursive: true, mode: 0o700 });
      return output(task, step, run);
    },
    output: (task, step, run, bytesMax) => endOf(output(task, step, run), bytesMax),
    outputFrom: async (task, step, run, offset, bytesMax) =>
      (await reading(output(task, step, run), async (size, read) => ({
        bytes: offset >= size ? new Uint8Array() : await read(offset, Math.min(bytesMax, size - offset)),
        size,
      }))) ?? { bytes: new Uint8Array(), size: 0 },
    dropOutput: (task) => rm(join(home, "output", task), { recursive: true, force: true }),
    async outputUse() {
      const used = [];
      for (const task of await readdir(join(home, "output")).catch(noNames))
        used.push({ task, bytes: await bytesBelow(join(home, "output", task)) });
      return used;
    },
    readReport: (directory, name, bytesMax) =>
      name.includes("/") || name === ".." ? Promise.resolve(null) : whole(join(directory, name), bytesMax),
    reportsIn,
    appendOutput: (file, text) => appendFileSync(file, text, { mode: 0o600 }),
    async writeText(path, text) {
      await writeFile(path, text, { mode: 0o644 });
      await chmod(path, 0o644);
    },
    dropAll: () => rm(runs, { recursive: true, force: true }),
  };
}

const REPORTS_MAX = 10_000;

async function reportsIn(
  checkout: string,
  pattern: string,
  bytesMax: number,
  then: "read" | "remove",
): Promise<readonly Uint8Array[]> {
  const whole = new RegExp(`^(?:${pattern})$`);
  const found = (await plainFiles(checkout, "")).filter((path) => whole.test(path)).sort();
  const reports: Uint8Array[] = [];
  let left = bytesMax;
  for (const path of found) {
    if (then === "remove") {
      await rm(join(checkout, path));
      continue;
    }
    const report = await reading(join(checkout, path), async (size, read) => (size > left ? null : read(0, size)));
    if (report === null || reports.length === REPORTS_MAX) return [];
    left -= report.byteLength;
    reports.push(report);
  }
  return reports;
}

/** Nothing runs in the checkout any more, so a directory that is seen is no link a moment later. */
async function plainFiles(top: string, below: string): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(join(top, below), { withFileTypes: true })) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isFile()) files.push(path);
    else if (entry.isDirectory() && entry.name !== ".git" && entry.name !== "node_modules")
      files.push(...(await plainFiles(top, path)));
  }
  return files;
}

async function endOf(path: string, bytesMax: number): Promise<Uint8Array | null> {
  return reading(path, async (size, read) =>
    size === 0 ? null : read(Math.max(0, size - bytesMax), Math.min(size, bytesMax)),
  );
}

async function whole(path: string, bytesMax: number): Promise<Uint8Array | null> {
  return reading(path, async (size, read) => (size > bytesMax ? null : read(0, size)));
}

async function reading<T>(
  path: string,
  take: (size: number, read: (from: number, length: number) => Promise<Uint8Array>) => Promise<T | null>,
): Promise<T | null> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    // O_NONBLOCK: opening a fifo somebody put there must not wait for a writer.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (
      error instanceof Error &&
      "code" in error &&
      (error.code === "ENOENT" || error.code === "ELOOP" || error.code === "ENXIO")
    )
      return null;
    throw error;
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return null;
    return await take(stat.size, async (from, length) => {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await file.read(bytes, 0, length, from);
      return bytes.subarray(0, bytesRead);
    });
  } finally {
    await file.close();
  }
}

/** Before the first step there is no such directory. */
function noNames(error: unknown): string[] {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
  throw error;
}
