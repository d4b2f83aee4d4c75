import { describe, expect, test } from "vitest";
import { runners } from "./runners.ts";

/** What is detected in a repository of these files, as one line for each gate and each preparation. */
async function seen(contents: Readonly<Record<string, string | null>>) {
  const found = await detect(contents);
  return {
    kinds: found.ecosystems,
    gates: found.gates.map((gate) => `${gate.id}: ${gate.argv.join(" ")} in ${gate.cwd} (${gate.runner ?? "exit"})`),
    prepare: found.prepare.map((one) => `${one.id}: ${one.argv.join(" ")} in ${one.cwd}`),
    notes: found.notes,
  };
}

/** Of what has no text (a link, a submodule) only the path is known. */
const detect = (contents: Readonly<Record<string, string | null>>) =>
  runners({ registry: "" }).detect("app", {
    text: async (path) => contents[path] ?? null,
    paths: async (prefix = "", most = 1000) =>
      Object.keys(contents)
        .filter((path) => path.startsWith(prefix))
        .slice(0, most),
  });

/** The test script at the top, and what it may call. */
type Script = readonly [test: string, others?: Readonly<Record<string, string>>];

const pkg = (more: object = {}) => JSON.stringify({ scripts: { test: "node --test" }, ...more });

test("a repository of no kind says what was looked for", async () =>
  expect(await seen({ "README.md": "" })).toMatchObject({
    kinds: [],
    gates: [],
    prepare: [],
    notes: [expect.stringMatching(/^no kind of project is recognised \(package\.json, pyproject\.toml/)],
  }));

describe("the package manager", () => {
  test.each([
    ["pnpm", { "package.json": pkg(), "pnpm-lock.yaml": "" }, "pnpm run test"],
    ["yarn", { "package.json": pkg(), "yarn.lock": "" }, "yarn run test"],
    ["bun", { "package.json": pkg(), "bun.lock": "{}" }, "bun run test"],
    ["yarn", { "package.json": pkg({ packageManager: "yarn@4.0.0" }), "package-lock.json": "{}" }, "yarn run test"],
    ["npm", { "package.json": pkg() }, "npm test"],
  ])("is %s by its lock file or by name", async (name, files, argv) => {
    const { kinds, gates } = await seen(files);
    expect(kinds).toEqual([name]);
    expect(gates).toContain(`tests: ${argv} in . (node:test)`);
  });

  test("passes no dashes on where only npm takes them", async () =>
    expect(
      (
        await seen({
          "package.json": pkg({ scripts: { test: "npm run unit", unit: "vitest run" } }),
          "pnpm-lock.yaml": "",
        })
      ).gates,
    ).toContain("tests: pnpm run test -- in . (vitest)"));

  test("whose lock file is another's says so", async () =>
    expect(
      (
        await seen({
          "package.json": pkg({ packageManager: "pnpm@10.0.0", dependencies: { a: "1" } }),
          "yarn.lock": "",
        })
      ).notes,
    ).toContain("package.json asks for pnpm, so yarn.lock of yarn is not used"));
});

describe("several packages", () => {
  const members = {
    "packages/a/package.json": pkg({ name: "@x/a" }),
    "packages/b/package.json": pkg({ name: "@x/b" }),
    "packages/c/package.json": pkg({ name: "@x/c", scripts: {} }),
  };

  test("have a gate each where the top only hands over to them", async () => {
    const { gates, notes } = await seen({
      "package.json": JSON.stringify({ workspaces: ["packages/*", "!packages/b"], scripts: { test: "npm test -ws" } }),
      ...members,
    });
    expect(gates.filter((gate) => gate.startsWith("tests"))).toEqual([
      "tests-a: npm test in packages/a (node:test)",
      "tests-packages-b: npm test in packages/b (node:test)",
    ]);
    expect(notes.join()).toContain("packages with a test script has a gate of its own");
  });

  test("have one gate where the top runs a runner over the whole tree", async () => {
    const { gates, notes } = await seen({
      "package.json": JSON.stringify({ workspaces: { packages: ["packages/**"] }, scripts: { test: "vitest run" } }),
      ...members,
    });
    expect(gates.filter((gate) => gate.startsWith("tests"))).toEqual(["tests: npm test in . (vitest)"]);
    expect(notes).toContain(
      "the test script at the top starts vitest over the whole tree, so it stands for all 3 packages",
    );
  });

  const WHOLE: readonly Script[] = [
    ["vitest"],
    ["vitest run --coverage.enabled --reporter=verbose --max-workers 2 --typecheck"],
    ["vitest --watch=false --reporter dot"],
    ["eslint . && NODE_ENV=test npx --no-install vitest run"],
    ["tsc -b && cross-env CI=1 jest --ci --runInBand --no-cache"],
    ["yarn jest"],
    ["yarn run -T jest"],
    ["pnpm exec vitest run"],
    ["npm exec -- ava"],
    ["c8 --reporter lcov node --test --experimental-test-coverage"],
    ["node --import tsx --test"],
    ["node --experimental-vm-modules node_modules/jest/bin/jest.js"],
    ["NODE_OPTIONS=--experimental-vm-modules jest"],
    ["npm run lint && npm run unit -- ", { lint: "biome lint .", unit: "vitest run" }],
    ["npm run build && vitest run", { build: "cd packages/a && tsc" }],
    ["pnpm -s unit", { unit: "jest" }],
    ["run-s lint unit", { lint: "biome lint .", unit: "node --test" }],
  ];
  test.each(WHOLE.map(([script, others = {}]) => ({ script, others })))(
    "have one gate where the top's script is $script",
    async ({ script, others }) => {
      const { gates } = await seen({
        "package.json": JSON.stringify({ workspaces: ["packages/*"], scripts: { ...others, test: script } }),
        ...members,
      });
      expect(gates.filter((gate) => gate.startsWith("tests")).map((gate) => gate.split(":")[0])).toEqual(["tests"]);
    },
  );

  const PARTS: readonly Script[] = [
    ["cd packages/a && vitest run"],
    ["pushd packages/a; vitest run"],
    ["yarn workspace @x/a jest"],
    ["yarn --cwd packages/a jest"],
    ["yarn workspaces foreach -A exec jest"],
    ["pnpm --filter a exec vitest run"],
    ["pnpm -C packages/a vitest run"],
    ["pnpm -r exec vitest run"],
    ["npm exec -w packages/a -- vitest run"],
    ["npx --prefix packages/a vitest run"],
    ["env -C packages/a vitest run"],
    ["nyc --cwd packages/a node --test"],
    ["vitest run --root packages/a"],
    ["vitest --run --root=packages/a"],
    ["vitest run --dir packages/a"],
    ["vitest run --project a"],
    ["vitest run --config vitest.a.ts"],
    ["vitest run -c vitest.a.ts"],
    ["vitest run --exclude packages/b"],
    ["vitest run --changed"],
    ["vitest run --shard=1/2"],
    ["vitest run -t adds"],
    ["vitest related packages/a/add.ts"],
    ["vitest run packages/a"],
    ["jest packages/a"],
    ["jest --rootDir packages/a"],
    ["jest --config=jest.a.js"],
    ["jest --roots packages/a"],
    ["jest --testPathPattern a"],
    ["jest --onlyChanged"],
    ["jest --watch"],
    ["vitest run --typecheck.only"],
    ["npx jest --selectProjects a"],
    ["node node_modules/jest/bin/jest.js packages/a"],
    ["ava packages/a/**"],
    ["bun test packages/a"],
    ["bun --cwd packages/a test"],
    ["node --test scripts/*.test.js"],
    ["node --test 'scripts/*.test.js'"],
    ["node --test --test-name-pattern adds"],
    ["node --test --test-only"],
    ["node scripts/all.js"],
    ["jest && vitest run"],
    ["npm run unit -- packages/a", { unit: "vitest run" }],
    ["npm run unit -w packages/a", { unit: "vitest run" }],
    ["npm --prefix packages/a run unit", { unit: "vitest run" }],
    ["pnpm --filter=a run unit", { unit: "vitest run" }],
    ["yarn unit packages/a", { unit: "jest" }],
    ["cd packages/a && npm run unit", { unit: "vitest run" }],
    ["npm run unit", { unit: "cd packages/a && vitest run" }],
  ];
  test.each(PARTS.map(([script, others = {}]) => ({ script, others })))(
    "keep a gate each where the top's script is $script",
    async ({ script, others }) => {
      const { gates } = await seen({
        "package.json": JSON.stringify({ workspaces: ["packages/*"], scripts: { ...others, test: script } }),
        "scripts/all.js": 'import test from "node:test";',
        ...members,
      });
      expect(gates.filter((gate) => gate.startsWith("tests-"))).toEqual([
        "tests-a: npm test in packages/a (node:test)",
        "tests-b: npm test in packages/b (node:test)",
      ]);
    },
  );

  const SETTINGS: readonly (readonly [reaches: boolean, test: string, file: string, text: string])[] = [
    [true, "vitest run", "vitest.config.ts", "export default { test: { globals: true, exclude: ['packages/a/**'] } }"],
    [true, "vitest run", "vitest.config.ts", "test: { projects: ['./packages/*'] }"],
    [true, "vitest run", "vitest.config.ts", 'test: { include: ["{packages,apps}/*/src/**/*.test.ts", "test/**"] }'],
    [
      true,
      "vitest run",
      "vite.config.ts",
      "optimizeDeps: { include: ['react'] }, test: { coverage: { include: ['src/**'] } }",
    ],
    [true, "vitest run", "vitest.config.ts", "test: {\n  // include: ['test/**'],\n}"],
    [true, "vitest run", "vitest.config.ts", "test: { include: patterns, root: '.' }"],
    [true, "vitest run", "vitest.config.ts", `/**\n * root: 'packages/a'\n */\nroot: \`\${here}/packages/a\``],
    [true, "vitest run", "vitest.workspace.ts", "export default defineWorkspace(['packages/*', '!packages/old'])"],
    [true, "jest", "jest.config.js", "module.exports = { projects: ['<rootDir>/packages/*/jest.config.js'] }"],
    [true, "jest", "jest.config.js", "module.exports = { roots: ['packages'], testMatch: ['**/?(*.)test.[jt]s'] }"],
    [false, "vitest run", "vitest.config.ts", "test: { include: ['test/**/*.test.ts'] }"],
    [false, "vitest run", "vitest.config.ts", "test: { projects: ['packages/a'] }"],
    [false, "vitest run", "vitest.config.ts", "test: { dir: 'packages/a' }"],
    [false, "vitest run", "vite.config.ts", 'root: "packages/a"'],
    [false, "vitest run", "vitest.workspace.json", '["packages/a"]'],
    [false, "jest", "jest.config.json", '{ "roots": ["<rootDir>/packages/a"] }'],
    [false, "ava", "ava.config.js", "export default { files: ['test/**/*'] }"],
    [false, "bun test", "bunfig.toml", '[test]\nroot = "packages/a"\n'],
  ];
  test.each(SETTINGS)(
    "stand or fall with the settings of the top's runner: %s for %s with %s: %s",
    async (is, script, file, text) => {
      const { gates } = await seen({
        "package.json": JSON.stringify({ workspaces: ["packages/*"], scripts: { test: script } }),
        [file]: text,
        ...members,
      });
      expect(gates.some((gate) => gate.startsWith("tests-"))).toBe(!is);
    },
  );

  test("keep a gate each where package.json tells the top's runner to look elsewhere", async () => {
    const { gates } = await seen({
      "package.json": JSON.stringify({
        workspaces: ["packages/*"],
        scripts: { test: "jest" },
        jest: { roots: ["<rootDir>/test"] },
      }),
      ...members,
    });
    expect(gates.filter((gate) => gate.startsWith("tests-")).length).toBe(2);
  });

  test("keep a gate each beside the top's own, which is said", async () => {
    const { gates, notes } = await seen({
      "package.json": JSON.stringify({ workspaces: ["packages/*"], scripts: { test: "jest packages/a" } }),
      ...members,
    });
    expect(gates.filter((gate) => gate.startsWith("tests"))).toEqual([
      "tests: npm test in . (jest)",
      "tests-a: npm test in packages/a (node:test)",
      "tests-b: npm test in packages/b (node:test)",
    ]);
    expect(notes).toContain(
      "the test script at the top does not plainly start jest over the whole tree, so it stands for no package; each of the 2 packages with a test script has a gate of its own",
    );
  });

  test("are named by pnpm-workspace.yaml too, and prepared together", async () => {
    const { gates, prepare } = await seen({
      "package.json": "{}",
      "pnpm-workspace.yaml": "packages:\n  - packages/*\n",
      "pnpm-lock.yaml": "",
      ...members,
    });
    expect(gates).toContain("tests-b: pnpm run test in packages/b (node:test)");
    expect(prepare).toEqual(["pnpm: pnpm install --frozen-lockfile in ."]);
  });

  test("of Go are modules with a gate and a preparation each; those of others are passed over", async () =>
    expect(
      await seen({
        "go.mod": "module x\n",
        "x_test.go": "",
        "tool/go.mod": "module t\n\nrequire example.org/y v1.0.0\n",
        "tool/t_test.go": "",
        "vendor/z/go.mod": "",
        "vendor/z/z_test.go": "",
        "examples/e/go.mod": "",
        "examples/e/e_test.go": "",
      }),
    ).toMatchObject({
      gates: ["tests: go test -json ./... in . (go test)", "tests-tool: go test -json ./... in tool (go test)"],
      prepare: ["go-tool: go mod download in tool"],
    }));

  test("of Go are pinned with the workspace they stand in, wherever above them it lies", async () => {
    const { gates, prepare } = await detect({
      "a/b/go.mod": "module b\n\nrequire example.org/y v1.0.0\n",
      "a/b/b_test.go": "",
      "go.work": "go 1.21\nuse ./a/b\n",
    });
    expect(gates.find(({ id }) => id === "tests-a-b")?.definition.map(({ path }) => path)).toEqual([
      "a/b/go.work",
      "a/go.work",
      "go.work",
    ]);
    expect(prepare[0]?.inputs.map(({ path }) => path)).toEqual(
      ["go.mod", "go.sum"]
        .map((name) => `a/b/${name}`)
        .concat(["go.work", "go.work.sum"].flatMap((name) => [`a/b/${name}`, `a/${name}`, name])),
    );
  });

  test("of several kinds in one repository have a gate each", async () => {
    const { kinds, gates } = await seen({
      "web/package.json": pkg(),
      "Cargo.toml": '[workspace]\nmembers = ["a"]\n',
      "a/Cargo.toml": "[package]\n",
      "a/src/lib.rs": "#[test]\nfn x() {}\n",
      "tests/test_x.py": "import unittest\n",
      "pyproject.toml": "",
    });
    expect(kinds).toEqual(["npm", "python", "cargo"]);
    expect(gates).toEqual([
      "tests-web: npm test in web (node:test)",
      "tests: python3 -m unittest discover -s tests in . (unittest)",
      "tests-cargo: cargo test --workspace in . (cargo test)",
    ]);
  });
});

describe("python", () => {
  test.each([
    ["pytest.ini", { "pytest.ini": "" }],
    ["a requirement", { "requirements-dev.txt": "pytest==8.0\n" }],
    ["an import", { "tests/test_y.py": "import pytest\n" }],
    ["a conftest.py", { "tests/conftest.py": "" }],
    ["plain test functions", { "tests/test_y.py": "def test_y():\n    pass\n" }],
  ])("is tested by pytest for %s", async (_, files) =>
    expect((await seen({ "setup.py": "", "tests/test_x.py": "", ...files })).gates).toEqual([
      "tests: python3 -m pytest in . (pytest)",
    ]),
  );

  test("without tests is no project of its own", async () =>
    expect((await seen({ "setup.py": "" })).gates).toEqual([]));

  const CASE = "import unittest\n\nclass Adds(unittest.TestCase):\n    def test_adds(self):\n        pass\n";
  const UNITTEST = "nothing here asks for pytest, so unittest discovers the tests";
  const discovers = async (files: Readonly<Record<string, string>>) => {
    const { gates, notes } = await seen(files);
    return {
      gates: gates.map((gate) => gate.replace("python3 -m unittest discover", "discover").replace(" (unittest)", "")),
      notes,
    };
  };
  const STARTS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["the folder of the tests", ["tests/test_a.py"], ["tests: discover -s tests in ."]],
    ["the top for a package of tests", ["tests/__init__.py", "tests/test_a.py"], ["tests: discover in ."]],
    [
      "the first folder that is no package, upwards",
      ["src/app/__init__.py", "src/app/tests/__init__.py", "src/app/tests/test_a.py"],
      ["tests: discover -s src in ."],
    ],
    [
      "each folder that is no package",
      ["tests/test_a.py", "tests/unit/test_b.py", "tests/deep/__init__.py", "tests/deep/test_c.py"],
      ["tests: discover -s tests in .", "tests-unit: discover -s tests/unit in ."],
    ],
    [
      "the top and the folder that it does not reach",
      ["test_a.py", "tests/test_b.py"],
      ["tests: discover in .", "tests-tests: discover -s tests in ."],
    ],
    [
      "the same folder for files whose names end in _test",
      ["tests/test_a.py", "tests/c_test.py", "tests/deep/__init__.py", "tests/deep/test_both_test.py"],
      ["tests: discover -s tests in .", "tests-suffix: discover -s tests -p *_test.py in ."],
    ],
    ["only such files", ["c_test.py"], ["tests: discover -p *_test.py in ."]],
  ];
  test.each(STARTS)("is discovered from %s", async (_, paths, gates) => {
    const texts = paths.map((path) => [path, path.endsWith("__init__.py") ? "" : CASE]);
    expect(await discovers({ "setup.py": "", ...Object.fromEntries(texts) })).toEqual({ gates, notes: [UNITTEST] });
  });

  test("says which files that are named as tests are not run", async () =>
    expect(
      await discovers({
        "setup.py": "",
        "tests/test_a.py": CASE,
        "tests/test-b.py": CASE,
        "tests/helpers/testing.py": "class Base:\n    pass\n",
        "examples/test_c.py": CASE,
      }),
    ).toEqual({
      gates: ["tests: discover -s tests in ."],
      notes: [
        UNITTEST,
        "unittest is not asked to run examples/test_c.py, tests/helpers/testing.py, tests/test-b.py: it cannot import a file of such a name, no test is seen in it, or its folder is passed over; name a gate if they are to count",
      ],
    }));

  test("with only such files is asked all the same, so that it stays unproven", async () =>
    expect((await discovers({ "setup.py": "", "tests/test_a.py": "" })).gates).toEqual([
      "tests: discover -s tests in .",
    ]));

  test("in more folders than have a gate each stays unproven", async () => {
    const files = Object.fromEntries(Array.from({ length: 22 }, (_, at) => [`t${at + 10}/test_a.py`, CASE]));
    const { gates, notes } = await discovers({ "setup.py": "", ...files });
    expect([gates.length, gates[0], gates.at(-1)]).toEqual([
      21,
      "tests: discover -s t10 in .",
      "tests-elsewhere:  in .",
    ]);
    expect(notes).toEqual([
      UNITTEST,
      "tests lie in more folders than have a gate each, so tests-elsewhere stays unproven for t30/test_a.py, t31/test_a.py; name a gate of that id that runs them",
    ]);
  });

  test("leaves the tests of a project below to that one, with packages of its own", async () => {
    const files = {
      "requirements.txt": "x==1\n",
      "tests/__init__.py": "",
      "tests/test_a.py": CASE,
      "tools/gen/setup.py": "",
      "tools/gen/requirements.txt": "y==1\n",
      "tools/gen/tests/test_b.py": CASE,
    };
    expect(await seen(files)).toEqual({
      kinds: ["python"],
      gates: [
        "tests: python3 -m unittest discover in . (unittest)",
        "tests-tools-gen: python3 -m unittest discover -s tests in tools/gen (unittest)",
      ],
      prepare: [
        expect.stringMatching(/^python: .* in \.$/),
        expect.stringMatching(/^python-tools-gen: .* in tools\/gen$/),
      ],
      notes: [UNITTEST, `tools/gen: ${UNITTEST}`],
    });
    const only = { "requirements.txt": "x==1\n", "tools/gen/setup.py": "", "tools/gen/tests/test_b.py": CASE };
    expect(await seen(only)).toMatchObject({
      gates: ["tests-tools-gen: python3 -m unittest discover -s tests in tools/gen (unittest)"],
      prepare: [expect.stringMatching(/^python: .* in \.$/)],
    });
  });

  test("runs from the top what one folder holds, though that has settings or is a project", async () => {
    for (const [path, text] of [
      ["tests/pyproject.toml", "[tool.ruff]\n"],
      ["tests/pyproject.toml", "[project]\n"],
      ["tests/setup.cfg", "[flake8]\n"],
    ] as const)
      expect(await discovers({ "setup.py": "", [path]: text, "tests/test_a.py": CASE })).toEqual({
        gates: ["tests: discover -s tests in ."],
        notes: [UNITTEST],
      });
    const files = { "setup.py": "", "a/test_a.py": CASE, "b/test_b.py": CASE, "b/pyproject.toml": "[tool.ruff]\n" };
    expect((await discovers(files)).gates).toEqual(["tests: discover -s a in .", "tests-b: discover -s b in ."]);
  });

  test("runs what it reaches of a project below that is a package of its own", async () =>
    expect(
      await discovers({ "setup.py": "", "app/__init__.py": "", "app/setup.py": "", "app/test_a.py": CASE }),
    ).toEqual({ gates: ["tests: discover in ."], notes: [UNITTEST] }));
});

