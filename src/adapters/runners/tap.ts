import type { TestCounts } from "../../domain/test-counts.ts";
import { standsForFile } from "./file-point.ts";

const DEPTH_MAX = 100;
const INDENT = 4;

const VERSION = /^TAP version 1[34]$/;
const PLAN = /^1\.\.(\d{1,9})(?:\s.*)?$/s;
const POINT = /^(not )?ok(?:\s+\d+)?(?:\s+(?:-\s*)?(.*))?$/s;
const DIRECTIVE = /(?:^|\s)#\s*(?:(skip)\S*|(todo))(?:\s|:|$)/i;
const NODE_SUMMARY = /^# (tests|suites) (\d{1,9})$/;
const NODE_SUITE = "type: 'suite'";

/**
 * Counts of a TAP 13 or 14 stream, or of several that runners appended one after the other. Null when it is none, or
 * when any part is incomplete: no plan, another number of points than planned, diagnostics that never end.
 * Text that is not TAP is passed over, as the specification asks: what npm prints before the first version line, and
 * what tests print in between.
 *
 * What is counted are leaves: a point that sums up the points nested before it is not a test of its own (it counts as
 * one failure when it failed although none of them did). node's reporter differs: there a parent is a test, a suite is
 * marked as such, and a file without tests poses as a passed test; its summary tells it apart and has to agree.
 * "Bail out!" counts as one failure: the runner gave up.
 */
export function readTap(text: string): TestCounts | null {
  const total = nothing();
  let stream: Stream | null = null;
  for (const line of lines(text)) {
    if (VERSION.test(line)) {
      if (stream !== null && !conclude(stream, total)) return null;
      stream = {
        open: [block()],
        last: null,
        diagnosticsEnd: null,
        bailedOut: false,
        testsSaid: null,
        suitesSaid: null,
      };
    } else if (stream !== null && !take(stream, line)) return null;
  }
  return stream !== null && conclude(stream, total) ? total : null;
}

type Outcome = keyof TestCounts;
type Counting = { -readonly [K in Outcome]: number };

/** The points at one depth so far, counted both ways: which one is meant shows only in the summary at the end. */
interface Block {
  points: number;
  planned: number | null;
  readonly leaves: Counting;
  readonly asNode: Counting;
  /** Files that pose as tests, in node's way of counting. */
  files: number;
  /** A closed block one level deeper that waits for the point that sums it up. */
  nested: Block | null;
  /** A point that ends in "{": its subtests come after it, up to a line "}" (node-tap writes them so when it runs files in parallel). */
  braced: RegExpExecArray | null;
}

interface Stream {
  /** The block being read and those around it, outermost first. */
  readonly open: Block[];
  /** Takes the last point out of node's counts, should its diagnostics say that it is a suite. */
  last: (() => void) | null;
  /** The line that ends the diagnostics being passed over. */
  diagnosticsEnd: string | null;
  bailedOut: boolean;
  testsSaid: number | null;
  suitesSaid: number | null;
}

/** False when the stream is broken. */
function take(stream: Stream, line: string): boolean {
  const { open } = stream;
  const text = line.trimStart();
  const indent = line.length - text.length;

  if (stream.diagnosticsEnd !== null) {
    if (line === stream.diagnosticsEnd) stream.diagnosticsEnd = null;
    else if (text === NODE_SUITE && indent === stream.diagnosticsEnd.length - 3) {
      stream.last?.();
      stream.last = null;
    }
    return true;
  }
  if (text === "---" && stream.last !== null && indent === (open.length - 1) * INDENT + 2) {
    stream.diagnosticsEnd = `${" ".repeat(indent)}...`;
    return true;
  }
  if (text.startsWith("Bail out!")) stream.bailedOut = true;
  const said = indent === 0 ? NODE_SUMMARY.exec(line) : null;
  if (said?.[1] === "tests") stream.testsSaid = Number(said[2]);
  if (said?.[1] === "suites") stream.suitesSaid = Number(said[2]);

  const depth = indent / INDENT;
  const plan = PLAN.exec(text);
  const point = plan === null ? POINT.exec(text) : null;
  const brace = text === "}" ? (open[depth]?.braced ?? null) : null;
  if ((plan === null && point === null && brace === null) || !Number.isInteger(depth)) return true;

  if (depth > DEPTH_MAX) return false;
  while (open.length - 1 > depth) if (!close(stream)) return false;
  while (open.length - 1 < depth) open.push(block());
  const here = open[depth];
  if (here === undefined) return false;
  stream.last = null;
  if (brace === null) settleBrace(here, depth);
  if (brace !== null) {
    here.braced = null;
    count(here, brace, depth);
  } else if (point !== null) {
    if (text.endsWith("{")) here.braced = point;
    else stream.last = count(here, point, depth);
  } else if (here.planned !== null) return false;
  else here.planned = Number(plan?.[1]);
  return true;
}

