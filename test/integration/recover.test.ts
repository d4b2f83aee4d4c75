import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { LeaseLost } from "../../src/ports/store.ts";
import { ADA, gate, plan, type Rig, repository, startRig } from "./task-kit.ts";

/* What the next daemon makes of tasks that were worked on when the one before it ended. The crash suite kills real ones, at every point. */

const WAIT = { timeout: 50_000, interval: 20 };
const SLEEPS = "echo begun; echo two > a.txt; exec sleep 600";
const OUTSIDE = { run: SLEEPS, network: ["host.example:443"] };
const TWO = gate("grep -qx two a.txt");

/** A system that can die: from then on it writes nothing and undoes nothing, as if its process had been killed. */
async function mortal(): Promise<{ readonly rig: Rig; readonly die: () => Promise<void> }> {
  let dead = false;
  const alive = <T>(work: () => Promise<T>): Promise<T> => (dead ? Promise.reject(new LeaseLost("")) : work());
  const rig = await startRig({
    store: (own) => ({ ...own, append: (one) => alive(() => own.append(one)) }),
    workspaces: (own) => ({
      ...own,
      restore: (...asked) => alive(() => own.restore(...asked)),
      dropGateCheckout: (...asked) => alive(() => own.dropGateCheckout(...asked)),
    }),
  });
  return {
    rig,
    die: () => {
      dead = true;
      return rig.stop();
    },
  };
}

const begins = async (rig: Rig, act: string | Record<string, unknown>, more: Readonly<Record<string, unknown>> = {}) =>
  rig.queued(await rig.project(repository()), {
    ...plan(act),
    run_mode: "autonomous",
    attempts: 1,
    gates: [TWO],
    ...more,
  });

const workspaceOf = (rig: Rig, id: string, epoch: number): string =>
  join(rig.home, "workspaces", id, String(epoch), "app");

/** The command is in its middle. */
const inTheMiddle = (rig: Rig, id: string): Promise<void> =>
  vi.waitFor(() => expect(textIn(rig, id, 2)).toBe("two\n"), WAIT);

const textIn = (rig: Rig, id: string, epoch: number): string =>
  readFileSync(join(workspaceOf(rig, id, epoch), "a.txt"), "utf8");

test("a step in which the daemon died is undone and run again, unless it may have reached outside", async () => {
  const { rig: first, die } = await mortal();
  const plain = await begins(first, SLEEPS);
  const outside = await begins(first, OUTSIDE);
  const emptied = await begins(first, "echo two > a.txt", { gates: [gate("echo begun; exec sleep 600")] });
  for (const id of [plain, outside]) await inTheMiddle(first, id);
  await vi.waitFor(async () => expect((await first.task(emptied)).openStep?.act.kind).toBe("gate"), WAIT);
  await die();
  expect(first.warnings).toEqual([]);
  rmSync(workspaceOf(first, emptied, 2), { recursive: true });

  const second = await startRig({}, { home: first.home });
  const [lost] = await Promise.all([plain, emptied].map((id) => second.happened(id, "STEP_LOST")));
  expect(lost).toMatchObject({ run: 1, cause: "worker_died", rescued: { app: expect.any(String) } });
  expect(await second.text(lost?.partialOutput ?? null)).toBe("begun\n");
  // Also where nothing of the workspace was left, it is what it was before the step.
  for (const id of [plain, emptied]) {
    await vi.waitFor(async () => expect((await second.task(id)).openStep).toMatchObject({ run: 2 }), WAIT);
    await vi.waitFor(() => expect(textIn(second, id, 3)).toBe("two\n"), WAIT);
  }

  // Nobody but a person knows what became of what may have reached outside. It was done: it is not run again, and what it left counts.
  expect(await second.until(outside, "blocked")).toMatchObject({ reason: "outcome_unknown", openStep: { run: 1 } });
  await second.system.cases.answer.resume(ADA, outside, "done", null);
  await second.until(outside, "succeeded");
  expect((await second.bodies(outside, "STEP_STARTED")).map(({ act, run }) => [act.kind, run])).toEqual([
    ["read", 1],
    ["command", 1],
    ["candidate", 1],
    ["gate", 1],
    ["gate", 1],
  ]);
  await second.stop();
  expect(second.warnings).toEqual([]);
});

test("a command that may reach outside and is cut off by the end of the daemon waits for a person; aborted by them, it is undone and has failed", async () => {
  const first = await startRig();
  const id = await begins(first, OUTSIDE);
  await inTheMiddle(first, id);
  const { step } = await first
    .happened(id, "WORK_ITEM_STARTED")
    .then(async () => (await first.task(id)).openStep ?? { step: "" });
  await first.stop();

  const second = await startRig({}, { home: first.home });
  expect(await second.until(id, "blocked")).toMatchObject({
    reason: "outcome_unknown",
    detail: `step ${step} (/bin/sh -c ${SLEEPS}) was interrupted; it may or may not have taken effect outside`,
    step,
  });
  await second.system.cases.answer.resume(ADA, id, "abort", null);
  await second.happened(id, "WORK_ITEM_FAILED");
  const [failed] = await second.bodies(id, "STEP_FAILED");
  expect(failed).toMatchObject({ step, run: 1, cause: "aborted by a person" });
  expect(JSON.parse(await second.text(failed?.result ?? null))).toEqual({
    exitCode: null,
    endedBy: "cancel",
    stdout: "",
    stderr: "A person aborted this step.",
  });
  expect(textIn(second, id, 3)).toBe("one\n");
  await second.stop();
  expect([...first.warnings, ...second.warnings]).toEqual([]);
});
