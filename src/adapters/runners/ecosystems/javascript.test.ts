import { describe, expect, test } from "vitest";
import type { RepoFiles } from "../../../ports/runners.ts";
import { runners } from "../runners.ts";

const NPMJS = "https://registry.npmjs.org/";

const repository = (contents: Readonly<Record<string, string>>): RepoFiles => ({
  text: async (path) => contents[path] ?? null,
  paths: async (prefix = "", most = 1000) =>
    Object.keys(contents)
      .filter((path) => path.startsWith(prefix))
      .slice(0, most),
});

const detect = (manifest: unknown, more: Readonly<Record<string, string>> = {}, registry = NPMJS) =>
  runners({ registry }).detect("app", repository({ "package.json": JSON.stringify(manifest), ...more }));

const gateOf = async (id: string, manifest: unknown, more: Readonly<Record<string, string>> = {}) =>
  (await detect(manifest, more)).gates.find((gate) => gate.id === id);

const testGate = (
  script: string,
  more: Readonly<Record<string, string>> = {},
  scripts: Readonly<Record<string, string>> = {},
) => gateOf("tests", { scripts: { ...scripts, test: script } }, more);

const part = (name: string) => {
  const [path = "", pointer = null] = name.split("#");
  return { path, pointer, sha256: null };
};

describe("a repository", () => {
  test.each(["{", "[]", '"x"', "null", ""])("with the package.json %j has no gates, and says so", async (text) =>
    expect(await runners({ registry: NPMJS }).detect("app", repository({ "package.json": text }))).toEqual({
      ecosystems: ["npm"],
      gates: [],
      prepare: [],
      notes: ["package.json is no valid JSON object; name a gate"],
    }),
  );

  test("with an empty package.json has only the gate doctor", async () =>
    expect(await detect({ scripts: { test: 'echo "Error: no test specified" && exit 1' } })).toEqual({
      ecosystems: ["npm"],
      gates: [
        {
          id: "doctor",
          repo: "app",
          argv: ["node", "--version"],
          cwd: ".",
          judgement: "exit",
          runner: null,
          report: null,
          definition: [],
          program: null,
          timeoutMs: 600_000,
          environment: {},
          source: "detected",
        },
      ],
      prepare: [],
      notes: [
        "package.json has no build or type check script and names no JavaScript file as its entry, so there is no gate smoke",
        "the test script of package.json is npm's placeholder, so there is no gate tests",
      ],
    }));

  test("with fields of the wrong type is read as if they were not there", async () => {
    const detected = await detect({ scripts: { test: 7, build: [] }, dependencies: "x", main: 3, bin: [], exports: 4 });
    expect(detected.gates.map(({ id }) => id)).toEqual(["doctor"]);
  });
});

describe("the gate doctor", () => {
  test("asks npm for what is installed when there are dependencies", async () =>
    expect(await gateOf("doctor", { devDependencies: { a: "1" } })).toMatchObject({
      argv: ["npm", "ls", "--depth=0", "--omit=optional"],
      judgement: "exit",
      definition: [part(".npmrc")],
    }));
});

describe("the gate smoke", () => {
  test("is the build script before a type check", async () =>
    expect(await gateOf("smoke", { scripts: { typecheck: "tsc", build: "vite build" } })).toMatchObject({
      argv: ["npm", "run", "build"],
      judgement: "exit",
      definition: [
        "package.json#/scripts/build",
        "package.json#/scripts/prebuild",
        "package.json#/scripts/postbuild",
        ".npmrc",
      ].map(part),
    }));

  test.each([
    ["pnpm-lock.yaml", ["pnpm", "run", "build"], [".npmrc", "pnpm-workspace.yaml"]],
    ["yarn.lock", ["yarn", "run", "build"], [".yarnrc", ".yarnrc.yml", ".npmrc"]],
    ["bun.lockb", ["bun", "run", "build"], ["bunfig.toml", ".npmrc"]],
  ])("with a %s is run by the manager of that lock file, whose settings count", async (lock, argv, settings) => {
    const gate = await gateOf("smoke", { scripts: { build: "tsc" } }, { [lock]: "" });
    expect(gate?.argv).toEqual(argv);
    expect(gate?.definition.slice(3)).toEqual(settings.map(part));
  });

  test("is a type check where nothing is built", async () =>
    expect((await gateOf("smoke", { scripts: { typecheck: "tsc" } }))?.argv).toEqual(["npm", "run", "typecheck"]));

  test.each([
    [{ main: "./lib/main" }, "lib/main.js", "/main"],
    [{ main: "lib/" }, "lib/index.js", "/main"],
    [{ bin: { tool: "bin/tool.mjs" } }, "bin/tool.mjs", "/bin"],
    [{ bin: "cli.cjs", main: "gone.js" }, "cli.cjs", "/bin"],
    [{ exports: { ".": { types: "./x.d.ts", import: "./x.mjs" }, "./y": "./y.js" } }, "x.mjs", "/exports"],
    [{}, "index.js", "/main"],
  ])("else checks the entry of %j", async (manifest, path, pointer) =>
    expect(await gateOf("smoke", manifest, { [path]: "" })).toMatchObject({
      argv: ["node", "--check", path],
      definition: [part(`package.json#${pointer}`)],
    }),
  );

  test.each([{ main: "../outside.js" }, { main: "/etc/x.js" }, { main: "lib.node" }, { main: "gone.js" }])(
    "does not check %j",
    async (manifest) => expect(await gateOf("smoke", manifest, { "outside.js": "", "lib.node": "" })).toBeUndefined(),
  );
});

