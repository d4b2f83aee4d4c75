import type { TestRunner } from "../test-runner.ts";
import { all, type Ecosystem, testsGate } from "./ecosystem.ts";

const GRADLE: TestRunner = {
  name: "gradle",
  report: "junit",
  place: { from: "checkout", pattern: "(?:.*/)?build/test-results/(?:[^/]+/)?TEST-[^/]*\\.xml" },
  reach: "stdout",
  configuration: [],
  arguments: () => [],
  environment: () => ({ GRADLE_USER_HOME: "/tmp/gradle" }),
};

/** One gate: gradle runs the tests of every project of the build itself. */
export const gradle: Ecosystem = {
  manifest: /^(?:settings|build)\.gradle(?:\.kts)?$/,
  looksFor: "build.gradle",
  runners: [GRADLE],
  async look({ paths }) {
    const tested = paths.some((path) => /(?:^|\/)src\/test\/.*\.(?:java|kt|groovy|scala)$/.test(path));
    const builds = paths.filter((path) =>
      /(?:^|\/)(?:build|settings)\.gradle(?:\.kts)?$|^gradle\.properties$/.test(path),
    );
    return {
      tool: "gradle",
      gates: tested ? [testsGate(["gradle", "--offline", "--no-daemon", "test"], GRADLE, { parts: builds })] : [],
      prepare: null,
      notes: tested
        ? ["what gradle needs is not fetched by itself: keep it in the repository, or name a prepare command"]
        : ["there is no test below src/test, so there is no gate tests"],
      covers: all,
    };
  },
};
