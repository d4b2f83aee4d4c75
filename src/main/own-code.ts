import { readFileSync } from "node:fs";
import { enableCompileCache, type SourceMap } from "node:module";
import { dirname, extname, join } from "node:path";

/** `.js` in a bundle, where all of AgentOS lies in one directory; `.ts` from the sources. */
export const SUFFIX = extname(import.meta.filename);

const bundled = SUFFIX === ".js";

/**
 * For the first line of a program, before it loads the rest of itself. Parsed code is kept inside the checkout, where only its
 * owner can write: a directory that others can write to would let them choose what we run.
 */
export function loadQuickly(): void {
  enableCompileCache(
    bundled ? join(import.meta.dirname, "compiled") : join(import.meta.dirname, "..", "..", ".setup", "compiled"),
  );
  if (bundled) Error.prepareStackTrace = inSources;
}

/**
 * A stack trace that names the sources. Node can do that itself (`--enable-source-maps`), but reads every map at every start;
 * here the first trace that somebody looks at pays.
 */
function inSources(error: Error, sites: readonly NodeJS.CallSite[]): string {
  return [`${String(error)}`, ...sites.map((site) => `    at ${String(site).replace(IN_BUNDLE, sourcePlace)}`)].join(
    "\n",
  );
}

const IN_BUNDLE = /(?:file:\/\/)?(\/[^():]+\.js):(\d+):(\d+)/;

const maps = new Map<string, SourceMap | null>();

function sourcePlace(written: string, file: string, line: string, column: string): string {
  if (dirname(file) !== import.meta.dirname) return written;
  const place = mapOf(file)?.findEntry(Number(line) - 1, Number(column) - 1);
  if (place === undefined || !("originalSource" in place)) return written;
  return `${join(dirname(file), place.originalSource)}:${place.originalLine + 1}:${place.originalColumn + 1}`;
}

function mapOf(file: string): SourceMap | null {
  const known = maps.get(file);
  if (known !== undefined) return known;
  let map: SourceMap | null = null;
  try {
    const { SourceMap } = process.getBuiltinModule("node:module");
    map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")));
  } catch {
    // Without its map a trace names the bundle, which is still a trace; an error about an error would hide the first.
  }
  maps.set(file, map);
  return map;
}
