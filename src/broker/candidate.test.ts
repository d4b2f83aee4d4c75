import { describe, expect, it } from "vitest";
import { captured, type Given, givenDesk } from "../../test/support/given-desk.ts";
import { gateGiven } from "../../test/support/given-spec.ts";
import type { GateDefinition, PrepareDefinition } from "../domain/gate.ts";
import { createBroker } from "./broker.ts";
import { makeCandidate } from "./candidate.ts";

const ADA = { name: "Ada", email: "ada@example.com" };
const made = (given: Given = {}) => {
  const { deps, desk, pass, seen } = givenDesk(given);
  return {
    seen,
    make: (repo: string) => makeCandidate(deps, desk, pass, { repo, message: "m", author: ADA, exclude: [] }),
  };
};

describe("the candidate", () => {
  it("is the commit that was made of the workspace", async () => {
    const { make, seen } = made();
    expect(await make("app")).toMatchObject({ commit: "made", tree: "tree", baseTree: "base tree" });
    expect(seen.effects[0]?.evidence).toEqual([{ kind: "commit", repo: "app", commit: "made", tree: "tree" }]);
  });

  it("without a change is the base commit itself", async () => {
    const { workspaces } = givenDesk().deps;
    const { make } = made({ deps: { workspaces: { ...workspaces, treeOf: async () => "tree" } } });
    expect((await make("app")).commit).toBe("base");
  });

  it("of a repo that the task has no base of is none", async () => {
    await expect(made().make("lib")).rejects.toMatchObject({ code: "repo/not-found" });
  });
});

it("each phase is handed what it may do, and nothing else; the system's own acts pass the same bracket", async () => {
  const runners = {
    instrument: ({ argv }: GateDefinition) => ({ argv, environment: {}, report: { from: "stdout" } }),
  };
  const { deps, desk, pass, seen } = givenDesk({
    command: () => ({ stdout: captured("ro") }),
    deps: { runners, dropRunDirectory: async () => undefined } as unknown as NonNullable<Given["deps"]>,
  });
  const steps = {
    ...desk.steps,
    perform: ({ input, open, effect }: Parameters<typeof desk.steps.perform>[0]) => pass(input, open, effect),
  };
  const at = { ...desk, steps };
  const broker = createBroker(deps);
  const planning = broker.planning(at);
  expect(Object.keys(planning).filter((name) => ["write", "remove", "run", "keep"].includes(name))).toEqual([]);
  expect(Object.keys(broker.reviewing(at))).toEqual(["model"]);
  const prepare: PrepareDefinition = {
    repo: "app",
    id: "npm",
    argv: ["npm", "ci"],
    cwd: ".",
    inputs: [],
    outputs: [],
    stores: [],
    hosts: [],
    environment: {},
    provides: {},
    reproducible: true,
  };
  const gate = gateGiven({ id: "check", argv: ["true"], judgement: "exit" });
  await broker.prepare(at, prepare, "c1", "base");
  await broker.gate(at, gate, { repo: "app", commit: "c1", tree: "tree of c1", beside: {} }, "candidate");
  await broker.witness(at, "planning");
  expect(seen.acts.map(({ kind }) => kind)).toEqual(["prepare", "gate", "read"]);
  expect(seen.effects.map(({ evidence }) => evidence[0]?.kind)).toEqual(["decision", "decision", "decision"]);
});
