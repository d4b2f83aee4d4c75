import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NOTHING_SAID } from "../../src/app/answer-task.ts";
import { listView, taskView } from "../../src/contract/present.ts";
import type { Project } from "../../src/domain/project.ts";
import { EVERY_TASK } from "../../src/ports/store.ts";
import { ADA, gate, plan, type Rig, repository, startRig } from "./task-kit.ts";

/** Whose turn it is, and who may not have one: priorities, limits of projects, and pauses. */

const GREEN = gate("true");
const QUICK = { ...plan("touch done"), gates: [GREEN], run_mode: "autonomous" };

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({}, { tasksMax: 1 });
});
afterAll(() => rig.stop());

const claims = async (of: Rig): Promise<readonly string[]> =>
  (await of.system.store.since(0, 10_000)).flatMap(({ stream, recorded }) =>
    recorded.event.type === "CLAIMED" ? [stream.slice("task/".length)] : [],
  );

/** Queued while everything is paused, so that all of them stand there when the first is taken up. */
async function whilePaused<T>(of: Rig, work: () => Promise<T>): Promise<T> {
  await of.system.cases.pauseAll(ADA, "an incident");
  const made = await work();
  await of.system.cases.resumeAll(ADA, null);
  return made;
}

describe("with room for one task", () => {
  it("the more urgent one goes first, then projects take turns, and each waits for room", async () => {
    const [one, other] = [await rig.project(repository()), await rig.project(repository())];
    const before = (await claims(rig)).length;
    const ids = await whilePaused(rig, async () => {
      const queued = async (project: Project, title: string) => rig.queued(project, { title, ...QUICK });
      const made = { first: await queued(one, "first"), second: await queued(other, "second"), third: "" };
      made.third = await queued(one, "third");
      await rig.system.cases.answer.prioritize(ADA, made.third, "urgent");
      expect((await claims(rig)).length).toBe(before);
      return made;
    });
    for (const id of Object.values(ids)) await rig.until(id, "succeeded");
    const order = [...new Set((await claims(rig)).slice(before))];
    expect(order).toEqual([ids.third, ids.first, ids.second]);
    expect(await rig.bodies(ids.third, "PRIORITIZED")).toEqual([{ priority: "urgent", from: "normal" }]);
    expect((await rig.system.cases.look.task(ids.third)).row.priority).toBe("urgent");
  });

  it("a task that waits for a person, or is paused, keeps nobody from working", async () => {
    const project = await rig.project(repository());
    const asks = await rig.queued(project, { title: "asks", ...plan("true"), gates: [GREEN] });
    await rig.until(asks, "awaiting_approval");
    const sleeps = await rig.queued(project, {
      title: "sleeps",
      ...plan("sleep 0.3", "sleep 0.3", "sleep 0.3", "sleep 0.3"),
      gates: [GREEN],
      run_mode: "autonomous",
    });
    await rig.happened(sleeps, "STEP_STARTED");
    await rig.system.cases.answer.pause(ADA, sleeps, null);
    expect((await rig.until(sleeps, "blocked")).reason).toBe("paused");
    const works = await rig.queued(project, { title: "works", ...QUICK });
    expect((await rig.until(works, "succeeded")).exitReason).toBe("done");
    for (const id of [asks, sleeps]) await rig.system.cases.answer.cancel(ADA, id, null);
  });

  it("the priority that its metadata names is the task's", async () => {
    const made = await rig.system.cases.createTask(ADA, {
      id: null,
      draft: {
        title: "t",
        intent: "",
        criteria: [],
        constraints: [],
        scopes: null,
        gates: [],
        prepare: [],
        agent: null,
        plan: null,
        runMode: null,
        expectsChange: null,
        includeDirty: false,
        attempts: null,
        limits: {},
      },
      createdBy: "ada",
      session: null,
      metadata: { priority: "high" },
      priority: null,
      project: null,
      dependencies: [],
    });
    expect(made.task.priority).toBe("high");
  });
});