describe("dependencies", () => {
  test.each([
    ["vendored by go", { "go.mod": "module x\nrequire a.b/c v1.0.0\n", "x_test.go": "", "vendor/modules.txt": "" }],
    [
      "of a crate without any",
      { "Cargo.toml": "[package]\n", "Cargo.lock": 'name = "x"\n', "src/lib.rs": "#[test]\n" },
    ],
    [
      "vendored by cargo",
      {
        "Cargo.toml": "[dependencies]\n",
        "Cargo.lock": 'source = "registry+x"\n',
        ".cargo/config.toml": '[source.x]\nreplace-with = "v"\n[source.v]\ndirectory = "vendor"\n',
        "src/lib.rs": "#[test]\n",
      },
    ],
    ["of a python project without any", { "pyproject.toml": "", "test_x.py": "import unittest\n" }],
  ])("%s need no preparation", async (_, files) => expect((await seen(files)).prepare).toEqual([]));
});

/** The files whose content a gate is pinned to. */
const pinned = async (contents: Readonly<Record<string, string>>, id = "tests") =>
  (await detect(contents)).gates.find((gate) => gate.id === id)?.definition.map(({ path }) => path);

const NOT_INSTALLED =
  "what composer.lock asks for is not installed by itself; name a prepare command that fills vendor";
