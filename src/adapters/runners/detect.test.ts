import { describe, expect, test } from "vitest";
import { runners } from "./runners.ts";

/** What is detected in a repository of these files, as one line for each gate and each preparation. */
async function seen(contents: Readonly<Record<string, string>>) {
  const found = await detect(contents);
  return {
    kinds: found.ecosystems,
    gates: found.gates.map((gate) => `${gate.id}: ${gate.argv.join(" ")} in ${gate.cwd} (${gate.runner ?? "exit"})`),
    prepare: found.prepare.map((one) => `${one.id}: ${one.argv.join(" ")} in ${one.cwd}`),
    notes: found.notes,
  };
}

const detect = (contents: Readonly<Record<string, string>>) =>
  runners({ registry: "" }).detect("app", {
    text: async (path) => contents[path] ?? null,
    paths: async (prefix = "", most = 1000) =>
      Object.keys(contents)
        .filter((path) => path.startsWith(prefix))
        .slice(0, most),
  });

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
      "Cargo.toml": "[workspace]\n",
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

test("a Makefile is asked only where nothing else is", async () => {
  expect((await seen({ Makefile: "all:\ncheck: all\n\ttrue\ntest:\n" })).gates).toEqual([
    "tests: make check in . (make)",
  ]);
  expect((await seen({ Makefile: "test:\n", "go.mod": "", "x_test.go": "" })).gates).toEqual([
    "tests: go test -json ./... in . (go test)",
  ]);
  expect((await seen({ Makefile: "all:\nTEST := 1\n" })).gates).toEqual([]);
});
