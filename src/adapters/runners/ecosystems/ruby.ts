import { inFile, STDOUT, type TestRunner } from "../test-runner.ts";
import { all, type Ecosystem, testsGate } from "./ecosystem.ts";

/** rspec: its JSON formatter beside the readable one. */
const RSPEC: TestRunner = {
  name: "rspec",
  report: "rspec-json",
  place: inFile("rspec.json"),
  reach: "arguments",
  configuration: [".rspec", "spec/spec_helper.rb"],
  arguments: (path) => ["--format", "progress", "--format", "json", "--out", path],
  environment: () => ({}),
};

/** minitest and test-unit have no report in themselves: their closing line is their word. */
const MINITEST: TestRunner = {
  name: "minitest",
  report: "minitest",
  place: STDOUT,
  reach: "stdout",
  configuration: ["Rakefile", ".rake", "test/test_helper.rb"],
  arguments: () => [],
  environment: () => ({}),
};

const LOAD_ALL = "ARGV.each { |path| require File.expand_path(path) }";
const FILES_MOST = 500;

export const ruby: Ecosystem = {
  manifest: /^(?:Gemfile|Rakefile|\.rspec|[^/]+\.gemspec)$/,
  looksFor: "Gemfile or Rakefile",
  runners: [RSPEC, MINITEST],
  async look({ paths, files }) {
    const specs = paths.some((path) => /^spec\/.*_spec\.rb$/.test(path));
    const tests = paths.filter(
      (path) => /^test\/(?:.*_test|(?:.*\/)?test_[^/]*)\.rb$/.test(path) && !path.endsWith("/test_helper.rb"),
    );
    const rake = /\bTestTask\b|\btask\s*\(?\s*:test\b/.test((await files.text("Rakefile")) ?? "");
    const locked = /^ {4}\S/m.test((await files.text("Gemfile.lock")) ?? "");
    const bundled = locked ? ["bundle", "exec"] : [];
    const gates = [
      ...(specs ? [testsGate([...bundled, "rspec"], RSPEC, { parts: [...RSPEC.configuration, "Gemfile"] })] : []),
      ...(tests.length === 0
        ? []
        : [
            testsGate(
              [
                ...bundled,
                ...(rake
                  ? ["rake", "test"]
                  : ["ruby", "-Ilib", "-Itest", "-e", LOAD_ALL, ...tests.slice(0, FILES_MOST)]),
              ],
              MINITEST,
              { id: specs ? "tests-minitest" : "tests", parts: [...MINITEST.configuration, "Gemfile"] },
            ),
          ]),
    ];
    return {
      tool: "ruby",
      gates,
      prepare: null,
      notes: [
        ...(gates.length === 0 ? ["there is no spec/*_spec.rb and no test/*_test.rb, so there is no gate tests"] : []),
        ...(locked
          ? [
              "gems of the Gemfile.lock are taken from the machine or from what the repository holds; name a prepare command to install them",
            ]
          : []),
      ],
      covers: all,
    };
  },
};