describe("the runner of the test script", () => {
  const CASES: readonly (readonly [string, string, string])[] = [
    ["node --test", "node:test", "tap"],
    ["node --import tsx --test 'test/**/*.ts'", "node:test", "tap"],
    ["tsx --test", "node:test", "tap"],
    ["c8 --reporter lcov node --test", "node:test", "tap"],
    ["node --test --test-reporter spec test/", "node:test with a reporter of the script", "tap"],
    [
      "node --test --test-reporter=dot --test-reporter-destination=stdout",
      "node:test with reporters and destinations of the script",
      "tap",
    ],
    ['NODE_OPTIONS="$NODE_OPTIONS --no-warnings" node --test', "node:test", "tap"],
    ["node --test | cat", "node:test", "tap"],
    ["eslint . && NODE_ENV=test npx --no-install vitest run", "vitest", "vitest-json"],
    ["cross-env CI=1 FOO=b nyc --all mocha", "mocha", "mocha-json"],
    ["./node_modules/.bin/mocha", "mocha", "mocha-json"],
    ["NODE_OPTIONS=--experimental-vm-modules jest", "jest", "jest-json"],
    ["node --experimental-vm-modules node_modules/jest/bin/jest.js", "jest", "jest-json"],
    ["npm exec -- ava", "ava", "tap"],
    ["tap test/*.js", "tap", "tap"],
    ["tape 'test/*.js'", "tape", "tap"],
  ];
  test.each(CASES)("%s is %s", async (script, runner, report) =>
    expect(await testGate(script)).toMatchObject({ runner, report, judgement: "tests", argv: ["npm", "test"] }),
  );

  test.each([
    ["import test from 'node:test'", "node:test"],
    ['const test = require("tape")', "tape"],
    ["console.log(1)", null],
  ])("node on a file that says %s is %s", async (text, runner) => {
    expect((await testGate("node test/all.js", { "test/all.js": text }))?.runner).toBe(runner);
    expect((await testGate("node ./test/all", { "test/all.js": text }))?.runner).toBe(runner);
  });

  test.each([
    ["make check", "the test script starts no test runner that is known here"],
    ["node $(ls)", "the test script is more than plain commands, so its test runner is not recognised"],
    ["node -e 'require(\"x\")'", "the test script starts no test runner that is known here"],
    ["echo vitest", "the test script starts no test runner that is known here"],
    [
      "vitest run && eslint .",
      "vitest is not the last command of the test script, so it cannot be asked for a report; name a gate that runs it alone",
    ],
    [
      "vitest run --outputFile=x.json",
      "the test script already sets --outputFile=x.json of vitest, so it cannot be asked for a report of its own",
    ],
    ["tape t.js | tap-spec", "the output of tape goes into a pipe, so its report is not seen"],
    [
      "cross-env NODE_OPTIONS=--x node --test",
      "the test script sets NODE_OPTIONS itself, so node's test runner cannot be asked for a report",
    ],
  ])("%s is none with a report", async (script, note) => {
    const detected = await detect({ scripts: { test: script } });
    expect(detected.gates.find(({ id }) => id === "tests")).toMatchObject({
      argv: ["npm", "test"],
      judgement: "tests",
      runner: null,
      report: null,
    });
    expect(detected.notes.slice(1)).toEqual([
      note,
      "without a report of the test runner the gate tests stays unproven; name a gate with its report, or accept it on record",
    ]);
  });

  test("is found behind npm run, where arguments need one more separator", async () => {
    expect(
      await testGate("npm run lint && npm run unit", {}, { unit: "vitest run", lint: "biome lint" }),
    ).toMatchObject({ runner: "vitest", argv: ["npm", "test", "--", "--"] });
    expect(await testGate("npm run unit --", {}, { unit: "vitest run" })).toMatchObject({
      runner: "vitest",
      argv: ["npm", "test"],
    });
    expect(await testGate("npm run unit && eslint .", {}, { unit: "vitest run" })).toMatchObject({ runner: null });
    expect(await testGate("npm run unit", {}, { unit: "node --test" })).toMatchObject({
      runner: "node:test",
      argv: ["npm", "test"],
    });
  });

  test("is found behind npm-run-all, which passes variables on but no arguments", async () => {
    const scripts = { "test:unit": "node --test", "test:e2e:slow": "mocha", lint: "eslint" };
    expect(await testGate("run-s lint test:*", {}, scripts)).toMatchObject({ runner: "node:test" });
    expect(await testGate("npm-run-all test:**", {}, { "test:a:b": "mocha" })).toMatchObject({ runner: null });
    expect((await testGate("run-s test:*", {}, scripts))?.definition).toContainEqual(part("package.json#/scripts"));
  });

  test("that is one of two says whose tests count", async () =>
    expect((await detect({ scripts: { test: "node --test && vitest run" } })).notes).toContain(
      "the test script also starts vitest; only the tests of node:test are counted",
    ));
});

