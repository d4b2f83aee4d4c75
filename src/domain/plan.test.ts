import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gateGiven, itemGiven, specGiven } from "../../test/support/given-spec.ts";
import { seal } from "../adapters/store/seal.ts";
import { Failure } from "./failure.ts";
import { checkPlan, inOrder, type OpenPlan, planHash, type WorkItem } from "./plan.ts";
import { type AgentChoice, checkSpec, freezeSpec, type RepoScope, type Spec } from "./spec.ts";

const item = (id: string, over: Partial<WorkItem> = {}) => itemGiven({ id, title: id, ...over });
const scoped = (scope: RepoScope) => specGiven({ scopes: [scope] });
const plan = (...items: readonly WorkItem[]): OpenPlan => ({
  format: 1,
  spec: "s1",
  bases: { app: "b1" },
  items,
  notes: [],
});
const ids = (items: readonly { readonly id: string }[]): string[] => items.map(({ id }) => id);

describe("the order of work items", () => {
  it("is as written where nothing depends on anything", () =>
    expect(ids(inOrder([item("b"), item("a"), item("c")]))).toEqual(["b", "a", "c"]));

  it("puts each after what it depends on", () =>
    expect(
      ids(
        inOrder([
          item("c", { dependsOn: ["b"] }),
          item("b", { dependsOn: ["a"] }),
          item("a"),
          item("d", { dependsOn: ["a"] }),
        ]),
      ),
    ).toEqual(["a", "b", "c", "d"]));

  it.each([
    [[item("a", { dependsOn: ["a"] })], "a → a"],
    [
      [
        item("x", { dependsOn: ["a"] }),
        item("a", { dependsOn: ["b"] }),
        item("b", { dependsOn: ["c"] }),
        item("c", { dependsOn: ["a"] }),
      ],
      "a → b → c → a",
    ],
  ])("names a circle by its path", (items, path) =>
    expect(() => inOrder(items)).toThrow(
      new Failure("plan/invalid", `the work items depend on each other in a circle: ${path}`),
    ),
  );

  it("of any plan without a circle has every item once, each after its needs", () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.infiniteStream(fc.nat()), (size, choices) => {
        const items = Array.from({ length: size }, (_, n) =>
          item(`i${n}`, {
            dependsOn: Array.from({ length: n }, (_, m) => `i${m}`).filter(
              () => (choices.next().value as number) % 3 === 0,
            ),
          }),
        );
        const shuffled = [...items].sort(() => ((choices.next().value as number) % 2) - 0.5);
        const order = ids(inOrder(shuffled));
        expect([...order].sort()).toEqual(ids(items).sort());
        for (const one of items)
          for (const needed of one.dependsOn) expect(order.indexOf(needed)).toBeLessThan(order.indexOf(one.id));
      }),
    ));
});

describe("a plan is checked against its spec", () => {
  const refused = (wanted: OpenPlan, against = specGiven()) => {
    try {
      checkPlan(wanted, against);
    } catch (error) {
      if (error instanceof Failure) return `${error.code}: ${error.message}`;
      throw error;
    }
    return null;
  };

  it("and taken when it fits", () =>
    expect(refused(plan(item("a"), item("b", { dependsOn: ["a"], paths: ["x"] })))).toBeNull());

  it.each<[string, OpenPlan, Spec, string]>([
    ["two items of one id", plan(item("a"), item("a")), specGiven(), "plan/invalid: two work items have the id a"],
    [
      "a repo that is not in the scopes",
      plan(item("a", { repo: "other" })),
      specGiven(),
      "plan/invalid: work item a names the repo other, which is not in the task's scopes",
    ],
    [
      "a change of a read-only repo",
      plan(item("a", { paths: ["x.txt"] })),
      scoped({ repo: "app", access: "read_only" }),
      "plan/invalid: work item a changes x.txt, but the repo app is read-only for this task",
    ],
    [
      "a need the plan does not have",
      plan(item("a", { dependsOn: ["z"] })),
      specGiven(),
      "plan/invalid: work item a depends on z, which the plan does not have",
    ],
    [
      "a circle",
      plan(item("a", { dependsOn: ["a"] })),
      specGiven(),
      "plan/invalid: the work items depend on each other in a circle: a → a",
    ],
  ])("and refused for %s", (_, wanted, against, said) => expect(refused(wanted, against)).toBe(said));

  it("and refused for a change outside the paths of the spec, and taken for one inside", () => {
    const paths = scoped({ repo: "app", access: "paths", paths: ["src/"] });
    expect(refused(plan(item("a", { paths: ["src/a.ts", "b.ts"] })), paths)).toBe(
      "plan/invalid: work item a changes b.ts, which is outside what the spec lets this task change in app",
    );
    expect(refused(plan(item("a", { paths: ["src/a.ts"] })), paths)).toBeNull();
  });

  it("commands on a read-only repo are fine: the mount says no to what writes", () =>
    expect(refused(plan(item("a", { commands: ["ls"] })), scoped({ repo: "app", access: "read_only" }))).toBeNull());
});

