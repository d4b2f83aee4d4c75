import { beforeAll, describe, expect, it } from "vitest";
import { draftFrom } from "../../src/contract/from-wire.ts";
import type { Dependency, DependencyKind } from "../../src/domain/dependency.ts";
import { type Failure, isFailure } from "../../src/domain/failure.ts";
import type { Project } from "../../src/domain/project.ts";
import { waitingFor } from "../../src/domain/sentence.ts";
import { ADA, gate, plan, type Rig, repository, startRig } from "./task-kit.ts";

let rig: Rig;
let project: Project;
beforeAll(async () => {
  // One place: a task that waits for another must not take it.
  rig = await startRig({}, { tasksMax: 1 });
  project = await rig.project(repository());
});

const QUICK = { agent: "gates", gates: [gate("true")], run_mode: "autonomous" };
const ASKS = { ...QUICK, run_mode: "assisted" };

const say = (task: string, kind: DependencyKind, other: string) =>
  rig.system.cases.dependencies.add(ADA, { task, kind, other });
const takeBack = (task: string, kind: DependencyKind, other: string) =>
  rig.system.cases.dependencies.remove(ADA, { task, kind, other });
const ready = (id: string) => rig.system.cases.answer.ready(ADA, id);
const waits = async (id: string) => {
  const { task, before } = await rig.system.cases.look.task(id);
  return waitingFor(task, before);
};
/** Goes on by itself; it is not worked on to its end here. */
const goesOn = async (id: string, afterSeq = 0): Promise<void> => {
  await rig.happened(id, "CLAIMED", afterSeq);
  await rig.system.cases.answer.cancel(ADA, id, null);
};
const created = async (title: string, dependencies: readonly Dependency[] = []) =>
  (
    await rig.system.cases.createTask(ADA, {
      id: null,
      draft: draftFrom({ title }),
      createdBy: "ada",
      session: "s-drafts",
      metadata: null,
      priority: null,
      project: project.id,
      dependencies,
    })
  ).task;
