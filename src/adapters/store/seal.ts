import { hash } from "node:crypto";
import type { Seal } from "../../domain/seal.ts";
import { canonical } from "./canonical.ts";

/** RFC 8785 and SHA-256. Throws on what has no canonical form: lone surrogates, NaN and infinities, `undefined` alone. */
export const seal: Seal = (value) => {
  const text = canonical(value);
  if (text === undefined) throw new Error("there is no canonical form of undefined");
  return { text, sha256: sha256Hex(text) };
};

export const sha256Hex = (content: string | Uint8Array): string => hash("sha256", content, "hex");
