import { expect, test } from "vitest";
import { itemGiven, specGiven } from "../../../test/support/given-spec.ts";
import { noHands } from "../../../test/support/scripted-hands.ts";
import { NO_GRANTS } from "../../domain/foreign-agent.ts";
import type { Spec } from "../../domain/spec.ts";
import type { PlanningCapabilities, TurnAsked, TurnTold, WorkCapabilities } from "../../ports/agent.ts";
import { commandAgent } from "./command-agent.ts";

const SPEC = specGiven({
  title: "Mend it",
  intent: "It is broken.",
  criteria: [{ id: "c1", text: "it works", gate: null }],
  constraints: ["keep it small", "no new files"],
  scopes: [
    { repo: "docs", access: "read_only" },
    { repo: "app", access: "full" },
  ],
  agent: { kind: "command", argv: ["mender", "--fast"], grants: NO_GRANTS },
});
const ITEM = itemGiven({ title: "Mend it", commands: ["mender --fast"], risk: "elevated", criterion: "c1" });

const NOTHING_ELSE = noHands("a plain command asked for this");
const planned = (spec: Spec, changeRequest: string | null = null) => {
  const can: PlanningCapabilities = { ...NOTHING_ELSE, spec, changeRequest };
  return commandAgent.plan(can);
};
async function worked(told: Pick<TurnTold, "stop" | "trouble">, spec: Spec = SPEC, lastFailure: string | null = null) {
  const asked: TurnAsked[] = [];
  const can: WorkCapabilities = {
    ...NOTHING_ELSE,
    spec,
    lastFailure,
    turn: async (ask) => {
      asked.push(ask);
      return { message: "", asked: null, ...told };
    },
  };
  return { outcome: await commandAgent.work(ITEM, can), asked };
}
const DONE = { stop: "end_turn", trouble: null } as const;

const GOVERNED =
  "This agent is a plain command: it cannot be asked for a plan, and it asks for nothing. Mounts and egress alone govern it.";

test("the plan of a command is the task itself, in the first repo that it may write", async () => {
  expect(await planned(SPEC)).toEqual({ items: [ITEM], notes: [GOVERNED] });
});

test("where there is none to write, or more than one criterion, the plan says what it can", async () => {
  const spec: Spec = {
    ...SPEC,
    scopes: [{ repo: "docs", access: "read_only" }],
    criteria: [...SPEC.criteria, { id: "c2", text: "it is fast", gate: null }],
  };
  expect((await planned(spec)).items).toEqual([{ ...ITEM, repo: "docs", criterion: null }]);
});

test("a change that a person asks for is said to reach it by a revised spec only", async () => {
  expect((await planned(SPEC, "smaller steps")).notes).toEqual([
    GOVERNED,
    "Changes that were asked for reach it only by a revised spec.",
  ]);
});

test("it gets the task as text, with what failed before", async () => {
  expect(await worked(DONE, SPEC, "2 tests failed")).toEqual({
    outcome: { done: true },
    asked: [
      {
        words: {},
        prompt:
          "# Mend it\n\nIt is broken.\n\n- it works\n\n- keep it small\n- no new files\n\nThe attempt before failed:\n2 tests failed",
      },
    ],
  });
});

test("a task that is a title alone is told as that", async () => {
  const { asked } = await worked(DONE, { ...SPEC, intent: "", criteria: [], constraints: [] });
  expect(asked).toEqual([{ words: {}, prompt: "# Mend it" }]);
});

test.each([
  [{ stop: "error", trouble: "it ended with exit code 3" }, "it ended with exit code 3"],
  [{ stop: "max_tokens", trouble: null }, "it stopped: max tokens"],
] as const)("a command that ends otherwise (%j) did not do it, and why is the cause", async (told, cause) => {
  expect((await worked(told)).outcome).toEqual({ done: false, cause });
});