describe("bun's own test runner", () => {
  const bunTest = {
    repo: "app",
    argv: ["bun", "test"],
    judgement: "tests",
    runner: "bun test",
    report: "junit",
    program: null,
    timeoutMs: 600_000,
    environment: {},
    source: "detected",
  } as const;

  test("runs where bun's lock file lies, a file is named as its tests are, and no script says otherwise", async () => {
    expect(await gateOf("tests", {}, { "bun.lock": "{}", "src/add.test.ts": "" })).toEqual({
      ...bunTest,
      id: "tests",
      cwd: ".",
      definition: [part("bunfig.toml")],
    });
    expect(await gateOf("tests", {}, { "bun.lock": "{}", "src/add.ts": "" })).toBeUndefined();
    expect(await gateOf("tests", {}, { "src/add.test.ts": "" })).toBeUndefined();
    expect((await gateOf("tests", { scripts: { test: "vitest run" } }, { "bun.lock": "{}" }))?.runner).toBe("vitest");
  });

  test("stands in for a top without a script whose packages have none either", async () => {
    const files = { "bun.lock": "{}", "packages/a/package.json": "{}", "packages/a/a_test.tsx": "" };
    expect((await detect({ workspaces: ["packages/*"] }, files)).gates.filter(({ id }) => id !== "doctor")).toEqual([
      { ...bunTest, id: "tests", cwd: ".", definition: [part("bunfig.toml")] },
    ]);
  });
});

describe("workspace packages", () => {
  test("of a pnpm-workspace.yaml that is no YAML are none, and the package at the top is what there is", async () => {
    const files = {
      "pnpm-workspace.yaml": "packages: [packages/*",
      "packages/a/package.json": JSON.stringify({ scripts: { test: "vitest run" } }),
    };
    const { gates } = await detect({ scripts: { test: "mocha" }, packageManager: "pnpm@10.0.0" }, files);
    expect(gates.map(({ id, cwd, runner }) => [id, cwd, runner])).toEqual([
      ["doctor", ".", null],
      ["tests", ".", "mocha"],
      ["tests-packages-a", "packages/a", "vitest"],
    ]);
  });

  test("each have a gate of their own, however little is left of their names", async () => {
    const tested = JSON.stringify({ scripts: { test: "vitest run" } });
    const files = Object.fromEntries(
      ["日本", "中国", "韓国", "b"].map((folder) => [`packages/${folder}/package.json`, tested]),
    );
    const { gates } = await detect({ workspaces: ["packages/*"] }, { ...files, "package-lock.json": "{}" });
    const ids = gates.map(({ id }) => id).filter((id) => id !== "doctor");
    expect([...ids].sort()).toEqual([
      "tests-packages",
      "tests-packages-b",
      "tests-packages-package",
      "tests-packages-package-2",
    ]);
  });
});

