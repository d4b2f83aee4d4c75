import { beforeAll, expect, it } from "vitest";
import { scriptPlanFrom } from "../../src/contract/from-wire.ts";
import { PlanFile } from "../../src/contract/inputs.ts";
import { type Failure, isFailure } from "../../src/domain/failure.ts";
import { ADA, commit, gate, git, plan, put, type Rig, repository, startRig } from "./task-kit.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});

const failureOf = async (what: Promise<unknown>): Promise<Failure> => {
  try {
    await what;
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
  throw new Error("nothing was refused");
};

it("attempts side by side: forked at the same base, compared by their gates, one delivered, the others superseded", async () => {
  const { cases } = rig.system;
  const repo = repository();
  const project = await rig.project(repo);
  const spec = { ...plan({ write: "done", content: "yes\nreally\n" }), gates: [gate("grep -q yes done")], attempts: 1 };
  const fork = (id: string, times: number, other: unknown = null) =>
    cases.forkTask(ADA, id, {
      times,
      agent: null,
      plan: other === null ? null : scriptPlanFrom(PlanFile.parse(other)),
      createdBy: "ada",
    });

  const origin = await rig.frozen(project, spec);
  expect((await failureOf(fork(origin, 1))).message).toContain("is draft and cannot be forked");
  await cases.answer.ready(ADA, origin);
  const first = await rig.until(origin, "awaiting_approval");
  put(repo, { "later.txt": "moved on\n" });
  commit(repo, "later");

  const [same] = await fork(origin, 1);
  // A fork of a fork is an attempt at the same thing.
  const [wrong] = await fork(same ?? "", 1, {
    items: [{ id: "wrong", title: "Do it wrong", do: [{ write: "done", content: "no\n" }] }],
  });
  if (same === undefined || wrong === undefined) throw new Error("nothing was forked");
  expect(await rig.bodies(wrong, "FORKED")).toEqual([{ origin: same, root: origin, bases: first.bases }]);
  for (const id of [same, wrong]) {
    const waits = await rig.until(id, "awaiting_approval");
    expect(waits).toMatchObject({ bases: first.bases, session: first.session });
    await rig.approve(id);
  }
  expect((await rig.task(same)).spec?.hash).toBe(first.spec?.hash);
  expect((await rig.task(wrong)).spec?.hash).not.toBe(first.spec?.hash);
  await rig.until(same, "succeeded");
  await rig.until(wrong, "blocked");

  expect(await cases.attemptsOf(wrong)).toEqual([origin, ...[same, wrong].sort()]);
  const compared = await cases.compareTasks([same]);
  expect(
    Object.fromEntries(
      compared.map(({ row, agent, change, task }) => [
        row.id,
        [row.status, agent, change, task.verdicts["check"]?.verdict, task.verdicts["check"]?.findings.length],
      ]),
    ),
  ).toEqual({
    [origin]: ["awaiting_approval", "script", null, undefined, undefined],
    [same]: ["succeeded", "script", { files: 1, linesAdded: 2, linesRemoved: 0 }, "pass", 0],
    [wrong]: ["blocked", "script", { files: 1, linesAdded: 1, linesRemoved: 0 }, "fail", 1],
  });
  expect(compared.every(({ workedMs }) => workedMs > 0)).toBe(true);
  expect((await cases.compareTasks([same, origin])).map(({ row }) => row.id)).toEqual([same, origin]);

  expect((await failureOf(cases.supersedeOthers(ADA, same))).message).toContain("has not been delivered");
  await cases.deliver({ task: same, way: "branch", branch: "best", by: ADA });
  expect(git(repo, "show", "best:done")).toBe("yes\nreally");
  expect(new Set(await cases.supersedeOthers(ADA, same))).toEqual(new Set([origin, wrong]));
  for (const id of [origin, wrong])
    expect(await rig.task(id)).toMatchObject({ status: "canceled", exitReason: "superseded", supersededBy: same });
  expect((await rig.task(same)).status).toBe("succeeded");
  expect(await cases.supersedeOthers(ADA, same)).toEqual([]);
  expect(rig.warnings).toEqual([]);
});

it("a task whose base holds uncommitted files cannot be forked: only its own workspace has them", async () => {
  const repo = repository();
  put(repo, { "mine.txt": "mine\n" });
  const id = await rig.queued(await rig.project(repo), { ...plan("true"), include_changes: true });
  await rig.until(id, "awaiting_approval");
  const refused = await failureOf(
    rig.system.cases.forkTask(ADA, id, { times: 1, agent: null, plan: null, createdBy: "ada" }),
  );
  expect(refused.message).toContain("its base of app holds uncommitted files");
});
