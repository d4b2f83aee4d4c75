/**
 * Line coverage of src/ over what runs in the tests' own processes and in the daemons and command lines they start:  npm run coverage
 * [-- vitest's words]. A process that is killed writes nothing down, so what runs only right before a kill does not count. Prints the files
 * below the promised share, worst first, and the whole; exit code 1 when the whole is below it.
 *
 * Two sources are put together. Vitest knows which statements there are and which of them its own processes ran. Other processes write
 * V8's ranges; Node strips types by putting blanks in their place, so an offset there is an offset in the file.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const PROMISED = 96;
const ROOT = join(import.meta.dirname, "..");
const SOURCES = join(ROOT, "src");

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}
interface Written {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly Range[] }[];
  }[];
}
interface Statements {
  readonly statementMap: Readonly<
    Record<string, { readonly start: { readonly line: number; readonly column: number } }>
  >;
  readonly s: Readonly<Record<string, number>>;
}

const place = mkdtempSync(join(tmpdir(), "agentos-coverage-"));
try {
  run();
} finally {
  rmSync(place, { recursive: true, force: true });
}

function run(): void {
  const children = join(place, "children");
  const words = process.argv.slice(2);
  const { status } = spawnSync(
    process.execPath,
    [
      join(ROOT, "node_modules", "vitest", "vitest.mjs"),
      "run",
      ...(words.length === 0 ? ["--project", "unit", "--project", "integration", "--project", "e2e"] : words),
      "--coverage",
      "--coverage.reportOnFailure",
      "--coverage.reporter=json",
      `--coverage.reportsDirectory=${join(place, "own")}`,
    ],
    {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, AGENTOS_TESTS: "full", AGENTOS_TEST_COVERAGE: children },
    },
  );
  const elsewhere = ranInChildren(children);
  const files = JSON.parse(readFileSync(join(place, "own", "coverage-final.json"), "utf8")) as Record<
    string,
    Statements
  >;
  const shares = Object.entries(files).map(([path, statements]) => ({
    path: relative(ROOT, path),
    ...linesOf(path, statements, elsewhere.get(path) ?? []),
  }));
  const below = shares
    .filter(({ ran, all }) => 100 * ran < PROMISED * all)
    .sort((a, b) => a.ran / a.all - b.ran / b.all);
  console.log(`\nfiles below ${PROMISED} %, and the lines that nothing ran:`);
  for (const { path, ran, all, missing } of below) console.log(`${percent(ran, all)}  ${path}  ${spans(missing)}`);
  const ran = shares.reduce((sum, one) => sum + one.ran, 0);
  const all = shares.reduce((sum, one) => sum + one.all, 0);
  console.log(`${percent(ran, all)} of the ${all} lines of src/ ran`);
  process.exitCode = status === 0 && (100 * ran) / all >= PROMISED ? 0 : 1;
}

/** A line is one on which a statement begins; it ran when any of those did, in any process. */
function linesOf(
  path: string,
  { statementMap, s }: Statements,
  children: readonly (readonly Range[])[],
): { readonly ran: number; readonly all: number; readonly missing: readonly number[] } {
  const begins = lineBegins(readFileSync(path, "utf8"));
  const lines = new Map<number, boolean>();
  for (const [id, { start }] of Object.entries(statementMap)) {
    const offset = (begins[start.line - 1] ?? 0) + start.column;
    const ran = (s[id] ?? 0) > 0 || children.some((ranges) => countAt(ranges, offset) > 0);
    lines.set(start.line, lines.get(start.line) === true || ran);
  }
  const missing = [...lines].filter(([, ran]) => !ran).map(([line]) => line);
  return { ran: lines.size - missing.length, all: lines.size, missing: missing.sort((a, b) => a - b) };
}

/** By file, the ranges of each process that loaded it. */
function ranInChildren(directory: string): ReadonlyMap<string, readonly (readonly Range[])[]> {
  const found = new Map<string, (readonly Range[])[]>();
  for (const name of namesIn(directory)) {
    const written = JSON.parse(readFileSync(join(directory, name), "utf8")) as Written;
    for (const { url, functions } of written.result) {
      if (!url.startsWith("file://") || url.includes("?")) continue;
      const path = fileURLToPath(url);
      if (!path.startsWith(`${SOURCES}/`)) continue;
      found.set(path, [...(found.get(path) ?? []), functions.flatMap(({ ranges }) => ranges)]);
    }
  }
  return found;
}

/** V8 nests its ranges: the smallest one around an offset says how often it ran. */
function countAt(ranges: readonly Range[], offset: number): number {
  let smallest: Range | null = null;
  for (const range of ranges)
    if (range.startOffset <= offset && offset < range.endOffset)
      if (smallest === null || range.endOffset - range.startOffset <= smallest.endOffset - smallest.startOffset)
        smallest = range;
  return smallest?.count ?? 0;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith(".json"));
  } catch {
    return []; // no test started a process
  }
}

function lineBegins(text: string): readonly number[] {
  const begins = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) begins.push(at + 1);
  return begins;
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1).padStart(5)} %`;
}

/** `3–5, 9`. */
function spans(lines: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const line of lines) {
    const last = parts.at(-1);
    if (last !== undefined && line === last[1] + 1) last[1] = line;
    else parts.push([line, line]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
}
