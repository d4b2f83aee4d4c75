import { describe, expect, it } from "vitest";
import { bytes, captured, type Given, givenDesk, textOf } from "../../test/support/given-desk.ts";
import { gateGiven } from "../../test/support/given-spec.ts";
import type { GateDefinition, Ground } from "../domain/gate.ts";
import type { ReportPlace } from "../ports/runners.ts";
import type { BrokerDependencies } from "./deps.ts";
import { runGate } from "./gate.ts";

const GATE = gateGiven({
  runner: "node",
  report: "tap",
  definition: [{ path: "package.json", pointer: null, sha256: "as agreed" }],
  timeoutMs: 9_000,
  environment: { OWN: "1" },
});
const GROUND: Ground = { repo: "app", commit: "c1", tree: "tree of c1", beside: {} };
const BESIDE: Ground = { ...GROUND, beside: { lib: { commit: "c2", tree: "tree of c2" } } };
const COUNTS = { passed: 1, failed: 0, skipped: 0, todo: 0 };

/** What runs the gate writes its report to this place; a report is what counts read. */
const reportIn = (report: ReportPlace, files: readonly string[] = []): Partial<BrokerDependencies> =>
  ({
    runners: {
      instrument: ({ argv }: GateDefinition) => ({ argv: [...argv, "--report"], environment: { REPORT: "1" }, report }),
      read: (_: unknown, report: Uint8Array) => (textOf(report).startsWith("ok") ? COUNTS : null),
      join: (_: unknown, reports: readonly Uint8Array[]) => bytes(reports.map(textOf).join("+")),
    },
    readReport: async () => bytes("ok of the file"),
    reportsIn: async (_: string, __: string, ___: number, then: string) => (then === "read" ? files.map(bytes) : []),
  }) as unknown as Partial<BrokerDependencies>;

const resolves = { command: () => ({ stdout: captured("ok /usr/bin/npm\n"), stderr: captured("ok on stderr") }) };

async function run(report: ReportPlace, given: Given = {}, gate: Partial<GateDefinition> = {}, ground = GROUND) {
  const { deps, desk, pass, seen } = givenDesk({ ...resolves, ...given, deps: { ...reportIn(report), ...given.deps } });
  const outcome = await runGate(deps, desk, pass, { gate: { ...GATE, ...gate }, ground, on: "candidate" });
  return { outcome, seen, kinds: outcome.evidence.map(({ kind }) => kind) };
}

