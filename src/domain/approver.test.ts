import { expect, it } from "vitest";
import { type ApprovalRules, mayNotApprove, NO_RULES } from "./approver.ts";

const ADA = { kind: "person", name: "ada" } as const;
const BOB = { kind: "person", name: "bob" } as const;
const says = (by: typeof ADA | typeof BOB, rules: Partial<ApprovalRules>, waitedMs = 0) =>
  mayNotApprove(by, 1_000, { rules: { ...NO_RULES, ...rules }, creator: ADA, nowMs: 1_000 + waitedMs });

it("without rules anyone may approve, at any time", () => expect(says(ADA, {}, 1e12)).toBeNull());

it("whoever created a task may be kept from approving it", () => {
  expect(says(ADA, { approverNotCreator: true })).toBe("ada created it, and its project wants another person's yes");
  expect(says(BOB, { approverNotCreator: true })).toBeNull();
});

it("where some were asked in advance to answer, only they may", () => {
  expect(says(BOB, { delegates: ["carol", "dan"] })).toBe(
    "bob is not among those who answer for its project: carol, dan",
  );
  expect(says(BOB, { delegates: ["bob"] })).toBeNull();
});

it("a proposal may be too old for a yes", () => {
  expect(says(ADA, { expiresMs: 600_000 }, 600_000)).toBeNull();
  expect(says(ADA, { expiresMs: 600_000 }, 660_000)).toBe(
    "it was asked 11 minutes ago, and its project lets a proposal wait for 10; request changes to get a new one",
  );
});
