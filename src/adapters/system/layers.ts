import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, mkdir, readdir, readFile, readlink, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Layer, Layers } from "../../ports/layers.ts";

const run = promisify(execFile);
const RECEIPT = "layer.json";
/** Directories that tools want to write into below a layer that is mounted read-only; made here so that scratch can be mounted over them. */
const CACHES = [".cache", ".vite", ".vite-temp"];

/**
 * Layers under `<home>/layers/<key>/`: the outputs, and a receipt written last. Whatever has no receipt is half-made and is discarded.
 * A layer belongs to the daemon's user and is only ever mounted read-only.
 */
export function fileLayers(home: string): Layers {
  const top = join(home, "layers");
  const at = (key: string): string => {
    if (!/^[0-9a-f]{64}$/.test(key)) throw new Error(`not a layer key: ${key}`);
    return join(top, key);
  };
  const find = async (key: string): Promise<Layer | null> => {
    try {
      return JSON.parse(await readFile(join(at(key), RECEIPT), "utf8")) as Layer;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw error;
    }
  };
  return {
    find,
    async adopt(key, directory, outputs) {
      const place = at(key);
      await rm(place, { recursive: true, force: true });
      await mkdir(place, { recursive: true, mode: 0o700 });
      const hash = createHash("sha256");
      let files = 0;
      for (const output of outputs) {
        const from = join(directory, output);
        if (!(await isDirectory(from))) continue;
        const to = join(place, "outputs", output);
        await mkdir(dirname(to), { recursive: true });
        await moved(from, to);
        files += await listed(to, output, hash);
        for (const cache of CACHES) await mkdir(join(to, cache), { recursive: true });
      }
      const layer: Layer = { key, files, listing: hash.digest("hex") };
      await writeFile(join(place, "receipt.new"), JSON.stringify(layer));
      await run("sync", ["-f", place]);
      await rename(join(place, "receipt.new"), join(place, RECEIPT));
      await run("sync", ["-f", place]);
      return layer;
    },
    async path(key, output) {
      const path = join(at(key), "outputs", output);
      return (await find(key)) !== null && (await isDirectory(path)) ? path : null;
    },
    discard: (key) => rm(at(key), { recursive: true, force: true }),
  };
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return false;
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
