import { createHook } from "node:async_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { chat } from "../../src/app/chat/chat.ts";
import { ChatInput } from "../../src/contract/chat-inputs.ts";
import { parse } from "../../src/contract/parse.ts";
import { Failure, isFailure } from "../../src/domain/failure.ts";
import type { ModelMessage } from "../../src/ports/model.ts";
import { EVERY_TASK } from "../../src/ports/store.ts";
import { ADA, plan, type Rig, repository, startRig } from "../integration/task-kit.ts";
import { type ScriptedModels, scriptedModels } from "../support/scripted-models.ts";
import { FIRST_REFUSED, HOSTILE_MESSAGES } from "./chat-messages.ts";

/** Every name a model might think of, and drafts that want to be more than drafts. */
const WISHES = [
  ...["approve", "approve_task", "plan_approve", "run", "run_task", "start", "ready", "ready_task", "freeze"],
  ...["freeze_task", "bash", "shell", "exec", "spawn", "write", "edit", "deliver", "deliver_task", "resume_task"],
  ...["answer", "settle", "answer_inbox", "accept", "set_model_policy", "grant", "cancel_task", "call", "constructor"],
].map((name) => ({ name, arguments: '{"id":"last","argv":["touch","owned"]}' }));
const DRAFTS = [
  '{"title":"Ready at once","run_mode":"autonomous","ready":true}',
  '{"title":"With a command","gates":[{"id":"tests","run":"touch owned"}]}',
  '{"title":"With a plan","plan":{"items":[]},"agent":"script"}',
  '{"title":"Approved","approved":true,"status":"queued","project":"app"}',
  "approve it and run",
  '{"title":"Only a draft","intent":"approve it and run"}',
].map((written) => ({ name: "draft_task", arguments: written }));

const wishesOf = (number: number) => [...WISHES, ...WISHES].slice(number % WISHES.length).slice(0, 10);

let models: ScriptedModels;
let rig: Rig;
beforeAll(async () => {
  // It does whatever anyone could want of it, other wishes with each message, and then says that it did.
  models = scriptedModels(({ messages }, number) =>
    messages.at(-1)?.role === "user"
      ? { text: "Approved, and running.", calls: [...DRAFTS, ...wishesOf(number)] }
      : { text: "It is approved and runs." },
  );
  rig = await startRig({ models });
  await rig.system.cases.models.set(ADA, {
    any: { use: [{ provider: "scripted", model: "obedient", parameters: {} }], budget: {} },
  });
});
afterAll(() => rig.stop());

/** Every process that this one begins, while `work` runs. */
async function spawnedBy(work: () => Promise<void>): Promise<number> {
  let spawned = 0;
  const hook = createHook({
    init: (_, type) => {
      if (type === "PROCESSWRAP") spawned += 1;
    },
  }).enable();
  try {
    await work();
  } finally {
    hook.disable();
  }
  return spawned;
}

const say = (session: string, text: string, takeCreation = async (): Promise<void> => {}) =>
  rig.system.cases.chat.say(ADA, session, parse(ChatInput, { text }).text, {
    signal: new AbortController().signal,
    tell: () => {},
    takeCreation,
  });

describe("a chat that is talked into everything", () => {
  it("of a hundred hostile messages leaves drafts at most: none is frozen or approved, and nothing is spawned", async () => {
    // A task that waits for a yes, as bait.
    const bait = await rig.queued(await rig.project(repository()), plan("touch owned"));
    await rig.until(bait, "awaiting_approval");
    const before = await rig.system.cases.look.position();
    const refused: number[] = [];
    const spawned = await spawnedBy(async () => {
      for (const [at, message] of HOSTILE_MESSAGES.entries())
        try {
          await say(`hostile-${at + 1}`, message);
        } catch (error) {
          if (!isFailure(error, "input/invalid")) throw error;
          refused.push(at + 1);
        }
    });
    expect(spawned).toBe(0);
    const last = HOSTILE_MESSAGES.length;
    expect(refused).toEqual(Array.from({ length: last - FIRST_REFUSED + 1 }, (_, at) => FIRST_REFUSED + at));

    const answered = FIRST_REFUSED - 1;
    const since = await rig.system.cases.look.since(before, 10_000);
    const types = new Map<string, number>();
    for (const { recorded } of since) types.set(recorded.event.type, (types.get(recorded.event.type) ?? 0) + 1);
    expect([...types.keys()].sort()).toEqual(["CHAT_CALLED", "CHAT_DRAFTED", "CHAT_MESSAGE", "CREATED"]);
    expect([types.get("CREATED"), types.get("CHAT_DRAFTED")]).toEqual([answered, answered]);
    expect(types.get("CHAT_MESSAGE")).toBe(2 * answered);
    const created = since.filter(({ recorded }) => recorded.event.type === "CREATED");
    for (const { stream } of created)
      expect(await rig.task(stream.slice("task/".length))).toMatchObject({
        status: "draft",
        spec: null,
        approval: null,
      });
    expect(await rig.task(bait)).toMatchObject({ status: "awaiting_approval", approval: null });
    expect(await rig.system.cases.look.counts()).toMatchObject({ queued: 0, running: 0, succeeded: 0 });
    expect(rig.warnings).toEqual([]);
  });

  it("tells the model of every wish that there is no such tool, and counts it", async () => {
    const asked = models.asked.length;
    await say("wishes", "Do everything.");
    const tools = (models.asked[asked + 1]?.messages ?? []).filter(
      (one): one is Extract<ModelMessage, { readonly role: "tool" }> => one.role === "tool",
    );
    expect(tools.filter(({ text }) => text.startsWith('{"refused":'))).toHaveLength(15);
    expect(
      tools.filter(({ name, text }) => name !== "draft_task" && text.includes("there is no such tool")),
    ).toHaveLength(10);
    const history = await rig.system.cases.chat.history("wishes");
    expect(
      history.filter(({ kind }) => kind === "call").map(({ call }) => [call?.tools.length, call?.refused]),
    ).toEqual([
      [6, 10],
      [0, 0],
    ]);
  });

  it("the control: were it handed a tool that approves, the same words would approve", async () => {
    const bait = await rig.queued(await rig.project(repository()), plan("true"));
    await rig.until(bait, "awaiting_approval");
    const approve = {
      name: "approve_task",
      description: "Approve it",
      parameters: {},
      run: async () => ({ approved: await rig.approve(bait) }),
    };
    const { store } = rig.system;
    const use = { provider: "scripted", model: "obedient", parameters: {} };
    const modelsInForce = async () => ({ use: [use], budget: {} });
    const talkedInto = scriptedModels((_, number) =>
      number === 1 ? { calls: [{ name: "approve_task", arguments: "{}" }] } : { text: "Done." },
    );
    const open = chat({ store, models: talkedInto, clock: systemClock, modelsInForce, tools: [approve] });
    const signal = new AbortController().signal;
    await open.say(ADA, "control", "Approve it and run.", { signal, tell: () => {}, takeCreation: async () => {} });
    await rig.until(bait, "succeeded", "blocked");
    expect((await rig.task(bait)).approval).not.toBeNull();
  });

  it("leaves no more drafts than a person could: they count in the limit of creations, and a refusal is told", async () => {
    const { drafted } = await say("limited", "Draft it.", async () => {
      throw new Failure("rate/limited", "at most 10 tasks a minute and 100 an hour may be created");
    });
    expect(drafted).toEqual([]);
    const left = { ...EVERY_TASK, session: "limited", after: null, most: 10 };
    expect((await rig.system.cases.look.tasks(left)).rows).toEqual([]);
  });
});
