import { createRequire } from "node:module";
import type * as Cedar from "@cedar-policy/cedar-wasm/nodejs";

let loaded: typeof Cedar | null = null;

/** Cedar, loaded when it is first needed: it takes 40 ms and some 16 MB, which a daemon that decides nothing need not pay. */
export function cedar(): typeof Cedar {
  loaded ??= createRequire(import.meta.url)("@cedar-policy/cedar-wasm/nodejs") as typeof Cedar;
  return loaded;
}
