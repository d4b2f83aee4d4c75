import { describe, expect, test, vi } from "vitest";
import { confirming, givenCli } from "../../../test/support/given-cli.ts";
import { inboxItemGiven, TASK } from "../../../test/support/given-views.ts";
import {
  DOWN,
  ENTER,
  LEAVE,
  onScriptedTerminal,
  scriptedPerson,
  type Told,
} from "../../../test/support/scripted-person.ts";
import type { InboxItemView } from "../../contract/views.ts";
import { problemOf } from "../client/trouble.ts";
import { askInbox, sureOfYes } from "./ask-inbox.ts";

vi.mock("@clack/prompts", async (original) => onScriptedTerminal(await original()));

const PERMISSION = { digest: "d1", rule: "asks", reason: "it leaves the machine" };
const WAYS: InboxItemView["ways"] = [
  {
    answer: "text",
    command: `agentos inbox answer ${TASK} --text TEXT --at 7`,
    call: { method: "POST", path: `/api/inbox/${TASK}/answer`, body: { answer: "text", text: "TEXT", seq: 7 } },
  },
];

/** What a person says, asked for this matter with these keys, and what they saw. */
async function asked(item: InboxItemView, ...told: readonly Told[]) {
  const person = scriptedPerson(...told);
  const { context, stderr } = givenCli({}, { prompt: confirming() });
  const said = await askInbox(context, item);
  expect(person.waitsFor()).toEqual([]);
  return { said, screen: person.screen(), stderr: stderr() };
}

describe("a person who is asked on the terminal", () => {
  test("sees the whole matter and every answer in words, and picks one", async () => {
    const { said, screen, stderr } = await asked(
      inboxItemGiven({ answers: ["approve", "request_changes", "reject"] }),
      ["What do you say?", DOWN + DOWN + ENTER],
    );
    expect(said).toEqual({ answer: "reject" });
    expect(stderr).toBe(
      `question of task ${TASK}\nTitle: Mend it\nProject: none\nSince: 2026-11-22 12:00:00\nWhy: It asks you something.\n`,
    );
    for (const label of ["Approve it", "Ask for another plan", "Reject it; the task ends"])
      expect(screen).toContain(label);
  });

  const answered: readonly (readonly [
    says: string,
    item: Partial<InboxItemView>,
    told: readonly Told[],
    said: unknown,
  ])[] = [
    ["yes to a plan", { answers: ["approve", "reject"] }, [["What do you say?", ENTER]], { answer: "approve" }],
    [
      "what should be different",
      { answers: ["approve", "request_changes"] },
      [
        ["What do you say?", DOWN + ENTER],
        ["What should be different?", `  smaller steps ${ENTER}`],
      ],
      { answer: "request_changes", text: "smaller steps" },
    ],
    ["no to an act", { answers: ["allow", "deny"] }, [["What do you say?", DOWN + ENTER]], { answer: "deny" }],
    [
      "yes to an act that has no like",
      { answers: ["allow", "deny"], permission: { ...PERMISSION, grant: null } },
      [["What do you say?", ENTER]],
      { answer: "allow", always: false },
    ],
    [
      "yes to this act alone",
      { answers: ["allow", "deny"], permission: { ...PERMISSION, grant: "npm install *" } },
      [
        ["What do you say?", ENTER],
        ["Only this once?", ENTER],
      ],
      { answer: "allow", always: false },
    ],
    [
      "yes to this act and its like",
      { answers: ["allow", "deny"], permission: { ...PERMISSION, grant: "npm install *" } },
      [
        ["What do you say?", ENTER],
        ["And whatever else begins as npm install *, for the rest of this task", DOWN + ENTER],
      ],
      { answer: "allow", always: true },
    ],
    [
      "an answer in their own words, without being asked for which kind",
      { answers: ["text"] },
      [["Your answer?", `staging${ENTER}`]],
      { answer: "text", text: "staging" },
    ],
    [
      "one of the answers that are offered",
      { answers: ["text"], choices: ["staging", "production"] },
      [["Your answer?", DOWN + ENTER]],
      { answer: "text", text: "production" },
    ],
    [
      "that a step is to be done again",
      { answers: ["outcome"] },
      [["What became of it?", DOWN + ENTER]],
      { answer: "outcome", outcome: "redo" },
    ],
    [
      "why they take what is not proven",
      { answers: ["retry", "accept"] },
      [
        ["What do you say?", DOWN + ENTER],
        ["Why do you take it? It is shown wherever the task is.", `I tried it by hand${ENTER}`],
      ],
      { answer: "accept", reason: "I tried it by hand" },
    ],
    [
      "how much more it may spend",
      { answers: ["more"] },
      [["How much more?", `tokens=5000,time=1h${ENTER}`]],
      { answer: "more", more: { tokens: 5000, time_ms: 3_600_000 } },
    ],
    [
      "that it is to try again, one answer among others",
      { answers: ["retry", "accept"] },
      [["What do you say?", ENTER]],
      { answer: "retry" },
    ],
  ];
  test.each(answered)("says %s", async (_, item, told, said) => {
    expect((await asked(inboxItemGiven(item), ...told)).said).toEqual(said);
  });

  const left: readonly (readonly [where: string, item: Partial<InboxItemView>, told: readonly Told[]])[] = [
    ["at the first question", { answers: ["approve", "reject"] }, [["What do you say?", LEAVE]]],
    ["at what should be different", { answers: ["request_changes"] }, [["What should be different?", LEAVE]]],
    [
      "at how far a yes goes",
      { answers: ["allow"], permission: { ...PERMISSION, grant: "npm install *" } },
      [["Only this once?", LEAVE]],
    ],
    ["at a question", { answers: ["text"] }, [["Your answer?", LEAVE]]],
    ["at a question with choices", { answers: ["text"], choices: ["a", "b"] }, [["Your answer?", LEAVE]]],
    ["at what became of a step", { answers: ["outcome"] }, [["What became of it?", LEAVE]]],
    ["at why", { answers: ["accept"] }, [["Why do you take it?", LEAVE]]],
    ["at how much more", { answers: ["more"] }, [["How much more?", LEAVE]]],
  ];
  test.each(left)("who leaves %s has said nothing", async (_, item, told) => {
    expect((await asked(inboxItemGiven(item), ...told)).said).toBeNull();
  });

  test("is not let go with an empty answer", async () => {
    const { said } = await asked(
      inboxItemGiven({ answers: ["text"] }),
      ["Your answer?", `   ${ENTER}`],
      ["Say it in a few words.", `go on${ENTER}`],
    );
    expect(said).toEqual({ answer: "text", text: "go on" });
  });

  test.each([
    [true, { answer: "retry" }],
    [false, null],
  ])("where trying again is all there is, is asked whether that is meant: %j", async (yes, said) => {
    const prompt = confirming(yes);
    const { context } = givenCli({}, { prompt });
    expect(await askInbox(context, inboxItemGiven({ kind: "blocked", answers: ["retry"] }))).toEqual(said);
    expect(prompt.asked).toEqual(["Let it try again?"]);
  });
});

