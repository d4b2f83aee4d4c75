import type { TestRunner } from "../test-runner.ts";
import { all, type Ecosystem, testsGate } from "./ecosystem.ts";

/** Surefire and Failsafe write one JUnit file for each class beside what they built, and can be told no other place. */
const MAVEN: TestRunner = {
  name: "maven",
  report: "junit",
  place: { from: "checkout", pattern: "(?:.*/)?target/(?:surefire|failsafe)-reports/TEST-[^/]*\\.xml" },
  reach: "stdout",
  configuration: [],
  arguments: () => [],
  environment: () => ({}),
};

/** One gate: maven runs the tests of every module itself. */
export const maven: Ecosystem = {
  manifest: /^pom\.xml$/,
  looksFor: "pom.xml",
  runners: [MAVEN],
  async look({ paths, files }) {
    const tested = paths.some((path) => /(?:^|\/)src\/test\/.*\.(?:java|kt|groovy|scala)$/.test(path));
    const settings = (await files.text(".mvn/maven.config")) ?? "";
    const modules = paths.filter((path) => path.endsWith("/pom.xml"));
    return {
      tool: "maven",
      gates: tested
        ? [
            testsGate(["mvn", "--batch-mode", "--offline", "test"], MAVEN, {
              parts: ["pom.xml", ".mvn/maven.config", ".mvn/jvm.config", ".mvn/extensions.xml", ...modules],
            }),
          ]
        : [],
      prepare: null,
      notes: [
        ...(tested ? [] : ["there is no test below src/test, so there is no gate tests"]),
        ...(/maven\.repo\.local/.test(settings) || !tested
          ? []
          : [
              "what maven needs is not fetched by itself: set maven.repo.local in .mvn/maven.config to a repository on this machine, or name a prepare command",
            ]),
      ],
      covers: all,
    };
  },
};
