import type { TestCounts } from "../../src/domain/test-counts.ts";

/** A package's published sources, and how its own test runner is asked directly, without AgentOS. */
export interface Package extends Published {
  readonly name: string;
  readonly version: string;
  readonly ecosystem: string;
  /** Published sources that it needs beside its own, each in a folder of its own. */
  readonly beside?: Readonly<Record<string, Published>>;
  /** Files that were not published: path and text. */
  readonly adds?: Readonly<Record<string, string>>;
  /** What is committed beside its own sources, in words. */
  readonly added?: string;
  /** What the spec names beside what is detected, with the reason. */
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly because?: string;
  /** Which gates count its tests and in which folder each runs; without: `tests` at the top. */
  readonly gates?: Readonly<Record<string, string>>;
  /** Run directly in a copy of the sources: what has to be there first, then the runner in each gate's folder. */
  readonly before?: readonly (readonly string[])[];
  readonly direct: readonly string[];
  /** Its tests do more as root. A gate never is root, so neither is the runner that is asked directly. */
  readonly neverAsRoot?: true;
  /** Counts in the runner's own readable output; null where it gives none: then the exit code is compared. */
  readonly said: ((output: string) => TestCounts) | null;
  /** One test broken on purpose: in this file, this, to that. */
  readonly breaking: readonly [file: string, find: string, replace: string];
}

/** An archive of sources; or a package of Debian's (read with dpkg-deb) and the folder in it that is taken. */
interface Published {
  readonly url: string;
  readonly sha256: string;
  readonly folder?: string;
}

const DEBIAN = "http://deb.debian.org/debian/pool/main";
const NPM = "https://registry.npmjs.org";

const number = (output: string, pattern: RegExp): number =>
  [...output.matchAll(pattern)].reduce((sum, [, value = "0"]) => sum + Number(value), 0);

