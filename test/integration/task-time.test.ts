import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isFailure } from "../../src/domain/failure.ts";
import { EVERY_TASK } from "../../src/ports/store.ts";
import { ADA, gate, plan, type Rig, repository, startRig } from "./task-kit.ts";

/** What takes too long: a task past its time, a step that stalls, a step near its end. */

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

const GREEN = gate("test $(cat n | wc -l) = 3");

describe("a task with a limit on its time", () => {
  it("warns, waits when it is used up, and with more goes on from its last checkpoint, also after a restart", async () => {
    const first = await startRig();
    const id = await first.queued(await first.project(repository()), {
      ...plan("echo 1 >> n", "sleep 2; echo 2 >> n", "echo 3 >> n"),
      gates: [GREEN],
      run_mode: "autonomous",
      limits: { task_ms: 1_500 },
    });
    const waits = await first.until(id, "blocked");
    expect(waits).toMatchObject({ reason: "budget_exhausted", openStep: null, worked: { warned: true, grantedMs: 0 } });
    expect(waits.detail).toMatch(/^it has worked \d.*, and its time is 1 s$/);
    expect(waits.worked.ms).toBeGreaterThanOrEqual(1_490);
    expect(await first.bodies(id, "TIME_WARNED")).toEqual([{ spentMs: 1_200, limitMs: 1_500 }]);
    // Where a slow machine used the time up between two steps, none was interrupted.
    for (const { cause } of await first.bodies(id, "STEP_LOST")) expect(cause).toBe("time_up");
    expect(await first.system.store.operations.processes()).toEqual([]);
    await first.stop();

    const second = await startRig({}, { home: first.home });
    const { answer } = second.system.cases;
    expect((await second.task(id)).worked).toEqual(waits.worked);
    await expect(answer.resume(ADA, id, null, null)).rejects.toSatisfy((error) => isFailure(error, "task/refused"));
    await answer.resume(ADA, id, null, null, 600_000);
    const done = await second.until(id, "succeeded");
    expect(done.worked.ms).toBeGreaterThan(waits.worked.ms);
    const finished = (await second.bodies(id, "STEP_COMPLETED")).map(({ step }) => step);
    expect(new Set(finished).size).toBe(finished.length);
    expect([...first.warnings, ...second.warnings]).toEqual([]);
    await second.stop();
  });
});

describe.concurrent("a step", () => {
  it("is warned of when it shows no sign of life and when most of its time is gone, and its end is evidence", async () => {
    const id = await rig.queued(await rig.project(repository()), {
      ...plan("exec sleep 30"),
      gates: [GREEN],
      run_mode: "autonomous",
      attempts: 1,
      limits: { step_ms: 2_500, stall_ms: 1_000 },
    });
    expect(await rig.happened(id, "STEP_WARNED")).toMatchObject({ about: "stall", limitMs: 1_000 });
    const { rows } = await rig.system.cases.look.tasks({ ...EVERY_TASK, status: ["running"], after: null, most: 5 });
    expect(rows.map(({ state }) => [state?.id, state?.openStep?.warned])).toContainEqual([id, ["stall"]]);
    await rig.until(id, "failed");
    expect((await rig.bodies(id, "STEP_WARNED")).map(({ about, limitMs }) => [about, limitMs])).toEqual([
      ["stall", 1_000],
      ["time", 2_500],
    ]);
    const [failed] = await rig.bodies(id, "STEP_FAILED");
    expect(failed?.cause).toBe("ended by the limit on time");
    expect(failed?.evidence.find(({ kind }) => kind === "command")).toMatchObject({ kind: "command", endedBy: "time" });
  });

  it("that stalls is ended where the spec says so", async () => {
    const id = await rig.queued(await rig.project(repository()), {
      ...plan("echo begun; exec sleep 30"),
      gates: [GREEN],
      run_mode: "autonomous",
      attempts: 1,
      limits: { stall_ms: 1_000, stall_ends: true },
    });
    await rig.until(id, "failed");
    const [failed] = await rig.bodies(id, "STEP_FAILED");
    expect(failed?.cause).toBe("ended by the limit on stall");
    const evidence = failed?.evidence.find(({ kind }) => kind === "command");
    expect(evidence).toMatchObject({ kind: "command", endedBy: "stall", signal: "SIGKILL" });
    expect(evidence?.kind === "command" ? await rig.text(evidence.stdout) : "").toBe("begun\n");
  });

  it("that puts out too much is ended, and what fits is evidence", async () => {
    const id = await rig.queued(await rig.project(repository()), {
      ...plan("yes"),
      gates: [GREEN],
      run_mode: "autonomous",
      attempts: 1,
      limits: { output_bytes: 4_096 },
    });
    await rig.until(id, "failed");
    const [failed] = await rig.bodies(id, "STEP_FAILED");
    expect(failed?.cause).toBe("ended by the limit on output");
    expect(failed?.evidence.find(({ kind }) => kind === "command")).toMatchObject({
      endedBy: "output",
      stdout: { bytes: 4_096 },
    });
  });
});

it("leaves nothing to warn about", () => expect(rig.warnings).toEqual([]));
