import { describe, expect, test } from "vitest";
import { gateGiven } from "../../../test/support/given-spec.ts";
import type { GateDefinition } from "../../domain/gate.ts";
import { REPORT_BYTES_MAX } from "./report-text.ts";
import { runners } from "./runners.ts";
import { inFile, STDOUT } from "./test-runner.ts";

const { instrument, read } = runners({ registry: "https://registry.npmjs.org" });
const quiet = { npm_config_cache: "/tmp/npm-cache", npm_config_update_notifier: "false" };

const gate = (argv: readonly string[], runner: string | null, report: GateDefinition["report"]) =>
  gateGiven({ argv, runner, report });

describe("a gate is asked for its report", () => {
  test.each([
    [
      gate(["npm", "test"], "vitest", "vitest-json"),
      ["npm", "test", "--", "--reporter=default", "--reporter=json", "--outputFile.json=/r/vitest.json"],
      inFile("vitest.json"),
    ],
    [
      gate(["npm", "test", "--", "--"], "jest", "jest-json"),
      ["npm", "test", "--", "--", "--json", "--outputFile=/r/jest.json"],
      inFile("jest.json"),
    ],
    [
      gate(["npm", "run", "unit"], "mocha", "mocha-json"),
      ["npm", "run", "unit", "--", "--reporter=json", "--reporter-option=output=/r/mocha.json"],
      inFile("mocha.json"),
    ],
    [gate(["npm", "test"], "tap", "tap"), ["npm", "test", "--", "--output-file=/r/tap.tap"], inFile("tap.tap")],
    [gate(["npm", "test"], "ava", "tap"), ["npm", "test", "--", "--tap"], STDOUT],
    [gate(["npm", "test"], "tape", "tap"), ["npm", "test"], STDOUT],
  ] as const)("by arguments: %j", (given, argv, report) =>
    expect(instrument(given, "/r/")).toEqual({ argv, environment: quiet, report }),
  );

  test("without npm by arguments of its own", () =>
    expect(instrument(gate(["npx", "vitest", "run"], "vitest", "vitest-json"), "/r")).toEqual({
      argv: ["npx", "vitest", "run", "--reporter=default", "--reporter=json", "--outputFile.json=/r/vitest.json"],
      environment: {},
      report: inFile("vitest.json"),
    }));

  test("of node's runner by a variable without space or quote but between its options", () => {
    const asked = instrument(gate(["npm", "test"], "node:test", "tap"), '/a "b" 100%');
    expect(asked).toMatchObject({ argv: ["npm", "test"], report: inFile("node-test.tap") });
    const options = asked.environment["NODE_OPTIONS"] ?? "";
    expect(options).not.toMatch(/["'\\]/);
    expect(options.split(" ").map((option) => option.replace(/(data:).*/, "$1"))).toEqual([
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      "--test-reporter=data:",
      "--test-reporter-destination=stdout",
    ]);
    expect(decodeURIComponent(options)).toContain(String.raw`appendFileSync("/a \"b\" 100%/node-test.tap"`);
  });

  const fromCheckout = (pattern: string) => ({ from: "checkout", pattern }) as const;
  test.each([
    [
      gate(["bun", "run", "test"], "bun test", "junit"),
      ["--reporter=junit", "--reporter-outfile=/r/bun.xml"],
      { DO_NOT_TRACK: "1" },
      inFile("bun.xml"),
    ],
    [gate(["python3", "-m", "pytest"], "pytest", "junit"), ["--junitxml=/r/pytest.xml"], {}, inFile("pytest.xml")],
    [gate(["python3", "-m", "unittest", "discover"], "unittest", "unittest"), [], {}, { from: "stderr" } as const],
    [
      gate(["bundle", "exec", "rspec"], "rspec", "rspec-json"),
      ["--format", "progress", "--format", "json", "--out", "/r/rspec.json"],
      {},
      inFile("rspec.json"),
    ],
    [gate(["rake", "test"], "minitest", "minitest"), [], {}, STDOUT],
    [gate(["phpunit", "tests"], "phpunit", "junit"), ["--log-junit", "/r/phpunit.xml"], {}, inFile("phpunit.xml")],
    [
      gate(["go", "test", "-json", "./..."], "go test", "go-json"),
      [],
      { GOPROXY: "off", GOTOOLCHAIN: "local", GOTELEMETRY: "off" },
      STDOUT,
    ],
    [
      gate(["cargo", "test"], "cargo test", "cargo"),
      [],
      { CARGO_NET_OFFLINE: "true", CARGO_TERM_COLOR: "never" },
      STDOUT,
    ],
    [
      gate(["mvn", "--batch-mode", "--offline", "test"], "maven", "junit"),
      [],
      {},
      fromCheckout("(?:.*/)?target/(?:surefire|failsafe)-reports/TEST-[^/]*\\.xml"),
    ],
    [
      gate(["gradle", "--offline", "test"], "gradle", "junit"),
      [],
      { GRADLE_USER_HOME: "/tmp/gradle" },
      fromCheckout("(?:.*/)?build/test-results/(?:[^/]+/)?TEST-[^/]*\\.xml"),
    ],
    [gate(["prove", "-l"], "prove", "prove"), [], {}, STDOUT],
    [gate(["make", "check"], "make", "summary"), [], {}, STDOUT],
  ])("of another language, where its runner writes one: %j", (given, more, environment, report) =>
    expect(instrument(given, "/r/")).toEqual({ argv: [...given.argv, ...more], environment, report }),
  );

  test("that its runner does not write on standard output", () => {
    expect(instrument(gate(["make", "check"], null, "junit"), "/r")).toEqual({
      argv: ["make", "check"],
      environment: {},
      report: STDOUT,
    });
    expect(instrument(gate(["npm", "test"], "vitest", "junit"), "/r")).toEqual({
      argv: ["npm", "test"],
      environment: quiet,
      report: STDOUT,
    });
  });
});

describe("a report", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  test.each([
    ["tap", "TAP version 13\n1..1\nok 1\n"],
    ["junit", "<testsuite><testcase/></testsuite>"],
    [
      "vitest-json",
      '{"numTotalTests":1,"numPassedTests":1,"numFailedTests":0,"numPendingTests":0,"numTodoTests":0,"testResults":[{"status":"passed","assertionResults":[{"status":"passed"}]}]}',
    ],
    [
      "mocha-json",
      '{"stats":{"tests":1,"passes":1,"pending":0,"failures":0},"passes":[{}],"failures":[],"pending":[]}',
    ],
  ] as const)("in the format %s is read with and without a byte order mark", (format, text) => {
    const one = { passed: 1, failed: 0, skipped: 0, todo: 0 };
    expect(read(format, bytes(text))).toEqual(one);
    expect(read(format, bytes(`\uFEFF${text}`))).toEqual(one);
    expect(read(format === "tap" ? "junit" : "tap", bytes(text))).toBeNull();
  });

  test("that is empty or too large is none", () => {
    expect(read("tap", new Uint8Array())).toBeNull();
    expect(read("junit", new Uint8Array(REPORT_BYTES_MAX + 1))).toBeNull();
  });

  test("of bytes that are no text is none, in every format", () => {
    const noise = Uint8Array.from({ length: 5000 }, (_, at) => (at * 7919) % 256);
    for (const format of ["tap", "junit", "vitest-json", "jest-json", "mocha-json"] as const)
      expect(read(format, noise)).toBeNull();
  });
});
