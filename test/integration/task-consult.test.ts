import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scriptAgent } from "../../src/agents/script/script-agent.ts";
import { isFailure } from "../../src/domain/failure.ts";
import type { Agent } from "../../src/ports/agent.ts";
import { ADA, gate, plan, type Rig, repository, startRig } from "./task-kit.ts";

/** Plans nothing of what it does, asks what to write, and goes on another way where it is refused. */
const CURIOUS: Agent = {
  ...scriptAgent,
  plan: async (can) => ({
    items: (await scriptAgent.plan(can)).items.map((item) => ({ ...item, paths: ["told.txt"], commands: [] })),
    notes: [],
  }),
  async work(item, can) {
    const word = await can.ask("Which word?", ["yes", "no"]);
    await can.write(item.repo, "told.txt", `${word}\n`, null);
    const argv = ["touch", "made.txt"];
    try {
      await can.run(item.repo, { argv, cwd: ".", network: [], timeoutMs: null });
    } catch (error) {
      if (!isFailure(error, "act/denied")) throw error;
      await can.write(item.repo, "told.txt", `${word}, and refused\n`, null);
    }
    return { done: true };
  },
};

const GREEN = gate("true");

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ agents: { script: CURIOUS } });
});
afterAll(() => rig.stop());

const asking = async (): Promise<string> => {
  const id = await rig.approved(await rig.project(repository()), { ...plan("true"), gates: [GREEN] });
  await rig.until(id, "blocked");
  return id;
};
const settle = (id: string, said: Partial<Parameters<Rig["system"]["cases"]["answer"]["settle"]>[2]>) =>
  rig.system.cases.answer.settle(ADA, id, { decision: "answered", text: null, grant: false, expected: null, ...said });
const blockedAgain = async (id: string, step: string) => {
  for (;;) {
    const task = await rig.until(id, "blocked");
    if (task.asked?.step === step) return task;
  }
};

describe("a person is asked in the middle of the work", () => {
  it("a question waits with no worker, takes only an answer that it has, and is asked once", async () => {
    const id = await asking();
    const task = await rig.until(id, "blocked");
    expect([task.reason, task.asked?.matter.kind, task.openStep]).toEqual(["question", "question", null]);
    await expect(rig.system.cases.answer.resume(ADA, id, null, null)).rejects.toThrow("goes on when that is answered");
    await expect(settle(id, { text: "perhaps" })).rejects.toThrow("the answer has to be one of yes, no");
    await settle(id, { text: "yes" });
    const next = await blockedAgain(id, "1.item-work.3");
    expect([next.reason, next.asked?.matter.kind]).toEqual(["approval_needed", "permission"]);
    expect((await rig.bodies(id, "ASKED")).map(({ step }) => step)).toEqual(["1.item-work.1", "1.item-work.3"]);
    await rig.system.cases.answer.cancel(ADA, id, null);
  });

  it("an act that the plan does not name is done once it was allowed, and not before", async () => {
    const id = await asking();
    await settle(id, { text: "yes" });
    await blockedAgain(id, "1.item-work.3");
    expect((await rig.bodies(id, "STEP_STARTED")).map(({ act }) => act.kind)).not.toContain("command");
    await settle(id, { decision: "allowed", grant: true });
    const done = await rig.until(id, "succeeded");
    expect(done.grants).toEqual(["touch *"]);
    expect((await rig.bodies(id, "STEP_STARTED")).map(({ act }) => act.kind)).toContain("command");
  });

  it("a no stops the act, is told to the agent, and the work goes on", async () => {
    const id = await asking();
    await settle(id, { text: "no" });
    await blockedAgain(id, "1.item-work.3");
    await settle(id, { decision: "denied", text: "not that one" });
    const done = await rig.until(id, "succeeded");
    expect(done.candidate?.["app"]?.changed).toBe(1);
    expect((await rig.bodies(id, "DENIED")).map(({ rule, reason }) => [rule, reason])).toEqual([
      ["person", "a person said no: not that one"],
    ]);
  });
});
