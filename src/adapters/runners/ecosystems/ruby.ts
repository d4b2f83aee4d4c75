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

/** Ruby looks for the files itself: a command line holds only so many, and none that the work adds. */
const LOAD_ALL = [
  'Dir["test/**/{*_test,test_*}.rb"].grep_v(%r{/(?:test_helper\\.rb$|vendor/|node_modules/)}).sort',
  ".each { |path| require File.expand_path(path) }",
].join("");
const TEST_TASK = /\bTestTask\b|\btask\s*\(?\s*:test\b/;
/** What gives an application of rails its task `test`. */
const RAILS_TASKS = /^[ \t]*Rails\.application\.load_tasks\b/m;
const RAILS_TESTS = /^[ \t]*require\s*\(?\s*["']rails\/(?:all|test_unit\/railtie)["']/m;

export const ruby: Ecosystem = {
  manifest: /^(?:Gemfile|Rakefile|\.rspec|[^/]+\.gemspec)$/,
  looksFor: "Gemfile or Rakefile",
  runners: [RSPEC, MINITEST],
  async look({ paths, files }) {
    const specs = paths.some((path) => /^spec\/.*_spec\.rb$/.test(path));
    const tests = paths.filter(
      (path) => /^test\/(?:.*_test|(?:.*\/)?test_[^/]*)\.rb$/.test(path) && !path.endsWith("/test_helper.rb"),
    );
    const rakefile = (await files.text("Rakefile")) ?? "";
    const rails = RAILS_TASKS.test(rakefile) && RAILS_TESTS.test((await files.text("config/application.rb")) ?? "");
    const rake = rails || TEST_TASK.test(rakefile);
    const locked = /^ {4}\S/m.test((await files.text("Gemfile.lock")) ?? "");
    const bundled = locked ? ["bundle", "exec"] : [];
    const gates = [
      ...(specs ? [testsGate([...bundled, "rspec"], RSPEC, { parts: [...RSPEC.configuration, "Gemfile"] })] : []),
      ...(tests.length === 0
        ? []
        : [
            testsGate(
              [...bundled, ...(rake ? ["rake", "test"] : ["ruby", "-Ilib", "-Itest", "-e", LOAD_ALL])],
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
        ...(rails && tests.some((path) => path.startsWith("test/system/"))
          ? [
              "rake test of rails leaves out test/system; name a gate that runs bin/rails test:system if those are to count",
            ]
          : []),
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