const MACHINES_OWN = "composer.json does not ask for phpunit, so the machine's own is used";

describe("php", () => {
  const own = { "composer.json": '{"require-dev": {"phpunit/phpunit": "^11.0"}}' };
  test.each([
    ["of composer", { ...own, "tests/AddTest.php": "" }, "vendor/bin/phpunit tests", []],
    ["of composer, in test", { ...own, "test/unit/AddTest.php": "" }, "vendor/bin/phpunit test", []],
    ["in a folder below", { ...own, "packages/a/tests/AddTest.php": "" }, "vendor/bin/phpunit packages/a/tests", []],
    ["of composer, configured", { ...own, "phpunit.xml": "", "tests/AddTest.php": "" }, "vendor/bin/phpunit", []],
    [
      "of the machine",
      { "composer.json": '{"require": {"php": "^8.2"}}', "tests/AddTest.php": "" },
      "phpunit tests",
      [MACHINES_OWN],
    ],
    ["without composer", { "phpunit.xml.dist": "", "tests/AddTest.php": "" }, "phpunit", [MACHINES_OWN]],
    [
      "that is not installed",
      { ...own, "composer.lock": "{}", "tests/AddTest.php": "" },
      "vendor/bin/phpunit tests",
      [NOT_INSTALLED],
    ],
    [
      "that is vendored",
      { ...own, "composer.lock": "{}", "tests/AddTest.php": "", "vendor/autoload.php": "" },
      "vendor/bin/phpunit tests",
      [],
    ],
  ])("is tested by the phpunit %s", async (_, files, argv, notes) =>
    expect(await seen(files)).toEqual({
      kinds: ["php"],
      gates: [`tests: ${argv} in . (phpunit)`],
      prepare: [],
      notes,
    }),
  );

  test("in a folder is looked at from there, its vendored packages too", async () => {
    const files = {
      "api/composer.json": own["composer.json"],
      "api/composer.lock": "{}",
      "api/tests/AddTest.php": "",
    };
    const gates = ["tests-api: vendor/bin/phpunit tests in api (phpunit)"];
    expect(await seen(files)).toEqual({ kinds: ["php"], gates, prepare: [], notes: [`api: ${NOT_INSTALLED}`] });
    expect(await seen({ ...files, "vendor/autoload.php": "" })).toMatchObject({ notes: [`api: ${NOT_INSTALLED}`] });
    expect(await seen({ ...files, "api/vendor/autoload.php": "" })).toMatchObject({ gates, notes: [] });
    expect(await pinned(files, "tests-api")).toEqual(
      ["phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml"].map((name) => `api/${name}`),
    );
  });

  test("without tests has no gate, and says what was looked for", async () =>
    expect(await seen({ ...own, "src/AddTest.php": "", "tests/bootstrap.php": "" })).toEqual({
      kinds: ["php"],
      gates: [],
      prepare: [],
      notes: ["there is no tests/*Test.php, so there is no gate tests"],
    }));
});

