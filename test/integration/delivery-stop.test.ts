import { expect, test } from "vitest";
import { isFailure } from "../../src/domain/failure.ts";
import { ADA, commit, gate, git, plan, put, repository, startRig } from "./task-kit.ts";

/* A daemon that stops in the middle of a delivery: nothing is under way when its store closes, and nothing half-done is called done. */

const deliverOf = (rig: Awaited<ReturnType<typeof startRig>>) => (id: string) =>
  rig.system.cases.deliver({ task: id, by: ADA, way: "merge", branch: null });

/** A proven task on a branch that moved on, so that a merge is proven first; its gate does not end on the merged tree. */
async function midMerge() {
  const rig = await startRig();
  const repo = repository();
  const id = await rig.approved(await rig.project(repo), {
    ...plan("echo two > a.txt"),
    gates: [gate("if test -f c.txt; then sleep 600; fi; grep -qx two a.txt")],
  });
  await rig.until(id, "succeeded");
  put(repo, { "c.txt": "theirs\n" });
  const theirs = commit(repo, "theirs");
  const { length: seq } = await rig.events(id);
  const ended = deliverOf(rig)(id).then(
    () => "delivered",
    (error: unknown) => (isFailure(error) ? `${error.code}: ${error.message}` : error),
  );
  await rig.happened(id, "STEP_STARTED", seq);
  return { rig, repo, id, theirs, ended };
}

test("stopping in the middle of a merge's gate ends the gate, its step is lost, and the branch stays where it was", async () => {
  const { rig, repo, id, theirs, ended } = await midMerge();
  await rig.system.delivery.stop();
  expect(await ended).toBe(`delivery/refused: the daemon stopped before task ${id} was delivered`);
  expect((await rig.events(id)).at(-1)?.event).toMatchObject({ type: "STEP_LOST", body: { cause: "worker_died" } });
  expect(await rig.task(id)).toMatchObject({ status: "succeeded", openStep: null, delivered: null });
  expect(git(repo, "rev-parse", "main")).toBe(theirs);
  await expect(deliverOf(rig)(id)).rejects.toMatchObject({ code: "delivery/refused" });
  await rig.stop();

  const next = await startRig({}, { home: rig.home });
  const told = await next.system.cases.deliver({ task: id, by: ADA, way: "branch", branch: null });
  expect(told.repos["app"]?.branch).toBe(`agentos/${id}`);
  expect([...rig.warnings, ...next.warnings]).toEqual([]);
});

test("the system stops only when no delivery is under way", async () => {
  const { rig, ended } = await midMerge();
  let over = false;
  void ended.then(() => {
    over = true;
  });
  await rig.stop();
  expect(over).toBe(true);
  expect(await ended).toContain("the daemon stopped");
  expect(rig.warnings).toEqual([]);
});