/** After all it was only a name that ends in a brace: no subtests came. */
function settleBrace(here: Block, depth: number): void {
  if (here.braced === null || here.nested !== null) return;
  count(here, here.braced, depth);
  here.braced = null;
}

/** Counts a point in its block, together with the block it sums up. Gives what undoes it, should it be a suite. */
function count(here: Block, match: RegExpExecArray, depth: number): () => void {
  const name = match[2] ?? "";
  const directive = DIRECTIVE.exec(name);
  const outcome = directive?.[1] ? "skipped" : directive?.[2] ? "todo" : match[1] ? "failed" : "passed";
  const below = here.nested;
  here.nested = null;
  here.points += 1;

  if (below === null) here.leaves[outcome] += 1;
  else if (outcome === "todo") here.leaves.todo += Math.max(1, sum(below.leaves));
  else {
    add(here.leaves, below.leaves);
    if (outcome === "failed" && below.leaves.failed === 0) here.leaves.failed += 1;
    if (outcome === "skipped" && sum(below.leaves) === 0) here.leaves.skipped += 1;
  }

  if (below !== null) add(here.asNode, below.asNode);
  if (depth === 0 && below === null && outcome === "passed" && standsForFile(name, null)) {
    here.files += 1;
    return () => (here.files -= 1);
  }
  here.asNode[outcome] += 1;
  return () => (here.asNode[outcome] -= 1);
}

/** Ends the innermost block; the point that sums it up comes next in the block around it. */
function close({ open, bailedOut }: Stream): boolean {
  const done = open.pop();
  const around = open.at(-1);
  if (done === undefined || around === undefined || around.nested !== null) return false;
  settleBrace(done, open.length);
  if (!bailedOut && !complete(done)) return false;
  if (done.nested !== null) add(done.leaves, done.nested.leaves);
  around.nested = done;
  return true;
}

/** A nested block that nobody sums up was cut off; only after a bail-out is that no surprise. */
const complete = (it: Block): boolean => it.nested === null && it.braced === null && it.planned === it.points;

function conclude(stream: Stream, total: Counting): boolean {
  while (stream.open.length > 1) if (!close(stream)) return false;
  const top = stream.open[0];
  if (top === undefined || stream.diagnosticsEnd !== null) return false;
  settleBrace(top, 0);
  if (stream.bailedOut) {
    if (top.nested !== null) add(top.leaves, top.nested.leaves);
    add(total, top.leaves);
    total.failed += 1;
    return true;
  }
  if (!complete(top)) return false;
  if (stream.suitesSaid === null) add(total, top.leaves);
  else if (sum(top.asNode) + top.files === stream.testsSaid) add(total, top.asNode);
  else return false;
  return true;
}

const nothing = (): Counting => ({ passed: 0, failed: 0, skipped: 0, todo: 0 });
const block = (): Block => ({
  points: 0,
  planned: null,
  leaves: nothing(),
  asNode: nothing(),
  files: 0,
  nested: null,
  braced: null,
});
const sum = (counts: TestCounts): number => counts.passed + counts.failed + counts.skipped + counts.todo;

function add(counts: Counting, more: TestCounts): void {
  for (const outcome of ["passed", "failed", "skipped", "todo"] as const) counts[outcome] += more[outcome];
}

function* lines(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf("\n", from);
    const line = text.slice(from, end === -1 ? text.length : end);
    yield line.endsWith("\r") ? line.slice(0, -1) : line;
    from = end === -1 ? text.length : end + 1;
  }
}
