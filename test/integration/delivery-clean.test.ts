import { existsSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { ADA, commit, gate, plan, put, repository, startRig } from "./task-kit.ts";

/* Cleaning up after a task that ended, while and after it is delivered. */

test("the workspace of a task is not removed while a step works there; afterwards it goes, with its live output", async () => {
  const rig = await startRig();
  const repo = repository();
  const id = await rig.approved(await rig.project(repo), {
    ...plan("echo two > a.txt"),
    gates: [gate("if test -f c.txt; then sleep 600; fi; grep -qx two a.txt")],
  });
  await rig.until(id, "succeeded");
  put(repo, { "c.txt": "theirs\n" });
  commit(repo, "theirs");
  const { length: seq } = await rig.events(id);
  const delivering = rig.system.cases.deliver({ task: id, by: ADA, way: "merge", branch: null }).catch(() => null);
  await rig.happened(id, "STEP_STARTED", seq);
  await expect(rig.system.cases.look.clean(id)).rejects.toMatchObject({
    code: "task/refused",
    message: `task ${id} is being delivered just now`,
  });
  expect(existsSync(`${rig.home}/workspaces/${id}`)).toBe(true);
  await rig.system.delivery.stop();
  await delivering;

  expect(readdirSync(`${rig.home}/output`)).toContain(id);
  await rig.system.cases.look.clean(id, true);
  expect(existsSync(`${rig.home}/workspaces/${id}`)).toBe(false);
  expect(readdirSync(`${rig.home}/output`)).not.toContain(id);
  expect(rig.warnings).toEqual([]);
});

test("proven work is not cleaned up before it is delivered, unless a person gives it up; then it is said how to have it done again", async () => {
  const rig = await startRig();
  const project = await rig.project(repository());
  const proven = async (): Promise<string> => {
    const id = await rig.approved(project, { ...plan("echo two > a.txt"), gates: [gate("true")] });
    await rig.until(id, "succeeded");
    return id;
  };
  const [kept, givenUp] = [await proven(), await proven()];
  const { clean } = rig.system.cases.look;
  const deliver = (id: string, way: "branch" | "patch") =>
    rig.system.cases.deliver({ task: id, by: ADA, way, branch: null });

  await expect(clean(kept)).rejects.toMatchObject({
    code: "task/refused",
    message: `the work of task ${kept} is proven and not delivered yet, and without its workspace it can not be delivered`,
    next: `agentos task deliver ${kept}, or keep it as a patch: agentos task deliver ${kept} --way patch. To give it up: agentos workspace clean ${kept} --undelivered.`,
  });
  await deliver(kept, "patch");
  await clean(kept);
  expect((await rig.system.cases.look.artifact(kept, "app.patch")).mediaType).toBe("text/x-patch");

  await clean(givenUp, true);
  await expect(deliver(givenUp, "branch")).rejects.toMatchObject({
    code: "repo/not-found",
    message: `task ${givenUp} has no clone of app`,
    next: `Its workspace was removed; what is recorded of the task stays (agentos task show ${givenUp}). agentos task fork ${givenUp} has the work done again, from the same base.`,
  });
  const [again = ""] = await rig.system.cases.forkTask(ADA, givenUp, {
    times: 1,
    agent: null,
    plan: null,
    createdBy: "ada",
  });
  await rig.until(again, "awaiting_approval");
  expect(rig.warnings).toEqual([]);
});
