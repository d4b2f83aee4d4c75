import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTap } from "./tap.ts";

const counts = (passed: number, failed = 0, skipped = 0, todo = 0) => ({ passed, failed, skipped, todo });
const tap = (...lines: string[]) => ["TAP version 14", ...lines, ""].join("\n");

describe("a TAP stream", () => {
  test("counts each kind of point", () =>
    expect(
      readTap(
        tap(
          "1..7",
          "ok 1 - a",
          "not ok 2 - b",
          "ok 3 c # SKIP why",
          "not ok 4 # TODO later",
          "ok",
          "not ok",
          "ok - # skipped: why",
        ),
      ),
    ).toEqual(counts(2, 2, 2, 1)));

  test("with the plan at the end, CRLF and npm's lines before it", () =>
    expect(
      readTap("\n> p@1.0.0 test\n> tape t.js\n\nTAP version 13\r\nok 1 a\r\n1..1\r\n\r\n# tests 1\r\n# pass  1\r\n"),
    ).toEqual(counts(1)));

  test("that plans nothing has no test", () => {
    expect(readTap(tap("1..0"))).toEqual(counts(0));
    expect(readTap(tap("1..0 # SKIP no tests found"))).toEqual(counts(0));
  });

  test.each([
    ["nothing", ""],
    ["no version", "1..1\nok 1\n"],
    ["no plan", tap("ok 1", "ok 2")],
    ["fewer points than planned", tap("1..3", "ok 1", "ok 2")],
    ["more points than planned", tap("1..1", "ok 1", "ok 2")],
    ["two plans", tap("1..1", "ok 1", "1..1")],
    ["diagnostics that never end", tap("1..1", "ok 1", "  ---", "  a: 1")],
    ["a subtest cut off", tap("    ok 1 - in", "    1..2", "ok 1 - out", "1..1")],
    ["a subtest nobody sums up", tap("ok 1", "1..1", "    ok 1 - in", "    1..1")],
    ["a version only", "TAP version 14"],
    ["a second stream cut off", `${tap("1..1", "ok 1")}${tap("ok 1")}`],
    ["prose", "ok, this is no report\nnot ok either\n"],
  ])("is no report with %s", (_, text) => expect(readTap(text)).toBeNull());

  test("gives up with a failure when it bails out", () => {
    expect(readTap(tap("1..9", "ok 1", "Bail out! no database"))).toEqual(counts(1, 1));
    expect(readTap(tap("    ok 1 - in", "    Bail out! gone"))).toEqual(counts(1, 1));
  });

  test("does not take points inside diagnostics for points", () =>
    expect(
      readTap(
        tap("not ok 1 - a", "  ---", "  output: |-", "    ok 1 - fake", "    1..1", "ok 2 - fake", "  ...", "1..1"),
      ),
    ).toEqual(counts(0, 1)));

  test("in which a passing test prints a point is refused rather than counted too high", () =>
    expect(readTap(tap("ok 1 - a", "ok 99 - printed", "1..1"))).toBeNull());

  test("counts leaves, not what sums them up", () =>
    expect(
      readTap(
        tap(
          "# Subtest: file",
          "    # Subtest: inner",
          "        ok 1 - x",
          "        not ok 2 - y # TODO",
          "        1..2",
          "    ok 1 - inner # time=1ms",
          "    ok 2 - z # SKIP",
          "    1..2",
          "ok 1 - file # time=5ms",
          "# Subtest: empty",
          "    1..0",
          "ok 2 - empty",
          "# Subtest: broke after its tests",
          "    ok 1 - fine",
          "    1..1",
          "not ok 3 - broke after its tests",
          "1..3",
        ),
      ),
    ).toEqual(counts(2, 1, 1, 1)));

  test("with buffered subtests in braces", () =>
    expect(
      readTap(
        tap(
          "ok 1 - file {",
          "    ok 1 - a {",
          "        ok 1 - b",
          "        1..1",
          "    }",
          "    ok 2 - closes {",
          "    1..2",
          "}",
          "ok 2 - opens {",
          "1..2",
        ),
      ),
    ).toEqual(counts(3)));

  test("of node's own reporter counts parents, not suites, and no file that posed as a test", () =>
    expect(
      readTap(
        tap(
          "# Subtest: parent",
          "    ok 1 - child",
          "      ---",
          "      duration_ms: 1",
          "      ...",
          "    1..1",
          "ok 1 - parent",
          "# Subtest: suite",
          "    not ok 1 - in",
          "    1..1",
          "not ok 2 - suite",
          "  ---",
          "  type: 'suite'",
          "  ...",
          "ok 3 - test/none.test.js",
          "1..3",
          "# tests 4",
          "# suites 1",
          "# pass 3",
          "# fail 1",
        ),
      ),
    ).toEqual(counts(2, 1)));

  test("of node's own reporter has to agree with its summary", () =>
    expect(readTap(tap("ok 1 - a", "1..1", "# tests 2", "# suites 0"))).toBeNull());

  test("several in a row add up", () =>
    expect(readTap(tap("ok 1", "1..1") + tap("not ok 1", "1..1"))).toEqual(counts(1, 1)));

  test("any number of points comes out as it went in", () =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("ok", "not ok", "ok # SKIP", "ok # TODO")),
        fc.boolean(),
        (points, planFirst) => {
          const plan = `1..${points.length}`;
          const is = (point: string) => points.filter((one) => one === point).length;
          expect(readTap(tap(...(planFirst ? [plan, ...points] : [...points, plan])))).toEqual(
            counts(is("ok"), is("not ok"), is("ok # SKIP"), is("ok # TODO")),
          );
        },
      ),
    ));

  test("cut anywhere before its end is no report", () => {
    const whole = tap(
      "ok 1 - a",
      "    ok 1 - in",
      "    1..1",
      "not ok 2 - b",
      "  ---",
      "  a: 1",
      "  ...",
      "1..12",
      ...Array.from({ length: 10 }, () => "ok"),
    );
    for (let end = 0; end < whole.length - 3; end++) expect(readTap(whole.slice(0, end))).toBeNull();
    expect(readTap(whole)).toEqual(counts(12, 1));
  });

  test("made to be in the way is read in bounded time", () => {
    const before = performance.now();
    expect(readTap(tap("ok\n".repeat(3_000_000)))).toBeNull();
    expect(readTap(tap(`ok ${" ".repeat(10_000_000)}#${" ".repeat(100)}`, "1..1"))).toEqual(counts(1));
    expect(
      readTap(tap(Array.from({ length: 3000 }, (_, depth) => `${" ".repeat(depth * 4)}ok`).join("\n"))),
    ).toBeNull();
    expect(performance.now() - before).toBeLessThan(10_000);
  });
});
