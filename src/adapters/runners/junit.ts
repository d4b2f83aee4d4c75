import type { TestCounts } from "../../domain/test-counts.ts";
import { standsForFile } from "./file-point.ts";
import { matchAt } from "./match-at.ts";

const DEPTH_MAX = 200;
const NAME = /[A-Za-z_:][\w:.-]*/y;
const SPACE = /\s*/y;

interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Of a test case: what its children said so far. */
  failed: boolean;
  skipped: boolean;
  todo: boolean;
}

/**
 * Counts of a JUnit report: one per `testcase`; one failure for an `error` or `failure` that stands in a suite itself.
 * Null when it is none, is cut off or is no well-formed XML. A document type is refused, and no entity is ever expanded:
 * nothing here needs text, so there is nothing to blow up. One pass, no recursion.
 *
 * A retried case that passed in the end (`flakyFailure`, `rerunFailure`) passed. node marks an expected failure
 * `<skipped type="todo">`; other runners write their todo as skipped, and so it counts.
 */
export function readJunit(text: string): TestCounts | null {
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  const open: Element[] = [];
  let root: string | null = null;
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;

  while (at < text.length) {
    const bracket = text.indexOf("<", at);
    const outside = open.length === 0;
    if (outside && text.slice(at, bracket === -1 ? text.length : bracket).trim() !== "") return null;
    if (bracket === -1) break;

    const skip = SKIPPED.find(({ start }) => text.startsWith(start, bracket));
    if (skip !== undefined) {
      if (outside && skip.start === "<![CDATA[") return null;
      const end = text.indexOf(skip.end, bracket + skip.start.length);
      if (end === -1) return null;
      at = end + skip.end.length;
      continue;
    }
    if (text.startsWith("</", bracket)) {
      const end = text.indexOf(">", bracket);
      const element = open.pop();
      if (end === -1 || element === undefined || text.slice(bracket + 2, end).trimEnd() !== element.name) return null;
      finish(element, counts);
      at = end + 1;
      continue;
    }
    const tag = readTag(text, bracket + 1);
    if (tag === null || (outside && root !== null)) return null;
    root ??= tag.element.name;
    if (root !== "testsuites" && root !== "testsuite") return null;
    enter(tag.element, open, counts);
    if (tag.selfClosing) finish(tag.element, counts);
    else if (open.push(tag.element) > DEPTH_MAX) return null;
    at = tag.end;
  }
  return root !== null && open.length === 0 ? counts : null;
}

/** What holds no element. A document type (`<!DOCTYPE`) is not among them, and so is refused as a malformed tag. */
const SKIPPED = [
  { start: "<!--", end: "-->" },
  { start: "<![CDATA[", end: "]]>" },
  { start: "<?", end: "?>" },
] as const;

type Counting = { -readonly [K in keyof TestCounts]: number };

function enter(element: Element, open: readonly Element[], counts: Counting): void {
  const parent = open.at(-1);
  const isFailure = element.name === "failure" || element.name === "error";
  if (parent?.name === "testcase") {
    if (isFailure) parent.failed = true;
    if (element.name === "skipped" && element.attributes.get("type") === "todo") parent.todo = true;
    else if (element.name === "skipped") parent.skipped = true;
  } else if (isFailure && (parent?.name === "testsuite" || parent?.name === "testsuites")) counts.failed += 1;
}

/** Values of a case's `status` with which some runners say, without a child element, that it never ran. */
const NOT_RUN = new Set(["skipped", "notrun", "disabled", "pending"]);

function finish(element: Element, counts: Counting): void {
  if (element.name !== "testcase") return;
  const { attributes } = element;
  if (element.todo) counts.todo += 1;
  else if (element.failed) counts.failed += 1;
  else if (element.skipped || NOT_RUN.has(attributes.get("status") ?? "")) counts.skipped += 1;
  else if (!isFileOfNode(attributes)) counts.passed += 1;
}

/** node's own reporter is the only one with the class name "test"; Node 20 leaves the file out. */
const isFileOfNode = (attributes: ReadonlyMap<string, string>): boolean =>
  attributes.get("classname") === "test" && standsForFile(attributes.get("name") ?? "", attributes.get("file") ?? null);

function readTag(text: string, from: number): { element: Element; selfClosing: boolean; end: number } | null {
  const name = matchAt(NAME, text, from);
  if (name === "") return null;
  const attributes = new Map<string, string>();
  let at = from + name.length;
  for (;;) {
    const space = matchAt(SPACE, text, at);
    at += space.length;
    const selfClosing = text.startsWith("/>", at);
    if (selfClosing || text[at] === ">") {
      const element = { name, attributes, failed: false, skipped: false, todo: false };
      return { element, selfClosing, end: at + (selfClosing ? 2 : 1) };
    }
    const key = matchAt(NAME, text, at);
    if (key === "" || space === "") return null;
    at += key.length;
    at += matchAt(SPACE, text, at).length;
    if (text[at] !== "=") return null;
    at += 1;
    at += matchAt(SPACE, text, at).length;
    const quote = text[at];
    if (quote !== '"' && quote !== "'") return null;
    const end = text.indexOf(quote, at + 1);
    if (end === -1) return null;
    attributes.set(key, text.slice(at + 1, end));
    at = end + 1;
  }
}
