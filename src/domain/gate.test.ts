import { describe, expect, it } from "vitest";
import { gateGiven } from "../../test/support/given-spec.ts";
import { ref } from "../../test/support/given-task.ts";
import type { Evidence, OfKind } from "./evidence.ts";
import { type GateDefinition, type GateRun, type Ground, groundOf, judge } from "./gate.ts";

const GROUND: Ground = { repo: "app", commit: "c1", tree: "t1", beside: {} };
const on = (tree: string): Pick<GateRun, "ground"> => ({ ground: { ...GROUND, tree } });
const PART = { path: "package.json", pointer: "/scripts/test", sha256: "d1" };
const GATE = gateGiven({
  runner: "node-test",
  report: "junit",
  definition: [PART],
  program: "/usr/bin/npm",
  timeoutMs: 600_000,
});
const BY_EXIT: GateDefinition = { ...GATE, id: "smoke", judgement: "exit", runner: null, report: null };

const command = (over: Partial<OfKind<"command">> = {}): Evidence => ({
  kind: "command",
  argv: ["npm", "test"],
  cwd: ".",
  environment: "e1",
  exitCode: 0,
  signal: null,
  endedBy: "itself",
  stdout: ref("out"),
  stderr: ref("err"),
  durationMs: 12,
  ...over,
});
const tests = (passed: number, failed = 0, skipped = 0): Evidence => ({
  kind: "tests",
  runner: "node-test",
  counts: { passed, failed, skipped, todo: 0 },
  report: ref("report"),
});
const run = (evidence: readonly Evidence[], over: Partial<GateRun> = {}): GateRun => ({
  step: "1.gate-tests-candidate.1",
  ground: GROUND,
  evidence,
  found: [PART],
  program: "/usr/bin/npm",
  ...over,
});

describe("a pass", () => {
  it("rests on the step that ran on exactly this tree", () =>
    expect(judge(GATE, GROUND, [run([command(), tests(3)])])).toEqual({
      verdict: "pass",
      restsOn: ["1.gate-tests-candidate.1"],
    }));

  it("by exit code needs no report", () => expect(judge(BY_EXIT, GROUND, [run([command()])]).verdict).toBe("pass"));

  it("allows skipped tests beside one that ran", () =>
    expect(judge(GATE, GROUND, [run([command(), tests(1, 0, 9)])]).verdict).toBe("pass"));

  it("ignores what was gathered on other trees", () =>
    expect(
      judge(GATE, GROUND, [
        run([command({ exitCode: 1 })], { ...on("t0"), step: "other" }),
        run([command(), tests(1)]),
      ]),
    ).toEqual({
      verdict: "pass",
      restsOn: ["1.gate-tests-candidate.1"],
    }));

  it("needs every run on this tree to be one", () => {
    expect(
      judge(GATE, GROUND, [run([command(), tests(1)]), run([command({ exitCode: 1 }), tests(0, 1)])]).verdict,
    ).toBe("fail");
    expect(judge(GATE, GROUND, [run([command(), tests(1)]), run([command()])]).verdict).toBe("unproven");
  });
});

describe("a gate with other repos beside it", () => {
  const ground = groundOf(
    { ...GATE, beside: ["lib"] },
    { app: { commit: "c1", tree: "t1" }, lib: { commit: "c2", tree: "t2" }, docs: { commit: "c3", tree: "t3" } },
  );
  const green = (over: Partial<GateRun> = {}) => run([command(), tests(3)], { ground, ...over });

  it("is about exactly the repos it names", () =>
    expect(ground).toEqual({
      repo: "app",
      commit: "c1",
      tree: "t1",
      beside: { lib: { commit: "c2", tree: "t2" } },
    }));

  it("passes on exactly this set of trees, and a change in any of them ends that", () => {
    expect(judge(GATE, ground, [green()]).verdict).toBe("pass");
    const newer = { ...ground, beside: { lib: { commit: "c4", tree: "t4" } } };
    expect(judge(GATE, newer, [green()])).toEqual({
      verdict: "unproven",
      missing: ["a run of tests on tree t1 beside lib t4"],
    });
    expect(judge(GATE, GROUND, [green()]).verdict).toBe("unproven");
    expect(judge(GATE, ground, [green({ ground: GROUND })]).verdict).toBe("unproven");
  });
});

