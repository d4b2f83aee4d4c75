import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { gitWorkspaces } from "../../src/adapters/git/workspaces.ts";
import type { Reclaimable, Reclaimed } from "../../src/app/gc.ts";
import { ADA, gate, git, plan, type Rig, repository, startRig } from "./task-kit.ts";

/* What a clean-up takes away, and what it must leave. Retention of zero days: everything that may go is old enough at once. */

const AT_ONCE = { succeededDays: 0, failedDays: 0, canceledDays: 0, layersDays: 30 };

const fates = ({ items }: Reclaimed): Record<string, string> =>
  Object.fromEntries(items.map((one: Reclaimable) => [one.id, `${one.goes ? "goes" : "stays"}: ${one.why}`]));
const workspacesIn = (rig: Rig): string[] =>
  readdirSync(join(rig.home, "workspaces")).filter((name) => !name.startsWith("."));
const agentAtHome = (rig: Rig, task: string): void => {
  const place = join(rig.home, "homes", task, "1.item-a.1.1");
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "memory"), "x".repeat(100_000));
};
const done = async (rig: Rig, repo: string, act: string): Promise<string> => {
  const project = await rig.project(repo);
  const id = await rig.approved(project, { ...plan(act), gates: [gate("true")] });
  await rig.until(id, "succeeded");
  return id;
};

test("a clean-up removes what was delivered or canceled, keeps the rest, says why, and is on record", async () => {
  const rig = await startRig({}, { retention: AT_ONCE });
  const repo = repository();
  const delivered = await done(rig, repo, "echo two > a.txt");
  await rig.system.delivery.deliver({ task: delivered, way: "branch", branch: "done", by: ADA });
  const undelivered = await done(rig, repository(), "echo three > a.txt");
  const project = await rig.project(repository());
  const canceled = await rig.approved(project, plan("echo kept > found.txt; exit 1"));
  await rig.until(canceled, "blocked");
  await rig.system.cases.answer.cancel(ADA, canceled, null);
  await rig.until(canceled, "canceled");
  const waiting = await rig.queued(project, plan("true"));
  await rig.until(waiting, "awaiting_approval");

  const expected = {
    [delivered]: "goes: it has succeeded 0 days ago",
    [undelivered]: "stays: its work is proven and not delivered yet",
    [canceled]: "goes: it was canceled 0 days ago",
    [waiting]: "stays: the task is awaiting approval",
  };
  for (const task of [delivered, waiting]) agentAtHome(rig, task);
  const wouldBe = await rig.system.cases.gc(ADA, true);
  expect(fates(wouldBe)).toEqual(expected);
  expect(workspacesIn(rig).sort()).toEqual([delivered, undelivered, canceled, waiting].sort());

  const was = await rig.system.cases.gc(ADA, false);
  expect(fates(was)).toEqual(expected);
  expect(workspacesIn(rig).sort()).toEqual([undelivered, waiting].sort());
  expect(existsSync(join(rig.home, "output", delivered))).toBe(false);
  expect(readdirSync(join(rig.home, "homes"))).toEqual([waiting]);
  expect(was.bytes).toBeGreaterThan(0);
  expect(was.rescued.every((ref) => ref.startsWith(`refs/agentos/rescue/${canceled}/`))).toBe(true);

  const noted = (await rig.system.store.read("system", 0, 100)).map(({ actor, event }) => ({ actor, event }));
  expect(noted).toEqual([
    {
      actor: ADA,
      event: {
        type: "SPACE_RECLAIMED",
        body: {
          workspaces: 2,
          layers: 0,
          mirrors: 0,
          bytes: was.bytes,
          keptBytes: was.keptBytes,
          rescued: was.rescued.length,
          failed: 0,
        },
      },
    },
  ]);
  // What stayed can still be used: the proven work is delivered from its clone.
  await rig.system.delivery.deliver({ task: undelivered, way: "branch", branch: "later", by: ADA });
  expect(rig.warnings).toEqual([]);
});

