import { describe, expect, test } from "vitest";
import type { ReportFormat } from "../../domain/gate.ts";
import type { TestCounts } from "../../domain/test-counts.ts";
import { runners } from "./runners.ts";

const { read, join } = runners({ registry: "" });
const bytes = (text: string) => new TextEncoder().encode(text);
const counts = (passed: number, failed = 0, skipped = 0, todo = 0): TestCounts => ({ passed, failed, skipped, todo });

const event = (Action: string, Package: string, Test?: string) => JSON.stringify({ Action, Package, Test });
const rule = "-".repeat(70);

const CASES: readonly (readonly [ReportFormat, string, string, TestCounts | null])[] = [
  [
    "go-json",
    "tests, subtests and skips",
    [
      event("run", "a", "TestX"),
      event("run", "a", "TestX/one"),
      event("pass", "a", "TestX/one"),
      event("pass", "a", "TestX"),
      event("skip", "a", "TestY"),
      event("pass", "a"),
      event("skip", "b"),
    ].join("\n"),
    counts(2, 0, 1),
  ],
  [
    "go-json",
    "a test that never ended, in a package that failed",
    [event("run", "a", "TestX"), event("fail", "a")].join("\n"),
    counts(0, 2),
  ],
  [
    "go-json",
    "a package that does not build, and go's words about it",
    `# a\n./a.go:3: syntax error\n{not json\n${event("fail", "a")}`,
    counts(0, 1),
  ],
  ["go-json", "a package without an end", event("run", "a", "TestX"), null],
  ["go-json", "no event", "ok a 0.1s", null],
  [
    "cargo",
    "several binaries",
    "running 2 tests\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\nrunning 1 test\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n",
    counts(1, 1, 1),
  ],
  ["cargo", "a binary that died", "running 3 tests\ntest a ... ok\n", counts(0, 1)],
  [
    "cargo",
    "a result that a test printed",
    "running 1 test\ntest result: ok. 99 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
    null,
  ],
  [
    "cargo",
    "a result without a beginning",
    "test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
    null,
  ],
  ["unittest", "success", `..s\n${rule}\nRan 3 tests in 0.001s\n\nOK (skipped=1)\n`, counts(2, 0, 1)],
  [
    "unittest",
    "failures, errors and expectations",
    `${rule}\nRan 6 tests in 0.1s\n\nFAILED (failures=1, errors=1, skipped=1, expected failures=1, unexpected successes=1)\n`,
    counts(1, 3, 1, 1),
  ],
  ["unittest", "what a test printed before", `${rule}\nRan 9 tests in 0.1s\n\nOK\nbye\n`, null],
  ["unittest", "nothing that ran", `${rule}\nRan 0 tests in 0.000s\n\nNO TESTS RAN\n`, counts(0)],
  [
    "minitest",
    "two runs of both kinds",
    "3 runs, 4 assertions, 1 failures, 0 errors, 1 skips\n2 tests, 2 assertions, 0 failures, 1 errors, 0 pendings, 0 omissions, 0 notifications\n",
    counts(2, 2, 1),
  ],
  ["minitest", "something else", "3 runs\n", null],
  ["prove", "success", "All tests successful.\nFiles=2, Tests=27,  1 wallclock secs\nResult: PASS\n", counts(27)],
  [
    "prove",
    "a failed test and a script that died",
    "Test Summary Report\n-------------------\nt/a.t    (Wstat: 256 (exited 1) Tests: 3 Failed: 1)\n  Failed test:  2\n  Non-zero exit status: 1\nt/b.t    (Wstat: 512 Tests: 0 Failed: 0)\n  Non-zero exit status: 2\nFiles=2, Tests=3,  0 wallclock secs\nResult: FAIL\n",
    counts(2, 2),
  ],
  ["prove", "two ends", "Files=1, Tests=1, x\nResult: PASS\nFiles=1, Tests=9, x\nResult: PASS\n", null],
  [
    "rspec-json",
    "examples, and a file that does not load",
    JSON.stringify({
      examples: [{ status: "passed" }, { status: "failed" }, { status: "pending" }],
      summary: { example_count: 3, failure_count: 1, pending_count: 1, errors_outside_of_examples_count: 1 },
    }),
    counts(1, 2, 1),
  ],
  [
    "rspec-json",
    "totals that disagree",
    JSON.stringify({
      examples: [{ status: "passed" }],
      summary: { example_count: 2, failure_count: 0, pending_count: 0 },
    }),
    null,
  ],
  [
    "summary",
    "automake's blocks",
    "# TOTAL: 5\n# PASS:  2\n# SKIP:  1\n# XFAIL: 1\n# FAIL:  1\n# XPASS: 0\n# ERROR: 0\n",
    counts(2, 1, 1, 1),
  ],
  ["summary", "CTest's line", "80% tests passed, 1 tests failed out of 5\n", counts(4, 1)],
  ["summary", "Unity's line", "3 Tests 1 Failures 1 Ignored \nFAIL\n", counts(1, 1, 1)],
  ["summary", "TAP without its version", "ok 1 - a\nnot ok 2 - b\n1..2\n", counts(1, 1)],
  ["summary", "make's word that there was nothing to do", "make: 'test' is up to date.\n", counts(0)],
  ["summary", "the same of a target without commands", "make: Nothing to be done for `check'.\r\n", counts(0)],
  [
    "summary",
    "the same of every make that was called",
    "make -C lib test\nmake[1]: Entering directory '/workspace/app/lib'\nmake[1]: Nothing to be done for 'test'.\nmake[1]: Leaving directory '/workspace/app/lib'\ncd bin && make test\nmake[1]: 'test' is up to date.\n",
    counts(0),
  ],
  ["summary", "nothing to do beside a command", "./check --all\nmake[1]: Nothing to be done for 'test'.\n", null],
  ["summary", "a command that only looks like make's word", "make sure\n", null],
  ["summary", "no word at all", "", null],
  ["summary", "none of them", "gcc -o a a.c\nall good\n", null],
];

describe("what a runner prints is counted", () => {
  test.each(CASES)("%s: %s", (format, _, text, is) => expect(read(format, bytes(text))).toEqual(is));
});

test("several JUnit files count together, and one that is cut off makes them none", () => {
  const file = (inner: string) => bytes(`<?xml version="1.0"?>\n<testsuite>${inner}</testsuite>`);
  const two = [file("<testcase/><testcase><failure/></testcase>"), file("<testcase><skipped/></testcase>")];
  expect(read("junit", join("junit", two))).toEqual(counts(1, 1, 1));
  expect(read("junit", join("junit", [...two, bytes("<testsuite><testcase>")]))).toBeNull();
});