describe("a project", () => {
  it("never has more tasks running than its limit, also not after a restart", async () => {
    const many = await startRig();
    const project = await many.project(repository());
    await many.system.cases.changeProject(ADA, project.id, { settings: { tasksMax: 1 } });
    await many.stop();
    const again = await startRig({}, { home: many.home });
    const ids = await Promise.all(["a", "b"].map((title) => again.queued(project, { title, ...QUICK })));
    for (const id of ids) await again.until(id, "succeeded");
    const life = (await Promise.all(ids.map((id) => again.events(id)))).flat().sort((a, b) => a.atMs - b.atMs);
    let most = 0;
    let holding = 0;
    for (const { event } of life) {
      if (event.type === "CLAIMED") holding += 1;
      if (event.type === "PLAN_PROPOSED" || event.type === "COMPLETED") holding -= 1;
      most = Math.max(most, holding);
    }
    expect(most).toBe(1);
    await again.stop();
  });

  it("that is paused gives back what runs at the next boundary, and goes on where it was", async () => {
    const project = await rig.project(repository());
    const id = await rig.queued(project, {
      title: "long",
      ...plan("sleep 0.4; echo 1 > 1", "sleep 0.4; echo 2 > 2"),
      gates: [GREEN],
      run_mode: "autonomous",
    });
    await rig.happened(id, "WORK_ITEM_STARTED");
    await rig.system.cases.pauseProject(ADA, project.id, "look first");
    const waits = await rig.until(id, "queued");
    expect(waits.openStep).toBeNull();
    expect((await rig.bodies(id, "QUEUED")).at(-1)).toEqual({ cause: "project_paused" });
    // Another project's task passes it by: the slot is free, and the paused project's task is not taken up.
    const passes = await rig.queued(await rig.project(repository()), { title: "passes", ...QUICK });
    await rig.until(passes, "succeeded");
    expect((await rig.task(id)).status).toBe("queued");
    // Whoever looks is told so, in the list as well as in the task itself; of all that is paused, what holds every task comes first.
    const told = async (): Promise<readonly (string | undefined)[]> => {
      const { rows, next } = await rig.system.cases.look.tasks({
        ...EVERY_TASK,
        project: project.name,
        after: null,
        most: 10,
      });
      const seen = taskView(await rig.system.cases.look.task(id)).waiting;
      expect(listView(rows, next).items.map(({ waiting }) => waiting)).toEqual([seen]);
      return [seen?.reason, seen?.sentence.replace(/[-0-9]+ [:0-9]+ UTC/, "TIME"), seen?.next];
    };
    expect(await told()).toEqual([
      "project_paused",
      `It waits because project ${project.name} is paused since TIME by person:ada: look first.`,
      `agentos project resume ${project.name}`,
    ]);
    await rig.system.cases.pauseAll(ADA, "an incident");
    expect(await told()).toEqual([
      "daemon_paused",
      "It waits because everything is paused since TIME by person:ada: an incident.",
      "agentos daemon resume",
    ]);
    await rig.system.cases.resumeAll(ADA, null);
    await rig.system.cases.resumeProject(ADA, project.id, null);
    await rig.until(id, "succeeded");
    const started = (await rig.bodies(id, "STEP_STARTED")).map(({ step, run }) => `${step} ${run}`);
    expect(new Set(started).size).toBe(started.length);
    const kinds = (await rig.system.store.read(`project/${project.id}`, 0, 99)).map(({ event, actor }) => [
      event.type,
      actor.name,
    ]);
    expect(kinds.slice(-2)).toEqual([
      ["PROJECT_PAUSED", "ada"],
      ["PROJECT_RESUMED", "ada"],
    ]);
  });
});

describe("many tasks at once", () => {
  it("each say for themselves what came of it; a dry run changes nothing", async () => {
    const still = await startRig({}, { tasksMax: 0 });
    const [one, other] = [await still.project(repository()), await still.project(repository())];
    const [a, b, c] = [
      await still.queued(one, { title: "a", ...QUICK }),
      await still.queued(one, { title: "b", ...QUICK }),
      await still.queued(other, { title: "c", ...QUICK }),
    ];
    const { answerMany } = still.system.cases;
    const of = { status: null, project: one.name, session: null, after: null, most: 1 } as const;
    const position = await still.system.store.position();

    const would = await answerMany(ADA, {
      verb: "cancel",
      said: NOTHING_SAID,
      which: { ...of, most: 9 },
      dryRun: true,
    });
    expect(would).toEqual({
      items: [
        { id: b, title: "b", status: "queued", refused: null },
        { id: a, title: "a", status: "queued", refused: null },
      ],
      next: null,
    });
    expect(await still.system.store.position()).toBe(position);

    const first = await answerMany(ADA, { verb: "cancel", said: NOTHING_SAID, which: of, dryRun: false });
    expect([first.items.map(({ id }) => id), first.next === null]).toEqual([[b], false]);
    const rest = await answerMany(ADA, {
      verb: "cancel",
      said: { ...NOTHING_SAID, reason: "no longer" },
      which: { ...of, after: first.next },
      dryRun: false,
    });
    expect([rest.items.map(({ id }) => id), rest.next]).toEqual([[a], null]);

    const named = await answerMany(ADA, {
      verb: "resume",
      said: NOTHING_SAID,
      which: { ids: [a, c, "01ARZ3NDEKTSV4RRFFQ69G5FAV"] },
      dryRun: false,
    });
    expect(named.items.map(({ status, refused }) => [status, refused?.code])).toEqual([
      ["canceled", "task/refused"],
      ["queued", "task/refused"],
      [null, "task/not-found"],
    ]);
    expect(named.items[1]?.refused?.why).toContain("is queued and refuses resume");
    await still.stop();
  });
});

it("leaves nothing to warn about", () => expect(rig.warnings).toEqual([]));
