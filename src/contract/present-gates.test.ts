import { describe, expect, it } from "vitest";
import { gateGiven } from "../../test/support/given-spec.ts";
import type { GateDefinition } from "../domain/gate.ts";
import { gatesView } from "./present-gates.ts";

const gate = (more: Partial<GateDefinition>) =>
  gateGiven({ runner: "vitest", report: "vitest-json", timeoutMs: 600_000, ...more });

const viewed = (more: Partial<GateDefinition>) =>
  gatesView({
    repo: "app",
    root: "/src/app",
    commit: "c1",
    ecosystems: ["npm"],
    gates: [gate(more)],
    prepare: [],
    notes: [],
  }).gates[0];

describe("a gate that is offered", () => {
  it("says whether its program was found, except where it names a file or has none to look up", () => {
    const found = (more: Partial<GateDefinition>) => viewed(more)?.program_found;
    expect([
      found({ program: "/usr/bin/npm" }),
      found({}),
      found({ argv: ["./check.sh"] }),
      found({ argv: [] }),
    ]).toEqual([true, false, null, null]);
  });

  it("names what it is pinned by as far as that was there", () => {
    const view = viewed({
      definition: [
        { path: "package.json", pointer: "/scripts/test", sha256: "a" },
        { path: "vitest.config.ts", pointer: null, sha256: null },
      ],
    });
    expect(view?.pinned).toEqual(["package.json#/scripts/test"]);
  });
});

describe("a preparation that is offered", () => {
  it("says what it is made from as far as that is there, and all that it fills", () => {
    const { prepare } = gatesView({
      repo: "app",
      root: "/src/app",
      commit: "c1",
      ecosystems: [],
      gates: [],
      prepare: [
        {
          repo: "app",
          id: "npm",
          argv: ["npm", "ci"],
          cwd: "web",
          inputs: [
            { path: "web/package-lock.json", pointer: null, sha256: "b" },
            { path: "web/.npmrc", pointer: null, sha256: null },
          ],
          outputs: ["web/node_modules"],
          stores: ["npm"],
          hosts: ["registry.npmjs.org:443"],
          environment: { TOKEN: "t" },
          provides: {},
          reproducible: true,
        },
      ],
      notes: ["a note"],
    });
    expect(prepare).toEqual([
      {
        id: "npm",
        repo: "app",
        argv: ["npm", "ci"],
        cwd: "web",
        inputs: ["web/package-lock.json"],
        fills: ["web/node_modules", "npm"],
        hosts: ["registry.npmjs.org:443"],
        reproducible: true,
      },
    ]);
  });
});