const failureOf = async (what: Promise<unknown>): Promise<Failure> => {
  try {
    await what;
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
  throw new Error("nothing was refused");
};

describe("a task that comes after another", () => {
  it("requires its success: it waits without a place, and goes on the moment the other has succeeded", async () => {
    const parser = await rig.queued(project, { ...ASKS, title: "Mend the parser" });
    const user = await rig.frozen(project, QUICK);
    await say(user, "requires", parser);
    await ready(user);
    await rig.until(parser, "awaiting_approval");
    const other = await rig.queued(project, QUICK);
    await rig.until(other, "succeeded");
    expect(await rig.task(user)).toMatchObject({ status: "queued", epoch: 0 });
    expect(await waits(user)).toEqual({
      reason: "dependency",
      sentence: `It waits for task ${parser} (“Mend the parser”, awaiting approval) to succeed.`,
      next: `agentos task show ${parser}`,
    });
    await rig.approve(parser);
    await rig.until(parser, "succeeded");
    await goesOn(user);
    expect(await rig.bodies(user, "INPUTS_PINNED")).toEqual([
      { inputs: [{ task: parser, artifacts: (await rig.task(parser)).artifacts }] },
    ]);
    expect((await rig.events(user)).filter(({ event }) => event.type === "BLOCKED")).toEqual([]);
  });

  it("is blocked by it until it has ended, however it ended", async () => {
    const first = await rig.frozen(project, QUICK);
    const second = await rig.frozen(project, QUICK);
    await say(first, "blocks", second);
    await ready(second);
    expect((await waits(second))?.sentence).toContain("to end.");
    await rig.system.cases.answer.cancel(ADA, first, null);
    await goesOn(second);
    expect((await rig.task(second)).dependencies).toEqual([{ on: first, kind: "blocks" }]);
  });
});

describe("a required task that did not succeed", () => {
  it("puts the later one down as dependency_failed; retried and resumed, or without the dependency, it goes on", async () => {
    const fails = await rig.queued(project, {
      ...plan("test -f /nonexistent || exit 3"),
      gates: [gate("true")],
      run_mode: "autonomous",
      attempts: 1,
    });
    await rig.until(fails, "failed");
    const user = await rig.frozen(project, QUICK);
    await say(user, "requires", fails);
    await ready(user);
    expect(await rig.until(user, "blocked")).toMatchObject({
      reason: "dependency_failed",
      detail: `it requires task ${fails}, which failed (gates failed)`,
      epoch: 0,
    });
    // Resumed while nothing has changed it is told the same again.
    await rig.system.cases.answer.resume(ADA, user, null, null);
    await rig.until(user, "blocked");
    await takeBack(user, "requires", fails);
    await goesOn(user);
  });

  it("was canceled: nothing more can require it, and what did is put down", async () => {
    const gone = await rig.frozen(project, QUICK);
    const user = await rig.frozen(project, QUICK);
    await say(user, "requires", gone);
    await ready(user);
    await rig.system.cases.answer.cancel(ADA, gone, null);
    expect((await rig.until(user, "blocked")).detail).toBe(
      `it requires task ${gone}, which was canceled (canceled by person)`,
    );
    const late = await failureOf(say(await rig.frozen(project, QUICK), "requires", gone));
    expect([late.code, late.message]).toEqual([
      "task/refused",
      `task ${gone} was canceled and can never succeed, so nothing can require it`,
    ]);
  });
});

describe("a circle", () => {
  const drafts = async (count: number): Promise<readonly string[]> => {
    const ids: string[] = [];
    for (let at = 0; at < count; at += 1) ids.push((await created("A draft")).id);
    return ids;
  };

  it("is refused with its path, across both kinds that hold a task", async () => {
    const [a, b, c] = (await drafts(3)) as [string, string, string];
    await say(a, "requires", b);
    await say(c, "blocks", b);
    const refused = await failureOf(say(c, "requires", a));
    expect(refused.code).toBe("task/refused");
    expect(refused.message).toContain([c, a, b, c].join(" → "));
    expect(refused.facts["circle"]).toEqual([c, a, b, c]);
    expect((await rig.task(c)).dependencies).toEqual([]);
    // What holds nobody closes no circle.
    await say(c, "suggests", a);
    await takeBack(a, "requires", b);
    await say(b, "requires", a);
  });

  it("made by two additions at the same time, in two streams: exactly one is refused", async () => {
    for (let round = 0; round < 5; round += 1) {
      const [a, b] = (await drafts(2)) as [string, string];
      const tries = await Promise.allSettled([say(a, "requires", b), say(b, "requires", a)]);
      expect(tries.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      const refused = tries.find((one) => one.status === "rejected");
      expect(isFailure(refused?.reason, "task/refused")).toBe(true);
    }
  });
});

describe("dependencies", () => {
  it("are shown around a task, of a session, and as what was said", async () => {
    const first = (await created("First")).id;
    const second = await created("Second", [{ on: first, kind: "requires" }]);
    const third = (await created("Third")).id;
    await say(second.id, "blocks", third);
    const said = [
      { task: second.id, kind: "requires", other: first },
      { task: second.id, kind: "blocks", other: third },
    ];
    const { around, all } = rig.system.cases.dependencies;
    for (const id of [first, second.id, third]) {
      const graph = await around(id);
      expect(graph.cut).toBe(false);
      expect(new Set(graph.dependencies)).toEqual(new Set(said));
      expect(new Set(graph.tasks.map(({ title }) => title))).toEqual(new Set(["First", "Second", "Third"]));
    }
    expect((await all({ project: null, session: "s-drafts" })).dependencies).toEqual(expect.arrayContaining(said));
    expect((await all({ project: null, session: "s-other" })).dependencies).toEqual([]);
    expect((await all({ project: project.name, session: null })).dependencies).toEqual(expect.arrayContaining(said));
  });

  it("of a new task are there from its first event, and name only tasks there are", async () => {
    const unknown = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    expect((await failureOf(created("x", [{ on: unknown, kind: "requires" }]))).code).toBe("task/not-found");
    expect((await failureOf(say((await created("x")).id, "blocks", unknown))).code).toBe("task/not-found");
  });

  it("left no trouble that nobody was told of", () => expect(rig.warnings).toEqual([]));
});
