import { describe, expect, test } from "vitest";
import { judgedFindings } from "./finding.ts";
import { type ChangedFile, comparedRuns, keptPaths, suspicions } from "./suspicion.ts";

const changed = (path: string, before: string | null, after: string | null): ChangedFile => ({
  path,
  before,
  after,
  change: before === null ? "added" : after === null ? "deleted" : "modified",
  cut: false,
});
const kinds = (...files: readonly ChangedFile[]): readonly string[] =>
  suspicions("app", files, ["."]).map(({ kind, about }) => `${kind} ${about}`);

const JS = 'test("adds", () => {\n  assert.equal(add(1, 2), 3);\n});\n';

describe("of a test file that was there before", () => {
  const cases: readonly (readonly [what: string, after: string | null, found: readonly string[]])[] = [
    ["an added test is shown, no more", `${JS}test("more", () => assert.ok(add));\n`, ["tests_changed a.test.js"]],
    ["a test that is gone asks", "\n", ["tests_removed adds", "tests_changed a.test.js"]],
    [
      "a test that is commented out is gone",
      JS.replace(/^/gm, "// "),
      ["tests_removed adds", "tests_changed a.test.js"],
    ],
    ["a skipped test asks", JS.replace("test(", "test.skip("), ["tests_skipped a.test.js", "tests_changed a.test.js"]],
    [
      "an assertion that is gone asks",
      JS.replace("assert.equal(add(1, 2), 3)", "add(1, 2)"),
      ["assertions_removed adds", "tests_changed a.test.js"],
    ],
    ["the whole file gone asks for each of its tests", null, ["tests_removed adds"]],
  ];
  test.each(cases)("%s", (_, after, found) => expect(kinds(changed("a.test.js", JS, after))).toEqual(found));

  test("one that is moved with its tests is not gone", () =>
    expect(kinds(changed("a.test.js", JS, null), changed("test/unit/a.test.js", null, JS))).toEqual([]));

  test("one that is moved to where no runner looks is gone", () =>
    expect(kinds(changed("a.test.js", JS, null), changed("old/a.disabled.js", null, JS))).toEqual([
      "tests_removed adds",
    ]));
});

describe("honest work of the product is not spoken of:", () => {
  const honest: readonly (readonly [what: string, path: string, before: string | null, after: string])[] = [
    ["a new test file", "test/b.test.js", null, JS],
    ["a bumped version", "package.json", '{"version":"1.0.0"}', '{"version":"1.0.1"}'],
    [
      "a bumped crate and its lock file",
      "Cargo.lock",
      '[[package]]\nname = "a"\nversion = "1.0.0"\n',
      '[[package]]\nname = "a"\nversion = "1.1.0"\n',
    ],
    ["a bumped crate", "Cargo.toml", '[package]\nversion = "1.0.0"\n', '[package]\nversion = "1.1.0"\n'],
    ["a program that ends", "bin/x.js", null, "process.exit(process.env.CODE);\n"],
    [
      "an invariant of the product",
      "src/a.js",
      null,
      'import assert from "node:assert";\nassert(x === 1);\nassert.equal(a, b);\n',
    ],
    ["a class with an equality of its own", "a.py", null, "def __eq__(self, other):\n    return self.x == other.x\n"],
    ["tests inside a source file", "src/a.rs", null, "#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() {}\n}\n"],
    ["an example of settings", ".env.example", null, "PASSWORD=\n"],
    ["a certificate", "ca.pem", null, "-----BEGIN CERTIFICATE-----\n"],
    ["words about a test", "docs/tests.md", null, "The test runner prints --- lines.\n"],
    ["a module deep inside a package", "src/app/logging.py", null, "x = 1\n"],
  ];
  test.each(honest)("%s", (_, path, before, after) => expect(kinds(changed(path, before, after))).toEqual([]));
});

