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
  await rig.system.cases.look.clean(id);
  expect(existsSync(`${rig.home}/workspaces/${id}`)).toBe(false);
  expect(readdirSync(`${rig.home}/output`)).not.toContain(id);
  expect(rig.warnings).toEqual([]);
});
