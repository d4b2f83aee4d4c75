import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { isFailure } from "../../src/domain/failure.ts";
import type { Status } from "../../src/domain/task.ts";
import { ADA, commit, fingerprint, gate, git, plan, type Rig, repository, startRig } from "./task-kit.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});

const GREEN = gate("test -f done");
const WORK = plan("touch done");
const TERMINAL: ReadonlySet<string> = new Set(["COMPLETED", "FAILED", "CANCELED"]);

/** A command that does not end by itself. */
const LINGERS = plan("sleep 600");

async function refused(what: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await what;
  } catch (error) {
    if (!isFailure(error, "task/refused")) throw error;
    return { ...error.facts };
  }
  throw new Error("it was not refused");
}

/** Resolves once the command of the open step is a process. */
async function underWay(id: string): Promise<void> {
  for (;;) {
    const [step] = (await rig.system.cases.look.steps(id)).filter(
      ({ status, act }) => status === "open" && act.kind === "command",
    );
    const marks = (await rig.system.store.operations.processes()).filter((one) => one.task === id);
    if (step !== undefined && marks.length > 0) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("what a person answers", () => {
  it("interactive mode asks before every work item, and only then works on it", async () => {
    const item = (id: string) => ({ id, title: id, do: [{ run: `echo ${id} >> order.txt` }] });
    const id = await rig.approved(await rig.project(repository()), {
      agent: "script",
      plan: { items: [item("one"), item("two")] },
      gates: [gate("test $(wc -l < order.txt) = 2")],
      run_mode: "interactive",
    });
    for (const wanted of ["one", "two"]) {
      const asked = await rig.until(id, "awaiting_approval");
      expect(asked.proposal).toEqual({ kind: "work_item", item: wanted, plan: asked.plan?.hash });
      expect(asked.items[wanted]).toEqual({ status: "pending", approved: false });
      await rig.approve(id);
      await rig.happened(id, wanted === "one" ? "WORK_ITEM_COMPLETED" : "COMPLETED");
    }
    await rig.until(id, "succeeded");
    const told = (await rig.events(id)).map(({ event }) => event.type).filter((type) => type.startsWith("WORK_ITEM"));
    const once = ["WORK_ITEM_PROPOSED", "WORK_ITEM_APPROVED", "WORK_ITEM_STARTED", "WORK_ITEM_COMPLETED"];
    expect(told).toEqual([...once, ...once]);
  });

  it("a request for changes leads to plan 2, which needs its own approval", async () => {
    const id = await rig.queued(await rig.project(repository()), { ...WORK, gates: [GREEN] });
    const first = await rig.until(id, "awaiting_approval");
    const { seq } = await rig.system.cases.answer.requestChanges(ADA, id, "please look twice");
    await rig.happened(id, "PLAN_PROPOSED", seq);
    const second = await rig.until(id, "awaiting_approval");
    expect([first.plan?.version, second.plan?.version, second.approval]).toEqual([1, 2, null]);
    const { value } = await rig.system.cases.look.plan(id);
    expect(value.notes.join(" ")).toContain("please look twice");
    const old = await refused(
      rig.system.cases.answer.approve(ADA, id, { plan: first.plan?.hash ?? "", spec: null, item: null, reason: null }),
    );
    expect(String(old["why"])).toContain("the approval names");
    await rig.approve(id);
    const done = await rig.until(id, "succeeded");
    expect(done.approval?.plan).toBe(second.plan?.hash);
  });

  it("an approval for another spec is refused", async () => {
    const id = await rig.queued(await rig.project(repository()), { ...WORK, gates: [GREEN] });
    const { plan } = await rig.until(id, "awaiting_approval");
    const no = await refused(
      rig.system.cases.answer.approve(ADA, id, {
        plan: plan?.hash ?? "",
        spec: "0".repeat(64),
        item: null,
        reason: null,
      }),
    );
    expect(String(no["why"])).toContain("the spec is now");
    expect((await rig.task(id)).status).toBe("awaiting_approval");
    await rig.system.cases.answer.cancel(ADA, id, null);
  });

  it("a rejected plan cancels the task as plan_rejected", async () => {
    const id = await rig.queued(await rig.project(repository()), { ...WORK, gates: [GREEN] });
    await rig.until(id, "awaiting_approval");
    await rig.system.cases.answer.reject(ADA, id, "not like this");
    const ended = await rig.task(id);
    expect(ended).toMatchObject({ status: "canceled", exitReason: "plan_rejected" });
    const [why] = await rig.bodies(id, "PLAN_REJECTED");
    expect(await rig.text(why?.reason ?? null)).toBe("not like this");
  });

  it("revising voids freeze, plan and approval, and the old plan cannot be approved any more", async () => {
    const repo = repository();
    const id = await rig.queued(await rig.project(repo), { ...WORK, gates: [GREEN], run_mode: "interactive" });
    const before = await rig.until(id, "awaiting_approval");
    await rig.approve(id);
    await rig.happened(id, "WORK_ITEM_PROPOSED");
    await rig.until(id, "awaiting_approval");
    await rig.system.cases.reviseTask(ADA, id, { runMode: "assisted", title: "Another title" });
    const draft = await rig.task(id);
    expect([draft.status, draft.phase, draft.spec, draft.plan, draft.approval, draft.bases]).toEqual([
      "draft",
      "intent",
      null,
      null,
      null,
      null,
    ]);
    expect(
      await refused(
        rig.system.cases.answer.approve(ADA, id, {
          plan: before.plan?.hash ?? "",
          spec: before.spec?.hash ?? "",
          item: null,
          reason: null,
        }),
      ),
    ).toMatchObject({ status: "draft" });
    const later = commit(repo, "the branch moves on");
    await rig.system.cases.freezeTask(ADA, id);
    await rig.system.cases.answer.ready(ADA, id);
    const again = await rig.until(id, "awaiting_approval");
    expect([again.spec?.version, again.plan?.version, again.bases?.["app"]?.commit]).toEqual([2, 2, later]);
    await rig.approve(id);
    expect((await rig.until(id, "succeeded", "blocked")).status).toBe("succeeded");
  });
});

describe("cancel", () => {
  /** Every status a task can be canceled in, and how it gets there. */
  const PLACES: Readonly<Record<Exclude<Status, "succeeded" | "failed" | "canceled">, () => Promise<string>>> = {
    draft: async () => rig.frozen(await rig.project(repository()), { ...WORK, gates: [GREEN] }),
    queued: async () => {
      // A system that takes nothing up keeps it in the queue.
      const still = await startRig({}, { tasksMax: 0 });
      rigOf.set("queued", still);
      return still.queued(await still.project(repository()), { ...WORK, gates: [GREEN] });
    },
    running: async () => {
      const id = await rig.approved(await rig.project(repository()), { ...LINGERS, gates: [GREEN] });
      await underWay(id);
      return id;
    },
    awaiting_approval: async () => {
      const id = await rig.queued(await rig.project(repository()), { ...WORK, gates: [GREEN] });
      await rig.until(id, "awaiting_approval");
      return id;
    },
    blocked: async () => {
      const id = await rig.queued(await rig.project(repository()), { gates: [GREEN] });
      await rig.until(id, "blocked");
      return id;
    },
  };
  const rigOf = new Map<string, Rig>();

  for (const status of Object.keys(PLACES) as (keyof typeof PLACES)[])
    it(`in ${status}, asked for twice, is one terminal event`, async () => {
      const id = await PLACES[status]();
      const at = rigOf.get(status) ?? rig;
      expect((await at.task(id)).status).toBe(status);
      await Promise.allSettled([
        at.system.cases.answer.cancel(ADA, id, "enough"),
        at.system.cases.answer.cancel(ADA, id, "enough"),
      ]);
      const ended = await at.until(id, "canceled");
      expect([ended.exitReason, ended.openStep]).toEqual(["canceled_by_person", null]);
      await refused(at.system.cases.answer.cancel(ADA, id, null));
      const types = (await at.events(id)).map(({ event }) => event.type);
      expect(types.filter((type) => TERMINAL.has(type))).toEqual(["CANCELED"]);
      expect(types.at(-1)).toBe("CANCELED");
      if (status === "running") {
        expect(types.filter((type) => type === "CANCEL_REQUESTED")).toHaveLength(1);
        expect(await rig.bodies(id, "STEP_LOST")).toMatchObject([{ cause: "canceled" }]);
        expect((await rig.system.store.operations.processes()).filter((one) => one.task === id)).toEqual([]);
      }
    });

  it("that comes while the plan is being proposed still ends the task: it does not wait for an approval nobody wants", async () => {
    let racing = false;
    const raced = await startRig({
      store: (store) => ({
        ...store,
        async append(wanted) {
          if (!racing && wanted.events.some(({ event }) => event.type === "PLAN_PROPOSED")) {
            racing = true;
            await raced.system.cases.answer.cancel(ADA, wanted.stream.slice("task/".length), null);
          }
          return store.append(wanted);
        },
      }),
    });
    const id = await raced.queued(await raced.project(repository()), { ...WORK, gates: [GREEN] });
    const ended = await raced.until(id, "canceled", "awaiting_approval");
    expect([ended.status, racing]).toEqual(["canceled", true]);
    expect(raced.warnings).toEqual([]);
  });

  it("of a task that has ended is refused and names what is allowed", async () => {
    const id = await rig.approved(await rig.project(repository()), { ...WORK, gates: [GREEN] });
    await rig.until(id, "succeeded");
    expect(await refused(rig.system.cases.answer.cancel(ADA, id, null))).toEqual({
      status: "succeeded",
      refused: "cancel",
      why: null,
      allowed: [],
    });
  });
});

describe("pause and resume", () => {
  it("a pause takes effect at the next boundary, and resume goes on with what was done", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("echo 1 >> done; sleep 1", "echo 2 >> done"),
      gates: [gate("test \"$(tr '\\n' ' ' < done)\" = '1 2 '")],
    });
    await underWay(id);
    await rig.system.cases.answer.pause(ADA, id, "lunch");
    const paused = await rig.until(id, "blocked");
    expect([paused.reason, paused.openStep, paused.pauseRequested, paused.phase]).toEqual([
      "paused",
      null,
      false,
      "implementation",
    ]);
    expect(Object.keys(paused.finished)).toHaveLength(1);
    await rig.system.cases.answer.resume(ADA, id, null, null);
    await rig.until(id, "succeeded");
    const started = (await rig.bodies(id, "STEP_STARTED")).filter(({ act }) => act.kind === "command");
    expect(started.map(({ run }) => run)).toEqual([1, 1]);
    expect(new Set(started.map(({ step }) => step)).size).toBe(2);
  });

  it("two pauses are one", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("sleep 1", "touch done"),
      gates: [GREEN],
    });
    await underWay(id);
    await rig.system.cases.answer.pause(ADA, id, null);
    await rig.system.cases.answer.pause(ADA, id, null);
    await rig.until(id, "blocked");
    expect(await rig.bodies(id, "PAUSE_REQUESTED")).toHaveLength(1);
    await rig.system.cases.answer.cancel(ADA, id, null);
  });

  it("a pause that was overtaken by another wait does not stop the task again after resume", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("sleep 1; exit 1"),
      gates: [GREEN],
      attempts: 1,
    });
    await underWay(id);
    await rig.system.cases.answer.pause(ADA, id, null);
    expect((await rig.until(id, "blocked")).reason).toBe("agent_failed");
    const { seq } = await rig.system.cases.answer.resume(ADA, id, null, null);
    await rig.happened(id, "BLOCKED", seq);
    expect((await rig.until(id, "blocked")).reason).toBe("agent_failed");
    await rig.system.cases.answer.cancel(ADA, id, null);
  });

  it("what someone wrote into the workspace while the task waited is no part of its work", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("echo 1 >> done; sleep 1", "echo 2 >> done"),
      attempts: 1,
      gates: [gate("test \"$(tr '\\n' ' ' < done)\" = '1 2 '")],
    });
    await underWay(id);
    await rig.system.cases.answer.pause(ADA, id, null);
    const { epoch } = await rig.until(id, "blocked");
    writeFileSync(join(rig.home, "workspaces", id, String(epoch), "app", "done"), "1\nby hand\n");
    await rig.system.cases.answer.resume(ADA, id, null, null);
    const done = await rig.until(id, "succeeded");
    expect(Object.values(done.candidate ?? {}).map(({ changed }) => changed)).toEqual([1]);
  });

  it("the daemon put down in good order gives the task back, and the next one goes on", async () => {
    const first = await startRig();
    const id = await first.approved(await first.project(repository()), {
      ...plan("echo 1 >> done", "test -f slow || sleep 2", "echo 2 >> done"),
      gates: [gate("test \"$(tr '\\n' ' ' < done)\" = '1 2 '")],
    });
    await first.happened(id, "CHECKPOINTED");
    await first.stop();
    const second = await startRig({}, { home: first.home });
    const done = await second.until(id, "succeeded");
    expect(done.deaths).toBe(0);
    const types = (await second.events(id)).map(({ event }) => event.type);
    expect(types.filter((type) => type === "WORK_ITEM_STARTED")).toHaveLength(1);
    expect((await second.bodies(id, "CLAIMED")).map(({ takeover }) => takeover)).toEqual([false, false, false]);
    expect([...first.warnings, ...second.warnings]).toEqual([]);
  });
});

