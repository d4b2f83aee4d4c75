import { describe, expect, it } from "vitest";
import { AGING_MS, type Claimable, inClaimOrder } from "./claim-order.ts";
import type { Priority } from "./priority.ts";

const NOW = 100 * AGING_MS;
const queued = (id: string, more: Partial<Claimable> = {}): Claimable => ({
  id,
  project: "p",
  priority: "normal",
  queuedAtMs: NOW,
  projectTasksMax: null,
  givesWay: false,
  ...more,
});
const order = (
  tasks: readonly Claimable[],
  {
    running = {},
    served = {},
    most = 10,
  }: {
    readonly running?: Record<string, number>;
    readonly served?: Record<string, number>;
    readonly most?: number;
  } = {},
): string =>
  inClaimOrder(
    tasks,
    { running: new Map(Object.entries(running)), servedAtMs: new Map(Object.entries(served)), nowMs: NOW },
    most,
  )
    .map(({ id }) => id)
    .join(" ");
const ago = (id: string, priority: Priority, agingTimes: number, project = "p"): Claimable =>
  queued(id, { priority, queuedAtMs: NOW - agingTimes * AGING_MS, project });

describe("tasks are taken up", () => {
  it("by priority first, then by how long they waited", () =>
    expect(
      order([
        queued("later", { queuedAtMs: NOW - 1 }),
        queued("low", { priority: "low", queuedAtMs: NOW - 9 }),
        queued("urgent", { priority: "urgent" }),
        queued("earlier", { queuedAtMs: NOW - 2 }),
        queued("high", { priority: "high" }),
      ]),
    ).toBe("urgent high earlier later low"));

  it("in turns between projects: the one with the fewest running first", () =>
    expect(
      order([
        queued("a1", { project: "a", queuedAtMs: NOW - 9 }),
        queued("a2", { project: "a", queuedAtMs: NOW - 8 }),
        queued("a3", { project: "a", queuedAtMs: NOW - 7 }),
        queued("b1", { project: "b" }),
        queued("b2", { project: "b" }),
      ]),
    ).toBe("a1 b1 a2 b2 a3"));

  it("counting what runs already", () =>
    expect(
      order([queued("a1", { project: "a", queuedAtMs: 0 }), queued("b1", { project: "b" })], {
        running: { a: 2, b: 1 },
        served: { "normal a": NOW },
      }),
    ).toBe("b1 a1"));

  it("never more of a project than it may have", () =>
    expect(
      order(
        [
          queued("a1", { project: "a", projectTasksMax: 2 }),
          queued("a2", { project: "a", projectTasksMax: 2 }),
          queued("b1", { project: "b", projectTasksMax: 1 }),
        ],
        { running: { a: 1, b: 1 } },
      ),
    ).toBe("a1"));

  it("and one that lets another go first after that one, whatever it waited", () =>
    expect(order([queued("a", { givesWay: true, queuedAtMs: NOW - 9 }), queued("b")])).toBe("b a"));

  it("at most as many as there is room for", () =>
    expect(order([queued("a"), queued("b"), queued("c")], { most: 2 })).toBe("a b"));
});

describe("nothing waits for ever:", () => {
  it("one that is passed over counts for one priority more with each spell, up to the highest", () =>
    expect([
      order([ago("low", "low", 0.9), ago("normal", "normal", 0)]),
      order([ago("low", "low", 1), ago("normal", "normal", 0)]),
      order([ago("low", "low", 2.9), ago("urgent", "urgent", 0)]),
      order([ago("low", "low", 3), ago("urgent", "urgent", 0)]),
      order([ago("low", "low", 50), ago("urgent", "urgent", 51)]),
    ]).toEqual(["normal low", "low normal", "urgent low", "low urgent", "urgent low"]));

  it("a low task is reached although urgent ones never end", () => {
    let nowMs = 0;
    let taken = "";
    const served = new Map<string, number>();
    const low = queued("low", { priority: "low", queuedAtMs: 0 });
    while (taken !== "low" && nowMs < 10 * AGING_MS) {
      nowMs += AGING_MS / 4;
      const urgent = queued(`urgent ${nowMs}`, { priority: "urgent", queuedAtMs: nowMs });
      const [one] = inClaimOrder([urgent, low], { running: new Map(), servedAtMs: served, nowMs }, 1);
      taken = one?.id ?? "";
      if (one !== undefined) served.set(`${one.priority} ${one.project}`, nowMs);
    }
    expect([taken, nowMs]).toEqual(["low", 3 * AGING_MS]);
  });

  it("a long queue of one project, served all the time, gives its old tasks no lead over another project's new one", () =>
    expect(
      order([ago("a-old", "normal", 40, "a"), ago("b-new", "normal", 0, "b")], {
        running: { a: 3 },
        served: { "normal a": NOW - 1 },
      }),
    ).toBe("b-new a-old"));
});
