import { beforeAll, describe, expect, it } from "vitest";
import { gate, git, plan, type Rig, repository, startRig } from "./task-kit.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});

/** Fails with what the attempt left, so that each attempt's output can be told from another's. */
const WANTS_FIXED = gate('test "$(cat a.txt)" = fixed || { echo "NEEDLE a.txt says $(cat a.txt)"; exit 1; }');
const ALWAYS_RED = gate("echo always red; exit 1");

describe("a task that goes wrong is tried again, with the failure in its hands", () => {
  it("an honest change is done after one attempt, and the gate went from red to green", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("echo fixed > a.txt"),
      gates: [WANTS_FIXED],
    });
    const done = await rig.until(id, "succeeded");
    expect([done.exitReason, done.attempt, done.openStep]).toEqual(["done", 1, null]);
    expect(done.baseline["check"]?.verdict).toBe("fail");
    expect(done.verdicts["check"]).toMatchObject({ verdict: "pass", tree: done.candidate?.["app"]?.tree });
  });

  it("the output of the failing gate is what AGENTOS_FAILURE names in the next attempt", async () => {
    const script =
      'if [ -z "$AGENTOS_FAILURE" ]; then echo broken > a.txt; else grep -q "NEEDLE a.txt says broken" "$AGENTOS_FAILURE" && echo fixed > a.txt; fi';
    const id = await rig.approved(await rig.project(repository()), { ...plan(script), gates: [WANTS_FIXED] });
    const done = await rig.until(id, "succeeded", "blocked");
    expect([done.status, done.attempt]).toEqual(["succeeded", 2]);
    const [again] = await rig.bodies(id, "RETRIED");
    expect(again).toMatchObject({ attempt: 2, restart: true, cause: "gates" });
    expect(await rig.text(again?.output ?? null)).toContain("NEEDLE a.txt says broken");
  });

  it("the next attempt of a script begins at the base, not at what the failed one left", async () => {
    const script = 'echo "attempt" >> a.txt; test -z "$AGENTOS_FAILURE" || echo second > b.txt';
    const id = await rig.approved(await rig.project(repository()), { ...plan(script), gates: [gate("test -f b.txt")] });
    const done = await rig.until(id, "succeeded");
    expect(done.attempt).toBe(2);
    const diff = (await rig.system.cases.look.diff(id, null))["app"];
    expect(diff?.diff.split("\n").filter((line) => /^\+[^+]/.test(line))).toEqual(["+attempt", "+second"]);
  });

  it("the same failure three times in a row stops it, although more attempts are left", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("echo two > a.txt"),
      gates: [ALWAYS_RED],
      attempts: 9,
    });
    const stopped = await rig.until(id, "blocked");
    expect([stopped.reason, stopped.attempt, stopped.step]).toEqual(["gates_exhausted", 3, null]);
    expect(stopped.detail).toContain("the same failure 3 times in a row");
    expect(stopped.detail).toContain("check failed");
  });

  it("a gate that is ended by its limit every time is the same failure every time", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("echo two > a.txt"),
      gates: [{ id: "check", run: "sleep 60", timeout_ms: 1_000 }],
      attempts: 5,
    });
    const stopped = await rig.until(id, "blocked");
    expect([stopped.reason, stopped.attempt]).toEqual(["gates_exhausted", 3]);
    expect(stopped.detail).toContain("limit on time");
  });

  it("failures that differ use up the attempts the spec gives", async () => {
    const script = "date +%N > a.txt";
    const id = await rig.approved(await rig.project(repository()), {
      ...plan(script),
      gates: [gate("exit $(( ($(tail -n 1 a.txt | cksum | cut -d' ' -f1) % 200) + 1 ))")],
      attempts: 2,
    });
    const stopped = await rig.until(id, "blocked");
    expect([stopped.reason, stopped.attempt]).toEqual(["gates_exhausted", 2]);
    expect(stopped.detail).toMatch(/\(2 attempts\)$/);
  });

  it("a person's resume grants a new round of attempts", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("echo two > a.txt"),
      gates: [ALWAYS_RED],
      attempts: 1,
    });
    expect((await rig.until(id, "blocked")).attempt).toBe(1);
    const { seq } = await rig.system.cases.answer.resume({ kind: "person", name: "ada" }, id, null, null);
    await rig.happened(id, "BLOCKED", seq);
    const stopped = await rig.until(id, "blocked");
    expect([stopped.attempt, stopped.roundStart]).toEqual([2, 2]);
    expect((await rig.bodies(id, "RETRIED")).map(({ cause }) => cause)).toEqual(["person"]);
  });

  it("where nobody is to be asked, it fails, and retry begins another attempt", async () => {
    const id = await rig.queued(await rig.project(repository()), {
      ...plan('test -n "$AGENTOS_FAILURE" && echo fixed > a.txt || echo two > a.txt'),
      gates: [WANTS_FIXED],
      attempts: 1,
      run_mode: "autonomous",
    });
    const failed = await rig.until(id, "failed");
    expect(failed.exitReason).toBe("gates_failed");
    expect(failed.approval?.by).toBe("policy:default");
    await rig.system.cases.answer.retry({ kind: "person", name: "ada" }, id);
    const done = await rig.until(id, "succeeded");
    expect([done.exitReason, done.attempt]).toEqual(["done", 2]);
  });

  it("a work item that fails every time waits as agent_failed and says which command", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("echo told to the person >&2; exit 3"),
      gates: [ALWAYS_RED],
      attempts: 2,
    });
    const stopped = await rig.until(id, "blocked");
    expect([stopped.reason, stopped.attempt]).toEqual(["agent_failed", 2]);
    expect(stopped.detail).toContain("work item work:");
    expect(stopped.detail).toContain("exited with 3");
    expect(stopped.items["work"]).toMatchObject({ status: "failed" });
    const [failed] = await rig.bodies(id, "WORK_ITEM_FAILED");
    expect(await rig.text(failed?.output ?? null)).toBe("told to the person");
  });

  it("a failing work item's output is what the next attempt is told", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan(
        'test -n "$AGENTOS_FAILURE" && grep -q "NEEDLE of the item" "$AGENTOS_FAILURE" || { echo NEEDLE of the item; exit 1; }; echo fixed > a.txt',
      ),
      gates: [WANTS_FIXED],
    });
    expect((await rig.until(id, "succeeded")).attempt).toBe(2);
  });

  it("no change, where the spec expects one, is refused, however green the gates", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("true"),
      gates: [gate("true")],
      attempts: 2,
    });
    const stopped = await rig.until(id, "blocked");
    expect(stopped.reason).toBe("gates_exhausted");
    expect(stopped.detail).toContain("nothing was changed, and the spec expects a change");
  });

  it("no change is fine where none is expected", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("true"),
      gates: [gate("true")],
      expects_change: false,
    });
    const done = await rig.until(id, "succeeded");
    expect(done.candidate?.["app"]).toMatchObject({ changed: 0 });
    expect(done.candidate?.["app"]?.commit).toBe(done.bases?.["app"]?.commit);
  });

  it("after a command that may reach outside nothing begins again by itself: it would reach there again", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan({ run: "echo two > a.txt", network: ["registry.example:443"] }),
      gates: [ALWAYS_RED],
    });
    const stopped = await rig.until(id, "blocked");
    expect([stopped.reason, stopped.attempt]).toEqual(["gates_exhausted", 1]);
    const { seq } = await rig.system.cases.answer.resume({ kind: "person", name: "ada" }, id, null, null);
    await rig.happened(id, "BLOCKED", seq);
    expect((await rig.task(id)).attempt).toBe(2);
  });

  it("items are worked on in the order of what they depend on", async () => {
    const repo = repository();
    const item = (id: string, depends_on: string[]) => ({
      id,
      title: id,
      depends_on,
      do: [{ run: `echo ${id} >> order.txt` }],
    });
    const id = await rig.approved(await rig.project(repo), {
      agent: "script",
      plan: { items: [item("last", ["middle"]), item("middle", ["first"]), item("first", [])] },
      gates: [gate("test \"$(tr '\\n' ' ' < order.txt)\" = 'first middle last '")],
    });
    await rig.until(id, "succeeded");
    expect(git(repo, "status", "--porcelain")).toBe("");
  });

  it("leaves nothing to warn about", () => expect(rig.warnings).toEqual([]));
});