const tape = (output: string): TestCounts => ({
  passed: number(output, /^# pass +(\d+)$/gm),
  failed: number(output, /^# fail +(\d+)$/gm),
  skipped: 0,
  todo: 0,
});
const goVerbose = (output: string): TestCounts => ({
  passed: output.match(/^\s*--- PASS: /gm)?.length ?? 0,
  failed: output.match(/^\s*--- FAIL: /gm)?.length ?? 0,
  skipped: output.match(/^\s*--- SKIP: /gm)?.length ?? 0,
  todo: 0,
});
const pytest = (output: string): TestCounts => ({
  passed: number(output, /\b(\d+) passed\b/g),
  failed: number(output, /\b(\d+) failed\b/g),
  skipped: number(output, /\b(\d+) skipped\b/g),
  todo: 0,
});
const cargo = (output: string): TestCounts => ({
  passed: number(output, /^test result: \w+\. (\d+) passed/gm),
  failed: number(output, /^test result: .* (\d+) failed/gm),
  skipped: number(output, /^test result: .* (\d+) ignored/gm),
  todo: 0,
});
const prove = (output: string): TestCounts => ({
  passed: number(output, /^Files=\d+, Tests=(\d+),/gm),
  failed: 0,
  skipped: 0,
  todo: 0,
});

const GO = ["go", "test", "-v", "./..."];
const MOBY_WORKSPACE = `go 1.18

use (
	./mount
	./mountinfo
	./signal
	./symlink
)

replace (
	github.com/moby/sys/mountinfo v0.6.2 => ./mountinfo
	golang.org/x/sys => ./third_party/golang.org/x/sys
)
`;
/** Of what it wants for development only the runner, in a folder of its own: the rest lints and publishes. */
const ONLY_TAPE = [
  "npm",
  "install",
  "--prefix",
  "runner",
  "--no-audit",
  "--no-fund",
  "--no-package-lock",
  "tape@4.17.0",
];
const tapeOn = (files: string) => [
  "/bin/sh",
  "-c",
  `NODE_PATH=$PWD/runner/node_modules runner/node_modules/.bin/tape '${files}'`,
];
const MINIMIST_TESTS = tapeOn("test/*.js");
const REUSIFY_TESTS = tapeOn("test.js");
const NODE_TEST = ["node", "--test", "--test-reporter=tap"];
/** The detected one asks whether everything that is wanted for development is installed, which it is not. */
const NO_DOCTOR = { id: "doctor", run: ["node", "--version"] };
const withTape = (run: readonly string[]) => ({
  gates: [{ id: "tests", run, report: "tap" }, NO_DOCTOR],
  prepare: [
    {
      run: ONLY_TAPE,
      inputs: ["package.json"],
      outputs: ["runner/node_modules"],
      hosts: ["registry.npmjs.org:443"],
    },
  ],
});

export const PACKAGES: readonly Package[] = [
  {
    name: "minimist",
    version: "1.2.8",
    ecosystem: "node (tape)",
    url: `${NPM}/minimist/-/minimist-1.2.8.tgz`,
    sha256: "350a76c115b393c19d24654834261e5dc9f0e8cc5e08f3937fa80140f3e4ce83",
    spec: withTape(MINIMIST_TESTS),
    because:
      "its `npm test` also lints and asks the registry for advisories, so the gate names its runner and what that needs",
    before: [ONLY_TAPE],
    direct: MINIMIST_TESTS,
    said: tape,
    breaking: ["test/parse.js", "{ moo: false, _: [] }", "{ moo: true, _: [] }"],
  },
  {
    name: "reusify",
    version: "1.0.4",
    ecosystem: "node (tape)",
    url: `${NPM}/reusify/-/reusify-1.0.4.tgz`,
    sha256: "aa500cd517fa2fa7aeabb96a02baf85d9f0d02a29e2a99c77516053304a133c4",
    spec: withTape(REUSIFY_TESTS),
    because: "its `npm test` prints through a pipe, so the gate names its runner and what that needs",
    before: [ONLY_TAPE],
    direct: REUSIFY_TESTS,
    said: tape,
    breaking: ["test.js", "t.plan(6)", "t.plan(7)"],
  },
  {
    name: "@fastify/error",
    version: "4.2.0",
    ecosystem: "node (node:test)",
    url: `${NPM}/@fastify/error/-/error-4.2.0.tgz`,
    sha256: "58ec6d9b9c29a78cbe98de68cf8d7b648ca4f8791db6c2d32d8a72e26415245f",
    spec: { gates: [{ id: "tests", run: NODE_TEST, report: "tap" }, NO_DOCTOR], prepare: [{ run: "" }] },
    because:
      "its `npm test` also checks types and measures coverage, so the gate names its runner, for which nothing is installed",
    direct: NODE_TEST,
    said: tape,
    breaking: ["test/index.test.js", "'hey undefined'", "'hey nobody'"],
  },
  {
    name: "google/uuid",
    version: "1.3.0",
    ecosystem: "go",
    url: `${DEBIAN}/g/golang-github-google-uuid/golang-github-google-uuid_1.3.0.orig.tar.gz`,
    sha256: "7f7f37c47980e0afcc178a9ffc390bec29ed2371919b4c07658eb01791a7f921",
    direct: GO,
    said: goVerbose,
    breaking: [
      "uuid_test.go",
      "func TestVersion1(t *testing.T) {",
      'func TestVersion1(t *testing.T) {\n\tt.Error("broken")',
    ],
  },
  {
    name: "gorilla/mux",
    version: "1.8.0",
    ecosystem: "go",
    url: `${DEBIAN}/g/golang-github-gorilla-mux/golang-github-gorilla-mux_1.8.0.orig.tar.gz`,
    sha256: "ea2639259d2ce6f402636655e91eb93ba69c139e3cbf80b044ee393ada53757b",
    direct: GO,
    said: goVerbose,
    breaking: ["mux_httpserver_test.go", "resp.StatusCode != 200", "resp.StatusCode != 201"],
  },
  {
    name: "moby/sys",
    version: "0.0~git20220606",
    ecosystem: "go (four modules)",
    url: `${DEBIAN}/g/golang-github-moby-sys/golang-github-moby-sys-dev_0.0~git20220606.416188a-1_all.deb`,
    sha256: "2e4b88602b1792ac5364c471ab4db01510c37746d74f8460fb83a9ced18f9d08",
    folder: "usr/share/gocode/src/github.com/moby/sys",
    beside: {
      "third_party/golang.org/x/sys": {
        url: `${DEBIAN}/g/golang-golang-x-sys/golang-golang-x-sys-dev_0.3.0-1_all.deb`,
        sha256: "1bbeb938568f2014ada7473dd3fad8c8cbc45fabf0dcc7bc86b4392af0fd4bc8",
        folder: "usr/share/gocode/src/golang.org/x/sys",
      },
    },
    adds: { "go.work": MOBY_WORKSPACE },
    added:
      "its modules as Debian's package holds them, and with them Debian's golang.org/x/sys 0.3.0 in `third_party` and a `go.work` that names all of these, so that no module is downloaded. Asked directly it runs as an ordinary user, as in a gate: tests that mount something skip then",
    gates: {
      "tests-mount": "mount",
      "tests-mountinfo": "mountinfo",
      "tests-signal": "signal",
      "tests-symlink": "symlink",
    },
    direct: GO,
    neverAsRoot: true,
    said: goVerbose,
    breaking: [
      "symlink/fs_unix_test.go",
      "func TestFollowSymlinkEmpty(t *testing.T) {",
      'func TestFollowSymlinkEmpty(t *testing.T) {\n\tt.Error("broken")',
    ],
  },
  {
    name: "fnv",
    version: "1.0.7",
    ecosystem: "cargo",
    url: `${DEBIAN}/r/rust-fnv/rust-fnv_1.0.7.orig.tar.gz`,
    sha256: "3f9eec918d3f24069decb9af1554cad7c880e2da24a9afd88aca000531ab82c1",
    direct: ["cargo", "test"],
    said: cargo,
    breaking: ["lib.rs", "0xcbf29ce484222325);", "0xcbf29ce484222326);"],
  },
  {
    name: "sortedcontainers",
    version: "2.4.0",
    ecosystem: "python (pytest)",
    url: `${DEBIAN}/s/sortedcontainers/sortedcontainers_2.4.0.orig.tar.gz`,
    sha256: "70e22f4fd29b204f75f989e3c1e847aa1de267a028aab4233c0db783aaff78c1",
    spec: { prepare: [{ run: "" }] },
    because:
      "its requirements.txt lists what its authors draw plots and write documentation with; the tests need none of it",
    direct: ["python3", "-m", "pytest"],
    said: pytest,
    breaking: ["tests/test_coverage_sortedset.py", "def test_init():", "def test_init():\n    assert False"],
  },
  {
    name: "Try::Tiny",
    version: "0.31",
    ecosystem: "perl",
    url: `${DEBIAN}/libt/libtry-tiny-perl/libtry-tiny-perl_0.31.orig.tar.gz`,
    sha256: "3300d31d8a4075b26d8f46ce864a1d913e0e8467ceeba6655d5d2b2e206c11be",
    direct: ["prove", "-l", "-r", "t"],
    said: prove,
    breaking: ["t/basic.t", "ok($ok, $desc );", "ok(!$ok, $desc );"],
  },
  {
    name: "bzip2",
    version: "1.0.8",
    ecosystem: "make",
    url: `${DEBIAN}/b/bzip2/bzip2_1.0.8.orig.tar.gz`,
    sha256: "ab5a03176ee106d3f0fa90e381da478ddae405918153cca248e682cd0c4a2269",
    direct: ["make", "test"],
    said: null,
    breaking: ["Makefile", "cmp sample1.bz2 sample1.rb2", "cmp sample2.bz2 sample1.rb2"],
  },
];
