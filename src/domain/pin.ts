import type { PinnedPart } from "./gate.ts";
import type { Seal } from "./seal.ts";

/** Hex SHA-256 of text as UTF-8. */
export type Digest = (text: string) => string;

/**
 * The part with the digest it has in this content of its file; null content: the file is not there. A pointer (RFC 6901) into something
 * that is no JSON, or to an entry that is not there, gives null too.
 */
export function pinned(part: PinnedPart, content: string | null, seal: Seal, digest: Digest): PinnedPart {
  if (content === null) return { ...part, sha256: null };
  if (part.pointer === null) return { ...part, sha256: digest(content) };
  const entry = at(parsed(content), part.pointer);
  return { ...part, sha256: entry === undefined ? null : seal(entry).sha256 };
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined; // not JSON: it has no entries, which is what null says
  }
}

function at(value: unknown, pointer: string): unknown {
  let here = value;
  for (const token of pointer.split("/").slice(1)) {
    const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Record<string, unknown>)[key];
  }
  return here;
}