describe("ruby", () => {
  const locked = { "Gemfile.lock": "GEM\n  remote: https://rubygems.org/\n  specs:\n    rake (13.2.1)\n" };
  const all = [
    'ruby -Ilib -Itest -e Dir["test/**/{*_test,test_*}.rb"].grep_v(%r{/(?:test_helper\\.rb$|vendor/|node_modules/)}).sort',
    ".each { |path| require File.expand_path(path) }",
  ].join("");
  const rails = { Rakefile: 'require_relative "config/application"\n\nRails.application.load_tasks\n' };
  const gems =
    "gems of the Gemfile.lock are taken from the machine or from what the repository holds; name a prepare command to install them";
  test.each([
    ["rspec", { Gemfile: "", "spec/sum/add_spec.rb": "" }, ["tests: rspec in . (rspec)"], []],
    [
      "rspec of the bundle",
      { Gemfile: "", ...locked, "spec/add_spec.rb": "" },
      ["tests: bundle exec rspec in . (rspec)"],
      [gems],
    ],
    [
      "rspec where the lock file names no gem",
      { "x.gemspec": "", "Gemfile.lock": "GEM\n  specs:\n", "spec/add_spec.rb": "" },
      ["tests: rspec in . (rspec)"],
      [],
    ],
    [
      "the test task",
      { Rakefile: "Rake::TestTask.new", "test/add_test.rb": "" },
      ["tests: rake test in . (minitest)"],
      [],
    ],
    [
      "a task test of the bundle",
      { Rakefile: "task(:test) { sh 'x' }", ...locked, "test/add_test.rb": "" },
      ["tests: bundle exec rake test in . (minitest)"],
      [gems],
    ],
    [
      "ruby on all test files where no task is",
      { Rakefile: "task :docs\n", "test/add_test.rb": "", "test/unit/test_sub.rb": "", "test/notes.rb": "" },
      [`tests: ${all} in . (minitest)`],
      [],
    ],
    [
      "ruby on all test files, however many there are",
      { Gemfile: "", ...Object.fromEntries(Array.from({ length: 501 }, (_, at) => [`test/a${at}_test.rb`, ""])) },
      [`tests: ${all} in . (minitest)`],
      [],
    ],
    [
      "the test task of rails",
      { ...rails, "config/application.rb": 'require "rails/all"\n', "test/models/add_test.rb": "" },
      ["tests: rake test in . (minitest)"],
      [],
    ],
    [
      "the test task of rails, which leaves system tests out",
      {
        ...rails,
        "config/application.rb": 'require "rails"\n  require "rails/test_unit/railtie"\n',
        "test/models/add_test.rb": "",
        "test/system/add_test.rb": "",
      },
      ["tests: rake test in . (minitest)"],
      ["rake test of rails leaves out test/system; name a gate that runs bin/rails test:system if those are to count"],
    ],
    [
      "ruby where rails has no test task",
      { ...rails, "config/application.rb": '# require "rails/test_unit/railtie"\n', "test/add_test.rb": "" },
      [`tests: ${all} in . (minitest)`],
      [],
    ],
    [
      "rspec and minitest, each with a gate",
      { ".rspec": "", "spec/add_spec.rb": "", "test/add_test.rb": "" },
      ["tests: rspec in . (rspec)", `tests-minitest: ${all} in . (minitest)`],
      [],
    ],
    [
      "nothing where there is no test",
      { Gemfile: "", "lib/add_test.rb": "" },
      [],
      ["there is no spec/*_spec.rb and no test/*_test.rb, so there is no gate tests"],
    ],
  ])("is tested by %s", async (_, files, gates, notes) =>
    expect(await seen(files)).toEqual({ kinds: ["ruby"], gates, prepare: [], notes }),
  );

  test("is pinned to what configures its runners, and to the Gemfile", async () => {
    const files = { Gemfile: "", "spec/add_spec.rb": "", "test/add_test.rb": "" };
    expect(await pinned(files)).toEqual([".rspec", "spec/spec_helper.rb", "Gemfile"]);
    expect(await pinned(files, "tests-minitest")).toEqual(["Rakefile", ".rake", "test/test_helper.rb", "Gemfile"]);
  });
});

