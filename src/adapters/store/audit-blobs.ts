import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { BlobRef } from "../../domain/blob.ts";
import type { Found } from "./audit-stream.ts";
import { blobFile } from "./blob-content.ts";
import { bytesOrNull, integerOf, type Queries } from "./database.ts";

/** Content, and the first event that names it. */
export interface NamedBlob {
  readonly ref: BlobRef;
  readonly stream: string;
  readonly seq: number;
}

/** Each content that the journal names is there with its digest and size. Erased content is counted, and is no finding. */
export async function auditBlobs(
  queries: Queries,
  directory: string,
  named: Iterable<NamedBlob>,
  found: Found,
): Promise<{ readonly checked: number; readonly erased: number }> {
  let checked = 0;
  let erased = 0;
  for (const { ref, stream, seq } of named) {
    const problem = await blobProblem(queries, directory, ref);
    if (problem === "erased") erased += 1;
    else checked += 1;
    if (problem !== null && problem !== "erased") found({ stream, seq, problem: `content ${ref.digest} ${problem}` });
  }
  return { checked, erased };
}

async function blobProblem(queries: Queries, directory: string, ref: BlobRef): Promise<string | null> {
  const [row] = await queries.query("SELECT bytes, salt, content FROM blobs WHERE digest = ?", [ref.digest]);
  if (row === undefined) return "is not in the store";
  if (integerOf(row, "bytes") !== ref.bytes)
    return `is said to have ${integerOf(row, "bytes")} bytes, the journal says ${ref.bytes}`;
  const salt = bytesOrNull(row, "salt");
  if (salt === null) return "erased";
  const content = bytesOrNull(row, "content");
  const hash = createHash("sha256").update(salt);
  if (content !== null) hash.update(content);
  else
    try {
      await pipeline(createReadStream(blobFile(directory, ref.digest)), hash, { end: false });
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return "lost its file";
      throw error;
    }
  return hash.digest("hex") === ref.digest ? null : "was changed after it was written";
}