describe("hashes", () => {
  it("of a plan bind it to its spec and its bases", () => {
    const hash = (over: Partial<OpenPlan> = {}) => planHash(seal, { ...plan(item("a")), ...over }).hash;
    expect(hash()).toBe(hash());
    expect(
      new Set([
        hash(),
        hash({ spec: "s2" }),
        hash({ bases: { app: "b2" } }),
        hash({ notes: ["x"] }),
        hash({ items: [item("b")] }),
      ]).size,
    ).toBe(5);
  });

  it("of a spec do not depend on how it was put together", () => {
    const one = specGiven();
    const other = Object.fromEntries(Object.entries(one).reverse()) as unknown as Spec;
    expect(freezeSpec(seal, other)).toEqual(freezeSpec(seal, one));
    expect(freezeSpec(seal, { ...one, attempts: 4 }).hash).not.toBe(freezeSpec(seal, one).hash);
  });
});

describe("a spec is checked before it is frozen", () => {
  const GATE = gateGiven();
  const script = (over: { readonly repo?: string; readonly criterion?: string | null }): AgentChoice => ({
    kind: "script",
    plan: {
      explore: [],
      items: [{ id: "w", title: "w", repo: "app", criterion: null, dependsOn: [], acts: [], ...over }],
    },
  });

  it.each<[Partial<Spec>, string]>([
    [{ gates: [{ ...GATE, repo: "other" }] }, "gate tests names the repo other, which is not in the task's scopes"],
    [
      { gates: [{ ...GATE, beside: ["other"] }] },
      "gate tests runs beside the repo other, which is not in the task's scopes",
    ],
    [{ gates: [{ ...GATE, beside: ["app"] }] }, "gate tests runs in app, so app cannot stand beside it too"],
    [{ gates: [GATE, GATE] }, "two gates are called tests"],
    [
      {
        criteria: [
          { id: "c1", text: "x", gate: null },
          { id: "c1", text: "y", gate: null },
        ],
      },
      "two acceptance criteria have the id c1",
    ],
    [
      { criteria: [{ id: "c1", text: "x", gate: "tests" }] },
      "criterion c1 names the gate tests, which the spec does not have",
    ],
    [{ agent: script({ repo: "other" }) }, "work item w names the repo other, which is not in the task's scopes"],
    [{ agent: script({ criterion: "c9" }) }, "work item w serves criterion c9, which the spec does not have"],
  ])("%#", (over, said) => expect(() => checkSpec(specGiven(over))).toThrow(new Failure("spec/invalid", said)));

  it("and taken when it fits", () =>
    expect(() =>
      checkSpec(
        specGiven({
          gates: [GATE],
          criteria: [{ id: "c1", text: "x", gate: "tests" }],
          agent: script({ criterion: "c1" }),
        }),
      ),
    ).not.toThrow());
});