const NO_TEST_BELOW = "there is no test below src/test, so there is no gate tests";

describe("maven", () => {
  const argv = "mvn --batch-mode --offline test";
  const unfetched =
    "what maven needs is not fetched by itself: set maven.repo.local in .mvn/maven.config to a repository on this machine, or name a prepare command";

  test("runs the tests of all modules in one gate, pinned to the poms of all of them", async () => {
    const files = { "pom.xml": "", "core/pom.xml": "", "core/src/test/java/SumTest.java": "" };
    expect(await seen(files)).toEqual({
      kinds: ["maven"],
      gates: [`tests: ${argv} in . (maven)`],
      prepare: [],
      notes: [unfetched],
    });
    expect(await pinned(files)).toEqual([
      "pom.xml",
      ".mvn/maven.config",
      ".mvn/jvm.config",
      ".mvn/extensions.xml",
      "core/pom.xml",
    ]);
  });

  test.each([
    ["java/SumTest.java", "-Dmaven.repo.local=repository\n", []],
    ["kotlin/SumTest.kt", "-T 2\n", [unfetched]],
    ["groovy/SumTest.groovy", "", [unfetched]],
    ["scala/SumTest.scala", "", [unfetched]],
  ])("with src/test/%s and the settings %j", async (test, settings, notes) =>
    expect(await seen({ "pom.xml": "", [`src/test/${test}`]: "", ".mvn/maven.config": settings })).toMatchObject({
      gates: [`tests: ${argv} in . (maven)`],
      notes,
    }),
  );

  test("without tests has no gate", async () =>
    expect(await seen({ "pom.xml": "", "src/main/java/Sum.java": "", "src/test/resources/x.json": "" })).toEqual({
      kinds: ["maven"],
      gates: [],
      prepare: [],
      notes: [NO_TEST_BELOW],
    }));
});