describe("found by its path or by what stands in it:", () => {
  const found: readonly (readonly [path: string, before: string | null, after: string, kind: string])[] = [
    ["node_modules/.bin/node", null, "#!/bin/sh\n", "runner_shadowed"],
    ["unittest.py", null, "x = 1\n", "runner_shadowed"],
    ["src/sitecustomize.py", null, "x = 1\n", "runner_shadowed"],
    ["tests/__pycache__/a.pyc", null, "", "cache_planted"],
    ["tests/conftest.py", null, "", "runner_configured"],
    ["vitest.config.ts", "a", "b", "runner_configured"],
    ["tsconfig.json", "{}", "{ }", "runner_configured"],
    ["build.rs", null, "fn main() {}\n", "runner_configured"],
    ["Cargo.toml", "[package]\n", "[package]\nautotests = false\n", "runner_configured"],
    ["package.json", "{}", '{"devDependencies":{"a":"file:a"}}', "dependencies_changed"],
    ["go.sum", "a", "b", "dependencies_changed"],
    [".github/workflows/test.yml", "a", "b", "ci_changed"],
    [".husky/pre-commit", null, "x", "hooks_changed"],
    ["sub/.gitattributes", null, "x", "attributes_changed"],
    ["test/__snapshots__/a.snap", "a", "b", "snapshots_changed"],
    [".env", null, "A=1\n", "secret"],
    ["deploy/key.txt", null, ["-----BEGIN RSA ", "PRIVATE KEY-----\n"].join(""), "secret"],
    ["src/a.js", null, "if (process.env.NODE_TEST_CONTEXT) return 3;\n", "runner_addressed"],
    ["src/a.ts", null, 'if (process.env.NODE_ENV === "test") return 3;\n', "runner_addressed"],
    ["src/a.js", null, "require('assert').strict.equal = () => {};\n", "runner_addressed"],
    ["a.py", null, "class A(str):\n    def __eq__(self, other):\n        return True\n", "runner_addressed"],
    ["a.py", null, "import os\nos._exit(0)\n", "runner_addressed"],
    ["src/a.rs", "", "#[cfg(test)]\npub fn a() {}\n", "runner_addressed"],
    ["src/a.rs", "", "macro_rules! assert_eq { () => {} }\n", "runner_addressed"],
    ["a.go", "", 'func init() { if strings.HasSuffix(os.Args[0], ".test") { } }\n', "runner_addressed"],
  ];
  test.each(found)("%s", (path, before, after, kind) =>
    expect(kinds(changed(path, before, after))).toEqual([`${kind} ${path}`]),
  );

  test("a secret is named by its place, never by itself", () => {
    const [one] = suspicions("app", [changed("a.txt", null, `x\n${"AKIA"}ABCDEFGHIJKLMNOP\n`)], ["."]);
    expect(one).toEqual({ kind: "secret", repo: "app", about: "a.txt", detail: "an access key of AWS (line 2)" });
  });

  test("what was there before is nobody's doing", () =>
    expect(kinds(changed("a.py", "import unittest\n", "import unittest\nx = 1\n"))).toEqual([]));
});

test("a test inside a source file may move, and may not change", () => {
  const inside = (expected: number): string =>
    `#[cfg(test)]\nmod t {\n #[test]\n fn a() { assert_eq!(f(), ${expected}); }\n}\n`;
  expect(kinds(changed("src/a.rs", inside(1), ""), changed("src/b.rs", "", inside(1)))).toEqual([]);
  expect(kinds(changed("src/a.rs", inside(1), inside(2)))).toEqual(["inline_tests_changed a"]);
});

describe("runs laid beside each other", () => {
  const counts = (passed: number, failed = 0, skipped = 0) => ({ passed, failed, skipped, todo: 0 });
  const seen = { gate: "tests", repo: "app", base: counts(3, 1), candidate: counts(4), passed: true, kept: null };

  test("that agree say nothing", () => expect(comparedRuns([seen])).toEqual([]));
  test("tell of fewer tests and of more that are passed over", () =>
    expect(comparedRuns([{ ...seen, candidate: counts(2, 0, 1) }]).map(({ kind, detail }) => [kind, detail])).toEqual([
      ["fewer_tests", "2 instead of 4"],
      ["tests_skipped", "1 instead of 0"],
    ]));
  test("tell that earlier tests fail, or that not all of them ran", () => {
    const kept = { passed: false, counts: counts(3, 1), findings: ["1 of 4 tests failed"] };
    expect(comparedRuns([{ ...seen, kept }])).toMatchObject([
      { kind: "earlier_tests_fail", detail: "1 of 4 tests failed" },
    ]);
    expect(comparedRuns([{ ...seen, kept: { ...kept, passed: true, counts: counts(1) } }])).toMatchObject([
      { kind: "earlier_tests_fail", detail: "of 4 earlier tests 1 ran" },
    ]);
  });
  test("say nothing of earlier tests where the gate fails anyway", () =>
    expect(comparedRuns([{ ...seen, passed: false, kept: { passed: false, counts: null, findings: [] } }])).toEqual(
      [],
    ));
});

test("what lies among the tests is put back as it was, unless the spec lets it change", () => {
  const files = ["test/a.test.js", "test/data.json", "test/__snapshots__/a.snap", "tests/conftest.py", "src/a.js"].map(
    (path) => changed(path, null, ""),
  );
  const paths = files.map(({ path }) => path);
  expect(keptPaths(files, [])).toEqual(paths.slice(0, 4));
  expect(keptPaths(files, ["snapshots", "config"])).toEqual(paths.slice(0, 2));
  expect(keptPaths(files, ["tests"])).toEqual([]);
});

test("however much is found of one kind, what is found of another is found as well", () => {
  const snapshots = Array.from({ length: 201 }, (_, n) => changed(`a/${n}.snap`, "one", "two"));
  const key = changed("z/key.pem", null, "-----BEGIN RSA PRIVATE KEY-----\n");
  const found = suspicions("app", [...snapshots, key], []);
  expect(found.map(({ kind }) => kind)).toEqual([...Array.from({ length: 200 }, () => "snapshots_changed"), "secret"]);
  expect(judgedFindings(found, ["snapshots"])[0]).toEqual({
    kind: "secret",
    repo: "app",
    about: "z/key.pem",
    detail: "a private key (line 1)",
    policy: "blocks",
  });
});
