import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scriptAgent } from "../../src/agents/script/script-agent.ts";
import type { InboxSaid } from "../../src/app/inbox.ts";
import { inboxItemView } from "../../src/contract/present-inbox.ts";
import { isFailure } from "../../src/domain/failure.ts";
import type { Agent } from "../../src/ports/agent.ts";
import { FIRST, setModels } from "./builtin-kit.ts";
import { ADA, gate, plan, type Rig, repository, startRig } from "./task-kit.ts";

const LONG = `./send ${"x".repeat(9_000)} --to production`;

/** Asks a question, then does what its plan does not name. */
const CURIOUS: Agent = {
  ...scriptAgent,
  plan: async (can) => ({
    items: (await scriptAgent.plan(can)).items.map((item) => ({ ...item, paths: ["told.txt"], commands: [] })),
    notes: [],
  }),
  async work(item, can) {
    await can.write(item.repo, "told.txt", `${await can.ask("Which word,\nand why?", ["yes", "no"])}\n`, null);
    try {
      await can.run(item.repo, { argv: LONG.split(" "), cwd: ".", network: [], timeoutMs: null });
    } catch (error) {
      if (!isFailure(error, "act/denied")) throw error;
    }
    return { done: true };
  },
};

const WRITER: Agent = {
  ...scriptAgent,
  kind: "builtin",
  plan: async () => ({
    items: [
      {
        id: "work",
        title: "Write",
        repo: "app",
        paths: ["n.txt"],
        commands: [],
        risk: "low",
        criterion: null,
        dependsOn: [],
      },
    ],
    notes: [],
  }),
  async work({ repo }, can) {
    await can.write(repo, "n.txt", "n\n", null);
    return { done: true };
  },
};

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ agents: { script: CURIOUS, builtin: WRITER } });
  await setModels(rig, FIRST);
});
afterAll(() => rig.stop());

const show = (id: string) => rig.system.cases.inbox.show(id);
const answer = (id: string, said: InboxSaid) => rig.system.cases.inbox.answer(ADA, id, said);
const code = (error: unknown) => (isFailure(error) ? error.code : error);

describe("the inbox", () => {
  it("holds one item per waiting task, with the whole matter, and takes each answer once and only for what was seen", async () => {
    const { inbox } = rig.system.cases;
    const project = await rig.project(repository());
    const id = await rig.queued(project, { ...plan("true"), gates: [gate("true")] });
    await rig.until(id, "awaiting_approval");

    const planned = await show(id);
    expect([planned.kind, planned.plan?.value.items.length, planned.text]).toEqual(["plan", 1, null]);
    expect((await inbox.list({ project: project.name, after: null, most: 10 })).items).toMatchObject([
      { id, kind: "plan", answers: ["approve", "request_changes", "reject"], project: { id: project.id } },
    ]);
    expect(await inbox.count()).toBe(1);
    const wrong = answer(id, { answer: "text", text: "yes", reason: null, seq: planned.seq });
    expect(code(await wrong.catch((error: unknown) => error))).toBe("task/refused");
    await answer(id, { answer: "approve", reason: "fine", seq: planned.seq });
    const stale = answer(id, { answer: "approve", reason: null, seq: planned.seq });
    expect(code(await stale.catch((error: unknown) => error))).toBe("task/changed");

    await rig.until(id, "blocked");
    const question = await show(id);
    expect([question.kind, question.text, question.choices]).toEqual([
      "question",
      "Which word,\nand why?",
      ["yes", "no"],
    ]);
    expect(inboxItemView(question).ways.map(({ command }) => command)).toEqual([
      `agentos inbox answer ${id} --text yes --at ${question.seq}`,
      `agentos inbox answer ${id} --text no --at ${question.seq}`,
    ]);
    await answer(id, { answer: "text", text: "yes", reason: null, seq: question.seq });

    await rig.happened(id, "ASKED", question.seq);
    await rig.until(id, "blocked");
    const permission = await show(id);
    expect(permission.kind).toBe("permission");
    // The end of a command is where it says what it is for: all of it is there.
    expect(permission.text).toContain("x".repeat(9_000));
    expect(permission.text).toContain("production");
    expect(permission.permission?.digest).toMatch(/^[0-9a-f]{64}$/);
    const early = answer(id, { answer: "allow", always: false, reason: null, seq: question.seq });
    expect(code(await early.catch((error: unknown) => error))).toBe("task/changed");
    await answer(id, { answer: "deny", reason: "not there", seq: permission.seq });
    await rig.until(id, "succeeded");
    expect(await inbox.count()).toBe(0);
    expect(code(await show(id).catch((error: unknown) => error))).toBe("task/refused");
    expect((await rig.bodies(id, "DENIED")).map(({ reason }) => reason)).toEqual(["a person said no: not there"]);
  });

  it("shows gates that did not pass with what they found, and takes the work on record", async () => {
    const project = await rig.project(repository());
    const id = await rig.approved(project, { agent: "builtin", gates: [gate("false", "never")], attempts: 1 });
    await rig.until(id, "blocked");
    const item = inboxItemView(await show(id));
    expect([item.kind, item.gates.map((one) => [one.gate, one.verdict]), item.answers]).toEqual([
      "gates_failed",
      [["never", "fail"]],
      ["retry", "accept"],
    ]);
    await answer(id, { answer: "accept", reason: "it is only a note", seq: item.seq });
    expect((await rig.until(id, "succeeded")).exitReason).toBe("accepted_unproven");
  });

  it("takes a wish for another plan, a yes to an act, and another try, each as the command it comes to", async () => {
    const project = await rig.project(repository());
    const id = await rig.queued(project, { ...plan("true"), gates: [gate("false", "never")], attempts: 1 });
    await rig.until(id, "awaiting_approval");
    const first = await show(id);
    await answer(id, { answer: "request_changes", text: "Say it shorter.", reason: null, seq: first.seq });
    await rig.happened(id, "PLAN_PROPOSED", first.seq);
    await rig.until(id, "awaiting_approval");
    const second = await show(id);
    await answer(id, { answer: "approve", reason: null, seq: second.seq });
    await rig.until(id, "blocked");
    const question = await show(id);
    await answer(id, { answer: "text", text: "no", reason: null, seq: question.seq });
    await rig.happened(id, "ASKED", question.seq);
    await rig.until(id, "blocked");
    const permission = await show(id);
    await answer(id, { answer: "allow", always: false, reason: "go on", seq: permission.seq });
    await rig.happened(id, "BLOCKED", permission.seq);
    await rig.until(id, "blocked");
    const gates = await show(id);
    expect([first, second, question, permission, gates].map(({ kind }) => kind)).toEqual([
      "plan",
      "plan",
      "question",
      "permission",
      "gates_failed",
    ]);
    await answer(id, { answer: "retry", reason: "once more", seq: gates.seq });
    expect((await rig.happened(id, "RESUMED", gates.seq)).from).toBe("gates_exhausted");
    expect((await rig.bodies(id, "DENIED")).length).toBe(0);
  });
});
