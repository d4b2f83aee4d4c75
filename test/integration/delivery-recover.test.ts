import { renameSync } from "node:fs";
import { expect, test } from "vitest";
import type { TaskEvent } from "../../src/domain/event.ts";
import { taskStream } from "../../src/domain/stream.ts";
import { ADA, commit, gate, git, plan, put, type Rig, repository, room, startRig } from "./task-kit.ts";

/* A delivery that a dead daemon left in the middle: git is asked what is there. */

async function proven(
  rig: Rig,
): Promise<{ readonly id: string; readonly repo: string; readonly base: string; readonly candidate: string }> {
  const repo = repository();
  const base = git(repo, "rev-parse", "main");
  const id = await rig.approved(await rig.project(repo), {
    ...plan("echo two > a.txt"),
    gates: [gate("grep -qx two a.txt")],
  });
  await rig.until(id, "succeeded");
  const candidate = (await rig.task(id)).candidate?.["app"]?.commit ?? "";
  return { id, repo, base, candidate };
}

/** What the journal holds when a daemon dies right after it began to deliver. */
async function begun(rig: Rig, id: string, from: string, to: string): Promise<void> {
  const seq = (await rig.events(id)).at(-1)?.seq ?? 0;
  const tree = (await rig.task(id)).candidate?.["app"]?.tree ?? "";
  const act = { kind: "deliver", repo: "app", way: "merge", branch: "main", from, to, tree } as const;
  const event: TaskEvent = {
    type: "STEP_STARTED",
    body: { step: `deliver-${seq}.1`, run: 1, item: null, act, input: "0".repeat(64), before: {} },
  };
  await rig.system.store.append({
    stream: taskStream(id),
    expected: seq,
    events: [{ actor: ADA, atMs: Date.now(), event }],
    blobs: [],
    lease: null,
  });
}

const last = async (rig: Rig, id: string): Promise<readonly string[]> =>
  (await rig.events(id)).slice(-2).map(({ event }) => event.type);

test("one delivery that cannot be finished is warned of and stays open; the others are finished and the daemon starts", async () => {
  const first = await startRig();
  const broken = await proven(first);
  const whole = await proven(first);
  await begun(first, broken.id, broken.base, broken.candidate);
  await begun(first, whole.id, whole.base, whole.candidate);
  await first.stop();
  renameSync(broken.repo, `${broken.repo}-away`);

  const next = await startRig({}, { home: first.home });
  expect(await last(next, whole.id)).toEqual(["STEP_COMPLETED", "DELIVERED"]);
  expect(git(whole.repo, "rev-parse", "main")).toBe(whole.candidate);
  expect(await last(next, broken.id)).toContain("STEP_STARTED");
  expect(next.warnings).toEqual([
    expect.stringContaining(`the interrupted delivery of task ${broken.id} could not be finished`),
  ]);

  // Once its repository is back, asking again finishes what was begun.
  renameSync(`${broken.repo}-away`, broken.repo);
  await next.system.cases.deliver({ task: broken.id, by: ADA, way: "merge", branch: null });
  expect(git(broken.repo, "rev-parse", "main")).toBe(broken.candidate);
  expect((await next.task(broken.id)).openStep).toBeNull();
});

test("what git does not have is not recorded as delivered", async () => {
  const first = await startRig();
  const { id, repo, base, candidate } = await proven(first);
  await begun(first, id, candidate, candidate);
  await first.stop();
  const next = await startRig({}, { home: first.home });
  expect(await last(next, id)).toEqual(["STEP_STARTED", "STEP_FAILED"]);
  expect(await next.task(id)).toMatchObject({ openStep: null, delivered: null });
  expect(git(repo, "rev-parse", "main")).toBe(base);
});

test("a branch that arrived and has gone on since is delivered, and is left where it is", async () => {
  const first = await startRig();
  const { id, repo, base, candidate } = await proven(first);
  await begun(first, id, base, candidate);
  await first.stop();
  git(repo, "fetch", "-q", `${first.home}/workspaces/${id}/git/app.git`, candidate);
  git(repo, "merge", "-q", "--ff-only", candidate);
  put(repo, { "more.txt": "more\n" });
  const theirs = commit(repo, "goes on");
  const next = await startRig({}, { home: first.home });
  expect(await last(next, id)).toEqual(["STEP_COMPLETED", "DELIVERED"]);
  expect((await next.task(id)).delivered?.["app"]).toMatchObject({ from: base, to: candidate });
  expect(git(repo, "rev-parse", "main")).toBe(theirs);
});

test("delivered again after others went on: the first delivery stands, nothing is recorded and nothing moves", async () => {
  const rig = await startRig();
  const { id, repo, candidate } = await proven(rig);
  const deliver = () => rig.system.cases.deliver({ task: id, by: ADA, way: "merge", branch: null });
  const first = await deliver();
  const { seq } = await rig.system.cases.look.task(id).then(({ row }) => row);
  put(repo, { "more.txt": "more\n" });
  const theirs = commit(repo, "goes on");
  const again = await deliver();
  expect(again.repos).toEqual(first.repos);
  expect(again.repos["app"]).toMatchObject({ to: candidate, tree: git(repo, "rev-parse", `${candidate}^{tree}`) });
  expect(again.notes).toEqual(["app: main has this work already"]);
  expect((await rig.system.cases.look.task(id)).row.seq).toBe(seq);
  expect(git(repo, "rev-parse", "main")).toBe(theirs);
  expect(git(repo, "rev-parse", `refs/agentos/tasks/${id}`)).toBe(candidate);
});

test("of several repos the one that cannot move is named, with what moved before it and what is left", async () => {
  const rig = await startRig();
  const paths = ["app", "lib", "tools"].map((name) => repository({ "a.txt": "one\n" }, `${room()}/${name}`));
  const names = ["app", "lib", "tools"];
  const id = await rig.approved(await rig.project(...paths), {
    agent: "script",
    scopes: names.map((repo) => ({ repo, access: "full" })),
    plan: { items: names.map((repo) => ({ id: repo, title: "Do it", repo, do: [{ run: "echo two > a.txt" }] })) },
    gates: names.map((repo) => ({ ...gate("grep -qx two a.txt", repo), repo })),
  });
  await rig.until(id, "succeeded");
  const before = paths.map((path) => git(path, "rev-parse", "main"));
  const candidate = (await rig.task(id)).candidate?.["app"]?.commit;
  put(`${paths[1]}/.git`, { "index.lock": "" });
  const no = await rig.system.cases.deliver({ task: id, by: ADA, way: "merge", branch: null }).then(
    () => null,
    (error: unknown) => error,
  );
  expect(no).toMatchObject({
    message: expect.stringMatching(`Delivered: app \\(main is at ${candidate}\\)\\. Not delivered: lib, tools$`),
    facts: { delivered: { app: { to: candidate } }, notDelivered: ["lib", "tools"] },
  });
  expect(paths.map((path) => git(path, "rev-parse", "main"))).toEqual([candidate, before[1], before[2]]);
  expect(Object.keys((await rig.task(id)).delivered ?? {})).toEqual(["app"]);
});