describe("gradle", () => {
  const gates = ["tests: gradle --offline --no-daemon test in . (gradle)"];
  const notes = ["what gradle needs is not fetched by itself: keep it in the repository, or name a prepare command"];

  test("runs the tests of all projects in one gate, pinned to the builds of all of them", async () => {
    const files = {
      "settings.gradle.kts": "",
      "app/build.gradle": "",
      "app/gradle.properties": "",
      "app/src/test/kotlin/SumTest.kt": "",
      "gradle.properties": "",
    };
    expect(await seen(files)).toEqual({ kinds: ["gradle"], gates, prepare: [], notes });
    expect(await pinned(files)).toEqual(["settings.gradle.kts", "app/build.gradle", "gradle.properties"]);
  });

  test("without tests has no gate", async () =>
    expect(await seen({ "build.gradle": "", "src/main/java/Sum.java": "" })).toEqual({
      kinds: ["gradle"],
      gates: [],
      prepare: [],
      notes: [NO_TEST_BELOW],
    }));
});

describe("perl", () => {
  test("is tested by prove where t has tests", async () => {
    const gates = ["tests: prove -l -r t in . (prove)"];
    expect(await seen({ cpanfile: "", "t/sum/add.t": "" })).toEqual({ kinds: ["perl"], gates, prepare: [], notes: [] });
    expect(await seen({ "Makefile.PL": "", "t/lib/Add.pm": "" })).toMatchObject({
      gates: [],
      notes: ["there is no t/*.t, so there is no gate tests"],
    });
  });
});

