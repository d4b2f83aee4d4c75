import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, mkdir, readdir, readFile, readlink, rename, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { Failure } from "../../domain/failure.ts";
import { type Layer, type Layers, type Stores, storeOutput } from "../../ports/layers.ts";
import { bytesBelow } from "./disk-use.ts";

const run = promisify(execFile);
const RECEIPT = "layer.json";
/** A receipt's time is renewed no more often than this. */
const STALE_MS = 3_600_000;
/** Directories that tools want to write into below a layer that is mounted read-only; made here so that scratch can be mounted over them. */
const CACHES = [".cache", ".vite", ".vite-temp"];

/**
 * Layers under `<home>/layers/<key>/`: the outputs, and a receipt. A layer is made in `<key>.new-<random>` and renamed when it is whole and
 * durable, so whatever has no receipt is half-made. A layer belongs to the daemon's user and is only ever mounted read-only. The caller
 * holds the daemon lock of `home`: nobody else makes layers here.
 */
export function fileLayers(home: string): Layers {
  const top = join(home, "layers");
  const turns = new Map<string, Promise<void>>();
  const making = new Set<string>();
  const at = (key: string): string => {
    if (!/^[0-9a-f]{64}$/.test(key)) throw new Error(`not a layer key: ${key}`);
    return join(top, key);
  };

  const find = async (key: string): Promise<Layer | null> => {
    const found = await receiptOf(key);
    // Its time says when it was last of use: what is found is about to be mounted.
    if (found !== null && Date.now() - (await lstat(join(at(key), RECEIPT))).mtimeMs > STALE_MS)
      await utimes(join(at(key), RECEIPT), new Date(), new Date());
    return found;
  };

  const receiptOf = async (key: string): Promise<Layer | null> => {
    let text: string;
    try {
      text = await readFile(join(at(key), RECEIPT), "utf8");
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
    const receipt = JSON.parse(text) as Partial<Layer>;
    // Without the list of its outputs it is not known to be whole.
    return receipt.outputs === undefined ? null : (receipt as Layer);
  };

  const discard = async (key: string): Promise<void> => {
    const place = at(key);
    for (const name of await namesIn(top))
      if (name.startsWith(`${key}.new-`) && !making.has(name))
        await rm(join(top, name), { recursive: true, force: true });
    if ((await find(key)) === null) await rm(place, { recursive: true, force: true });
  };

  const build = async (
    place: string,
    key: string,
    directory: string,
    outputs: readonly string[],
    stores: Stores,
  ): Promise<Layer> => {
    const hash = createHash("sha256");
    const present: string[] = [];
    let files = 0;
    const take = async (below: string, name: string, output: string): Promise<string | null> => {
      const from = await plainDirectory(below, name);
      if (from === null) return null;
      const to = join(place, "outputs", output);
      await mkdir(dirname(to), { recursive: true });
      await moved(from, to);
      files += await listed(to, output, hash);
      present.push(output);
      return to;
    };
    for (const output of outputs) {
      const to = await take(directory, output, output);
      if (to !== null) for (const cache of CACHES) await madeInside(to, output, cache);
    }
    for (const name of stores.names) await take(stores.directory, name, storeOutput(name));
    const layer: Layer = { key, files, listing: hash.digest("hex"), outputs: present };
    await writeFile(join(place, RECEIPT), JSON.stringify(layer));
    await run("sync", ["-f", place]);
    return layer;
  };

  const alone: Layers["alone"] = async (key, signal, work) => {
    const before = turns.get(key) ?? Promise.resolve();
    const result = before.then(() => {
      signal.throwIfAborted();
      return work();
    });
    // Whoever comes next waits for the work itself, also when this caller stopped waiting.
    const turn = result.then(
      () => undefined,
      () => undefined,
    );
    turns.set(key, turn);
    void turn.then(() => turns.get(key) === turn && turns.delete(key));
    return unlessAborted(before, signal).then(() => result);
  };

  return {
    find,
    discard,
    alone,
    async use() {
      const found = [];
      for (const key of (await namesIn(top)).filter((name) => /^[0-9a-f]{64}$/.test(name)).sort())
        if ((await receiptOf(key)) !== null)
          found.push({
            key,
            bytes: await bytesBelow(at(key)),
            usedAtMs: Math.floor((await lstat(join(at(key), RECEIPT))).mtimeMs),
          });
      return found;
    },
    remove: (key, unusedSinceMs) =>
      alone(key, new AbortController().signal, async () => {
        if ((await receiptOf(key)) === null) return true;
        if ((await lstat(join(at(key), RECEIPT))).mtimeMs > unusedSinceMs) return false;
        // Away in one step: whoever looks for it from now on finds none. A crash leaves what `discard` and the next call remove.
        const going = join(top, `${key}.new-${randomUUID()}`);
        await rename(at(key), going);
        await rm(going, { recursive: true, force: true });
        return true;
      }),
    async adopt(key, directory, outputs, stores = { directory, names: [] }) {
      const there = await find(key);
      if (there !== null) return there;
      await discard(key);
      const name = `${key}.new-${randomUUID()}`;
      const place = join(top, name);
      making.add(name);
      try {
        await mkdir(place, { recursive: true, mode: 0o700 });
        const layer = await build(place, key, directory, outputs, stores);
        try {
          await rename(place, at(key));
        } catch (error) {
          // Somebody was faster; the first one may be mounted already and stays.
          const first = await find(key);
          if (first === null) throw error;
          return first;
        }
        await run("sync", ["-f", top]);
        return layer;
      } finally {
        making.delete(name);
        await rm(place, { recursive: true, force: true });
      }
    },
    async path(key, output) {
      const path = join(at(key), "outputs", output);
      return (await find(key)) !== null && (await isDirectory(path)) ? path : null;
    },
  };
}

/** Resolves or rejects with `before`, or rejects with the signal's reason as soon as it is aborted. */
function unlessAborted(before: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    void before.then(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
  });
}

