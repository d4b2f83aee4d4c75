import { describe, expect, it, test } from "vitest";
import { ADA, COMMANDS, event, type Given, give, given, IN, ref, SLY, WORKER } from "../../test/support/given-task.ts";
import { circleThrough, DEPENDENCY_KINDS, type Dependency, recordedAs, spoken } from "./dependency.ts";
import type { Input } from "./event.ts";
import { bytesOf, inputsAfter } from "./inputs.ts";
import type { Command } from "./lifecycle.ts";
import { waitingFor } from "./sentence.ts";
import { type DependencyNow, STANDING } from "./standing.ts";
import { STATUSES } from "./task.ts";

const requires: Dependency = { on: "T2", kind: "requires" };
const add = (dependency: Dependency): Command => give("add_dependency", { dependency });
const remove = (dependency: Dependency): Command => give("remove_dependency", { dependency });
const claim = (epoch: number, ...met: readonly Input[]): Command => give("claim", { worker: "w1", epoch, met }, WORKER);
const left = (task: string, ...names: readonly string[]): Input => ({
  task,
  artifacts: names.map((name) => ({ name, mediaType: "text/plain", content: ref(name) })),
});
const types = (history: Given, command: Command) => {
  const decision = history.when(command);
  return "refused" in decision ? decision.why : decision.map((one) => one.event.type).join(" ");
};

describe("what is said of two tasks", () => {
  it.each(DEPENDENCY_KINDS)("%s is recorded at the task that comes later, and told as it was said", (kind) => {
    const { later, dependency } = recordedAs("A", kind, "B");
    expect([later, dependency]).toEqual(kind === "blocks" ? ["B", { on: "A", kind }] : ["A", { on: "B", kind }]);
    expect(spoken(later, dependency)).toEqual({ task: "A", kind, other: "B" });
  });

  test("only a success is what a required task is waited for; any end frees what is blocked; a suggestion holds nobody", () => {
    expect(
      STATUSES.map((status) => [STANDING.requires[status], STANDING.blocks[status], STANDING.suggests[status]]),
    ).toEqual([
      ["holds", "holds", "met"],
      ["holds", "holds", "met"],
      ["holds", "holds", "met"],
      ["holds", "holds", "met"],
      ["holds", "holds", "met"],
      ["met", "met", "met"],
      ["failed", "met", "met"],
      ["failed", "met", "met"],
    ]);
  });

  test("the shortest circle is told, from the task back to it; without one there is none", () => {
    const edges = [
      { task: "A", on: "B" },
      { task: "B", on: "X" },
      { task: "B", on: "C" },
      { task: "C", on: "D" },
      { task: "D", on: "A" },
      { task: "C", on: "A" },
    ];
    expect(circleThrough("A", edges)).toEqual(["A", "B", "C", "A"]);
    expect(circleThrough("X", edges)).toBeNull();
    expect(circleThrough("A", [{ task: "A", on: "A" }])).toEqual(["A", "A"]);
  });
});

