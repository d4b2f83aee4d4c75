import { describe, expect, test } from "vitest";
import { itemGiven, specGiven } from "../../../test/support/given-spec.ts";
import type { RepoScope } from "../../domain/spec.ts";
import { planFromMessage } from "./plan-message.ts";

const spec = (...repos: readonly string[]) =>
  specGiven({ scopes: repos.map((repo): RepoScope => ({ repo, access: "full" })) });
/** The plan's items, or why there is no plan. */
const read = (message: string, ...repos: readonly string[]): unknown => {
  const told = planFromMessage(message, {
    spec: spec(...(repos.length === 0 ? ["app"] : repos)),
    bases: {},
  });
  return "plan" in told ? told.plan.items : told.why.message;
};
const item = { id: "work", title: "Do it" };
/** What a plan need not say: the one repo there is, nothing declared, little risk. */
const whole = itemGiven(item);
const json = JSON.stringify({ items: [item] });

describe("a plan is read", () => {
  test.each([
    ["from a message that is nothing else", json],
    ["from a fence", `Here it is:\n\`\`\`json\n${json}\n\`\`\`\nSay yes.`],
    ["from the middle of words, where braces stand around it", `I think {so} {"a": 1}: ${json} and {that} is it`],
    ["spread over lines", JSON.stringify({ items: [item] }, null, 2)],
    ["though it says more than it was asked", JSON.stringify({ items: [{ ...item, mood: "good" }], extra: 1 })],
  ])("%s", (_, message) => expect(read(message)).toEqual([whole]));

  test("from the last object where an agent thought aloud", () => {
    const first = JSON.stringify({ items: [{ ...item, id: "draft" }] });
    expect(read(`First ${first}\nBetter: ${json}`)).toEqual([whole]);
  });

  test("in no time, however many braces there are", () => {
    const begun = performance.now();
    expect(read(`${"{ ".repeat(16_000)}${" }".repeat(16_000)}`)).toBe(
      "the agent's last message holds no JSON object with a plan",
    );
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});

test("half of a surrogate pair that an agent wrote into a plan is in no record of it", () => {
  const odd = JSON.stringify({ items: [{ ...item, title: "Mend \ud83d" }] });
  expect(JSON.stringify(read(odd))).toContain("Mend \ufffd");
});

describe("a plan is refused, in words that the agent is told", () => {
  test.each([
    ["nothing", "", "the agent's last message holds no JSON object with a plan"],
    ["words", "I would rather not.", "the agent's last message holds no JSON object with a plan"],
    ["no items", '{"items": []}', /^the agent's plan is not as asked: items: /],
    [
      "an odd name",
      JSON.stringify({ items: [{ ...item, id: "A B" }] }),
      /items\.0\.id: must be a short lower-case name$/,
    ],
    ["a repo of no scope", JSON.stringify({ items: [{ ...item, repo: "other" }] }), /other/],
    ["a dependency on nothing", JSON.stringify({ items: [{ ...item, depends_on: ["gone"] }] }), /gone/],
  ])("%s", (_, message, why) =>
    expect(read(message)).toEqual(typeof why === "string" ? why : expect.stringMatching(why)),
  );

  test("an item of two repos' task that names none", () => {
    expect(read(json, "app", "lib")).toEqual(expect.any(String));
  });
});