describe("the definition of the gate tests", () => {
  test("is the script, what npm runs around it, and every place that can configure the runner", async () =>
    expect((await testGate("mocha"))?.definition).toEqual(
      [
        ...["", "pre", "post"].map((when) => `package.json#/scripts/${when}test`),
        ".npmrc",
        ...["js", "cjs", "mjs", "yaml", "yml", "json", "jsonc"].map((ending) => `.mocharc.${ending}`),
        "package.json#/mocha",
        "test/mocha.opts",
      ].map(part),
    ));

  test("has the scripts it runs, the files its commands name, and setup files its configuration names", async () => {
    const files = {
      "conf/v.mts": "export default { test: { setupFiles: ['./set-up.ts', somewhere()], globalSetup: './gone.ts' } }",
      "conf/set-up.ts": "",
    };
    const definition = (await testGate("npm run test/unit", files, { "test/unit": "vitest run --config=./conf/v.mts" }))
      ?.definition;
    for (const name of [
      "package.json#/scripts/test~1unit",
      "package.json#/scripts/pretest~1unit",
      "conf/v.mts",
      "conf/set-up.ts",
      "vite.config.ts",
    ])
      expect(definition).toContainEqual(part(name));
    expect(definition).not.toContainEqual(part("gone.ts"));
  });

  test("has setup files named in package.json", async () => {
    const manifest = { scripts: { test: "jest" }, jest: { setupFilesAfterEnv: ["<rootDir>/test/set-up.js"] } };
    expect((await gateOf("tests", manifest, { "test/set-up.js": "" }))?.definition).toContainEqual(
      part("test/set-up.js"),
    );
  });
});

describe("preparation", () => {
  const manifest = { dependencies: { a: "^1" } };
  const lock = (packages: unknown) => JSON.stringify({ lockfileVersion: 3, packages });
  const quiet = {
    npm_config_cache: "/tmp/npm-cache",
    npm_config_update_notifier: "false",
    npm_config_loglevel: "error",
  };
  const whole = (...paths: string[]) => paths.map(part);

  test("with a lock file is npm ci, from the hosts the lock names", async () =>
    expect(
      await detect(manifest, {
        "package-lock.json": lock({
          "": { version: "1.0.0", workspaces: ["packages/*"] },
          "node_modules/a": { version: "1.0.0", resolved: "https://registry.npmjs.org/a/-/a-1.0.0.tgz" },
          "node_modules/b": { resolved: "http://packages.example:8080/b.tgz" },
          "node_modules/c": { resolved: "packages/c", link: true },
          "packages/c": { version: "1.0.0" },
          "packages/c/node_modules/a": { resolved: "https://codeload.example/a.tgz" },
          "node_modules/d": { resolved: "git+ssh://git@github.com/x/d.git#abc" },
          "../outside": {},
        }),
      }),
    ).toMatchObject({
      prepare: [
        {
          repo: "app",
          argv: ["npm", "ci", "--no-audit", "--no-fund"],
          cwd: ".",
          inputs: whole("package-lock.json", "package.json", ".npmrc", "packages/c/package.json"),
          outputs: ["node_modules", "packages/c/node_modules"],
          hosts: ["codeload.example:443", "packages.example:8080", "registry.npmjs.org:443"],
          environment: quiet,
          reproducible: true,
        },
      ],
      notes: expect.arrayContaining([
        "d comes from git+ssh://git@github.com/x/d.git#abc, which no package host serves: installing it will fail unless a prepare command is named",
      ]),
    }));

  test("with a registry of the machine's own goes there instead of the default one", async () => {
    const files = {
      "npm-shrinkwrap.json": lock({ "node_modules/a": { resolved: "https://registry.npmjs.org/a.tgz" } }),
    };
    expect((await detect(manifest, files, "http://npm.example:4873/team")).prepare[0]).toMatchObject({
      hosts: ["npm.example:4873"],
      environment: { ...quiet, npm_config_registry: "http://npm.example:4873/team/" },
      inputs: whole("npm-shrinkwrap.json", "package.json", ".npmrc"),
    });
  });

  test("reads lock files of version 1", async () => {
    const dependencies = {
      a: {
        version: "1.0.0",
        resolved: "https://one.example/a.tgz",
        dependencies: { b: { version: "https://two.example/b.tgz" } },
      },
    };
    const detected = await detect(manifest, {
      "package-lock.json": JSON.stringify({ lockfileVersion: 1, dependencies }),
    });
    expect(detected.prepare[0]?.hosts).toEqual(["one.example:443", "registry.npmjs.org:443", "two.example:443"]);
  });

  test("without a lock file is npm install, and not reproducible", async () =>
    expect((await detect({ devDependencies: { a: "1" } })).prepare[0]).toEqual({
      repo: "app",
      id: "npm",
      argv: ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"],
      cwd: ".",
      inputs: whole("package.json", ".npmrc"),
      outputs: ["node_modules"],
      stores: [],
      hosts: ["registry.npmjs.org:443"],
      environment: quiet,
      provides: {},
      reproducible: false,
    }));

  test.each([
    [{}, { "package-lock.json": lock({}) }, null],
    [
      manifest,
      { "node_modules/a/index.js": "" },
      "node_modules is part of the repository, so dependencies are not installed",
    ],
    [
      manifest,
      { "package-lock.json": "{" },
      "package-lock.json is no valid lock file, so dependencies are not installed; name a prepare command",
    ],
  ])("is none for %j with %j", async (given, files, note) => {
    const detected = await detect(given, files);
    expect(detected.prepare).toEqual([]);
    if (note !== null) expect(detected.notes).toContain(note);
  });
});