test("a task that is being delivered once more keeps its clone, also between two steps of the delivery", async () => {
  const gateway = Promise.withResolvers<void>();
  const looked = Promise.withResolvers<void>();
  const rig = await startRig(
    {
      workspaces: (own) => ({
        ...own,
        // The way is looked up before the first step begins: no step is open meanwhile.
        outlook: async (...asked) => {
          looked.resolve();
          await gateway.promise;
          return own.outlook(...asked);
        },
      }),
    },
    { retention: AT_ONCE },
  );
  const repo = repository();
  const id = await done(rig, repo, "echo two > a.txt");
  await rig.system.delivery.deliver({ task: id, way: "branch", branch: "done", by: ADA });
  const again = rig.system.delivery.deliver({ task: id, way: "merge", branch: null, by: ADA });
  await looked.promise;
  expect((await rig.system.cases.gc(ADA, false)).items).toEqual([
    {
      kind: "workspace",
      id,
      bytes: expect.any(Number),
      goes: false,
      why: "it has succeeded 0 days ago",
      problem: `task ${id} is being delivered just now`,
    },
  ]);
  gateway.resolve();
  await again;
  expect(git(repo, "show", "main:a.txt")).toBe("two");
  expect(fates(await rig.system.cases.gc(ADA, false))).toEqual({ [id]: "goes: it has succeeded 0 days ago" });
  expect(rig.warnings).toEqual([]);
});

test("what a workspace holds and git does not is captured before it goes", async () => {
  const rig = await startRig({}, { retention: AT_ONCE });
  const repo = repository();
  const id = await rig.approved(await rig.project(repo), plan({ write: "new.txt", content: "mine\n" }, "sleep 600"));
  await rig.happened(id, "CHECKPOINTED");
  await rig.system.cases.answer.cancel(ADA, id, null);
  await rig.until(id, "canceled");
  const { rescued } = await rig.system.cases.gc(ADA, false);
  expect(rescued).not.toEqual([]);
  const contents = rescued.map((ref) => {
    try {
      return git(repo, "show", `${ref}:new.txt`);
    } catch {
      return null; // a whole workspace keeps its files below content/
    }
  });
  expect(contents).toContain("mine");
});

test("a layer goes when nobody used it for long enough, and one in use stays", async () => {
  const rig = await startRig({}, { retention: AT_ONCE });
  const layer = (key: string, daysAgo: number): string => {
    const place = join(rig.home, "layers", key);
    mkdirSync(join(place, "outputs"), { recursive: true });
    writeFileSync(join(place, "layer.json"), JSON.stringify({ key, files: 0, listing: "", outputs: [] }));
    const at = new Date(Date.now() - daysAgo * 86_400_000);
    utimesSync(join(place, "layer.json"), at, at);
    return place;
  };
  const old = layer("a".repeat(64), 40);
  const young = layer("b".repeat(64), 3);
  const was = await rig.system.cases.gc(ADA, false);
  expect(fates(was)).toEqual({
    ["a".repeat(64)]: "goes: it was last used 40 days ago",
    ["b".repeat(64)]: "stays: it was used within the last 30 days",
  });
  expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
});

test("the mirror of a remote repository goes when no project names it, unless it holds what the remote lacks", async () => {
  const rig = await startRig({}, { retention: AT_ONCE });
  const workspaces = gitWorkspaces({ home: rig.home, owner: null });
  const [gone, named, holding] = [repository(), repository(), repository()].map((path) => `file://${path}`);
  if (gone === undefined || named === undefined || holding === undefined) throw new Error("three were made");
  await workspaces.inspect(gone);
  await rig.project(named);
  const { head } = await workspaces.inspect(holding);
  const mirror = join(rig.home, "mirrors", `${createHash("sha256").update(holding).digest("hex")}.git`);
  const lone = git(mirror, "-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", `${head}^{tree}`, "-m", "mine");
  git(mirror, "update-ref", "refs/agentos/tasks/T1", lone);
  expect(fates(await rig.system.cases.gc(ADA, false))).toEqual({
    [gone]: "goes: no project names this repository any more",
    [named]: "stays: a project names this repository",
    [holding]: "stays: it holds states that the remote does not have",
  });
  expect(readdirSync(join(rig.home, "mirrors"))).toHaveLength(2);
});
