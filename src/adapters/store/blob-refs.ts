import type { BlobRef } from "../../domain/blob.ts";

/** Every piece of content an event's body names, wherever it stands in it. A reference is an object of exactly digest and bytes. */
export function blobRefsIn(body: unknown): readonly BlobRef[] {
  const found: BlobRef[] = [];
  collect(body, found);
  return found;
}

function collect(value: unknown, found: BlobRef[]): void {
  if (typeof value !== "object" || value === null) return;
  if (isBlobRef(value)) found.push(value);
  else for (const part of Object.values(value)) collect(part, found);
}

const isBlobRef = (value: object): value is BlobRef =>
  Object.keys(value).length === 2 &&
  "digest" in value &&
  "bytes" in value &&
  typeof value.digest === "string" &&
  typeof value.bytes === "number" &&
  Number.isSafeInteger(value.bytes);
