import { existsSync, mkdirSync, readFileSync, renameSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { InboxSaid } from "../../src/app/inbox.ts";
import type { TaskEvent } from "../../src/domain/event.ts";
import type { Act } from "../../src/domain/step.ts";
import { taskStream } from "../../src/domain/stream.ts";
import { EVERY_TASK } from "../../src/ports/store.ts";
import { ADA, commit, gate, git, plan, planIn, put, type Rig, repository, room, startRig } from "./task-kit.ts";

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
  const tree = (await rig.task(id)).candidate?.["app"]?.tree ?? "";
  await left(rig, id, { kind: "deliver", repo: "app", way: "merge", branch: "main", from, to, tree });
}

/** What the journal holds when a daemon dies right after it began that for a delivery. */
async function left(rig: Rig, id: string, act: Act): Promise<void> {
  const seq = (await rig.events(id)).at(-1)?.seq ?? 0;
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

test("a gate and a preparation that were run for a delivery are given up, and the delivery is decided anew", async () => {
  const rig = await startRig();
  const { id, repo, base, candidate } = await proven(rig);
  const tree = (await rig.task(id)).candidate?.["app"]?.tree ?? "";
  const key = "c".repeat(64);
  const acts: readonly Act[] = [
    { kind: "gate", gate: "check", repo: "app", on: "merge", commit: candidate, tree, argv: ["true"] },
    { kind: "prepare", repo: "app", id: "dependencies", on: candidate, key, argv: ["true"], hosts: [] },
  ];
  const layer = join(rig.home, "layers", key);
  mkdirSync(layer, { recursive: true });
  for (const [n, act] of acts.entries()) {
    expect(existsSync(layer)).toBe(true);
    await left(rig, id, act);
    const { seq } = (await rig.system.cases.look.task(id)).row;
    await rig.system.cases.deliver({ task: id, by: ADA, way: "branch", branch: `work-${n}` });
    const [lost, ...others] = (await rig.events(id)).filter((one) => one.seq > seq).map(({ event }) => event);
    expect(lost).toEqual({
      type: "STEP_LOST",
      body: { step: `deliver-${seq - 1}.1`, run: 1, cause: "worker_died", rescued: {}, partialOutput: null },
    });
    expect(others.map(({ type }) => type)).toEqual(["STEP_STARTED", "STEP_COMPLETED", "DELIVERED"]);
    expect(git(repo, "rev-parse", `work-${n}`)).toBe(candidate);
  }
  expect([existsSync(layer), git(repo, "rev-parse", "main")]).toEqual([false, base]);

  // Nothing of it stands half-way: there is nothing to leave.
  await expect(
    rig.system.cases.deliver({ task: id, by: ADA, way: "merge", branch: null, leave: true }),
  ).rejects.toMatchObject({
    code: "delivery/refused",
    message: `no delivery of task ${id} stands half-way: there is nothing to leave`,
  });
  expect(rig.warnings).toEqual([]);
});

test("what a policy forbids is not done for a delivery either: it is refused on record, and nothing moves", async () => {
  const rig = await startRig();
  const { id, repo } = await proven(rig);
  put(repo, { "more.txt": "more\n" });
  const theirs = commit(repo, "goes on");
  const project = (await rig.task(id)).project?.id ?? "";
  const policy = `@id("no-grep")\n@reason("nothing is searched here")\nforbid (principal, action, resource) when { context.commands.contains("grep") };\n`;
  await rig.system.cases.policies.set(ADA, project, policy, false);
  await expect(rig.system.cases.deliver({ task: id, by: ADA, way: "merge", branch: null })).rejects.toMatchObject({
    code: "act/denied",
    facts: { rule: "project/no-grep" },
  });
  expect(await rig.bodies(id, "DENIED")).toEqual([
    expect.objectContaining({ rule: "project/no-grep", reason: "nothing is searched here", item: null }),
  ]);
  expect([git(repo, "rev-parse", "main"), (await rig.task(id)).openStep]).toEqual([theirs, null]);
  expect(rig.warnings).toEqual([]);
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

/** A proven task over three repositories whose one gate runs with all of them side by side. */
async function three(rig: Rig) {
  const names = ["app", "lib", "tools"] as const;
  const paths = names.map((name) => repository({ "a.txt": "one\n" }, `${room()}/${name}`));
  const id = await rig.approved(await rig.project(...paths), {
    ...planIn("app", "for one in app lib tools; do echo two > /workspace/$one/a.txt; done"),
    gates: [{ ...gate("cd $AGENTOS_REPOS && grep -qx two app/a.txt lib/a.txt tools/a.txt"), beside: "all" }],
  });
  await rig.until(id, "succeeded");
  return {
    id,
    paths,
    heads: () => paths.map((path) => git(path, "rev-parse", "main")),
    deliver: (way: "merge" | "branch" | "patch" = "merge") =>
      rig.system.cases.deliver({ task: id, by: ADA, way, branch: null }),
  };
}

test("of several repos one cannot move: none does, and why is said", async () => {
  const rig = await startRig();
  const { id, paths, heads, deliver } = await three(rig);
  const [app = "", lib = "", tools = ""] = paths;
  const before = heads();
  const { seq } = (await rig.system.cases.look.task(id)).row;

  put(lib, { "a.txt": "mine\n" });
  await expect(deliver()).rejects.toMatchObject({
    code: "delivery/refused",
    message: "lib: main is checked out and a.txt has uncommitted changes, so nothing was delivered to any repo",
  });
  git(lib, "checkout", "-q", "a.txt");
  put(`${tools}/.git`, { "index.lock": "" });
  await expect(deliver()).rejects.toMatchObject({
    code: "delivery/refused",
    message: expect.stringMatching(/^tools cannot be delivered, so nothing was: another git is working in /),
  });
  expect([heads(), (await rig.system.cases.look.task(id)).row.seq]).toEqual([before, seq]);
  unlinkSync(`${tools}/.git/index.lock`);

  // One of them moved on: what all three come to is proven side by side before anything moves.
  put(app, { "theirs.txt": "theirs\n" });
  const theirs = commit(app, "theirs");
  const { repos } = await deliver();
  expect(Object.keys(repos)).toEqual(["app", "lib", "tools"]);
  expect(paths.map((path) => readFileSync(`${path}/a.txt`, "utf8"))).toEqual(["two\n", "two\n", "two\n"]);
  expect(git(app, "rev-parse", "main^1")).toBe(theirs);
  expect((await rig.bodies(id, "GATE_PASSED")).at(-1)).toMatchObject({
    on: "merge",
    repo: "app",
    tree: repos["app"]?.tree,
    beside: { lib: { tree: repos["lib"]?.tree }, tools: { tree: repos["tools"]?.tree } },
  });

  // Asked again, nothing is recorded and nothing moves.
  const end = await rig.system.cases.look.task(id).then(({ row }) => row.seq);
  const after = heads();
  expect((await deliver()).repos).toEqual(repos);
  expect([heads(), (await rig.system.cases.look.task(id)).row.seq]).toEqual([after, end]);
  // Patches and branches of their own are all or none too.
  expect(Object.values((await deliver("branch")).repos).map(({ branch }) => branch)).toEqual(
    paths.map(() => `agentos/${id}`),
  );
  await deliver("patch");
  expect((await rig.task(id)).artifacts.map(({ name }) => name)).toEqual(["app.patch", "lib.patch", "tools.patch"]);
  expect(rig.warnings).toEqual([]);
});

test("a branch that is taken elsewhere while the others move: they go back, and a half-way stand can be left by a person", async () => {
  let meanwhile: (source: string) => void = () => undefined;
  const rig = await startRig({
    workspaces: (own) => ({
      ...own,
      async moveBranch(source, ...rest) {
        meanwhile(source);
        return own.moveBranch(source, ...rest);
      },
    }),
  });
  const { id, paths, heads, deliver } = await three(rig);
  const [app = "", lib = "", tools = ""] = paths;
  const [base = ""] = heads();
  let theirs = "";
  meanwhile = (source) => {
    if (source === tools) theirs = commit(tools, "theirs");
  };
  await expect(deliver()).rejects.toMatchObject({
    code: "delivery/refused",
    message: expect.stringMatching(/What had moved was taken back: main of app, main of lib$/),
  });
  expect([git(app, "rev-parse", "main"), git(tools, "rev-parse", "main")]).toEqual([base, theirs]);
  expect(paths.map((path) => [git(path, "status", "--porcelain"), readFileSync(`${path}/a.txt`, "utf8")])).toEqual(
    paths.map(() => ["", "one\n"]),
  );
  expect(await rig.task(id)).toMatchObject({ openStep: null, delivered: null });

  git(tools, "reset", "-q", "--hard", "HEAD~1");
  meanwhile = (source) => {
    if (source !== tools) return;
    commit(tools, "theirs");
    commit(lib, "built on it");
  };
  await expect(deliver()).rejects.toMatchObject({ code: "delivery/torn" });
  const stand = heads();
  await expect(deliver()).rejects.toMatchObject({ code: "delivery/torn" });
  expect((await rig.bodies(id, "DELIVERY_TORN")).map(({ found }) => found.map(({ is }) => is))).toEqual([
    ["arrived", "beyond", "elsewhere"],
  ]);

  // It waits for a person wherever a person looks, and takes their word for what they saw.
  const { inbox, look } = rig.system.cases;
  const [item, ...others] = (await inbox.list({ project: null, after: null, most: 10 })).items;
  expect([item, others, await inbox.count()]).toEqual([
    expect.objectContaining({ id, kind: "delivery", reason: "outcome_unknown", answers: ["retry", "leave"] }),
    [],
    1,
  ]);
  const { row, state } = (await look.tasks({ ...EVERY_TASK, after: null, most: 10 })).rows[0] ?? {};
  expect([row?.status, row?.id, state?.openStep?.torn?.length]).toEqual(["succeeded", id, 3]);
  expect((await inbox.show(id)).step?.act.kind).toBe("deliver_together");
  const seq = item?.seq ?? 0;
  const say = (said: InboxSaid) => inbox.answer(ADA, id, said);
  await expect(say({ answer: "leave", seq: seq - 1, reason: null })).rejects.toMatchObject({ code: "task/changed" });
  await expect(say({ answer: "accept", seq, reason: "x" })).rejects.toMatchObject({ code: "task/refused" });
  await expect(say({ answer: "retry", seq, reason: null })).rejects.toMatchObject({ code: "delivery/torn" });
  expect(heads()).toEqual(stand);
  await say({ answer: "leave", seq, reason: null });
  expect([heads(), await rig.task(id)]).toEqual([stand, expect.objectContaining({ openStep: null, delivered: null })]);
  expect([await inbox.count(), (await look.tasks({ ...EVERY_TASK, after: null, most: 10 })).rows[0]?.state]).toEqual([
    0,
    null,
  ]);
  await expect(inbox.show(id)).rejects.toMatchObject({ code: "task/refused" });
  expect(rig.warnings).toEqual([]);
});