describe("rust", () => {
  const crate = { "Cargo.toml": '[dependencies]\nserde = "1"\n', "src/lib.rs": "#[test]\nfn adds() {}\n" };
  const fetched = {
    repo: "app",
    id: "cargo",
    argv: ["cargo", "fetch", "--locked"],
    cwd: ".",
    inputs: ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"].map((path) => ({ path, pointer: null, sha256: null })),
    outputs: [],
    stores: ["cargo"],
    hosts: ["index.crates.io:443", "static.crates.io:443"],
    environment: { CARGO_NET_OFFLINE: "false" },
    provides: { CARGO_HOME: expect.stringMatching(/\/cargo$/) },
    reproducible: true,
  };
  const registry = 'source = "registry+https://github.com/rust-lang/crates.io-index"\n';

  test.each([
    ["of the usual registry", { "Cargo.lock": registry }, {}],
    [
      "of git, too",
      { "Cargo.lock": `${registry}source = "git+https://git.example/team/x?rev=1#2"\n` },
      { hosts: ["git.example:443", "index.crates.io:443", "static.crates.io:443"] },
    ],
    [
      "of a mirror instead",
      {
        "Cargo.lock": registry,
        ".cargo/config.toml":
          '[source.crates-io]\nreplace-with = "m"\n[source.m]\nregistry = "sparse+http://crates.example:8080/index/"\n',
      },
      { hosts: ["crates.example:8080"] },
    ],
    [
      "of a registry that has a name",
      { "Cargo.lock": registry, ".cargo/config": '[registries.team]\nindex = "https://crates.example/git"\n' },
      { hosts: ["crates.example:443"] },
    ],
    ["without a lock file", {}, { argv: ["cargo", "fetch"], reproducible: false }],
  ])("fetches crates %s", async (_, files, more) =>
    expect((await detect({ ...crate, ...files })).prepare).toEqual([{ ...fetched, ...more }]),
  );

  const tested = (folder: string, manifest = "[package]\n") => ({
    [`${folder}/Cargo.toml`]: manifest,
    [`${folder}/src/lib.rs`]: "#[test]\nfn adds() {}\n",
  });
  const gatesOf = async (files: Readonly<Record<string, string>>) => {
    const { gates, notes } = await seen({ "Cargo.lock": "", ...files });
    return { gates: gates.map((gate) => gate.replace(" (cargo test)", "")), notes };
  };

  test("in a package by itself has a gate for each package below, since cargo tests only the one at the top", async () =>
    expect(
      await gatesOf({
        "Cargo.toml": '[package]\n[dependencies]\nadd = { path = "add" }\n',
        "src/lib.rs": "#[test]\nfn adds() {}\n",
        ...tested("add"),
        ...tested("tools/gen", "[package]\n[workspace]\n"),
        ...tested("plain", "[package]\n"),
        "plain/src/lib.rs": "",
      }),
    ).toEqual({
      gates: [
        "tests: cargo test in .",
        "tests-add: cargo test in add",
        "tests-tools-gen: cargo test --workspace in tools/gen",
      ],
      notes: expect.not.arrayContaining([expect.stringMatching(/plain/)]),
    }));

  test("that is below a package without tests has a gate all the same", async () =>
    expect((await gatesOf({ "Cargo.toml": "[package]\n", "src/lib.rs": "", ...tested("add") })).gates).toEqual([
      "tests-add: cargo test in add",
    ]));

  const WORKSPACE = `
[workspace]
# "commented" is none of them
members = [
  "crates/*", # all of them,
  './cli/',
]
exclude = ["crates/apart", "old"]

[workspace.dependencies]
inherited = { path = "lib/inherited", features = ["x"] }
dotted.path = "lib/dotted"
serde = "1"

[workspace.dependencies.table]
path = "lib/table"
`;
  const USES = `
[package]
[dependencies]
inherited.workspace = true
dotted = { workspace = true }
serde = { workspace = true, features = ["derive"] }
direct = { version = "1", path = "../../lib/direct" }
[target.'cfg(unix)'.dev-dependencies]
unix = { path = "../../lib/unix" }
[build-dependencies.building]
path = "../../lib/building"
[dev-dependencies.table]
workspace = true
`;

  test("in a workspace is tested with all its members, those it depends on by path among them", async () =>
    expect(
      await gatesOf({
        "Cargo.toml": WORKSPACE,
        ...tested("crates/a", USES),
        ...tested("cli"),
        ...tested("lib/inherited"),
        ...tested("lib/dotted"),
        ...tested("lib/table"),
        ...tested("lib/direct", '[package]\n[dependencies]\nfurther = { path = "../further" }\n'),
        ...tested("lib/further", '[package]\n[dependencies]\na = { path = "../../crates/a" }\n'),
        ...tested("lib/unix"),
        ...tested("lib/building"),
      }),
    ).toEqual({
      gates: ["tests: cargo test --workspace in ."],
      notes: ["cargo test --workspace runs the tests of all its packages (9 below the top)"],
    }));

  test("that a workspace excludes, or that is a workspace of its own below it, has a gate of its own", async () =>
    expect(
      await gatesOf({
        "Cargo.toml": WORKSPACE,
        ...tested("crates/a", '[package]\n[dependencies]\napart = { path = "../apart" }\n'),
        ...tested("crates/apart"),
        ...tested("old/b"),
        "inner/Cargo.toml": '[workspace]\nmembers = ["c"]\n',
        "inner/Cargo.lock": "",
        ...tested("inner/c"),
      }),
    ).toEqual({
      gates: [
        "tests: cargo test --workspace in .",
        "tests-inner: cargo test --workspace in inner",
        "tests-crates-apart: cargo test in crates/apart",
        "tests-old-b: cargo test in old/b",
      ],
      notes: [
        "cargo test --workspace runs the tests of all its packages (1 below the top)",
        "inner: cargo test --workspace runs the tests of all its packages (1 below the top)",
      ],
    }));

  test("that a workspace leaves out without a word is not tested by cargo, which is said", async () =>
    expect(
      await gatesOf({ "Cargo.toml": WORKSPACE, ...tested("cli"), ...tested("stray"), ...tested("stray/more") }),
    ).toEqual({
      gates: ["tests: cargo test --workspace in ."],
      notes: [
        "cargo test --workspace runs the tests of all its packages (1 below the top)",
        "cargo refuses to test stray, stray/more: the workspace has them neither among its members nor excluded; name them there to have them tested",
      ],
    }));

  test("among the tests of a package is their material and no package of its own, unless one depends on it", async () =>
    expect(
      await gatesOf({
        "Cargo.toml": '[package]\n[dev-dependencies]\nsupport = { path = "tests/support" }\n',
        "src/lib.rs": "#[test]\nfn adds() {}\n",
        ...tested("tests/support"),
        ...tested("tests/ui/broken"),
      }),
    ).toEqual({
      gates: ["tests: cargo test in .", "tests-tests-support: cargo test in tests/support"],
      notes: [
        "tests inside tests/ui/broken are not run, since it lies among the tests of a package; name a gate if they are to count",
      ],
    }));

  test("below the top is pinned to cargo's settings above it too, and fetches from where those say", async () => {
    const { gates, prepare } = await detect({
      "Cargo.toml": "[package]\n",
      ".cargo/config.toml":
        '[source.crates-io]\nreplace-with = "m"\n[source.m]\nregistry = "sparse+http://crates.example:8080/index/"\n',
      ...tested("add", '[package]\n[dependencies]\nserde = "1"\n'),
    });
    expect(gates.map(({ definition }) => definition.map(({ path }) => path))).toEqual([
      [
        "add/.cargo/config.toml",
        ".cargo/config.toml",
        "add/.cargo/config",
        ".cargo/config",
        "add/rust-toolchain.toml",
        "rust-toolchain.toml",
        "add/rust-toolchain",
        "rust-toolchain",
      ],
    ]);
    expect(prepare.map(({ hosts, inputs }) => ({ hosts, inputs: inputs.map(({ path }) => path) }))).toEqual([
      {
        hosts: ["crates.example:8080"],
        inputs: ["add/Cargo.toml", "add/Cargo.lock", "add/.cargo/config.toml", ".cargo/config.toml"],
      },
    ]);
  });

  test("without tests has no gate, and nothing is fetched for it", async () =>
    expect(await seen({ ...crate, "src/lib.rs": "fn adds() {}\n" })).toEqual({
      kinds: ["cargo"],
      gates: [],
      prepare: [],
      notes: ["no Rust file here has a test, so there is no gate tests"],
    }));
});