describe("preparation by yarn", () => {
  const manifest = { dependencies: { a: "^1" }, packageManager: "yarn@1.22.22" };
  const unpinned = "there is no lock file, so installed dependencies can differ from one task to the next";
  const prepared = async (more: Readonly<Record<string, string>>, given: object = manifest, registry = NPMJS) => {
    const { prepare, notes } = await detect({ scripts: { build: "tsc", test: "mocha" }, ...given }, more, registry);
    return { prepare, notes };
  };
  const classic = {
    repo: "app",
    id: "yarn",
    argv: ["yarn", "install", "--non-interactive", "--frozen-lockfile"],
    cwd: ".",
    inputs: ["yarn.lock", "package.json", ".npmrc", ".yarnrc"].map(part),
    outputs: ["node_modules"],
    stores: [],
    hosts: ["packages.example:8080", "registry.npmjs.org:443", "registry.yarnpkg.com:443"],
    environment: { YARN_CACHE_FOLDER: "/tmp/yarn-cache" },
    provides: {},
    reproducible: true,
  };
  const modern = {
    ...classic,
    argv: ["yarn", "install", "--immutable"],
    inputs: ["yarn.lock", "package.json", ".yarnrc.yml"].map(part),
    hosts: ["registry.npmjs.org:443"],
    environment: {},
    provides: { YARN_NODE_LINKER: "node-modules" },
  };
  const lock = [
    "# yarn lockfile v1",
    "a@^1:",
    '  version "1.0.0"',
    '  resolved "https://registry.yarnpkg.com/a/-/a-1.0.0.tgz#5f1a"',
    "b@^1:",
    '  resolved "http://packages.example:8080/b.tgz"',
  ].join("\n");

  test("of the first version is from the hosts its lock file names", async () =>
    expect(await prepared({ "yarn.lock": lock })).toEqual({ prepare: [classic], notes: [] }));

  test("of the first version without a lock file is not reproducible, and asks yarn's own registry", async () =>
    expect(await prepared({})).toEqual({
      prepare: [
        {
          ...classic,
          argv: ["yarn", "install", "--non-interactive", "--no-lockfile"],
          hosts: ["registry.npmjs.org:443", "registry.yarnpkg.com:443"],
          reproducible: false,
        },
      ],
      notes: [unpinned],
    }));

  test("of the first version is told of the machine's registry", async () =>
    expect((await prepared({ "yarn.lock": "" }, manifest, "http://npm.example:4873")).prepare).toEqual([
      {
        ...classic,
        hosts: ["npm.example:4873"],
        environment: { npm_config_registry: "http://npm.example:4873/", YARN_CACHE_FOLDER: "/tmp/yarn-cache" },
      },
    ]));

  test("of the first version serves all packages of the workspace", async () =>
    expect(
      (
        await prepared(
          { "yarn.lock": lock, "packages/a/package.json": "{}" },
          { ...manifest, workspaces: ["packages/*"] },
        )
      ).prepare,
    ).toEqual([
      {
        ...classic,
        inputs: [...classic.inputs, part("packages/a/package.json")],
        outputs: ["node_modules", "packages/a/node_modules"],
      },
    ]));

  const plugAndPlay = "dependencies are installed as node_modules, not by yarn's Plug'n'Play";
  test.each([
    ["its lock file", { "yarn.lock": "__metadata:\n  version: 8\n" }, [plugAndPlay]],
    ["its settings", { ".yarnrc.yml": "enableTelemetry: false\n" }, [plugAndPlay]],
    ["settings that ask for node_modules", { ".yarnrc.yml": 'nodeLinker: "node-modules"\n' }, []],
  ])("of a later version, known by %s, makes node_modules", async (_, files, notes) =>
    expect(await prepared(files)).toEqual({ prepare: [modern], notes }),
  );

  test("of a later version asks the registry of its settings", async () =>
    expect(
      await prepared({ ".yarnrc.yml": "nodeLinker: node-modules\nnpmRegistryServer: 'https://yarn.example/npm'\n" }),
    ).toEqual({ prepare: [{ ...modern, hosts: ["yarn.example:443"] }], notes: [] }));

  test("of a later version is told of the machine's registry, and serves all packages of the workspace", async () =>
    expect(
      (
        await prepared(
          { "yarn.lock": "__metadata:\n", "packages/a/package.json": "{}" },
          { ...manifest, workspaces: ["packages/*"] },
          "http://npm.example:4873",
        )
      ).prepare,
    ).toEqual([
      {
        ...modern,
        inputs: [...modern.inputs, part("packages/a/package.json")],
        outputs: ["node_modules", "packages/a/node_modules"],
        hosts: ["npm.example:4873"],
        environment: { YARN_NPM_REGISTRY_SERVER: "http://npm.example:4873/" },
      },
    ]));

  test("is none where the repository holds yarn's cache", async () =>
    expect(
      await prepared({ "yarn.lock": "__metadata:\n", ".pnp.cjs": "", ".yarn/cache/a-npm-1.0.0-5f1a.zip": "" }),
    ).toEqual({
      prepare: [],
      notes: ["yarn's cache is part of the repository, so dependencies are not installed"],
    }));
});

