import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BlobRef } from "../../domain/blob.ts";
import { Failure } from "../../domain/failure.ts";
import type { StagedBlob } from "../../ports/store.ts";
import { bytesOrNull, type Queries, type Tx } from "./database.ts";
import { writeDurably } from "./durable-file.ts";

/** Content up to this size lies in the database, larger content in a file of its own. */
export const INLINE_BYTES_MAX = 64 * 1024;

/** What stands in place of text whose content was erased. */
export const ERASED_TEXT = "(erased)";

const SALT_BYTES = 32;

export const blobFile = (directory: string, digest: string): string => join(directory, digest.slice(0, 2), digest);

/** Names content and, when it is large, has it durable in a file before it resolves. No space: `Failure("store/full")`. */
export async function stageBlob(directory: string, bytes: Uint8Array): Promise<StagedBlob> {
  const salt = new Uint8Array(randomBytes(SALT_BYTES));
  const ref: BlobRef = { digest: saltedDigest(salt, bytes), bytes: bytes.byteLength };
  // The caller may go on using its buffer; what was named must not change any more.
  if (bytes.byteLength <= INLINE_BYTES_MAX) return { ref, salt, inline: new Uint8Array(bytes) };
  try {
    await writeDurably(blobFile(directory, ref.digest), bytes);
  } catch (error) {
    if (codeOf(error) === "ENOSPC" || codeOf(error) === "EDQUOT") throw fullFailure(directory, error);
    throw error;
  }
  return { ref, salt, inline: null };
}

/** Stores name, salt and small content; the same staged blob may arrive twice. */
export async function keepBlob(tx: Tx, { ref, salt, inline }: StagedBlob): Promise<void> {
  await tx.query(
    "INSERT INTO blobs (digest, bytes, salt, content) VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
    [ref.digest, ref.bytes, salt, inline],
  );
}

export async function isKept(queries: Queries, ref: BlobRef): Promise<boolean> {
  const rows = await queries.query("SELECT 1 AS kept FROM blobs WHERE digest = ? AND bytes = ?", [
    ref.digest,
    ref.bytes,
  ]);
  return rows.length === 1;
}

/** The content, checked against its name; null when it was erased. Missing or changed: `Failure("store/corrupt")`. */
export async function blobContent(queries: Queries, directory: string, ref: BlobRef): Promise<Uint8Array | null> {
  const [row] = await queries.query("SELECT salt, content FROM blobs WHERE digest = ?", [ref.digest]);
  if (row === undefined) throw corrupt(ref, "is not in the store");
  const salt = bytesOrNull(row, "salt");
  if (salt === null) return null;
  const bytes = bytesOrNull(row, "content") ?? (await fromFile(directory, ref));
  if (saltedDigest(salt, bytes) !== ref.digest) throw corrupt(ref, "was changed after it was written");
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export const saltedDigest = (salt: Uint8Array, bytes: Uint8Array): string =>
  createHash("sha256").update(salt).update(bytes).digest("hex");

export const fullFailure = (place: string, cause: unknown): Failure =>
  new Failure("store/full", `there is no space left for ${place}`, {
    next: "Nothing was written; free space and send it again.",
    cause,
  });

async function fromFile(directory: string, ref: BlobRef): Promise<Uint8Array> {
  try {
    return await readFile(blobFile(directory, ref.digest));
  } catch (error) {
    if (codeOf(error) === "ENOENT") throw corrupt(ref, "lost its file");
    throw error;
  }
}

const corrupt = (ref: BlobRef, problem: string): Failure =>
  new Failure("store/corrupt", `content ${ref.digest} (${ref.bytes} bytes) ${problem}`, {
    next: "agentos audit verify lists every place that names it.",
  });

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : null);
