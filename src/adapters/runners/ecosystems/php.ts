import { inFile, type TestRunner } from "../test-runner.ts";
import { all, type Ecosystem, testsGate } from "./ecosystem.ts";

const PHPUNIT: TestRunner = {
  name: "phpunit",
  report: "junit",
  place: inFile("phpunit.xml"),
  reach: "arguments",
  configuration: ["phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml"],
  arguments: (path) => ["--log-junit", path],
  environment: () => ({}),
};

/** The one folder that phpunit is to look through; null where there are several and none is the usual one. */
function folderOf(tests: readonly string[]): string | null {
  const folders = [...new Set(tests.map((path) => /^(?:.*?\/)?tests?(?=\/)/.exec(path)?.[0] ?? ""))];
  return (
    folders.find((folder) => folder === "tests") ??
    folders.find((folder) => folder === "test") ??
    (folders.length === 1 ? (folders[0] ?? null) : null)
  );
}

export const php: Ecosystem = {
  manifest: /^(?:composer\.json|phpunit(?:\.dist)?\.xml(?:\.dist)?)$/,
  looksFor: "composer.json or phpunit.xml",
  runners: [PHPUNIT],
  async look(place) {
    const tests = place.paths.filter((path) => /(?:^|\/)tests?\/.*Test\.php$/.test(path));
    if (tests.length === 0)
      return {
        tool: "php",
        gates: [],
        prepare: null,
        notes: ["there is no tests/*Test.php, so there is no gate tests"],
        covers: all,
      };
    const manifest = (await place.files.text("composer.json")) ?? "";
    const own = /"phpunit\/phpunit"\s*:/.test(manifest);
    const configured = (await Promise.all(PHPUNIT.configuration.map((path) => place.files.text(path)))).some(
      (text) => text !== null,
    );
    const folder = folderOf(tests);
    if (folder === null && !configured)
      return {
        tool: "php",
        gates: [],
        prepare: null,
        notes: ["tests lie in several folders and no phpunit.xml says which, so there is no gate tests; name one"],
        covers: all,
      };
    return {
      tool: "php",
      gates: [
        testsGate(
          [own ? "vendor/bin/phpunit" : "phpunit", ...(configured || folder === null ? [] : [folder])],
          PHPUNIT,
          {
            parts: PHPUNIT.configuration,
          },
        ),
      ],
      prepare: null,
      notes: [
        ...(own ? [] : ["composer.json does not ask for phpunit, so the machine's own is used"]),
        ...((await place.files.text("composer.lock")) === null || (await place.files.paths("vendor/", 1)).length > 0
          ? []
          : ["what composer.lock asks for is not installed by itself; name a prepare command that fills vendor"]),
      ],
      covers: all,
    };
  },
};