describe("the person's own repository", () => {
  it("is byte for byte what it was, its dirty files are named and not taken", async () => {
    const repo = repository();
    writeFileSync(join(repo, "a.txt"), "dirty\n");
    writeFileSync(join(repo, "new.txt"), "untracked\n");
    const before = fingerprint(repo);
    const id = await rig.approved(await rig.project(repo), {
      ...plan("cat a.txt > seen; test ! -e new.txt; touch done"),
      gates: [gate("grep -qx one seen && test -f done")],
    });
    const done = await rig.until(id, "succeeded", "blocked");
    expect(done.status).toBe("succeeded");
    expect(done.bases?.["app"]).toMatchObject({
      commit: git(repo, "rev-parse", "HEAD"),
      branch: "main",
      dirty: ["a.txt", "new.txt"],
      included: false,
    });
    expect(fingerprint(repo)).toBe(before);
  });

  it("include_changes takes the dirty files as the base", async () => {
    const repo = repository();
    writeFileSync(join(repo, "a.txt"), "dirty\n");
    writeFileSync(join(repo, "new.txt"), "untracked\n");
    const before = fingerprint(repo);
    const id = await rig.approved(await rig.project(repo), {
      ...plan("cat a.txt new.txt > seen"),
      gates: [gate("test \"$(tr '\\n' ' ' < seen)\" = 'dirty untracked '")],
      include_changes: true,
    });
    const done = await rig.until(id, "succeeded", "blocked");
    expect(done.status).toBe("succeeded");
    expect(done.bases?.["app"]).toMatchObject({ dirty: ["a.txt", "new.txt"], included: true });
    expect(done.bases?.["app"]?.commit).not.toBe(git(repo, "rev-parse", "HEAD"));
    const { look } = rig.system.cases;
    expect((await look.diff(id, null))["app"]?.changed.map(({ path }) => path)).toEqual(["seen"]);
    expect(Object.keys(await look.diff(id, "app"))).toEqual(["app"]);
    await expect(look.diff(id, "ap")).rejects.toMatchObject({
      code: "repo/not-found",
      message: `task ${id} has no repo ap; it has app`,
    });
    expect(fingerprint(repo)).toBe(before);
  });
});

it("leaves nothing to warn about", () => expect(rig.warnings).toEqual([]));