describe("preparation by bun", () => {
  const manifest = { dependencies: { a: "^1" }, scripts: { build: "tsc", test: "mocha" }, packageManager: "bun@1.2.0" };
  const expected = {
    repo: "app",
    id: "bun",
    argv: ["bun", "install", "--frozen-lockfile", "--backend=copyfile"],
    cwd: ".",
    inputs: ["bun.lock", "bun.lockb", "package.json", "bunfig.toml", ".npmrc"].map(part),
    outputs: ["node_modules"],
    stores: [],
    hosts: ["registry.npmjs.org:443"],
    environment: { BUN_INSTALL_CACHE_DIR: "/tmp/bun-cache" },
    provides: {},
    reproducible: true,
  };

  test.each([
    ["bun.lock", { "bun.lock": "{}" }, {}],
    ["bun.lockb, which is no text", { "bun.lockb": "\0" }, {}],
    [
      "bun.lock and archives in it",
      { "bun.lock": '{"packages": {"a": ["a@https://codeload.example/a.tgz", "https://mirror.example/b.tgz"]}}' },
      { hosts: ["mirror.example:443", "registry.npmjs.org:443"] },
    ],
    [
      "a registry of the repository's own",
      { "bun.lock": "", ".npmrc": "audit=false\nregistry = http://npm.example:4873/\n" },
      { hosts: ["npm.example:4873"] },
    ],
  ])("with %s is reproducible", async (_, files, more) =>
    expect(await detect(manifest, files)).toMatchObject({ prepare: [{ ...expected, ...more }], notes: [] }),
  );

  test("without a lock file is not reproducible and leaves none behind", async () =>
    expect(await detect(manifest, {})).toMatchObject({
      prepare: [{ ...expected, argv: ["bun", "install", "--no-save", "--backend=copyfile"], reproducible: false }],
      notes: ["there is no lock file, so installed dependencies can differ from one task to the next"],
    }));

  test("is told of the machine's registry, and serves all packages of the workspace", async () =>
    expect(
      (
        await detect(
          { ...manifest, workspaces: ["packages/*"] },
          { "bun.lock": "{}", "packages/a/package.json": "{}" },
          "http://npm.example:4873",
        )
      ).prepare,
    ).toEqual([
      {
        ...expected,
        inputs: [...expected.inputs, part("packages/a/package.json")],
        outputs: ["node_modules", "packages/a/node_modules"],
        hosts: ["npm.example:4873"],
        environment: { ...expected.environment, BUN_CONFIG_REGISTRY: "http://npm.example:4873/" },
      },
    ]));
});
