import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ChatAnswer, type ChatTold, chat } from "../../src/app/chat/chat.ts";
import { draftFrom } from "../../src/contract/from-wire.ts";
import { SpecInput } from "../../src/contract/inputs.ts";
import { NOTHING_SPENT } from "../../src/domain/budget.ts";
import { Failure, isFailure } from "../../src/domain/failure.ts";
import type { ModelTarget } from "../../src/domain/model-policy.ts";
import { chatStream } from "../../src/domain/stream.ts";
import type { ModelMessage, ModelRequest } from "../../src/ports/model.ts";
import { EVERY_TASK } from "../../src/ports/store.ts";
import { type Said, type ScriptedModels, scriptedModels, TOKENS_A_CALL } from "../support/scripted-models.ts";
import { ADA, gate, plan, type Rig, repository, startRig } from "./task-kit.ts";

/* What a person is told in a chat, what the model is told of the tasks there are, and what stays on record; the model is a script. */

const AT = 1_760_000_000_000;
const SMALL: ModelTarget = { provider: "scripted", model: "small", parameters: {} };
const LARGE: ModelTarget = { provider: "scripted", model: "large", parameters: {} };

type Answer = (request: ModelRequest, number: number) => Said | Promise<Said>;

let models: ScriptedModels;
let answer: Answer;
let rig: Rig;
/** Of the request that the test looks at, the number of those before it. */
let before: number;
beforeAll(async () => {
  models = scriptedModels((request, number) => answer(request, number - before));
  rig = await startRig({ models, clock: { nowMs: () => AT } });
});
beforeEach(async () => {
  before = models.asked.length;
  await useModels([SMALL]);
});

const useModels = (use: readonly ModelTarget[], budget = {}) =>
  rig.system.cases.models.set(ADA, { any: { use, budget } });

/** One message to the answer, with all that was told on the way. */
async function say(
  session: string,
  text: string,
  { signal = new AbortController().signal, takeCreation = async (): Promise<void> => {} } = {},
): Promise<ChatAnswer & { readonly told: readonly ChatTold[] }> {
  const told: ChatTold[] = [];
  const tell = (one: ChatTold): void => void told.push(one);
  return { ...(await rig.system.cases.chat.say(ADA, session, text, { signal, tell, takeCreation })), told };
}

