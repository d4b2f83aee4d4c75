/*
 * What a path is, for the judgement: by its name alone, as the tools of its ecosystem find it. A path of no other class is the product's.
 */

export type PathClass =
  | "test"
  | "snapshot"
  | "config"
  | "dependencies"
  | "ci"
  | "hooks"
  | "attributes"
  | "cache"
  | "shadow"
  | "secret"
  | "product";

/** The first row that fits decides: what is dangerous under any name stands first. */
const CLASSES: readonly (readonly [PathClass, RegExp])[] = [
  ["cache", /(?:^|\/)(?:__pycache__|\.pytest_cache|\.mypy_cache|\.nyc_output|\.gradle|\.vitest-cache|\.jest-cache)\//],
  ["cache", /\.(?:pyc|pyo|tsbuildinfo)$|(?:^|\/)target\/(?:debug|release|doc|tmp)\/|(?:^|\/)node_modules\/\.cache\//],
  ["shadow", /(?:^|\/)(?:node_modules|site-packages|\.?venv|bower_components)\//],
  ["shadow", /(?:^|\/)(?:sitecustomize|usercustomize)(?:\.py|\/)|\.(?:pth|egg-link)$/],
  ["secret", /(?:^|\/)(?:id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc|\.git-credentials|\.pypirc|\.htpasswd)$/],
  ["secret", /(?:^|\/)\.aws\/credentials$|\.(?:p12|pfx|jks|keystore|ppk)$/i],
  ["secret", /(?:^|\/)\.env(?:\.(?!example$|sample$|template$|dist$|defaults$|test$)[^/]*)?$/],
  ["ci", /^\.(?:github\/(?:workflows|actions)|circleci|buildkite|woodpecker|forgejo|gitea)\//],
  [
    "ci",
    /^(?:\.gitlab-ci|\.travis|azure-pipelines|bitbucket-pipelines|\.drone|\.?appveyor|\.cirrus)\.ya?ml$|^Jenkinsfile$/,
  ],
  ["hooks", /(?:^|\/)(?:\.husky|\.githooks|\.git-hooks)\/|^\.?lefthook[^/]*\.(?:ya?ml|toml|json)$/],
  ["hooks", /^\.pre-commit-config\.ya?ml$|^\.lintstagedrc/],
  ["attributes", /(?:^|\/)(?:\.gitattributes|\.gitmodules|\.lfsconfig)$/],
  [
    "dependencies",
    /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|poetry\.lock|uv\.lock|pdm\.lock|Pipfile(?:\.lock)?|requirements[\w.-]*\.txt|constraints[\w.-]*\.txt|Cargo\.lock|go\.(?:mod|sum|work|work\.sum)|Gemfile(?:\.lock)?|composer\.(?:json|lock)|gradle\.lockfile|package\.json|pyproject\.toml|Cargo\.toml)$/,
  ],
  ["dependencies", /(?:^|\/)vendor\/(?:modules\.txt$|bundle\/|autoload\.php$)/],
  [
    "snapshot",
    /(?:^|\/)(?:__snapshots__|__image_snapshots__|snapshots?|goldens?)\/|\.(?:snap|snapshot|ambr|golden|approved\.\w+)$/i,
  ],
  [
    "config",
    /(?:^|\/)(?:vitest|vite|jest|ava|karma|playwright|cypress|babel|rollup|webpack|eslint|biome|wtr|web-test-runner)\.(?:config|conf|workspace)?\.?[\w.]*(?:js|ts|json|jsonc)$/,
  ],
  [
    "config",
    /(?:^|\/)(?:\.mocharc[\w.]*|\.taprc|\.nycrc[\w.]*|\.c8rc[\w.]*|\.babelrc[\w.]*|\.eslintrc[\w.]*|\.npmrc|\.yarnrc(?:\.yml)?|\.pnpmfile\.c?js|node\.config\.json|bunfig\.toml|tsconfig[\w.-]*\.json|conftest\.py|pytest\.ini|\.pytest\.ini|tox\.ini|setup\.cfg|setup\.py|noxfile\.py|\.coveragerc|build\.rs|rust-toolchain(?:\.toml)?|clippy\.toml|\.rspec|Rakefile|phpunit[\w.]*\.xml[\w.]*|pom\.xml|build\.gradle(?:\.kts)?|settings\.gradle(?:\.kts)?|gradle\.properties)$/,
  ],
  ["config", /(?:^|\/)(?:\.cargo|\.mvn|\.config\/nextest)[/.]/],
  ["test", /(?:^|\/)(?:tests?|__tests__|__mocks__|__fixtures__|specs?|e2e|testdata|test_data)\//],
  ["test", /\.(?:test|spec|e2e|cy)\.[cm]?[jt]sx?$|(?:^|\/)test(?:-[^/]*)?\.[cm]?[jt]sx?$|(?:^|\/)tests?\.py$/],
  [
    "test",
    /(?:^|\/)(?:test_[^/]*|[^/]*_test)\.py$|_test\.(?:go|exs?|rb|dart)$|_spec\.rb$|(?:Test|Tests|IT|Spec)\.(?:java|kt|php|cs|scala)$/,
  ],
];

export const classOf = (path: string): PathClass => CLASSES.find(([, pattern]) => pattern.test(path))?.[0] ?? "product";

/** Modules that python's runners load by name: a file of that name where python looks first would be loaded instead. */
const PYTHON_OWN = new Set(
  "unittest pytest _pytest pluggy doctest site argparse ast asyncio collections contextlib copy dataclasses difflib enum fnmatch functools importlib inspect io json linecache logging os pathlib pprint re runpy signal string sys tempfile threading time traceback types typing warnings weakref codecs abc stat random".split(
    " ",
  ),
);

/** Whether a new python file stands at a place that is searched before the library, under a name of the library. */
export function shadowsPython(path: string, cwds: readonly string[]): boolean {
  const found = /^(?:(.*)\/)?([^/]+?)(?:\.py|\/__init__\.py)$/.exec(path);
  if (found === null) return false;
  const [, folder = "", name = ""] = found;
  const roots = cwds.flatMap((cwd) => {
    const top = cwd === "." ? "" : cwd;
    return [top, ...["src", "tests", "test"].map((one) => (top === "" ? one : `${top}/${one}`))];
  });
  return roots.includes(folder) && PYTHON_OWN.has(name);
}

const CODE = /\.(?:[cm]?[jt]sx?|py|rs|go|rb|php|java|kt|scala|cs|exs?|sh)$/;
/** Whether it is run or compiled: only there words of a runner mean something. */
export const isCode = (path: string): boolean => CODE.test(path);