describe("a dependency", () => {
  test("is added once; another kind for the same task, the task itself and an agent's word are refused", () => {
    const there = IN.queued.and(add(requires));
    expect(there.task.dependencies).toEqual([requires]);
    expect(there.when(add(requires))).toEqual([]);
    expect(types(there, add({ on: "T2", kind: "blocks" }))).toBe("it depends on task T2 already, by requires");
    expect(types(there, add({ on: "T1", kind: "requires" }))).toBe("a task cannot depend on itself");
    const agent = "an agent may not change what comes before its task";
    expect(types(there, { ...add({ on: "T3", kind: "blocks" }), by: SLY } as Command)).toBe(agent);
    expect(types(there, { ...remove(requires), by: SLY } as Command)).toBe(agent);
  });

  test("is removed by its own kind only, and survives a revised spec until then", () => {
    const there = given(add(requires), COMMANDS.revise);
    expect(types(there, remove({ on: "T2", kind: "blocks" }))).toBe("it does not depend on task T2 by blocks");
    expect(there.and(remove(requires)).task.dependencies).toEqual([]);
  });

  test("holds the claim until the other task is among those that are met, whoever chose the task", () => {
    const there = IN.queued
      .and(add(requires))
      .and(add({ on: "T3", kind: "blocks" }))
      .and(add({ on: "T4", kind: "suggests" }));
    expect(types(there, claim(1))).toBe("it waits for task T2");
    expect(types(there, claim(1, left("T2")))).toBe("it waits for task T3");
    expect(types(there, claim(1, left("T2"), left("T3")))).toBe("CLAIMED INPUTS_PINNED");
  });

  test("pins what a required task left at the first claim; what it stores later is not seen", () => {
    const first = IN.queued.and(add(requires)).and(claim(1, left("T2", "out.json")));
    expect(first.task.inputs).toEqual([left("T2", "out.json")]);
    const again = first
      .and(give("pause", { reason: null }))
      .and(give("report", { worker: "w1", epoch: 1, report: { type: "stop", why: "pause" } }, WORKER))
      .and(COMMANDS.resume);
    expect(types(again, claim(2, left("T2", "out.json", "more.txt")))).toBe("CLAIMED");
    const wider = again.and(add({ on: "T5", kind: "requires" })).and(claim(2, left("T2"), left("T5", "b")));
    expect(wider.task.inputs).toEqual([left("T2", "out.json"), left("T5", "b")]);
    const other = again.and(remove(requires)).and(claim(2));
    expect(other.task.inputs).toEqual([]);
  });

  test("whose task did not succeed puts the later one down by name; removing it lets that one go on", () => {
    const missed = IN.queued.and(add(requires)).and(COMMANDS.miss_dependency);
    expect(missed.task).toMatchObject({
      status: "blocked",
      reason: "dependency_failed",
      detail: "it requires task T2, which failed",
    });
    expect(waitingFor(missed.task)?.next).toContain("agentos task deps remove T1 --requires TASK");
    const nextOf = (status: DependencyNow["status"]) =>
      waitingFor(missed.task, [{ ...requires, title: "Mend it", status, exitReason: null }])?.next;
    expect([nextOf("failed"), nextOf("canceled")]).toEqual([
      "agentos task retry T2, and when it succeeded agentos task resume T1; to go on without it: agentos task deps remove T1 --requires T2; or agentos task cancel T1.",
      "That task was canceled for good. agentos task fork T2 has its work done anew (then agentos task deps add T1 --requires NEW); to go on without it: agentos task deps remove T1 --requires T2; or agentos task cancel T1.",
    ]);
    expect(types(missed, COMMANDS.resume)).toBe("RESUMED QUEUED");
    expect(missed.when(remove(requires))).toEqual([
      { actor: ADA, event: event("DEPENDENCY_REMOVED") },
      { actor: ADA, event: { type: "RESUMED", body: { from: "dependency_failed", reason: null } } },
      { actor: ADA, event: { type: "QUEUED", body: { cause: "resumed" } } },
    ]);
    expect(types(IN.blocked.and(add(requires)), remove(requires))).toBe("DEPENDENCY_REMOVED");
  });
});

describe("what required tasks left", () => {
  test("counts together, whatever else it depends on", () => {
    const both = inputsAfter(
      [requires, { on: "T3", kind: "blocks" }],
      [],
      [left("T2", "one", "three"), left("T3", "four")],
    );
    expect(both).toEqual([left("T2", "one", "three")]);
    expect(bytesOf(both)).toBe("onethree".length);
    expect(bytesOf([])).toBe(0);
  });
});

describe("a queued task says what it waits for", () => {
  const now = (kind: DependencyNow["kind"], status: DependencyNow["status"]): DependencyNow => ({
    on: "T2",
    kind,
    title: "Mend it",
    status,
    exitReason: null,
  });
  test("in one sentence, and nothing when nothing holds it", () => {
    expect(
      waitingFor(IN.queued.task, [now("requires", "running"), { ...now("blocks", "awaiting_approval"), on: "T3" }]),
    ).toEqual({
      reason: "dependency",
      sentence:
        "It waits for task T2 (“Mend it”, running) to succeed, and for task T3 (“Mend it”, awaiting approval) to end.",
      next: "agentos task show T2",
    });
    expect(waitingFor(IN.queued.task, [now("requires", "succeeded"), now("suggests", "queued")])).toBeNull();
    expect(waitingFor(IN.queued.task)).toBeNull();
  });

  test("in what is paused by a person: since when, why, and how it goes on", () => {
    const paused = { project: null, sinceMs: Date.UTC(2026, 0, 31, 12), by: "person:ada", reason: "look first" };
    const sentence = "It waits because everything is paused since 2026-01-31 12:00:00 UTC by person:ada: look first.";
    expect(waitingFor(IN.queued.task, [], paused)).toEqual({
      reason: "daemon_paused",
      sentence,
      next: "agentos daemon resume",
    });
    expect(waitingFor(IN.queued.task, [now("requires", "running")], paused)?.sentence).toBe(
      `${sentence} It waits for task T2 (“Mend it”, running) to succeed.`,
    );
    expect(waitingFor(IN.queued.task, [], { ...paused, project: "shop", reason: null })).toEqual({
      reason: "project_paused",
      sentence: "It waits because project shop is paused since 2026-01-31 12:00:00 UTC by person:ada.",
      next: "agentos project resume shop",
    });
    expect(waitingFor(IN.running.task, [], paused)).toBeNull();
  });
});
