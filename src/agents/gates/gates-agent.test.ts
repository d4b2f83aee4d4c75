import { describe, expect, it } from "vitest";
import { gateGiven, specGiven } from "../../../test/support/given-spec.ts";
import type { GateDefinition } from "../../domain/gate.ts";
import type { Spec } from "../../domain/spec.ts";
import type { RecordedVerdict } from "../../domain/task.ts";
import { gatesAgent } from "./gates-agent.ts";

const gate = (id: string, over: Partial<GateDefinition> = {}) => gateGiven({ id, argv: ["npm", "test"], ...over });
const specOf = (...gates: readonly GateDefinition[]) =>
  specGiven({
    title: "Run tests",
    scopes: [
      { repo: "app", access: "full" },
      { repo: "docs", access: "read_only" },
    ],
    gates,
    agent: { kind: "gates" },
    expectsChange: false,
  });
const verdict = (over: Partial<RecordedVerdict> = {}): RecordedVerdict => ({
  verdict: "pass",
  repo: "app",
  commit: "c1",
  tree: "t1",
  beside: {},
  step: "s1",
  counts: { passed: 3, failed: 0, skipped: 1, todo: 0 },
  findings: [],
  output: null,
  ...over,
});

async function report(spec: Spec, verdicts: Readonly<Record<string, RecordedVerdict>>): Promise<readonly string[]> {
  const stored: string[] = [];
  await gatesAgent.conclude({
    spec,
    verdicts,
    storeArtifact: async (name, mediaType, content) => {
      expect([name, mediaType]).toEqual(["report.md", "text/markdown"]);
      stored.push(content);
    },
  });
  expect(stored).toHaveLength(1);
  return (stored[0] ?? "").split("\n");
}

describe("the gates agent's report", () => {
  it("has a row for every gate, also for one that did not run", async () => {
    const spec = specOf(gate("tests"), gate("smoke", { argv: ["npm", "run", "build"] }));
    expect(await report(spec, { tests: verdict() })).toEqual([
      "# Run tests",
      "",
      "Gates run by the system on `t1`.",
      "",
      "| gate | repo | command | verdict | tests | findings |",
      "| --- | --- | --- | --- | --- | --- |",
      "| tests | app | `npm test` | pass | 3 passed, 0 failed, 1 skipped |  |",
      "| smoke | app | `npm run build` | not run |  |  |",
      "",
    ]);
  });

  it("keeps a table a table, whatever a command or a finding holds", async () => {
    const spec = specOf(gate("check", { argv: ["/bin/sh", "-c", "npm test | tee log\nexit 1"] }));
    const rows = await report(spec, {
      check: verdict({ verdict: "fail", counts: null, findings: ["a | b", "two\nlines"] }),
    });
    const row = rows.find((line) => line.startsWith("| check"));
    expect(row).toBe("| check | app | `/bin/sh -c npm test \\| tee log ↵ exit 1` | fail |  | a \\| b; two ↵ lines |");
    expect(rows).toHaveLength(8);
  });

  it("says so when nothing ran", async () =>
    expect((await report(specOf(), {}))[2]).toBe("Gates run by the system on no tree."));
});

describe("the gates agent", () => {
  it("plans one item per repo that touches nothing and names the gates' commands", async () => {
    const { items } = await gatesAgent.plan({ spec: specOf(gate("tests"), gate("empty", { argv: [] })) } as never);
    expect(items).toEqual([
      {
        id: "gates-app",
        title: "Run the gates of app and write a report",
        repo: "app",
        paths: [],
        commands: ["npm test"],
        risk: "low",
        criterion: null,
        dependsOn: [],
      },
      {
        id: "gates-docs",
        title: "Run the gates of docs and write a report",
        repo: "docs",
        paths: [],
        commands: [],
        risk: "low",
        criterion: null,
        dependsOn: [],
      },
    ]);
  });

  it("could not come out differently by trying again", () =>
    expect([gatesAgent.retries, gatesAgent.retry]).toEqual([false, "continue"]));
});
