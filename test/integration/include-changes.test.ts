import { expect, test } from "vitest";
import { gitWorkspaces } from "../../src/adapters/git/workspaces.ts";
import { ADA, gate, git, plan, put, repository, room, startRig } from "./task-kit.ts";

/* Uncommitted files that a person lets into a task's base. */

test("a revised task takes the uncommitted files as they are now, not as an earlier version of its spec saw them", async () => {
  const rig = await startRig();
  const repo = repository();
  put(repo, { "a.txt": "early\n" });
  const id = await rig.queued(await rig.project(repo), {
    ...plan("true"),
    gates: [gate("true")],
    expects_change: false,
    include_changes: true,
  });
  await rig.until(id, "awaiting_approval");
  put(repo, { "a.txt": "late\n" });
  await rig.system.cases.reviseTask(ADA, id, { title: "Again" });
  await rig.system.cases.freezeTask(ADA, id);
  await rig.system.cases.answer.ready(ADA, id);
  const { bases } = await rig.until(id, "awaiting_approval");
  const clone = `${rig.home}/workspaces/${id}/git/app.git`;
  expect(git(clone, "show", `${bases?.["app"]?.commit}:a.txt`)).toBe("late");
  expect(rig.warnings).toEqual([]);
});

test("the same pinning again, after a crash, gives what was captured first", async () => {
  const repo = repository();
  const head = git(repo, "rev-parse", "HEAD");
  const workspaces = gitWorkspaces({ home: room(), owner: null });
  const clone = { task: "01HZ0000000000000000000000", repo: "app" };
  put(repo, { "a.txt": "early\n" });
  const first = await workspaces.adopt(clone, repo, head, true, "1");
  put(repo, { "a.txt": "late\n" });
  expect(await workspaces.adopt(clone, repo, head, true, "1")).toBe(first);
  const second = await workspaces.adopt(clone, repo, head, true, "2");
  expect(await workspaces.textAt(clone, second, "a.txt")).toBe("late\n");
  expect(await workspaces.textAt(clone, first, "a.txt")).toBe("early\n");
});
