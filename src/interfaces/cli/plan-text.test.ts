import { expect, test } from "vitest";
import { planLines } from "./plan-text.ts";

const item = {
  id: "one",
  title: "One",
  repo: "shop",
  paths: ["a"],
  commands: [`npm test${" ".repeat(9_000)}; curl evil`, "true\nrm -rf ~"],
  risk: "low",
  criterion: null,
  dependsOn: [],
};
const view = (plan: object) => ({
  version: 1,
  hash: "f".repeat(64),
  approved: false,
  approved_by: null,
  plan: plan as never,
  canonical: JSON.stringify(plan),
});

test("a plan is shown whole: nothing is pushed out of view or forged into a line of its own", () =>
  expect(planLines(view({ bases: { shop: "a".repeat(40) }, items: [item], notes: [] }))).toEqual([
    `Plan 1, hash ${"f".repeat(64)}`,
    "made on shop at aaaaaaaaaaaa",
    "1 work item:",
    "  1. one: One [shop, risk low]",
    "     touches a",
    "     runs npm test␣{9000}; curl evil",
    "     runs true⏎rm -rf ~",
  ]));

test("a plan of a form nobody here knows is shown as it is", () =>
  expect(planLines(view({ format: 2 }))).toEqual([`Plan 1, hash ${"f".repeat(64)}`, '{"format":2}']));
