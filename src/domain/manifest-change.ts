/*
 * Manifests say many things in one file: a bumped version is nobody's business, another dependency or another way to find tests is. What a
 * change of one comes to, read from both texts.
 */

export interface ManifestChange {
  readonly dependencies: boolean;
  /** How tests are found, built or run. */
  readonly runner: boolean;
}

const NONE: ManifestChange = { dependencies: false, runner: false };

export function manifestChange(path: string, before: string | null, after: string | null): ManifestChange {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (before === after) return NONE;
  switch (name) {
    case "package.json":
      return packageChange(before, after);
    case "package-lock.json":
    case "npm-shrinkwrap.json":
      return { dependencies: differ(withoutOwnVersion(before), withoutOwnVersion(after)), runner: false };
    case "Cargo.lock":
      return { dependencies: foreignCrates(before) !== foreignCrates(after), runner: false };
    case "Cargo.toml":
    case "pyproject.toml":
      return sectionsChange(before, after);
    default:
      return { dependencies: true, runner: false };
  }
}

type Json = Readonly<Record<string, unknown>>;

const PACKAGES =
  /^(?:.*[dD]ependencies(?:Meta)?|overrides|resolutions|bundled?Dependencies|catalogs?|workspaces|packageManager)$/;
const RUNS_TESTS = /^(?:jest|mocha|ava|tap|vitest|c8|nyc|babel|eslintConfig|imports|type)$/;

function packageChange(before: string | null, after: string | null): ManifestChange {
  const [was, is] = [objectOf(before), objectOf(after)];
  if (was === null || is === null) return { dependencies: before !== null, runner: before !== null };
  const changed = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((key) => differ(was[key], is[key]));
  return {
    dependencies: changed.some((key) => PACKAGES.test(key)),
    runner: changed.some((key) => RUNS_TESTS.test(key)),
  };
}

function objectOf(text: string | null): Json | null {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
  } catch {
    return null; // no JSON: the caller takes it for changed
  }
}

const differ = (a: unknown, b: unknown): boolean => JSON.stringify(a) !== JSON.stringify(b);

/** The project's own version stands twice in its lock file, beside those of its packages. */
function withoutOwnVersion(text: string | null): unknown {
  const lock = objectOf(text);
  if (lock === null) return text;
  const { version: _, ...rest } = lock;
  const packages = rest["packages"];
  if (typeof packages !== "object" || packages === null) return rest;
  const { "": root, ...others } = packages as Json;
  const { version: _own, ...own } = (root ?? {}) as Json;
  return { ...rest, packages: { "": own, ...others } };
}

/** Crates that come from elsewhere; those of the repository itself have no source. */
const foreignCrates = (text: string | null): string =>
  (text ?? "")
    .split(/^\[\[package\]\]$/m)
    .filter((one) => /^source = /m.test(one))
    .map((one) => one.trim())
    .sort()
    .join("\n");

const PACKAGE_SECTION =
  /(?:^|\.)(?:(?:dev-|build-)?dependencies|patch|replace|dependency-groups|optional-dependencies)(?:\.|$)/;
const RUNNER_SECTION =
  /^(?:lib|test|bench|profile(?:\..*)?|build-system|tool\.(?:pytest|coverage|tox|nox|unittest|hatch|poetry\.group)(?:\..*)?)$/;
const PACKAGE_LINE = /^\s*(?:dependencies|optional-dependencies|requires|requires-python)\s*=/;
const RUNNER_LINE = /^\s*(?:auto(?:tests|bins|benches|examples)|build|harness|members|exclude|default-members)\s*=/;

/** A rough reading of TOML, by its headings: enough to tell a version from a dependency. */
function sectionsChange(before: string | null, after: string | null): ManifestChange {
  const [was, is] = [sectionsOf(before ?? ""), sectionsOf(after ?? "")];
  let { dependencies, runner } = NONE;
  for (const name of new Set([...was.keys(), ...is.keys()])) {
    const [a, b] = [was.get(name) ?? [], is.get(name) ?? []];
    if (a.join("\n") === b.join("\n")) continue;
    if (PACKAGE_SECTION.test(name)) dependencies = true;
    else if (RUNNER_SECTION.test(name)) runner = true;
    else {
      const moved = [...a.filter((line) => !b.includes(line)), ...b.filter((line) => !a.includes(line))];
      // A list over several lines has its packages in lines of their own.
      if (moved.some((line) => PACKAGE_LINE.test(line) || /^\s*["'][^"']+["']\s*,?\s*$/.test(line)))
        dependencies = true;
      if (moved.some((line) => RUNNER_LINE.test(line))) runner = true;
    }
  }
  return { dependencies, runner };
}

function sectionsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const sections = new Map<string, string[]>();
  let current = "";
  for (const line of text.split("\n")) {
    const heading = /^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$/.exec(line);
    if (heading !== null) current = heading[1] ?? "";
    else if (line.trim() !== "" && !line.trim().startsWith("#"))
      sections.set(current, [...(sections.get(current) ?? []), line]);
    if (heading !== null && !sections.has(current)) sections.set(current, []);
  }
  return sections;
}
