import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readJestShape, readMocha } from "./json-reports.ts";

const counts = (passed: number, failed = 0, skipped = 0, todo = 0) => ({ passed, failed, skipped, todo });
const fixture = (name: string) =>
  readFileSync(new URL(`../../../test/fixtures/runners/reports/${name}`, import.meta.url), "utf8");

describe("a report of jest", () => {
  test("counts tests, and a file that failed to load as one failure", () =>
    expect(readJestShape(fixture("jest.json"))).toEqual(counts(2, 2, 1, 1)));

  test("that was interrupted is none", () =>
    expect(
      readJestShape(fixture("jest.json").replace('"wasInterrupted": false', '"wasInterrupted": true')),
    ).toBeNull());

  test("whose totals disagree with its list is none", () =>
    expect(readJestShape(fixture("jest.json").replace('"numPassedTests": 2', '"numPassedTests": 3'))).toBeNull());

  test("without a test has none", () =>
    expect(
      readJestShape(
        '{"numTotalTests":0,"numPassedTests":0,"numFailedTests":0,"numPendingTests":0,"numTodoTests":0,"testResults":[]}',
      ),
    ).toEqual(counts(0)));
});

describe("a report of mocha", () => {
  test("counts tests and failed hooks", () => expect(readMocha(fixture("mocha.json"))).toEqual(counts(2, 1, 1)));

  test("is found after npm's lines", () =>
    expect(readMocha(`\n> p@1.0.0 test\n> mocha --reporter json\n\n${fixture("mocha.json")}`)).toEqual(
      counts(2, 1, 1),
    ));

  test("whose totals disagree with its lists is none", () =>
    expect(readMocha(fixture("mocha.json").replace('"passes": 2', '"passes": 5'))).toBeNull());
});

test.each(["", "null", "[]", "{}", "ok 1", '{"stats":{}}', '{"numTotalTests":-1}', "\u0000"])(
  "%j is no report",
  (text) => {
    expect(readJestShape(text)).toBeNull();
    expect(readMocha(text)).toBeNull();
  },
);

test("a report cut anywhere is none", () => {
  for (const [name, read] of [
    ["jest.json", readJestShape],
    ["mocha.json", readMocha],
  ] as const) {
    const whole = fixture(name).trimEnd();
    for (let end = 0; end < whole.length; end++) expect(read(whole.slice(0, end))).toBeNull();
  }
});

test("deep and large reports are refused in bounded time", () => {
  const before = performance.now();
  expect(readJestShape("[".repeat(10_000_000))).toBeNull();
  expect(readJestShape('{"a":'.repeat(2_000_000))).toBeNull();
  expect(readMocha(`"${"\\".repeat(10_000_000)}`)).toBeNull();
  expect(performance.now() - before).toBeLessThan(10_000);
});
