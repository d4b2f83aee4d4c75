import { expect, test } from "vitest";
import { runners } from "./runners.ts";

/* A registry's url can hold a name and a password. What is pinned is stored for good, and its environment is seen by whatever is installed. */

const MACHINE = {
  registry: "https://ada:T0KEN@npm.example/team",
  goProxy: "https://T0KEN@go.example/mods,https://proxy.golang.org|direct",
  pythonIndex: "https://ada:T0KEN@pypi.example:8443/simple",
};

const pinned = async (files: Readonly<Record<string, string>>, machine = MACHINE) => {
  const detected = await runners(machine).detect("app", {
    text: async (path) => files[path] ?? null,
    paths: async (prefix = "") => Object.keys(files).filter((path) => path.startsWith(prefix)),
  });
  // What is pinned is made of this and of nothing else.
  expect(JSON.stringify(detected)).not.toContain("T0KEN");
  return {
    told: detected.notes.filter((one) => one.includes("credentials")),
    registries: detected.prepare.flatMap(({ environment }) =>
      Object.entries(environment).filter(([name]) => /registry|GOPROXY|INDEX_URL/.test(name)),
    ),
    hosts: detected.prepare.flatMap(({ hosts }) => hosts),
  };
};

const note = (host: string, client: string): string =>
  `${host} is asked without the credentials that ${client} has for it, because a sandbox is given no secrets: what only they open cannot be installed; set ${client} to a registry that asks for none, a mirror on this machine for example, or commit the packages`;
const manifest = (more: object = {}): string => JSON.stringify({ dependencies: { a: "1" }, ...more });

test.each([
  [
    "npm",
    { "package.json": manifest(), "package-lock.json": '{"lockfileVersion":3}' },
    {
      told: [note("npm.example:443", "npm")],
      registries: [["npm_config_registry", "https://npm.example/team/"]],
      hosts: ["npm.example:443"],
    },
  ],
  [
    "pnpm",
    { "package.json": manifest(), "pnpm-lock.yaml": "" },
    {
      told: [note("npm.example:443", "npm")],
      registries: [
        ["npm_config_registry", "https://npm.example/team/"],
        ["pnpm_config_registry", "https://npm.example/team/"],
      ],
      hosts: ["npm.example:443"],
    },
  ],
  [
    "go",
    { "go.mod": "module x\nrequire a.example/b v1.0.0\n", "x_test.go": "" },
    {
      told: [note("go.example:443", "go")],
      registries: [["GOPROXY", "https://go.example/mods,https://proxy.golang.org|direct"]],
      hosts: ["go.example:443", "proxy.golang.org:443", "sum.golang.org:443"],
    },
  ],
  [
    "pip",
    { "requirements.txt": "a==1\n", "test_a.py": "" },
    {
      told: [note("pypi.example:8443", "pip")],
      registries: [["PIP_INDEX_URL", "https://pypi.example:8443/simple/"]],
      hosts: ["pypi.example:8443"],
    },
  ],
])("the credentials in a registry's url are not pinned for %s, and that is said", async (_, files, expected) =>
  expect(await pinned(files)).toEqual(expected),
);

test("nothing is said of a registry that a repository does not ask", async () =>
  expect(
    await pinned({ "package.json": manifest(), ".npmrc": "registry=https://own.example/\n", "pnpm-lock.yaml": "" }),
  ).toEqual({ told: [], registries: [], hosts: ["own.example:443"] }));

test("a proxy of go's that is no url counts as the usual one, and one that is no web address stays", async () => {
  const proxied = async (goProxy: string) =>
    (
      await runners({ registry: "", goProxy }).detect("app", {
        text: async (path) => (path === "go.mod" ? "module x\nrequire a.example/b v1.0.0\n" : null),
        paths: async () => ["go.mod", "x_test.go"],
      })
    ).prepare.map(({ environment }) => environment["GOPROXY"]);
  expect(await proxied("https://ada:T0#KEN@go.example")).toEqual(["https://proxy.golang.org"]);
  expect(await proxied("file:///mods,off")).toEqual(["file:///mods,off"]);
});