describe("a gate's run", () => {
  it("is in a checkout of exactly the commit, by a program that was resolved before, with its own variables", async () => {
    const { outcome, seen, kinds } = await run({ from: "stdout" }, { files: { "package.json": "{}" } });
    expect(seen.checkouts).toEqual(["app c1 as 1.work.1"]);
    expect(seen.dropped).toEqual(["app 1.work.1"]);
    expect(seen.commands.map(({ argv }) => argv.at(-1))).toEqual(["npm", "--report"]);
    expect(seen.commands[1]?.environment).toEqual({ CI: "1", REPORT: "1", OWN: "1" });
    expect(kinds).toEqual(["command", "program", "tests"]);
    expect(outcome).toMatchObject({
      step: "1.work.1",
      program: "ok /usr/bin/npm",
      counts: COUNTS,
      found: [{ path: "package.json", pointer: null, sha256: "digest of {}" }],
      output: { digest: "blob of ok /usr/bin/npm\nok on stderr" },
    });
  });

  it.each([
    ["detected", "src", "src:/deps", "src:/deps"],
    ["detected", "src", "/deps", "src:/deps"],
    ["named", "mine", "src:/deps", "mine"],
  ] as const)(
    "sees the dependencies of its layer; only a person's word hides them: %s, %s, %s",
    async (source, own, layers, is) => {
      const layer = { key: "k", outputs: [], stores: [], provides: { PYTHONPATH: layers, MODE: "layer" }, cwd: "." };
      const given: Given = { desk: { layers: { app: [layer] } }, layers: { k: { outputs: [] } } };
      const { seen } = await run({ from: "stdout" }, given, { source, environment: { PYTHONPATH: own, MODE: own } });
      expect(seen.commands[1]?.environment).toEqual({
        CI: "1",
        REPORT: "1",
        PYTHONPATH: is,
        MODE: source === "named" ? own : "layer",
      });
    },
  );

  it("looks for none of the system's own programs: where they lead is known", async () => {
    const { outcome, seen } = await run({ from: "stdout" }, {}, { argv: ["/usr/bin/make", "check"] });
    expect(seen.commands.map(({ argv }) => argv)).toEqual([["/usr/bin/make", "check", "--report"]]);
    expect(outcome.program).toBe("real /usr/bin/make");
  });

  it.each<readonly [ReportPlace, readonly string[], string | null, number]>([
    [{ from: "stdout" }, [], "ok /usr/bin/npm\n", 3],
    [{ from: "stderr" }, [], "ok on stderr", 3],
    [{ from: "file", name: "report.tap" }, [], "ok of the file", 4],
    [{ from: "checkout", pattern: ".*xml" }, ["ok", "more"], "ok+more", 4],
    [{ from: "checkout", pattern: ".*xml" }, [], null, 3],
  ])("finds its report where the runner leaves it: %j", async (place, files, report, blobs) => {
    const { outcome, seen } = await run(place, { deps: reportIn(place, files) });
    expect(outcome.evidence.flatMap((one) => (one.kind === "tests" ? [one.report.digest] : []))).toEqual(
      report === null ? [] : [`blob of ${report}`],
    );
    expect(seen.effects[0]?.blobs.length).toBe(blobs);
  });

  it("that is judged by its exit code needs no report, and reads none that lies about", async () => {
    for (const place of [{ from: "stdout" }, { from: "checkout", pattern: "x" }] as const) {
      const { outcome } = await run(place, { deps: reportIn(place, ["ok"]) }, { report: null, runner: null });
      expect(outcome.counts).toBeNull();
    }
  });

  it("with a report and no runner's name says that a person named it", async () => {
    const { outcome } = await run({ from: "stdout" }, {}, { runner: null });
    expect(outcome.evidence.find(({ kind }) => kind === "tests")).toMatchObject({ runner: "named" });
  });

  it.each([
    ["exits with 1", { exitCode: 1, stdout: captured("/usr/bin/npm") }],
    ["names nothing", { stdout: captured("") }],
  ])("has no program where looking for it %s", async (_, said) => {
    const { outcome } = await run({ from: "stderr" }, { command: () => said }, { argv: [] });
    expect(outcome.program).toBeNull();
    expect(outcome.evidence.find(({ kind }) => kind === "program")).toEqual({ kind: "program", name: "", path: null });
  });

  it("beside others has each at its place; one that the task may not change is read-only there, as the kernel says", async () => {
    const given: Given = {
      desk: { layers: { app: [{ key: "k", outputs: ["deps"], stores: [], provides: { P: "1" }, cwd: "." }] } },
      layers: { k: { outputs: ["deps"] } },
    };
    const { seen, kinds } = await run({ from: "stdout" }, given, {}, BESIDE);
    expect(seen.checkouts).toEqual(["app c1 as 1.work.1", "lib c2 as 1.work.1.beside-1"]);
    expect(seen.dropped).toEqual(["app 1.work.1", "lib 1.work.1.beside-1"]);
    const gate = seen.commands[1];
    expect(gate?.environment).toMatchObject({ AGENTOS_REPOS: "/workspace", P: "1" });
    expect(gate?.mounts.map(({ inside, access }) => `${inside} ${access}`)).toEqual([
      "/workspace/app write",
      "/objects/app read",
      "/workspace/app/deps read",
      "/workspace/lib read",
      "/objects/lib read",
      "/run/agentos/report write",
    ]);
    expect(kinds).toEqual(["command", "program", "mount", "tests"]);
  });

  it("on a checkout that is another tree does not happen, and leaves no checkout", async () => {
    const other = { ...GROUND, tree: "other" };
    await expect(run({ from: "stdout" }, {}, {}, other)).rejects.toThrow(
      "the checkout of c1 has tree tree of c1, not other",
    );
  });
});
