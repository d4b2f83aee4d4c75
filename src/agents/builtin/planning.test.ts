import { describe, expect, it } from "vitest";
import { calling, type Hands, hands, reply, SPEC } from "../../../test/support/scripted-hands.ts";
import { builtinAgent } from "./builtin-agent.ts";

const ITEM = { id: "sum", title: "Mend it", paths: ["src/"], commands: ["npm test"], risk: "low", criterion: "c1" };
const submits = (...items: readonly object[]) => calling(["submit_plan", { items }]);
const plan = (by: Hands) => builtinAgent.plan(by.planning);

describe("a plan by a model", () => {
  it("is handed in after a look around, and names what is done where, for what, and at what risk", async () => {
    const by = hands([
      calling(["list", {}], ["search", { text: "sum", under: "src/" }], ["inspect", { command: "git log -1" }]),
      calling([
        "submit_plan",
        { items: [ITEM, { ...ITEM, id: "docs", criterion: null, depends_on: ["sum"] }], notes: ["small"] },
      ]),
    ]);
    expect(await plan(by)).toEqual({
      items: [
        { ...ITEM, repo: "app", dependsOn: [] },
        { ...ITEM, id: "docs", repo: "app", criterion: null, dependsOn: ["sum"] },
      ],
      notes: ["small"],
    });
    expect(by.asked.slice(2)).toEqual([
      ["list", "app", ""],
      ["search", "app", "sum", "src"],
      ["inspect", "app", ["git", "log", "-1"]],
    ]);
    expect(by.requests[0]?.tools.map(({ name }) => name)).toEqual([
      "read",
      "list",
      "search",
      "inspect",
      "ask",
      "propose_note",
      "submit_plan",
    ]);
  });

  it.each([
    ["no item", { items: [] }, "items: "],
    ["a path that climbs out", { items: [{ ...ITEM, paths: ["../x"] }] }, "items.0.paths.0: must be a path or glob"],
    [
      "a criterion nobody set",
      { items: [{ ...ITEM, criterion: "c9" }] },
      "serves the criterion c9, and the criteria are c1",
    ],
    ["a circle", { items: [{ ...ITEM, depends_on: ["sum"] }] }, "in a circle: sum → sum"],
    ["a lost dependency", { items: [{ ...ITEM, depends_on: ["x"] }] }, "depends on x, which the plan does not have"],
    ["no risk", { items: [{ ...ITEM, risk: undefined }] }, "items.0.risk: "],
  ])("with %s is answered with what is wrong, and may be repaired", async (_, wrong, told) => {
    const by = hands([calling(["submit_plan", wrong]), submits(ITEM)]);
    expect((await plan(by)).items).toHaveLength(1);
    expect(by.last()?.text).toContain(told);
    expect(by.last()?.text).toMatch(/^The plan cannot be taken: .* Hand it in again, whole\.$/s);
  });

  it("that leaves the spec's scope is no plan", async () => {
    const spec = { ...SPEC, scopes: [{ repo: "app", access: "paths" as const, paths: ["docs/"] }] };
    const by = hands([submits(ITEM), submits({ ...ITEM, paths: ["docs/a.md"] })], { spec });
    expect((await plan(by)).items[0]?.paths).toEqual(["docs/a.md"]);
    expect(by.last()?.text).toContain("changes src/, which is outside what the spec lets this task change in app");
  });

  it("is repaired three times, and no more", async () => {
    const by = hands((_, at) => submits({ ...ITEM, criterion: `c${at + 5}` }));
    await expect(plan(by)).rejects.toMatchObject({
      code: "plan/invalid",
      message: expect.stringMatching(
        /^the plan was still invalid after 3 repairs: work item sum serves the criterion c8/,
      ),
    });
    expect(by.requests).toHaveLength(4);
  });

  it("that never comes is a failure that says why", async () => {
    const by = hands(() => reply({ text: "Here is my plan: be good." }));
    await expect(plan(by)).rejects.toMatchObject({
      code: "agent/failed",
      message: "no plan was handed in: the model answered 3 times in a row without calling a tool (stop)",
    });
  });

  it("knows what a person asked to change", async () => {
    const by = hands([submits(ITEM)]);
    await builtinAgent.plan({ ...by.planning, changeRequest: "Leave the docs alone." });
    expect(by.requests[0]?.messages[1]?.text).toContain("asks for changes:\nLeave the docs alone.");
  });
});
