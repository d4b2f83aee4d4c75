import { expect, test } from "vitest";
import { NPM_REGISTRY, npmHosts, registryVariables } from "./npm-registries.ts";

const files = (held: Readonly<Record<string, string>>) => ({
  text: async (path: string) => held[path] ?? null,
  paths: async () => Object.keys(held),
});
const USUAL = "registry.npmjs.org:443";

test.each([
  ["nothing", {}, [USUAL]],
  ["a registry of its own", { ".npmrc": "registry=https://own.example/\n" }, ["own.example:443"]],
  [
    "one for a scope, beside the usual one",
    { ".npmrc": "@team:registry=https://npm.pkg.example\n" },
    ["npm.pkg.example:443", USUAL],
  ],
  ["yarn's own", { ".yarnrc.yml": 'npmRegistryServer: "https://own.example"\n' }, ["own.example:443"]],
  [
    "yarn's for a scope",
    { ".yarnrc.yml": "npmScopes:\n  team:\n    npmRegistryServer: https://npm.pkg.example\n" },
    ["npm.pkg.example:443", USUAL],
  ],
])("a repository that names %s has these hosts asked", async (_, held, hosts) =>
  expect(await npmHosts(files(held), NPM_REGISTRY, [])).toEqual(hosts),
);

test("archives of the lock file are fetched from where they are", async () =>
  expect(await npmHosts(files({}), NPM_REGISTRY, ["https://codeload.example/a.tgz", "file:a.tgz"])).toEqual([
    "codeload.example:443",
    USUAL,
  ]));

test("a client is told of the machine's registry, unless the repository has its own", async () => {
  const machine = "http://npm.example:4873";
  const told = (held: Readonly<Record<string, string>>) => registryVariables(files(held), machine, ["A", "B"]);
  expect(await told({})).toEqual({ A: machine, B: machine });
  expect(await told({ ".npmrc": "@team:registry=https://npm.pkg.example" })).toEqual({ A: machine, B: machine });
  expect(await told({ ".npmrc": "registry=https://own.example/" })).toEqual({});
  expect(await registryVariables(files({}), NPM_REGISTRY, ["A"])).toEqual({});
});