describe("python packages", () => {
  const tested = { "test_x.py": "import unittest\n" };
  test.each([
    ["the usual index", "requests==2.32.3\n", ["files.pythonhosted.org:443", "pypi.org:443"]],
    ["the index that a list names", "-i https://one.example/simple\nx==1\n", ["one.example:443"]],
    [
      "all indexes that it names",
      "--index-url=https://one.example/simple\n--extra-index-url http://two.example:8080/s\nx\ny==1\n",
      ["one.example:443", "two.example:8080"],
    ],
  ])("come from %s", async (_, list, hosts) =>
    expect((await detect({ ...tested, "requirements.txt": list })).prepare).toMatchObject([{ id: "python", hosts }]),
  );
});

test("a Makefile is asked only where nothing else is", async () => {
  expect((await seen({ Makefile: "all:\ncheck: all\n\ttrue\ntest:\n" })).gates).toEqual([
    "tests: make check in . (make)",
  ]);
  expect((await seen({ Makefile: "test:\n", "go.mod": "", "x_test.go": "" })).gates).toEqual([
    "tests: go test -json ./... in . (go test)",
  ]);
  expect((await seen({ Makefile: "all:\nTEST := 1\n" })).gates).toEqual([]);
});

describe("a Makefile", () => {
  test.each([
    ["the GNUmakefile before the Makefile", { GNUmakefile: "test:\n", Makefile: "check:\n" }, "make test"],
    ["the better of its targets", { makefile: "tests: all\ntest: all\n" }, "make test"],
    ["a target among others in one rule", { Makefile: "lint check docs: all\n" }, "make check"],
  ])("offers %s", async (_, files, argv) =>
    expect(await seen(files)).toEqual({
      kinds: ["make"],
      gates: [`tests: ${argv} in . (make)`],
      prepare: [],
      notes: [
        `${argv} is judged by its exit code, and by the counts of its output where it prints a summary that is known here`,
      ],
    }),
  );

  test("without such a target says which were looked for", async () =>
    expect(await seen({ Makefile: "all:\nlatest:\n\ttrue\n" })).toEqual({
      kinds: ["make"],
      gates: [],
      prepare: [],
      notes: ["Makefile has no target check, test, tests, so there is no gate tests"],
    }));

  test("that is a link is none", async () => expect((await seen({ Makefile: null })).kinds).toEqual([]));

  test("below the top is somebody else's", async () =>
    expect((await seen({ "docs/Makefile": "check:\n" })).kinds).toEqual([]));
});

test("files of nothing but blank lines are looked through at once, so that no repository holds up the daemon", async () => {
  const blank = "\n".repeat(1024 ** 2);
  const names = [
    ...[
      "pyproject.toml",
      "setup.cfg",
      "requirements.txt",
      "test_a.py",
      "go.mod",
      "x_test.go",
      "Cargo.toml",
      "src/lib.rs",
    ],
    ...[".cargo/config.toml", ".npmrc", ".yarnrc.yml", "pnpm-lock.yaml"],
  ];
  const manifest = pkg({ dependencies: { a: "1" } });
  const { kinds } = await seen({ "package.json": manifest, ...Object.fromEntries(names.map((name) => [name, blank])) });
  expect(kinds).toEqual(["pnpm", "python", "go", "cargo"]);
});