/**
 * Where an output lies, null when it was not made. Commands ran in that directory: a link on the way would let them name any directory of
 * the daemon's user, which would then be moved away. Nothing runs there any more, so what is seen here stays so.
 */
async function plainDirectory(directory: string, output: string): Promise<string | null> {
  let path = directory;
  const names = output.split("/");
  for (const [depth, name] of names.entries()) {
    if (name === "" || name === "." || name === "..")
      throw new Failure("act/denied", `the output ${JSON.stringify(output)} is no plain path inside the repository`);
    path = join(path, name);
    const kind = await kindOf(path);
    if (kind === null) return null;
    if (kind !== "directory") throw notPlain(names.slice(0, depth + 1).join("/"), kind);
  }
  return path;
}

/** A cache directory in an output; what a package's own script put there in its name is left alone when it is a directory. */
async function madeInside(place: string, output: string, cache: string): Promise<void> {
  const path = join(place, cache);
  const kind = await kindOf(path);
  if (kind === null) await mkdir(path);
  else if (kind !== "directory") throw notPlain(`${output}/${cache}`, kind);
}

const notPlain = (path: string, kind: string): Failure =>
  new Failure("act/denied", `${path} is a ${kind} after preparing, so it is not taken as part of a dependency layer`, {
    next: "Remove it from the repository, or name other outputs to prepare.",
  });

async function kindOf(path: string): Promise<"directory" | "symbolic link" | "file" | null> {
  try {
    const stats = await lstat(path);
    return stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "symbolic link" : "file";
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

const isDirectory = async (path: string): Promise<boolean> => (await kindOf(path)) === "directory";

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** A rename; copied where the workspaces lie on another file system. */
async function moved(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EXDEV")) throw error;
    await run("cp", ["-a", "--reflink=auto", "--", from, to]);
  }
}

/** Feeds every entry in a fixed order: path, mode, and the digest of its content. Returns the number of files. */
async function listed(directory: string, name: string, hash: ReturnType<typeof createHash>): Promise<number> {
  let files = 0;
  const entries = (await readdir(directory, { withFileTypes: true })).sort((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : 0,
  );
  for (const entry of entries) {
    const path = join(directory, entry.name);
    const label = `${name}/${entry.name}`;
    if (entry.isDirectory()) files += await listed(path, label, hash);
    else if (entry.isSymbolicLink()) hash.update(`${label}\0link\0${await readlink(path)}\n`);
    else if (entry.isFile()) {
      const { mode } = await lstat(path);
      hash.update(`${label}\0${(mode & 0o777).toString(8)}\0${await fileDigest(path)}\n`);
      files += 1;
    }
  }
  return files;
}

async function fileDigest(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
