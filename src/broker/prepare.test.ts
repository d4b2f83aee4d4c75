import { describe, expect, it } from "vitest";
import { type Given, givenDesk } from "../../test/support/given-desk.ts";
import type { PrepareDefinition } from "../domain/gate.ts";
import { prepareLayer } from "./prepare.ts";

const NPM: PrepareDefinition = {
  repo: "app",
  id: "npm",
  argv: ["npm", "ci"],
  cwd: ".",
  inputs: [{ path: "package-lock.json", pointer: null, sha256: null }],
  outputs: ["node_modules"],
  stores: [],
  hosts: ["registry.example.org:443"],
  environment: { A: "1" },
  provides: {},
  reproducible: true,
};
const PIP: PrepareDefinition = { ...NPM, argv: [], stores: ["pip"], provides: { PIP: "x" }, reproducible: false };

async function prepares(definition: PrepareDefinition, given: Given = {}) {
  const made = givenDesk({ files: { "package-lock.json": "locked" }, ...given });
  const layer = await prepareLayer(made.deps, made.desk, made.pass, definition, "c1", "base");
  return { ...made, layer };
}

describe("a dependency layer", () => {
  it("is made in a checkout of its own, with its hosts open and nothing else, and found by what decides it", async () => {
    const { layer, seen } = await prepares(NPM);
    expect([layer.outputs, layer.stores]).toEqual([["node_modules"], []]);
    expect(JSON.parse(layer.key.slice("seal of ".length))).toEqual({
      argv: ["npm", "ci"],
      cwd: ".",
      environment: { A: "1" },
      inputs: [{ path: "package-lock.json", pointer: null, sha256: "digest of locked" }],
      platform: "linux",
      toolchain: ["node 24"],
      only: null,
    });
    expect(seen.doors.map(({ targets }) => targets)).toEqual([[{ host: "registry.example.org", port: 443 }]]);
    expect(seen.commands[0]?.mounts).toEqual([{ host: "/checkout/app", inside: "/workspace/app", access: "write" }]);
    expect([seen.checkouts, seen.dropped]).toEqual([["app c1 as prepare-1.work.1"], ["app prepare-1.work.1"]]);
    expect(seen.effects[0]?.evidence.at(-1)).toMatchObject({ kind: "layer", reused: false, files: 2 });
  });

  it("with stores has a place for them, and without a lock file is this task's alone", async () => {
    const { layer, seen } = await prepares(PIP);
    expect(JSON.parse(layer.key.slice("seal of ".length))).toMatchObject({
      stores: ["pip"],
      provides: { PIP: "x" },
      only: { task: "t", commit: "c1" },
    });
    expect(seen.commands[0]?.mounts.at(-1)).toEqual({
      host: "/run/reports",
      inside: "/run/agentos/dependencies",
      access: "write",
    });
    expect(seen.commands[0]?.environment).toEqual({ PIP: "x", A: "1" });
  });

  it("that is there already is taken as it is", async () => {
    const found = { find: async (key: string) => ({ key, files: 5, listing: "old", outputs: [] }) };
    const { deps } = givenDesk();
    const { seen } = await prepares(NPM, { deps: { layers: { ...deps.layers, ...found } } });
    expect(seen.commands).toEqual([]);
    expect(seen.effects[0]?.evidence).toMatchObject([{ kind: "layer", reused: true, files: 5 }]);
  });

  it.each([
    [{ exitCode: 3 }, "app: npm ci exited with 3"],
    [{ exitCode: null, endedBy: "time" as const }, "app: npm ci was ended by the limit on time"],
  ])("whose making fails is none, and says why: %j", async (said, why) => {
    await expect(prepares(NPM, { command: () => said })).rejects.toMatchObject({ code: "agent/failed", message: why });
  });
});
