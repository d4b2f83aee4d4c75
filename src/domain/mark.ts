/*
 * Words in a line that a change added which say more than the line does. They catch what is written plainly; who hides what a program
 * does from a reader of its text hides it from this too, and then only the tests themselves speak.
 */

interface Mark {
  /** Which code it means something in; null: any file. */
  readonly files: RegExp | null;
  readonly pattern: RegExp;
  /** What is said of it; never what was matched, which may be the secret itself. */
  readonly says: string;
}

const JS = /\.[cm]?[jt]sx?$/;
const PY = /\.py$/;
const RS = /\.rs$/;
const GO = /\.go$/;

/** The product speaks to what tests it, or behaves otherwise under test. */
export const RUNNER_MARKS: readonly Mark[] = [
  {
    files: JS,
    pattern: /\b(?:NODE_TEST_CONTEXT|JEST_WORKER_ID|VITEST(?:_\w+)?|MOCHA_\w+|TAP_\w+)\b|import\.meta\.vitest/,
    says: "it asks whether it runs under a test runner",
  },
  {
    files: JS,
    pattern: /NODE_ENV\b.{0,5}[!=]==?\s*["'`]test["'`]|["'`]test["'`]\s*[!=]==?.{0,20}NODE_ENV\b/,
    says: "it behaves otherwise under test",
  },
  {
    files: JS,
    pattern: /["'`](?:node:test(?:\/\w+)?|vitest|jest|@jest\/[\w-]+|mocha|ava|tape|tap|chai)["'`]/,
    says: "it loads a test runner",
  },
  {
    files: JS,
    pattern:
      /\bassert\b[^;\n]{0,80}\.\s*\w+\s*=(?![=>])|(?:assign|defineProperty|defineProperties)\(\s*(?:\w+\.)?assert\b/,
    says: "it replaces functions of an assertion library",
  },
  {
    files: PY,
    pattern:
      /^\s*(?:import|from)\s+(?:unittest|_?pytest|pluggy)\b|["'](?:unittest|_?pytest)(?:\.\w+)*["']|\bPYTEST_\w+/,
    says: "it loads a test runner, or asks for one",
  },
  { files: PY, pattern: /\bos\._exit\(|\bsys\.settrace\(/, says: "it leaves the process behind the runner's back" },
  { files: PY, pattern: /__eq__\s*=\s*lambda\b.*:\s*True\b/, says: "it is equal to everything" },
  {
    files: RS,
    pattern: /\bcfg!\(\s*(?:not\(\s*)?test\b|cfg\(\s*not\(\s*test\b/,
    says: "it behaves otherwise under test",
  },
  {
    files: RS,
    pattern: /macro_rules!\s*(?:assert\w*|debug_assert\w*|panic)\b/,
    says: "it replaces a macro that tests assert with",
  },
  {
    files: GO,
    pattern: /^\s*(?:import\s+)?(?:\w+\s+)?"testing"|\btesting\.Testing\(|flag\.Lookup\("test\.|"\.test"/,
    says: "it asks whether it runs under test",
  },
  {
    files: null,
    pattern: /\bAGENTOS_TEST_REPORT\b|\/run\/agentos\/|node-test\.tap\b/,
    says: "it knows where the system keeps reports",
  },
  {
    files: null,
    pattern: /TAP version 1[34]|--- (?:PASS|FAIL): |test result: ok|\bRan \d+ tests? in\b/,
    says: "it writes what a test runner writes",
  },
];

const SECRET_MARKS: readonly Mark[] = [
  { files: null, pattern: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/, says: "a private key" },
  { files: null, pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, says: "an access key of AWS" },
  {
    files: null,
    pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,}|glpat-[\w-]{20,})/,
    says: "a token of a git host",
  },
  { files: null, pattern: /\bxox[abprs]-[0-9A-Za-z-]{20,}/, says: "a token of Slack" },
  { files: null, pattern: /\bsk-(?:ant-|proj-)[\w-]{24,}|\bAIza[\w-]{35}\b/, says: "a key of a model provider" },
  {
    files: null,
    pattern: /_authToken\s*=\s*[\w-]{16,}|:_password\s*=\s*\S{8,}/,
    says: "a token of a package registry",
  },
];

export interface Line {
  readonly number: number;
  readonly text: string;
}

/** Lines of the file as it is that the file as it was does not have; each that often more. */
export function addedLines(before: string | null, after: string | null): readonly Line[] {
  if (after === null) return [];
  const had = new Map<string, number>();
  for (const line of (before ?? "").split("\n")) had.set(line, (had.get(line) ?? 0) + 1);
  return after.split("\n").flatMap((text, at) => {
    const left = had.get(text) ?? 0;
    if (left > 0) had.set(text, left - 1);
    return left > 0 || text === "" ? [] : [{ number: at + 1, text }];
  });
}

/** No line is read further: no person wrote such a one, and a pattern is not to take long over it. */
const LINE_MOST = 4_000;

const firstOf = (marks: readonly Mark[], path: string, lines: readonly Line[]): string | null => {
  const here = marks.filter(({ files }) => files === null || files.test(path));
  for (const { number, text } of lines) {
    const found = here.find(({ pattern }) => pattern.test(text.slice(0, LINE_MOST)));
    if (found !== undefined) return `${found.says} (line ${number})`;
  }
  return null;
};

export const secretIn = (path: string, lines: readonly Line[]): string | null => firstOf(SECRET_MARKS, path, lines);

/** By its lines, and by what only several of them say together. */
export function addressesRunner(path: string, before: string | null, after: string | null): string | null {
  const lines = addedLines(before, after);
  const byLine = firstOf(RUNNER_MARKS, path, lines);
  if (byLine !== null) return byLine;
  for (const { files, pattern, says } of ACROSS_LINES)
    if (files?.test(path) && count(pattern, after) > count(pattern, before)) return says;
  return null;
}

const ACROSS_LINES: readonly Mark[] = [
  {
    files: PY,
    pattern: /def\s+__(?:eq|ne|contains)__\s*\([^)]*\)[^:\n]*:\s*(?:"""[\s\S]*?"""\s*)?return\s+(?:True|False)\b\s*$/gm,
    says: "it is equal to everything",
  },
  // `#[cfg(test)] mod tests` is how tests are written; anything else that is there only under test is not.
  {
    files: RS,
    pattern: /#\[cfg\(\s*test\s*\)\](?!\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?(?:mod|use|extern)\b)/g,
    says: "it behaves otherwise under test",
  },
];

const count = (pattern: RegExp, text: string | null): number =>
  text === null ? 0 : [...text.matchAll(pattern)].length;
