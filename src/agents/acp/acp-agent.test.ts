import { expect, test } from "vitest";
import { itemGiven, specGiven } from "../../../test/support/given-spec.ts";
import { noHands } from "../../../test/support/scripted-hands.ts";
import type {
  PersonsWord,
  PlanningCapabilities,
  TurnAsked,
  TurnCapabilities,
  TurnTold,
  WorkCapabilities,
} from "../../ports/agent.ts";
import { acpAgent } from "./acp-agent.ts";

const SPEC = specGiven({
  title: "Mend it",
  intent: "It is broken.",
  criteria: [{ id: "c1", text: "it works", gate: null }],
  constraints: ["keep it small"],
  scopes: [
    { repo: "app", access: "paths", paths: ["src/**"] },
    { repo: "docs", access: "read_only" },
  ],
});
const ITEM = itemGiven({ id: "work", title: "Do it", repo: "app", paths: ["src/a.ts"], commands: ["npm test"] });
const TOLD: TurnTold = { stop: "end_turn", message: "", asked: null, trouble: null };
const wishing = (digest: string, covers?: readonly string[]): TurnTold => ({
  ...TOLD,
  stop: "permission",
  asked: {
    digest,
    tool: "edit",
    title: `edit ${digest}`,
    detail: "src/a.ts",
    argv: null,
    ...(covers !== undefined && { covers }),
  },
});

/** Turns that end like these, the last one again and again, and the words a person says. */
function scripted(turns: readonly TurnTold[], words: readonly PersonsWord[] = []) {
  const asked: TurnAsked[] = [];
  const wishes: string[] = [];
  const can: TurnCapabilities = {
    turn: async (ask) => {
      asked.push(ask);
      return turns[Math.min(asked.length, turns.length) - 1] ?? TOLD;
    },
    permission: async ({ digest }) => {
      wishes.push(digest);
      return words[Math.min(wishes.length, words.length) - 1] ?? "deny";
    },
  };
  return { can, asked, wishes };
}

const NOTHING_ELSE = { spec: SPEC, ...noHands("an agent with a protocol of its own asked for this") };
const worked = async (
  turns: readonly TurnTold[],
  words?: readonly PersonsWord[],
  lastFailure: string | null = null,
) => {
  const { can, asked, wishes } = scripted(turns, words);
  const all: WorkCapabilities = { ...NOTHING_ELSE, ...can, lastFailure };
  return { outcome: await acpAgent.work(ITEM, all), asked, wishes };
};
const planned = (turns: readonly TurnTold[]) => {
  const { can, asked } = scripted(turns);
  const all: PlanningCapabilities = { ...NOTHING_ELSE, ...can };
  return { plan: acpAgent.plan(all), asked };
};

test("work is asked for in one prompt that says the task, the item and what failed before", async () => {
  const { outcome, asked } = await worked([TOLD], [], "2 tests failed");
  expect(outcome).toEqual({ done: true });
  expect(asked).toEqual([
    {
      words: {},
      prompt: `# Mend it

It is broken.

It is done when:
- c1: it works

Constraints:
- keep it small

Repositories:
- app in /workspace/app: you may change only src/**
- docs in /workspace/docs: you may only read it

There is no network but your model's. What you say about your work changes nothing; the files do.

The plan was approved. Do this item of it now, and only this: Do it (in app)

Files it concerns: src/a.ts

Commands that were agreed on: npm test

The attempt before failed:
2 tests failed

Change the files; do not commit.`,
    },
  ]);
});

test("a turn that stops for a permission goes on with a person's word, and a yes holds for all that it covers", async () => {
  const { outcome, asked, wishes } = await worked(
    [wishing("one", ["one.a", "one.b"]), wishing("two", ["two.a"]), TOLD],
    ["allow", "deny"],
  );
  expect([outcome, wishes]).toEqual([{ done: true }, ["one", "two"]]);
  const allowed = { one: "allow", "one.a": "allow", "one.b": "allow" };
  expect(asked.map(({ words }) => words)).toEqual([{}, allowed, { ...allowed, two: "deny" }]);
  const [first, yes, no] = asked.map(({ prompt }) => prompt);
  expect(yes).toBe(
    `You asked to be allowed: edit one (edit). A person allowed exactly that. Ask for it again in the same words and it will be granted, then go on.\n\nIt was: src/a.ts\n\nThis was your task:\n\n${first}`,
  );
  expect(no).toBe(
    `You asked to be allowed: edit two (edit). A person said no. Do without it, or stop.\n\nIt was: src/a.ts\n\nThis was your task:\n\n${first}`,
  );
});

test("an agent that drops everything at a no is asked once to do the rest", async () => {
  const cancelled: TurnTold = { ...TOLD, stop: "cancelled" };
  const { outcome, asked } = await worked([wishing("one"), cancelled, TOLD], ["deny"]);
  expect(outcome).toEqual({ done: true });
  expect(asked.at(-1)).toEqual({
    words: { one: "deny" },
    prompt: `You stopped because of a no. The rest of your task is still wanted: do it without that.\n\nThis was your task:\n\n${asked[0]?.prompt}`,
  });
  expect(await worked([wishing("one"), cancelled], ["deny"])).toMatchObject({
    outcome: { done: false, cause: "the agent stopped: cancelled" },
    asked: { length: 3 },
  });
});

test("an agent that stops of itself, or after a yes, is not asked to go on", async () => {
  const cancelled: TurnTold = { ...TOLD, stop: "cancelled" };
  expect((await worked([cancelled])).asked).toHaveLength(1);
  expect((await worked([wishing("one"), cancelled], ["allow"])).asked).toHaveLength(2);
});

test("an agent that asks for something at every turn comes to an end", async () => {
  const { outcome, asked, wishes } = await worked([wishing("one")]);
  expect([outcome, asked.length, wishes.length]).toEqual([
    { done: false, cause: "the agent stopped: permission" },
    25,
    24,
  ]);
});

test("why a turn ended otherwise is the cause", async () => {
  const died: TurnTold = { ...TOLD, stop: "died", trouble: "its process ended before its turn did" };
  expect((await worked([died])).outcome).toEqual({ done: false, cause: "its process ended before its turn did" });
  expect((await worked([{ ...TOLD, stop: "max_tokens" }])).outcome).toEqual({
    done: false,
    cause: "the agent stopped: max tokens",
  });
});

test("a plan that cannot be read is asked for again, twice at most", async () => {
  const saying = (message: string): TurnTold => ({ ...TOLD, message });
  const good = saying('{"items": [{"id": "work", "title": "Do it", "repo": "app"}], "notes": ["careful"]}');
  const mended = planned([saying("I would rather not."), good]);
  expect(await mended.plan).toEqual({
    items: [{ ...ITEM, paths: [], commands: [] }],
    notes: ["careful"],
  });
  expect(mended.asked[1]?.prompt).toMatch(
    /^That plan cannot be used: the agent's last message holds no JSON object with a plan\. Give it again, mended\./,
  );
  const never = planned([saying("I would rather not.")]);
  await expect(never.plan).rejects.toMatchObject({ code: "plan/invalid" });
  expect(never.asked).toHaveLength(3);
});

test("a turn that does not end as it should makes no plan", async () => {
  const { plan, asked } = planned([{ ...TOLD, stop: "refusal" }]);
  await expect(plan).rejects.toMatchObject({ code: "agent/failed", message: "the agent stopped: refusal" });
  expect(asked).toHaveLength(1);
});