describe("a failure", () => {
  it.each<[string, readonly Evidence[], readonly string[]]>([
    ["another exit code", [command({ exitCode: 3 }), tests(3)], ["npm test exited with 3"]],
    ["a signal", [command({ exitCode: null, signal: "SIGKILL" })], ["npm test exited with signal SIGKILL"]],
    ["failed tests, though the exit code is 0", [command(), tests(2, 1)], ["1 of 3 tests failed"]],
    ["both", [command({ exitCode: 1 }), tests(2, 1)], ["npm test exited with 1", "1 of 3 tests failed"]],
    [
      "the limit on time",
      [command({ exitCode: null, signal: "SIGKILL", endedBy: "time" })],
      ["npm test was ended by the limit on time"],
    ],
    [
      "the limit on memory, though the exit code is 0",
      [command({ endedBy: "memory" }), tests(3)],
      ["npm test was ended by the limit on memory"],
    ],
    ["the limit on output", [command({ endedBy: "output" }), tests(3)], ["npm test was ended by the limit on output"]],
    ["being canceled", [command({ exitCode: null, endedBy: "cancel" })], ["npm test was ended by the limit on cancel"]],
  ])("is %s", (_, evidence, findings) =>
    expect(judge(GATE, GROUND, [run(evidence)])).toEqual({ verdict: "fail", findings }),
  );

  it("reads the same however long it took, so that its repetition is seen", () => {
    const verdict = (durationMs: number) =>
      judge(GATE, GROUND, [run([command({ endedBy: "time", exitCode: null, durationMs })])]);
    expect(verdict(1_000)).toEqual(verdict(1_017));
  });

  it("stays a failure when the definition changed too", () =>
    expect(judge(GATE, GROUND, [run([command({ exitCode: 1 }), tests(0, 1)], { found: [] })]).verdict).toBe("fail"));
});

describe("unproven", () => {
  it.each<[string, GateDefinition, readonly GateRun[], readonly string[]]>([
    ["no run at all", GATE, [], ["a run of tests on tree t1"]],
    ["a run on another tree", GATE, [run([command(), tests(3)], on("t0"))], ["a run of tests on tree t1"]],
    ["a run without its command", GATE, [run([tests(3)])], ["the exit code of the gate's command"]],
    ["no evidence", BY_EXIT, [run([])], ["the exit code of the gate's command"]],
    ["green without a report", GATE, [run([command()])], ["a report of the test runner"]],
    [
      "green with zero tests",
      GATE,
      [run([command(), tests(0)])],
      ["a test that was executed: the runner reports none"],
    ],
    [
      "green with skipped tests only",
      GATE,
      [run([command(), tests(0, 0, 5)])],
      ["a test that was executed: the runner reports none"],
    ],
    [
      "green by its exit code, where its output says that nothing was tested",
      { ...BY_EXIT, argv: ["make", "test"], runner: "make", report: "summary" },
      [run([command(), tests(0)])],
      ["a test that was executed: by the output of make test nothing was tested"],
    ],
    [
      "one report of two without tests",
      GATE,
      [run([command(), tests(3), tests(0)])],
      ["a test that was executed: the runner reports none"],
    ],
    [
      "a changed definition",
      GATE,
      [run([command(), tests(3)], { found: [{ ...PART, sha256: "d2" }] })],
      ["package.json#/scripts/test changed since the gate was pinned"],
    ],
    [
      "a definition that is gone",
      GATE,
      [run([command(), tests(3)], { found: [{ ...PART, sha256: null }] })],
      ["package.json#/scripts/test changed since the gate was pinned"],
    ],
    [
      "a definition nobody looked at",
      GATE,
      [run([command(), tests(3)], { found: [] })],
      ["package.json#/scripts/test changed since the gate was pinned"],
    ],
    [
      "a file that was not there and now is",
      { ...GATE, definition: [{ path: "vitest.config.ts", pointer: null, sha256: null }] },
      [run([command(), tests(3)], { found: [{ path: "vitest.config.ts", pointer: null, sha256: "d3" }] })],
      ["vitest.config.ts changed since the gate was pinned"],
    ],
    [
      "another program",
      GATE,
      [run([command(), tests(3)], { program: "/workspace/app/npm" })],
      ["npm resolved to /workspace/app/npm, pinned was /usr/bin/npm"],
    ],
    [
      "a program that is gone",
      GATE,
      [run([command(), tests(3)], { program: null })],
      ["npm resolved to nothing, pinned was /usr/bin/npm"],
    ],
  ])("is %s", (_, gate, runs, missing) => expect(judge(gate, GROUND, runs)).toEqual({ verdict: "unproven", missing }));

  it("is a gate without a command, whatever is recorded", () => {
    const verdict = judge({ ...GATE, argv: [] }, GROUND, [run([command(), tests(3)])]);
    expect(verdict).toEqual({ verdict: "unproven", missing: [expect.stringContaining("the repository has none")] });
  });
});
