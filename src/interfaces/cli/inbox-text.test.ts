import { expect, test } from "vitest";
import { inboxItemGiven, TASK } from "../../../test/support/given-views.ts";
import { inboxItemLines, inboxLines, wayLines } from "./inbox-text.ts";

const SPENT = { tokens: 20_000, usd: 0.5, turns: 3, time_ms: 7_200_000 };
const NOTHING = { tokens: 0, usd: 0, turns: 0, time_ms: 0 };

test("a list says what waits, since when, and how the rest is seen", () => {
  expect(
    inboxLines(
      {
        items: [
          inboxItemGiven({ project: { id: "P", name: "shop" }, since: "2026-11-22T11:00:00.000Z" }),
          inboxItemGiven({ id: "B", kind: "gates_failed", sentence: "Its gates failed.\u001b[2J" }),
        ],
        next: "c2",
      },
      Date.parse("2026-11-22T12:00:00.000Z"),
    ),
  ).toEqual([
    "ID                          KIND          PROJECT  WAITS  WHAT",
    `${TASK}  question      shop     1h     Mend it: It asks you something.`,
    "B                           gates failed  -        0s     Mend it: Its gates failed.\\u{1b}[2J",
    "there is more: agentos inbox --cursor c2",
  ]);
  expect(inboxLines({ items: [], next: null }, 0)).toEqual(["nothing waits for you"]);
});

test("a matter is shown whole: the act, its rule, the plan, the step, what gates found and what was spent", () => {
  expect(
    inboxItemLines(
      inboxItemGiven({
        kind: "permission",
        project: { id: "P", name: "shop" },
        permission: { digest: "d1", rule: "project:asks", reason: "it leaves the machine", grant: null },
        text: "./send it\n\u001b[2Jto production\n",
        choices: ["yes", "no"],
        plan: { version: 2, hash: "h2", item: "mend", plan: null, canonical: "the plan" },
        step: { step: "1.work", doing: "run ./send", act: null },
        gates: [{ gate: "tests", verdict: "fail", findings: ["npm test exited with 1", "sum.test.js: 1 failed"] }],
        spent: { total: SPENT, phases: {}, granted: NOTHING },
      }),
    ),
  ).toEqual([
    `permission of task ${TASK}`,
    "Title: Mend it",
    "Project: shop",
    "Since: 2026-11-22 12:00:00",
    "Why: It asks you something.",
    "Rule: project:asks: it leaves the machine",
    "Digest: d1",
    "",
    "  ./send it",
    "  \\u{1b}[2Jto production",
    "",
    "Choices: yes, no",
    "Plan 2, hash h2",
    "the plan",
    "Asked for: work item mend",
    "Step 1.work: run ./send",
    "Gate tests: fail",
    "  npm test exited with 1",
    "  sum.test.js: 1 failed",
    "Spent: 20000 tokens, 3 turns, 0.5000 USD, 2h",
  ]);
});

test("a proposed note is no task's, and the ways to answer are commands", () => {
  const note = inboxItemGiven({
    kind: "note",
    ways: [
      { answer: "approve", command: "agentos inbox answer A --approve", call: { method: "POST", path: "/", body: {} } },
      { answer: "reject", command: "agentos inbox answer A --reject", call: { method: "POST", path: "/", body: {} } },
    ],
  });
  expect(inboxItemLines(note)[0]).toBe(`proposed note ${TASK}`);
  expect(wayLines(note)).toEqual([
    "2 ways to answer:",
    "  agentos inbox answer A --approve",
    "  agentos inbox answer A --reject",
  ]);
});
