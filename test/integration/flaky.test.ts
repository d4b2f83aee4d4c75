import { beforeAll, expect, test } from "vitest";
import { bubblewrapSandbox } from "../../src/adapters/sandbox/bubblewrap.ts";
import { type Rig, repository, startRig } from "./task-kit.ts";

/* A checkout is fresh for every run and nothing is left of the one before, so the number of the run is told to the gate from outside. */

let rig: Rig;
const tries = new Map<string, number>();
beforeAll(async () => {
  const real = bubblewrapSandbox({ privateDirectories: [], hostEnvironment: process.env });
  rig = await startRig({
    sandbox: {
      ...real,
      run: (command, signal) => {
        const name = /name=(\w+)/.exec(command.argv.at(-1) ?? "")?.[1];
        if (name === undefined) return real.run(command, signal);
        const nth = (tries.get(name) ?? 0) + 1;
        tries.set(name, nth);
        return real.run({ ...command, environment: { ...command.environment, RUN: String(nth) } }, signal);
      },
    },
  });
});

/** A suite of one test that passes from its nth run on. */
const passesFrom = (nth: number, name: string): string =>
  `name=${name}; if [ "$RUN" -ge ${nth} ]; then point="ok 1"; code=0; else point="not ok 1"; code=1; fi; printf 'TAP version 13\\n%s - x\\n1..1\\n' "$point"; exit $code`;

const started = async (run: string, flaky: object | undefined) =>
  rig.queued(await rig.project(repository()), {
    agent: "gates",
    run_mode: "autonomous",
    gates: [{ id: "tests", run, report: "tap" }],
    ...(flaky !== undefined && { flaky }),
  });

const ran = async (run: string, flaky: object | undefined) => {
  const id = await started(run, flaky);
  const task = await rig.until(id, "succeeded", "failed");
  const runs = (await rig.bodies(id, "STEP_STARTED")).filter(({ act }) => act.kind === "gate").length;
  return { id, status: task.status, verdict: task.verdicts["tests"], runs };
};

test("without a policy a failing test is run once", async () =>
  expect(await ran(passesFrom(2, "none"), undefined)).toMatchObject({ status: "failed", runs: 1 }));

test("a test that never passes is run as often as allowed, each time as a step of its own, and fails", async () =>
  expect(await ran(passesFrom(9, "never"), { rerun: 2 })).toMatchObject({
    status: "failed",
    runs: 3,
    verdict: { verdict: "fail", runs: 3 },
  }));

test("a pass after failures counts where the spec lets it, and is told as flaky", async () => {
  const found = await ran(passesFrom(3, "lucky"), { rerun: 5 });
  expect(found).toMatchObject({ status: "succeeded", runs: 3, verdict: { verdict: "pass", runs: 3 } });
  expect(await rig.told(found.id)).toContain(
    "Gate tests passed on the candidate: 1 of 1 tests passed; flaky: only in run 3.",
  );
});

test("a pass after failures is none where the spec does not let it", async () =>
  expect(await ran(passesFrom(2, "strict"), { rerun: 5, passes: false })).toMatchObject({
    status: "failed",
    runs: 2,
    verdict: { verdict: "fail", findings: ["passed only in run 2: it is flaky, and the spec does not let that pass"] },
  }));

test("a test that passes at once is run once and is not flaky", async () => {
  const found = await ran(passesFrom(1, "steady"), { rerun: 5 });
  expect(found).toMatchObject({ status: "succeeded", runs: 1 });
  expect(found.verdict).not.toHaveProperty("runs");
});
