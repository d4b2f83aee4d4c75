import { join } from "node:path";
import { expect, it } from "vitest";
import { scriptAgent } from "../../src/agents/script/script-agent.ts";
import type { Agent } from "../../src/ports/agent.ts";
import { scriptedModels } from "../support/scripted-models.ts";
import { ADA, gate, repository, room, startRig } from "./task-kit.ts";

const ask = (text: string) =>
  ({ messages: [{ role: "user", text }], tools: [], toolChoice: "none", output: null }) as const;

/** Asks its model once for a plan and three times while it works. */
const THINKER: Agent = {
  ...scriptAgent,
  kind: "builtin",
  async plan(can) {
    const { text } = await can.model(ask("What is to be done?"));
    const item = { id: "work", title: text, repo: "app", paths: ["told.txt"], commands: [], risk: "low" as const };
    return { items: [{ ...item, criterion: null, dependsOn: [] }], notes: [] };
  },
  async work(item, can) {
    const told: string[] = [];
    for (const n of [1, 2, 3]) told.push((await can.model(ask(`Part ${n}?`))).text);
    await can.write(item.repo, "told.txt", `${told.join(" ")}\n`, null);
    return { done: true };
  },
};
const SPEC = { agent: "builtin", gates: [gate("test -f told.txt")] };
const MODELS = { any: { use: [{ provider: "scripted", model: "small", parameters: {} }], budget: {} } };
const count = () => scriptedModels((_, number) => ({ text: `word${number}` }));

it("a budget stops a task before the call that would pass it; raised after a restart, it goes on where it was", async () => {
  const home = join(room(), "home");
  const models = count();
  const rig = await startRig({ agents: { builtin: THINKER }, models }, { home });
  const id = await rig.approved(await rig.project(repository()), {
    ...SPEC,
    models: { any: { use: [{ provider: "scripted", model: "small" }] } },
    budget: { tokens: 120 },
  });
  const stopped = await rig.until(id, "blocked");
  expect([stopped.reason, stopped.spent.total.tokens, models.asked.length]).toEqual(["budget_exhausted", 150, 3]);
  expect(stopped.detail).toContain("the budget of the task is 120 tokens, and it has spent 150 tokens");
  await expect(rig.system.cases.answer.resume(ADA, id, null, null)).rejects.toThrow("say how much more it gets");
  await rig.stop();

  const again = await startRig({ agents: { builtin: THINKER }, models }, { home });
  const item = await again.system.cases.inbox.show(id);
  expect([item.kind, item.answers, item.reason]).toEqual(["budget", ["more"], "budget_exhausted"]);
  const more = { answer: "more", reason: null, moreMs: null } as const;
  await again.system.cases.inbox.answer(ADA, id, { ...more, seq: item.seq, more: { tokens: 30 } });
  // Exactly what it has spent is not enough for another call.
  const still = await again.until(id, "blocked");
  const { seq } = await again.system.cases.inbox.show(id);
  expect([still.reason, models.asked.length]).toEqual(["budget_exhausted", 3]);
  await again.system.cases.inbox.answer(ADA, id, { ...more, seq, more: { tokens: 100 } });
  const done = await again.until(id, "succeeded");
  // One call for the plan and three for the work: none was paid twice.
  expect([models.asked.length, done.spent.total.tokens, done.spent.total.turns]).toEqual([4, 200, 4]);
  expect(done.spent.phases.planning?.tokens).toBe(50);
  expect(done.spent.granted.tokens).toBe(130);
});

it("without a model a task waits, and what the message says to do lets it go on", async () => {
  const models = count();
  const rig = await startRig({ agents: { builtin: THINKER }, models });
  const id = await rig.queued(await rig.project(repository()), SPEC);
  const waits = await rig.until(id, "blocked");
  expect([waits.reason, models.asked.length]).toEqual(["no_model", 0]);
  const { next } = await rig.system.cases.inbox.show(id);
  expect(next).toContain("agentos model policy set any PROVIDER/MODEL");
  const layers = await rig.system.cases.models.set(ADA, MODELS);
  expect(layers.inForce.planning).toEqual({ ...MODELS.any, from: "user" });
  await rig.system.cases.answer.resume(ADA, id, null, null);
  await rig.until(id, "awaiting_approval");
  expect(models.asked).toHaveLength(1);
});

it("the nearest layer that names a phase counts: the task before its project before the person", async () => {
  const rig = await startRig();
  const { cases } = rig.system;
  const project = await rig.project(repository());
  const of = (model: string) => ({ use: [{ provider: "scripted", model, parameters: {} }], budget: {} });
  await cases.models.set(ADA, { any: of("mine"), planning: of("mine-for-plans") });
  await cases.changeProject(ADA, project.id, { settings: { models: { any: of("shared") } } });
  const id = await rig.frozen(project, {
    ...SPEC,
    models: { implementation: { use: [{ provider: "scripted", model: "own" }] } },
  });
  const { inForce } = await cases.models.layers({ task: id, project: null });
  expect(Object.entries(inForce).map(([phase, one]) => [phase, one?.from, one?.use[0]?.model])).toEqual([
    ["intent", "project", "shared"],
    ["planning", "project", "shared"],
    ["implementation", "task", "own"],
    ["verification", "project", "shared"],
  ]);
  // Nobody knows a provider of that name.
  const checked = await cases.models.check({ task: id, project: null });
  expect(checked.models.map(({ model, namedBy, ok }) => [model, namedBy, ok])).toEqual([
    ["own", ["task implementation"], false],
    ["shared", ["project any"], false],
    ["mine", ["user any"], false],
    ["mine-for-plans", ["user planning"], false],
  ]);
});
