import { expect, test } from "vitest";
import { type Finding, findingText, inTheWay, judgedFindings } from "./finding.ts";

const about = (kind: Finding["kind"], what: string, detail: string | null = null): Finding => ({
  kind,
  repo: "app",
  about: what,
  detail,
});

test("findings are judged by what the spec lets change, the gravest first and each once", () => {
  const findings = [
    about("tests_changed", "a.test.js"),
    about("dependencies_changed", "package.json"),
    about("ci_changed", ".github/workflows/test.yml"),
    about("secret", "key.txt", "an access key (line 2)"),
    about("ci_changed", ".github/workflows/test.yml"),
  ];
  const judged = judgedFindings(findings, ["dependencies"]);
  expect(judged.map(findingText)).toEqual([
    "secret (blocks): key.txt holds a key or a password: an access key (line 2)",
    "ci_changed (asks): .github/workflows/test.yml decides what others run as proof",
    "tests_changed (shown): a.test.js is a test that was there before, and changed",
    "dependencies_changed (shown): package.json decides which packages are installed",
  ]);
  expect(inTheWay(judged)).toEqual([
    { ...about("secret", "key.txt", "an access key (line 2)"), policy: "blocks" },
    { ...about("ci_changed", ".github/workflows/test.yml"), policy: "asks" },
  ]);
});
