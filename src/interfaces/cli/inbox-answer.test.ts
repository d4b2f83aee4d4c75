import { describe, expect, test } from "vitest";
import { confirming, type FakeClient, following, givenCli, recorded } from "../../../test/support/given-cli.ts";
import { eventGiven, inboxItemGiven, TASK, taskGiven } from "../../../test/support/given-views.ts";
import { problemOf } from "../client/trouble.ts";
import { inboxAnswer } from "./commands/inbox-answer.ts";

/** Types an answer, and says what was sent, told and returned. */
async function answered(words: Readonly<Record<string, unknown>>, api: FakeClient = {}, more = {}) {
  const { calls, answers } = recorded();
  const { context, stdout, stderr } = givenCli(
    {
      inboxItem: async (id) => inboxItemGiven({ id, answers: ["approve", "reject"] }),
      answerInbox: answers("answer", { id: TASK, task: taskGiven({ status: "running" }) }),
      ...api,
    },
    more,
  );
  const run = async () => inboxAnswer.run(inboxAnswer.args.parse({ id: TASK, ...words }), context);
  const ended = await run().catch((error: unknown) => {
    const problem = problemOf(error);
    if (problem === null) throw error;
    return `${problem.code}: ${problem.detail} ${problem.next}`;
  });
  return { ended, calls, stdout: stdout(), stderr: stderr() };
}

describe("an answer in words", () => {
  const given: readonly (readonly [
    words: Readonly<Record<string, unknown>>,
    sent: Readonly<Record<string, unknown>>,
  ])[] = [
    [
      { approve: true, reason: "fine" },
      { answer: "approve", reason: "fine" },
    ],
    [{ requestChanges: "smaller steps" }, { answer: "request_changes", text: "smaller steps" }],
    [{ reject: true }, { answer: "reject" }],
    [{ allow: true }, { answer: "allow", always: false }],
    [
      { allow: true, always: true },
      { answer: "allow", always: true },
    ],
    [{ deny: true }, { answer: "deny" }],
    [{ text: "staging" }, { answer: "text", text: "staging" }],
    [{ outcome: "redo" }, { answer: "outcome", outcome: "redo" }],
    [
      { accept: true, reason: "by hand" },
      { answer: "accept", reason: "by hand" },
    ],
    [
      { more: ["tokens=5"], moreTime: "30m" },
      { answer: "more", more: { tokens: 5 }, more_ms: 1_800_000 },
    ],
    [{ moreTime: "30m" }, { answer: "more", more_ms: 1_800_000 }],
    [{ retry: true }, { answer: "retry" }],
  ];
  test.each(given)("%j is sent for the state that was named", async (words, sent) => {
    const { ended, calls, stdout, stderr } = await answered({ ...words, at: "41" });
    expect(calls).toEqual([["answer", TASK, { ...sent, seq: 41 }]]);
    expect([ended, stdout, stderr]).toEqual([
      0,
      `task ${TASK}: running\n`,
      `see where it stands: agentos task show ${TASK}\n`,
    ]);
  });

  test("is for the state as it is now, where none was named and nothing has to be seen first", async () => {
    expect((await answered({ reject: true })).calls).toEqual([["answer", TASK, { answer: "reject", seq: 7 }]]);
  });

  test("that lets something happen is asked for once more on the terminal; a no changes nothing and ends with 10", async () => {
    const prompt = confirming(false, true);
    const no = await answered({ approve: true }, {}, { prompt });
    expect([no.ended, no.calls]).toEqual([10, []]);
    const yes = await answered({ approve: true }, {}, { prompt });
    expect([yes.ended, yes.calls]).toEqual([0, [["answer", TASK, { answer: "approve", seq: 7 }]]]);
    expect(prompt.asked).toEqual(["Approve it?", "Approve it?"]);
  });

  test("that is none to what is asked is sent as it is, to be refused as such, and nobody looks at it first", async () => {
    const blocked = async () => inboxItemGiven({ answers: ["retry"] });
    for (const words of [{ approve: true }, { allow: true }])
      expect((await answered(words, { inboxItem: blocked })).calls).toMatchObject([["answer", TASK, { seq: 7 }]]);
  });

  test("about no task is told as given", async () => {
    const { answers } = recorded();
    const api: FakeClient = { answerInbox: answers("answer", { id: TASK, task: null }) };
    const told = await answered({ approve: true, at: "7" }, api);
    expect([told.ended, told.stdout]).toEqual([0, "answered: approve\n"]);
    const quiet = await answered({ approve: true, at: "7" }, api, { shape: { quiet: true } });
    expect([quiet.ended, quiet.stdout]).toEqual([0, `${TASK}\n`]);
  });

  test("is followed with --wait until the task stands", async () => {
    const told = await answered(
      { retry: true, at: "7", wait: true },
      {
        task: async () => taskGiven({ status: "blocked", block_reason: "paused", seq: 8 }),
        followTask: following(eventGiven(8, { sentence: "It was paused." })),
      },
    );
    expect(told).toMatchObject({
      ended: 11,
      stdout: `task ${TASK}: blocked/paused\n`,
      stderr: "12:00:00  It was paused.\n",
    });
  });

  const refused: readonly (readonly [words: Readonly<Record<string, unknown>>, said: string])[] = [
    [
      { always: true, deny: true },
      "input/invalid: --always goes with --allow agentos inbox answer ID --allow --always",
    ],
    [{ approve: true, reject: true }, "input/invalid: 2 answers were given at once Give one of them."],
    [{ accept: true }, "input/invalid: accepting what is not proven needs a reason Add --reason TEXT."],
  ];
  test.each(refused)("%j is refused, and nothing is sent", async (words, said) => {
    const { ended, calls } = await answered({ ...words, at: "7" });
    expect([ended, calls]).toEqual([said, []]);
  });

  test("that was not given is asked for; a person who says nothing ends it with 10", async () => {
    const prompt = confirming(false);
    const { ended, calls } = await answered(
      {},
      { inboxItem: async () => inboxItemGiven({ answers: ["retry"] }) },
      { prompt },
    );
    expect([ended, calls, prompt.asked]).toEqual([10, [], ["Let it try again?"]]);
  });
});
