import { describe, expect, test } from "vitest";
import { type ManifestChange, manifestChange } from "./manifest-change.ts";

const NOTHING: ManifestChange = { dependencies: false, runner: false };
const PACKAGES: ManifestChange = { dependencies: true, runner: false };
const RUNNER: ManifestChange = { dependencies: false, runner: true };
const BOTH: ManifestChange = { dependencies: true, runner: true };

type Case = readonly [what: string, before: string | null, after: string | null, comes: ManifestChange];

const json = (value: unknown): string => JSON.stringify(value);

describe("a change of package.json", () => {
  test.each<Case>([
    ["that changes nothing", "{}", "{}", NOTHING],
    ["of its version and its scripts", json({ version: "1" }), json({ version: "2", scripts: { a: "b" } }), NOTHING],
    ["of what it needs to be developed", json({ devDependencies: { a: "1" } }), json({}), PACKAGES],
    ["of what is put in place of others", json({}), json({ overrides: { a: "1" } }), PACKAGES],
    ["of how Jest finds tests", json({ jest: { roots: ["a"] } }), json({ jest: { roots: ["b"] } }), RUNNER],
    ["of how modules are read, and of a package", json({}), json({ type: "module", dependencies: { a: "1" } }), BOTH],
    ["that makes it", null, json({ dependencies: { a: "1" }, type: "module" }), NOTHING],
    ["that takes it away", json({}), null, BOTH],
    ["that can no longer be read", json({}), "{", BOTH],
    ["that is no longer an object", json({}), "[]", BOTH],
  ])("%s", (_, before, after, comes) => expect(manifestChange("web/package.json", before, after)).toEqual(comes));
});

describe("a change of package-lock.json", () => {
  const lock = (own: string, other: string): string =>
    json({
      name: "app",
      version: own,
      packages: { "": { name: "app", version: own }, "node_modules/a": { version: other } },
    });
  test.each<Case>([
    ["of the project's own version", lock("1.0.0", "2.0.0"), lock("1.0.1", "2.0.0"), NOTHING],
    ["of a package's version", lock("1.0.0", "2.0.0"), lock("1.0.0", "2.0.1"), PACKAGES],
    ["of what the project itself asks for", lock("1", "2"), lock("1", "2").replace('"name":"app",', ""), PACKAGES],
    ["from before it named packages", json({ version: "1" }), json({ version: "2" }), NOTHING],
    [
      "from before it named packages, of one",
      json({ version: "1", dependencies: { a: { version: "1" } } }),
      json({ version: "1", dependencies: { a: { version: "2" } } }),
      PACKAGES,
    ],
    ["without a place for the project itself", json({ packages: {} }), json({ version: "2", packages: {} }), NOTHING],
    ["that can no longer be read", lock("1", "2"), "<<<<<<<", PACKAGES],
    ["that makes it", null, lock("1", "2"), PACKAGES],
  ])("%s", (_, before, after, comes) => {
    expect(manifestChange("package-lock.json", before, after)).toEqual(comes);
    expect(manifestChange("npm-shrinkwrap.json", before, after)).toEqual(comes);
  });
});

describe("a change of Cargo.lock", () => {
  const own = (version: string): string => `[[package]]\nname = "app"\nversion = "${version}"\n`;
  const foreign = (name: string, version: string): string =>
    `[[package]]\nname = "${name}"\nversion = "${version}"\nsource = "registry+https://example.org"\n`;
  test.each<Case>([
    ["of the crate's own version", own("1") + foreign("a", "1"), own("2") + foreign("a", "1"), NOTHING],
    ["of the order", foreign("a", "1") + foreign("b", "1"), foreign("b", "1") + foreign("a", "1"), NOTHING],
    ["of a crate from elsewhere", own("1") + foreign("a", "1"), own("1") + foreign("a", "2"), PACKAGES],
    ["that makes it, with a crate from elsewhere", null, own("1") + foreign("a", "1"), PACKAGES],
    ["that makes it, with none", null, own("1"), NOTHING],
  ])("%s", (_, before, after, comes) => expect(manifestChange("Cargo.lock", before, after)).toEqual(comes));
});

describe("a change of Cargo.toml", () => {
  test.each<Case>([
    ["of its version", '[package]\nversion = "1"\n', '[package]\nversion = "2"\n', NOTHING],
    ["of a comment and of blanks", "[package]\n# a\n", "[package]\n\n# b\n", NOTHING],
    ["of a dependency", '[dependencies]\na = "1"\n', '[dependencies]\na = "2"\n', PACKAGES],
    ["of a dependency's own section", "[a]\n", '[a]\n[dependencies.b] # why\nversion = "2"\n', PACKAGES],
    ["of one platform's dependency", "", "[target.'cfg(unix)'.dependencies]\nb = \"2\"\n", PACKAGES],
    ["of a test target", "", '[[test]]\nname = "all"\nharness = false\n', RUNNER],
    ["of what it is built with", "", "[profile.test]\nopt-level = 3\n", RUNNER],
    ["of who belongs to the workspace", "[workspace]\n", '[workspace]\nmembers = ["a"]\n', RUNNER],
    ["that takes it away", '[dependencies]\na = "1"\n[lib]\ntest = false\n', null, BOTH],
  ])("%s", (_, before, after, comes) => expect(manifestChange("Cargo.toml", before, after)).toEqual(comes));
});

describe("a change of pyproject.toml", () => {
  test.each<Case>([
    ["of its version", '[project]\nversion = "1"\n', '[project]\nversion = "2"\n', NOTHING],
    ["of a package in one line", "[project]\ndependencies = []\n", '[project]\ndependencies = ["a"]\n', PACKAGES],
    [
      "of a package in a line of its own",
      '[project]\ndependencies = [\n  "a",\n]\n',
      '[project]\ndependencies = [\n  "a",\n  "b>=2",\n]\n',
      PACKAGES,
    ],
    ["of a group of packages", "", '[dependency-groups]\ndev = ["a"]\n', PACKAGES],
    ["of how pytest finds tests", "", '[tool.pytest.ini_options]\ntestpaths = ["a"]\n', RUNNER],
    ["of what builds it", '[build-system]\nrequires = ["a"]\n', '[build-system]\nrequires = ["b"]\n', RUNNER],
    ["of another tool's settings", "[tool.ruff]\nline-length = 1\n", "[tool.ruff]\nline-length = 2\n", NOTHING],
  ])("%s", (_, before, after, comes) => expect(manifestChange("pyproject.toml", before, after)).toEqual(comes));
});

test("any change of another manifest is one of its packages", () =>
  expect([manifestChange("go.mod", "a", "b"), manifestChange("yarn.lock", null, "b")]).toEqual([PACKAGES, PACKAGES]));