/** What it is refused with; the failure itself for its next step. */
const refused = async (work: Promise<unknown>): Promise<Failure> => {
  try {
    await work;
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
  throw new Error("it was not refused");
};

/** Calls these tools in its first answer, and says what it found in its second. */
const calling =
  (...calls: NonNullable<Said["calls"]>): Answer =>
  (_, number) =>
    number === 1 ? { text: "I look.", calls } : { text: "Done." };
const call = (name: string, written: unknown = {}) => ({
  name,
  arguments: typeof written === "string" ? written : JSON.stringify(written),
});

/** What the tools said to the model, in the last request. */
const toolTexts = (): readonly string[] =>
  (models.asked.at(-1)?.messages ?? []).flatMap((one) => (one.role === "tool" ? [one.text] : []));
const said = (message: ModelMessage): string => `${message.role}: ${message.text}`;

/** The session as it stands on record, a line each. */
const record = async (session: string): Promise<readonly string[]> =>
  (await rig.system.cases.chat.history(session)).map(({ by, kind, role, text, task, call: made }) =>
    [by, kind, role, text, task, made === null ? null : `${made.model}(${made.tools.join()}) -${made.refused}`]
      .filter((word) => word !== null)
      .join(" "),
  );

describe("a chat", () => {
  it("shows the model projects and tasks as they are, and leaves a draft that a person finds under the session", async () => {
    const project = await rig.project(repository());
    const waiting = await rig.queued(project, {
      ...plan("true"),
      title: "Sharpen the saw",
      intent: "Make it cut.",
      criteria: ["It cuts."],
      constraints: ["No sparks."],
    });
    await rig.until(waiting, "awaiting_approval");
    const { task, row } = await rig.system.cases.look.task(waiting);
    const waits = `Plan ${task.plan?.hash.slice(0, 12)} waits for a person's answer.`;

    answer = calling(
      call("list_projects", ""),
      call("list_tasks", { project: project.name, status: ["awaiting_approval"], search: "saw", limit: 5 }),
      call("show_task", { id: waiting }),
      call("draft_task", {
        title: "Oil the saw",
        intent: "Against rust.",
        criteria: ["No rust."],
        project: project.id,
      }),
    );
    let creations = 0;
    const { text, drafted, spent, told } = await say("looks", "What waits? And draft the oiling.", {
      takeCreation: async () => {
        creations += 1;
      },
    });
    const [draft = ""] = drafted;
    expect({ text, drafted, spent, creations }).toEqual({
      text: "Done.",
      drafted: [draft],
      spent: { ...NOTHING_SPENT, tokens: 2 * TOKENS_A_CALL, turns: 2 },
      creations: 1,
    });
    expect(told).toEqual([
      { type: "model", provider: "scripted", model: "small" },
      { type: "text", text: "I look." },
      { type: "tool", name: "list_projects", ok: true },
      { type: "tool", name: "list_tasks", ok: true },
      { type: "tool", name: "show_task", ok: true },
      { type: "drafted", task: draft, title: "Oil the saw" },
      { type: "tool", name: "draft_task", ok: true },
      { type: "model", provider: "scripted", model: "small" },
      { type: "text", text: "Done." },
    ]);
    expect(toolTexts().map((one) => JSON.parse(one))).toEqual([
      [{ name: project.name, id: project.id, repos: ["app"] }],
      [{ id: waiting, title: "Sharpen the saw", status: "awaiting_approval", project: project.name, waits }],
      {
        id: waiting,
        title: "Sharpen the saw",
        status: "awaiting_approval",
        phase: row.phase,
        project: project.name,
        intent: "Make it cut.",
        criteria: ["It cuts."],
        constraints: ["No sparks."],
        work_items: [{ id: "work", status: "pending" }],
        gates: [],
        waits,
      },
      { draft, next: `A person runs: agentos task freeze ${draft}; agentos task ready ${draft}` },
    ]);

    const { rows } = await rig.system.cases.look.tasks({ ...EVERY_TASK, session: "looks", after: null, most: 10 });
    expect(rows.map(({ row: one }) => [one.id, one.title, one.status, one.createdBy, one.project?.id])).toEqual([
      [draft, "Oil the saw", "draft", "chat", project.id],
    ]);
    const { value } = await rig.system.cases.look.spec(draft);
    expect([value.intent, value.criteria]).toEqual(["Against rust.", [{ text: "No rust.", gate: null }]]);
    expect(await record("looks")).toEqual([
      "person:ada message person What waits? And draft the oiling.",
      "agent:chat call small(list_projects,list_tasks,show_task,draft_task) -0",
      `agent:chat draft ${draft}`,
      "agent:chat call small() -0",
      "agent:chat message model Done.",
    ]);
  });

  it("shows the model what the gates said", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan({ write: "b.txt", content: "b\n" }),
      gates: [gate("test -e c.txt")],
    });
    const { detail } = await rig.until(id, "blocked");
    answer = calling(call("show_task", { id }));
    await say("gates", "What stands in its way?");
    const { status, gates, work_items, waits } = JSON.parse(toolTexts()[0] ?? "");
    expect({ status, gates, work_items }).toEqual({
      status: "blocked",
      gates: [{ gate: "check", verdict: "fail", findings: ["/bin/sh -c test -e c.txt exited with 1"] }],
      work_items: [{ id: "work", status: "completed" }],
    });
    expect(waits).toContain(detail);
  });

  it("tells the model what is wrong with a call, does nothing for it, and lets it go on", async () => {
    answer = calling(
      call("freeze_task", { id: "last" }),
      call("list_tasks", "all of them"),
      call("list_tasks", { limit: 51 }),
      call("list_projects", { all: true }),
      call("show_task", { id: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }),
      call("draft_task", { title: "Run it", run_mode: "autonomous" }),
    );
    const position = await rig.system.cases.look.position();
    const { told, drafted } = await say("wrong", "Do it.");
    expect(drafted).toEqual([]);
    expect(told.flatMap((one) => (one.type === "tool" ? [`${one.name} ${one.ok}`] : []))).toEqual([
      "freeze_task false",
      "list_tasks false",
      "list_tasks false",
      "list_projects false",
      "show_task false",
      "draft_task false",
    ]);
    expect(toolTexts().map((one) => JSON.parse(one).refused)).toEqual([
      "there is no such tool; there are list_projects, list_tasks, show_task, draft_task. Only a person can do more.",
      "the arguments are no JSON",
      expect.stringMatching(/^what the model asked for.*limit/),
      expect.stringMatching(/^what the model asked for.*all/),
      "there is no task 01ARZ3NDEKTSV4RRFFQ69G5FAV",
      expect.stringMatching(/^what the model asked for.*run_mode/),
    ]);
    const types = (await rig.system.cases.look.since(position, 100)).map(({ recorded }) => recorded.event.type);
    expect(types).toEqual(["CHAT_MESSAGE", "CHAT_CALLED", "CHAT_CALLED", "CHAT_MESSAGE"]);
  });

  it("cuts what a tool says at twenty thousand characters, and tells the model to ask for less", async () => {
    const { task } = await rig.system.cases.createTask(ADA, {
      id: null,
      draft: draftFrom(SpecInput.parse({ title: "Long", intent: "x".repeat(30_000) })),
      createdBy: "ada",
      session: null,
      metadata: null,
      priority: null,
      project: null,
      dependencies: [],
    });
    answer = calling(call("show_task", { id: task.id }));
    await say("cut", "Show it.");
    const [text = ""] = toolTexts();
    expect([text.slice(0, 7), text.slice(20_000)]).toEqual(['{"id":"', "\n(cut: ask for less)"]);
  });

  it("has no tools any more after eight rounds, so that every message comes to an answer", async () => {
    answer = ({ tools }) => (tools.length > 0 ? { calls: [call("list_projects")] } : { text: "Enough." });
    const { text, spent } = await say("rounds", "Look for ever.");
    const asked = models.asked.slice(before);
    expect([text, spent.turns]).toEqual(["Enough.", 9]);
    expect(asked.map(({ tools, toolChoice }) => [tools.length, toolChoice])).toEqual([
      ...Array.from({ length: 8 }, () => [4, "auto"]),
      [0, "none"],
    ]);
  });

  it("goes on from what was said before in its session, and not from another's", async () => {
    answer = ({ messages }) => ({ text: `You said ${messages.length - 1} things.` });
    await say("talk", "One.");
    await say("another", "Elsewhere.");
    expect((await say("talk", "Two.")).text).toBe("You said 3 things.");
    expect((models.asked.at(-1)?.messages ?? []).slice(1).map(said)).toEqual([
      "user: One.",
      "assistant: You said 1 things.",
      "user: Two.",
    ]);
    expect(await record("nobody spoke here")).toEqual([]);
  });

  it("answers two messages of a session one after the other, each with its answer on record before the next", async () => {
    answer = ({ messages }) => ({ text: `To ${messages.at(-1)?.text}` });
    await Promise.all([say("both", "first"), say("both", "second")]);
    expect(await record("both")).toEqual([
      "person:ada message person first",
      "agent:chat call small() -0",
      "agent:chat message model To first",
      "person:ada message person second",
      "agent:chat call small() -0",
      "agent:chat message model To second",
    ]);
  });

  it("asks the next model of the policy where the first is in trouble, and says which one it is", async () => {
    await useModels([SMALL, LARGE]);
    answer = (_, number) => {
      if (number === 1) throw new Failure("model/unavailable", "small does not answer");
      return { text: "Large here." };
    };
    const { text, told } = await say("fallback", "Hello?");
    expect([text, told]).toEqual([
      "Large here.",
      [
        { type: "model", provider: "scripted", model: "small" },
        { type: "model", provider: "scripted", model: "large" },
        { type: "text", text: "Large here." },
      ],
    ]);
    expect(await record("fallback")).toEqual([
      "person:ada message person Hello?",
      "agent:chat call large() -0",
      "agent:chat message model Large here.",
    ]);
  });

  it("says what the last model's trouble is, keeps it on record, and answers the next message all the same", async () => {
    answer = (_, number) => {
      if (number === 1) throw new Failure("model/refused", "the key of scripted is not taken");
      return { text: "Better." };
    };
    expect((await refused(say("trouble", "Hello?"))).code).toBe("model/refused");
    expect((await say("trouble", "And now?")).text).toBe("Better.");
    expect(await record("trouble")).toEqual([
      "person:ada message person Hello?",
      "agent:chat failure the key of scripted is not taken",
      "person:ada message person And now?",
      "agent:chat call small() -0",
      "agent:chat message model Better.",
    ]);
  });

  it("ends where the person goes away: no tool is used any more, and the record says why there is no answer", async () => {
    const gone = new AbortController();
    answer = () => {
      gone.abort(new Error("the connection was closed"));
      return { calls: [call("draft_task", { title: "Too late" })] };
    };
    await expect(say("gone", "Draft it.", { signal: gone.signal })).rejects.toThrow("the connection was closed");
    expect(await record("gone")).toEqual([
      "person:ada message person Draft it.",
      "agent:chat call small(draft_task) -0",
      "agent:chat failure the person went away",
    ]);
    const left = { ...EVERY_TASK, session: "gone", after: null, most: 1 };
    expect((await rig.system.cases.look.tasks(left)).rows).toEqual([]);
  });

  it("lets a bug through as one: it is no answer, and nothing on record explains it away", async () => {
    answer = () => {
      throw new TypeError("x is not a function");
    };
    await expect(say("bug", "Hello?")).rejects.toThrow(new TypeError("x is not a function"));
    expect(await record("bug")).toEqual(["person:ada message person Hello?"]);
  });

  it("spends no more than the budget, in the middle of an answer and over all of the session", async () => {
    await useModels([SMALL], { tokens: 2 * TOKENS_A_CALL });
    answer = ({ messages }) =>
      messages.at(-1)?.text === "Look." || messages.at(-1)?.role === "tool"
        ? { calls: [call("list_projects")] }
        : { text: "Short." };
    await say("spends", "Say little.");
    const inTheMiddle = await refused(say("spends", "Look."));
    expect([inTheMiddle.code, inTheMiddle.message]).toEqual([
      "budget/exhausted",
      "the budget of the phase intent is 100 tokens, and this chat has spent 100 tokens",
    ]);
    const asked = models.asked.length;
    const atOnce = await refused(say("spends", "Say little."));
    expect([atOnce.message, atOnce.next]).toEqual([
      inTheMiddle.message,
      "Begin another chat, or raise it: agentos model policy set intent PROVIDER/MODEL --budget tokens=100000",
    ]);
    expect(models.asked.length).toBe(asked);
    expect(await record("spends")).toEqual([
      "person:ada message person Say little.",
      "agent:chat call small() -0",
      "agent:chat message model Short.",
      "person:ada message person Look.",
      "agent:chat call small(list_projects) -0",
      `agent:chat failure ${inTheMiddle.message}`,
    ]);
    expect((await say("another budget", "Say little.")).text).toBe("Short.");
  });

  it("writes down what was said also where somebody else wrote to the session at that moment", async () => {
    const { store } = rig.system;
    const stream = chatStream("contended");
    let meddled = false;
    const contended = chat({
      models,
      clock: { nowMs: () => AT },
      modelsInForce: async () => ({ use: [SMALL], budget: {} }),
      tools: [],
      store: {
        stage: store.stage,
        get: store.get,
        read: store.read,
        append: store.append,
        async latest(wanted) {
          const last = await store.latest(wanted);
          if (!meddled) {
            meddled = true;
            const other = await store.stage(new TextEncoder().encode("From elsewhere."));
            await store.append({
              stream,
              expected: last?.seq ?? 0,
              events: [
                { actor: ADA, atMs: AT, event: { type: "CHAT_MESSAGE", body: { role: "person", text: other.ref } } },
              ],
              blobs: [other],
              lease: null,
            });
          }
          return last;
        },
      },
    });
    answer = () => ({ text: "Heard." });
    const signal = new AbortController().signal;
    await contended.say(ADA, "contended", "Mine.", { signal, tell: () => {}, takeCreation: async () => {} });
    expect(await record("contended")).toEqual([
      "person:ada message person From elsewhere.",
      "person:ada message person Mine.",
      "agent:chat call small() -0",
      "agent:chat message model Heard.",
    ]);
  });

  it("leaves nothing to warn of", () => {
    expect(rig.warnings).toEqual([]);
  });
});
