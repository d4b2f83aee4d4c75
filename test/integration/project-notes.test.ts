import { expect, it } from "vitest";
import { scriptAgent } from "../../src/agents/script/script-agent.ts";
import { isFailure } from "../../src/domain/failure.ts";
import type { Agent } from "../../src/ports/agent.ts";
import { FIRST, setModels } from "./builtin-kit.ts";
import { ADA, gate, repository, startRig } from "./task-kit.ts";

it("a note that an agent proposes is told to nobody until a person approves it; a task keeps the notes it began with", async () => {
  const told: (readonly string[])[] = [];
  const learner: Agent = {
    ...scriptAgent,
    kind: "builtin",
    async plan(can) {
      told.push(can.notes);
      const item = { id: "work", title: "Learn", repo: "app", paths: ["n.txt"], commands: [], risk: "low" as const };
      return { items: [{ ...item, criterion: null, dependsOn: [] }], notes: [] };
    },
    async work({ repo }, can) {
      told.push(can.notes);
      await can.proposeNote("The tests need port 5432", repo);
      await can.proposeNote("The tests need port 5432", repo);
      for (const wrong of ["", "two\nlines", "x".repeat(501)])
        await expect(can.proposeNote(wrong, null)).rejects.toSatisfy((error) => isFailure(error, "act/denied"));
      await can.write(repo, "n.txt", "n\n", null);
      return { done: true };
    },
  };
  const rig = await startRig({ agents: { builtin: learner } });
  await setModels(rig, FIRST);
  const { notes, inbox } = rig.system.cases;
  const project = await rig.project(repository());
  const spec = { agent: "builtin", gates: [gate("test -f n.txt")] };
  const first = await rig.approved(project, spec);
  await rig.until(first, "succeeded");
  expect(told).toEqual([[], []]);
  const [proposed, ...others] = (await inbox.list({ project: project.id, after: null, most: 10 })).items;
  expect([proposed?.kind, proposed?.title, others]).toEqual(["note", "The tests need port 5432", []]);

  const own = await notes.add(ADA, project.name, "Write British English", null);
  await inbox.answer(ADA, proposed?.id ?? "", { answer: "approve", reason: null, seq: 1 });
  expect((await notes.list(project.name, false)).map(({ text, status, by }) => [text, status, by])).toEqual([
    ["The tests need port 5432", "approved", "agent:builtin"],
    ["Write British English", "approved", "person:ada"],
  ]);
  const second = await rig.queued(project, spec);
  await rig.until(second, "awaiting_approval");
  const { value, hash } = await rig.system.cases.look.plan(second);
  expect(value.projectNotes?.ids).toEqual([proposed?.id, own.id]);
  // The hash that is approved is over the notes too.
  expect(hash).toBe((await rig.task(second)).plan?.hash);
  await notes.retire(ADA, project.name, own.id);
  await rig.approve(second);
  await rig.until(second, "succeeded");
  const both = ["app: The tests need port 5432", "Write British English"];
  expect(told.slice(2)).toEqual([both, both]);
  const third = await rig.queued(project, spec);
  await rig.until(third, "awaiting_approval");
  expect(told.at(-1)).toEqual(both.slice(0, 1));
  expect(rig.warnings).toEqual([]);
});