test("without a terminal nothing is asked; the commands that answer are named", async () => {
  const { context, stderr } = givenCli({});
  const problem = problemOf(await askInbox(context, inboxItemGiven({ ways: WAYS })).catch((error: unknown) => error));
  expect(problem).toMatchObject({
    code: "input/invalid",
    detail: "No answer was named, and there is no terminal to ask on.",
    next: `One of: agentos inbox answer ${TASK} --text TEXT --at 7`,
    facts: { answers: ["text"] },
  });
  expect(stderr()).toBe("");
});

describe("a yes to a state that was not named", () => {
  test.each([
    ["approve", "Approve it?"],
    ["allow", "Allow exactly this?"],
  ] as const)("is asked once more, below what it is to: %s", async (answer, question) => {
    const prompt = confirming(true);
    const { context, stderr } = givenCli({}, { prompt });
    expect(
      await sureOfYes(context, inboxItemGiven(), answer === "allow" ? { answer, always: false } : { answer }),
    ).toBe(true);
    expect(prompt.asked).toEqual([question]);
    expect(stderr()).toContain("Why: It asks you something.\n");
  });

  test("and taken back, changes nothing and says how it can be answered", async () => {
    const { context, stderr } = givenCli({}, { prompt: confirming(false) });
    expect(await sureOfYes(context, inboxItemGiven({ ways: WAYS }), { answer: "approve" })).toBe(false);
    expect(stderr()).toContain(
      `nothing was changed; it still waits\n1 way to answer:\n  agentos inbox answer ${TASK} --text TEXT --at 7\n`,
    );
  });

  test("is refused where there is no terminal to show it on", async () => {
    const { context } = givenCli({});
    const problem = problemOf(
      await sureOfYes(context, inboxItemGiven({ answers: ["approve", "reject"] }), { answer: "approve" }).catch(
        (error: unknown) => error,
      ),
    );
    expect(problem).toMatchObject({
      code: "task/refused",
      detail: `task ${TASK} waits for a yes to what it shows at 7, and there is no terminal to show it on`,
      next: `Look at it (agentos inbox show ${TASK}), then add --at 7.`,
      facts: { seq: 7, answers: ["approve", "reject"] },
    });
  });

  test("is not asked for by a no", async () => {
    const { context, stderr } = givenCli({});
    expect(await sureOfYes(context, inboxItemGiven(), { answer: "reject" })).toBe(true);
    expect(stderr()).toBe("");
  });
});
