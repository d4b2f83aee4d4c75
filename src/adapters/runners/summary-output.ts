import type { TestCounts } from "../../domain/test-counts.ts";
import { readProve } from "./prove-output.ts";
import { readTap } from "./tap.ts";

/**
 * Counts of the summaries that test programs behind `make check` usually print: automake's, CTest's, prove's, Unity's; else TAP. Output
 * that is nothing but make's word that there was nothing to do counts no test. Null when there is none of them: then only the exit code speaks.
 */
export function readSummary(text: string): TestCounts | null {
  for (const read of [readAutomake, readProve, readCtest, readUnity, readPlainTap, readIdleMake]) {
    const counts = read(text);
    if (counts !== null) return counts;
  }
  return null;
}

/** One block of `# NAME: n` lines for each directory. */
function readAutomake(text: string): TestCounts | null {
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  let total = 0;
  let blocks = 0;
  for (const [, name = "", value = "0"] of text.matchAll(
    /^# (TOTAL|PASS|SKIP|XFAIL|FAIL|XPASS|ERROR): +(\d{1,9})$/gm,
  )) {
    const count = Number(value);
    if (name === "TOTAL") {
      total += count;
      blocks += 1;
    } else counts[AUTOMAKE[name as keyof typeof AUTOMAKE]] += count;
  }
  const agree = total === counts.passed + counts.failed + counts.skipped + counts.todo;
  return blocks > 0 && agree ? counts : null;
}

const AUTOMAKE = {
  PASS: "passed",
  SKIP: "skipped",
  XFAIL: "todo",
  FAIL: "failed",
  XPASS: "failed",
  ERROR: "failed",
} as const;

function readCtest(text: string): TestCounts | null {
  const found = /^\d{1,3}% tests passed, (\d{1,9}) tests failed out of (\d{1,9})$/m.exec(text);
  if (found === null) return null;
  const [failed, all] = [Number(found[1]), Number(found[2])];
  return { passed: Math.max(0, all - failed), failed, skipped: 0, todo: 0 };
}

function readUnity(text: string): TestCounts | null {
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  const runs = [...text.matchAll(/^(\d{1,9}) Tests (\d{1,9}) Failures (\d{1,9}) Ignored *$/gm)];
  for (const [, all, failures, ignored] of runs) {
    counts.failed += Number(failures);
    counts.skipped += Number(ignored);
    counts.passed += Math.max(0, Number(all) - Number(failures) - Number(ignored));
  }
  return runs.length === 0 ? null : counts;
}

/** C programs print their points and plan without the version line that a stream should begin with. */
function readPlainTap(text: string): TestCounts | null {
  if (/^TAP version/m.test(text)) return readTap(text);
  return /^1\.\.\d/m.test(text) ? readTap(`TAP version 13\n${text}`) : null;
}

const IDLE =
  /^(?:\S*make(?:\[\d+\])?: )?(?:[`'‘"][^'’"]+['’"] is up to date|Nothing to be done for [`'‘"][^'’"]+['’"])\.$/;
/** What make says of itself on the way: the folders it enters, and the calls of itself that it echoes. */
const ON_THE_WAY =
  /^(?:\S*make(?:\[\d+\])?: (?:Entering|Leaving) directory .*|Making \S+ in \S+|(?:cd \S+ (?:&&|;) )?\S*make(?: [^:;&|]*)?|for \w+ in [^;&|]*; do \S*make [^;&|]*; done;?)$/;

/** A target without commands, or one whose file or folder is there already, exits with 0 and has run nothing. */
function readIdleMake(text: string): TestCounts | null {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const idle = lines.filter((line) => IDLE.test(line));
  const rest = lines.filter((line) => !IDLE.test(line));
  return idle.length > 0 && rest.every((line) => ON_THE_WAY.test(line))
    ? { passed: 0, failed: 0, skipped: 0, todo: 0 }
    : null;
}
