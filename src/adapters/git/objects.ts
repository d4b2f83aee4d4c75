import { createHash, type Hash } from "node:crypto";
import { Failure } from "../../domain/failure.ts";
import { type Git, type GitCall, GitError } from "./run.ts";

/** What one object's content is handed to, piece by piece: contents can be larger than memory should hold. */
export interface ObjectSink {
  begin(type: string, size: number): void;
  piece(bytes: Buffer): void;
  end(): void;
  /** Instead of `end`, when the rest will not come. */
  drop(): void;
}

/**
 * Reads objects in the order asked for, through one `cat-file --batch`. An object that is not there or cannot be read:
 * `Failure("store/corrupt")`.
 */
export async function readObjects(
  git: Git,
  call: GitCall,
  ids: readonly string[],
  sinkOf: (at: number) => ObjectSink,
): Promise<void> {
  if (ids.length === 0) return;
  let at = 0;
  let rest: Buffer = Buffer.alloc(0);
  let left = 0;
  let sink: ObjectSink | null = null;
  const take = (chunk: Buffer): void => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      if (sink === null) {
        const newline = rest.indexOf(10);
        if (newline < 0 || at >= ids.length) break;
        const [, type, size] = rest.subarray(0, newline).toString("latin1").split(" ");
        if (type === undefined || size === undefined || !/^\d+$/.test(size)) throw missing(call, ids[at]);
        rest = rest.subarray(newline + 1);
        sink = sinkOf(at);
        left = Number(size);
        sink.begin(type, left);
      }
      const piece = rest.subarray(0, left);
      if (piece.length > 0) sink.piece(piece);
      left -= piece.length;
      rest = rest.subarray(piece.length);
      // The content is followed by one newline.
      if (left > 0 || rest.length === 0) break;
      sink.end();
      sink = null;
      rest = rest.subarray(1);
      at += 1;
    }
  };
  const asked = { ...call, input: `${ids.join("\n")}\n` };
  const { code, stderr } = await git
    .read(["cat-file", "--batch", "--buffer"], asked, take)
    .finally(() => (sink as ObjectSink | null)?.drop());
  if (at < ids.length) {
    if (stderr !== "")
      throw new Failure("store/corrupt", `object ${ids[at]} of ${call.gitDir} cannot be read`, {
        cause: new GitError(["cat-file"], code, stderr),
      });
    throw missing(call, ids[at]);
  }
}

const missing = (call: GitCall, id: string | undefined): Failure =>
  new Failure("store/corrupt", `object ${id} is missing in ${call.gitDir}`, {
    next: "Restore the data directory from a backup, or start the task again.",
  });

/** The content of small objects, whole. */
export async function readWhole(git: Git, call: GitCall, ids: readonly string[]): Promise<Buffer[]> {
  const contents: Buffer[] = [];
  await readObjects(git, call, ids, () => {
    const pieces: Buffer[] = [];
    return {
      begin: () => {},
      piece: (bytes) => {
        // The reader's buffer is used again.
        pieces.push(Buffer.from(bytes));
      },
      end: () => {
        contents.push(Buffer.concat(pieces));
      },
      drop: () => {},
    };
  });
  return contents;
}

/** Digest of each object's content; with `named`, over git's header too, so that the digest is the object's id. */
export async function digestObjects(
  git: Git,
  call: GitCall,
  ids: readonly string[],
  algorithm: "sha1" | "sha256",
  named: boolean,
): Promise<string[]> {
  const digests: string[] = [];
  await readObjects(git, call, ids, () => {
    let hash: Hash = createHash(algorithm);
    return {
      begin: (type, size) => {
        hash = createHash(algorithm);
        if (named) hash.update(`${type} ${size}\0`);
      },
      piece: (bytes) => {
        hash.update(bytes);
      },
      end: () => {
        digests.push(hash.digest("hex"));
      },
      drop: () => {},
    };
  });
  return digests;
}
