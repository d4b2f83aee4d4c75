import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { Failure } from "../../domain/failure.ts";

export interface SecretFile {
  read(name: string): Promise<string | null>;
  write(name: string, value: string): Promise<void>;
  remove(name: string): Promise<boolean>;
}

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** A secret is a line; a file much larger is not ours. */
const FILE_BYTES_MAX = 1024 * 1024;

const Kept = z.strictObject({
  v: z.literal(1),
  secrets: z.array(z.strictObject({ name: z.string(), sealed: z.string() })),
});
type Kept = z.infer<typeof Kept>;

/**
 * `secrets.json` in the data directory: each value sealed with AES-256-GCM for its name, the key in `secrets.key` beside it, made at the
 * first use, both for their owner alone.
 *
 * What that is worth: a copy of `secrets.json` by itself (in a backup, an archive sent to somebody, a synced folder, a search over the disk)
 * tells nothing, and a value that was changed or moved to another name is refused. Whoever can read both files has the secrets: root, and
 * every program of the same user that no sandbox confines. It does not protect a stolen disk either; that is for disk encryption.
 */
export function secretFile(home: string): SecretFile {
  const path = join(home, "secrets.json");
  const keyPath = join(home, "secrets.key");
  // One change at a time; the daemon's lock keeps other processes away.
  let last: Promise<unknown> = Promise.resolve();
  const afterOthers = <T>(change: () => Promise<T>): Promise<T> => {
    const mine = last.then(change, change);
    last = mine.catch(() => {}); // Its own caller hears of it.
    return mine;
  };

  const kept = async (): Promise<Kept> => {
    const bytes = await readPrivate(path);
    if (bytes === null) return { v: 1, secrets: [] };
    try {
      return Kept.parse(JSON.parse(bytes.toString("utf8")));
    } catch {
      throw unreadable(path, "is not what AgentOS wrote"); // The cause would show the content.
    }
  };
  const key = async (): Promise<Buffer | null> => {
    const bytes = await readPrivate(keyPath);
    if (bytes !== null && bytes.byteLength !== KEY_BYTES) throw unreadable(keyPath, "is not what AgentOS wrote");
    return bytes;
  };
  const store = (content: Kept): Promise<void> =>
    writeWhole(path, Buffer.from(`${JSON.stringify(content, null, 2)}\n`));

  return {
    async read(name) {
      const found = (await kept()).secrets.find((one) => one.name === name);
      if (found === undefined) return null;
      const sealKey = await key();
      if (sealKey === null) throw unreadable(keyPath, "is gone, and without it what is stored cannot be read");
      const value = unsealed(found.sealed, name, sealKey);
      if (value === null)
        throw unreadable(path, `holds a secret for ${name} that was changed, or sealed with another key`);
      return value;
    },
    write: (name, value) =>
      afterOthers(async () => {
        let sealKey = await key();
        let before = await kept();
        if (sealKey === null) {
          // Without their key the others are lost; they are put aside and not overwritten, for whoever finds the key again.
          if (before.secrets.length > 0) await rename(path, `${path}.unreadable-${randomBytes(4).toString("hex")}`);
          before = { v: 1, secrets: [] };
          sealKey = randomBytes(KEY_BYTES);
          await writeWhole(keyPath, sealKey);
        }
        const others = before.secrets.filter((one) => one.name !== name);
        await store({ v: 1, secrets: [...others, { name, sealed: sealed(value, name, sealKey) }] });
      }),
    remove: (name) =>
      afterOthers(async () => {
        const before = await kept();
        const others = before.secrets.filter((one) => one.name !== name);
        if (others.length === before.secrets.length) return false;
        await store({ v: 1, secrets: others });
        return true;
      }),
  };
}

/** Nonce, tag and text, bound to the name. */
function sealed(value: string, name: string, key: Buffer): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(name));
  const text = Buffer.concat([cipher.update(value, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString("base64");
}

function unsealed(text: string, name: string, key: Buffer): string | null {
  const bytes = Buffer.from(text, "base64");
  const rest = bytes.subarray(NONCE_BYTES + TAG_BYTES);
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(name))
      .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(rest), decipher.final()]).toString("utf8");
  } catch {
    return null; // Changed, cut short, or sealed with another key: the caller says so.
  }
}

/** null: there is none. Follows no link, and takes nothing that somebody else could have read or put there. */
async function readPrivate(path: string): Promise<Buffer | null> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    throw unreadable(path, code === "ELOOP" ? "is a link" : `cannot be opened (${code})`);
  }
  try {
    const { mode, uid, size } = await file.stat();
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw unreadable(path, "is no regular file");
    if (uid !== process.geteuid?.()) throw unreadable(path, `belongs to another user (${uid})`);
    if ((mode & 0o077) !== 0)
      throw new Failure("secret/unreadable", `${path} can be read by others (mode ${(mode & 0o777).toString(8)})`, {
        next: `Whoever could read it may have the keys: renew them at the providers, then chmod 600 ${path}`,
      });
    if (size > FILE_BYTES_MAX) throw unreadable(path, "is not what AgentOS wrote");
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Whole or not at all, also after a power cut, and never for others to read. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const aside = join(dirname(path), `.writing-${randomBytes(8).toString("hex")}`);
  try {
    const file = await open(aside, "wx", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

const unreadable = (path: string, why: string): Failure => new Failure("secret/unreadable", `${path} ${why}`);
