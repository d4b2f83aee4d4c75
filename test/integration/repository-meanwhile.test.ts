import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { isFailure } from "../../src/domain/failure.ts";
import { ADA, fingerprint, gate, git, plan, type Rig, repository, room, startRig } from "./task-kit.ts";

/* The person moves, deletes, replaces or edits the repository while a task of theirs is under way. */

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});

const WORK = { ...plan("echo two > a.txt"), gates: [gate("grep -qx two a.txt")] };
const deliver = (id: string) => rig.system.cases.deliver({ task: id, by: ADA, way: "merge", branch: null });

async function refusal(what: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> {
  try {
    await what;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { code: error.code, message: error.message };
  }
  throw new Error("it was not refused");
}

/** With work that is in no commit: changed, staged, unknown to git, stashed. */
function inUse(): string {
  const repo = repository({ "a.txt": "one\n", "b.txt": "b\n", "c.txt": "c\n" });
  writeFileSync(join(repo, "b.txt"), "stashed\n");
  git(repo, "stash", "-q");
  writeFileSync(join(repo, "b.txt"), "changed\n");
  writeFileSync(join(repo, "c.txt"), "staged\n");
  git(repo, "add", "c.txt");
  writeFileSync(join(repo, "notes.txt"), "mine\n");
  return repo;
}

it("before planning: deleted, or no git repository any more, also inside another one: the task waits as repo_missing each time, and goes on when it is back", async () => {
  const repo = inUse();
  const around = dirname(repo);
  const copy = join(room(), "copy");
  cpSync(repo, copy, { recursive: true, verbatimSymlinks: true });
  const id = await rig.frozen(await rig.project(repo), WORK);
  const waits = async (): Promise<unknown> => {
    const { status, reason } = { reason: null, ...(await rig.until(id, "blocked", "failed", "awaiting_approval")) };
    return [status, reason];
  };
  rmSync(repo, { recursive: true });
  await rig.system.cases.answer.ready(ADA, id);
  expect(await waits()).toEqual(["blocked", "repo_missing"]);

  mkdirSync(repo);
  await rig.system.cases.answer.resume(ADA, id, null, null);
  expect(await waits()).toEqual(["blocked", "repo_missing"]);

  repository({ "other.txt": "other\n" }, around);
  const others = fingerprint(around);
  await rig.system.cases.answer.resume(ADA, id, null, null);
  expect(await waits()).toEqual(["blocked", "repo_missing"]);
  expect(fingerprint(around)).toBe(others);

  rmSync(repo, { recursive: true });
  renameSync(copy, repo);
  await rig.system.cases.answer.resume(ADA, id, null, null);
  await rig.until(id, "awaiting_approval");
  await rig.approve(id);
  expect((await rig.until(id, "succeeded", "blocked", "failed")).status).toBe("succeeded");
});

it("while it runs: edits, commits and a rewritten history of the person change nothing of the task, and it nothing of theirs", async () => {
  const repo = inUse();
  const id = await rig.queued(await rig.project(repo), WORK);
  await rig.until(id, "awaiting_approval");
  git(repo, "commit", "-q", "--amend", "-m", "another beginning");
  git(repo, "reflog", "expire", "--expire=now", "--all");
  git(repo, "gc", "-q", "--prune=now");
  writeFileSync(join(repo, "a.txt"), "edited while it ran\n");
  const before = fingerprint(repo);
  await rig.approve(id);
  expect((await rig.until(id, "succeeded", "blocked", "failed")).status).toBe("succeeded");
  expect(fingerprint(repo)).toBe(before);
});

describe("before the delivery of a proven task", () => {
  let id = "";
  let repo = "";
  let repoId = "";
  let untouched = "";
  beforeAll(async () => {
    repo = inUse();
    const project = await rig.project(repo);
    repoId = project.repos[0]?.id ?? "";
    id = await rig.approved(project, WORK);
    await rig.until(id, "succeeded");
    untouched = fingerprint(repo);
  });

  it("moved away: refused with the path", async () => {
    renameSync(repo, `${repo}-away`);
    expect(await refusal(deliver(id))).toEqual({
      code: "repo/refused",
      message: `${repo} does not exist or cannot be read`,
    });
    renameSync(`${repo}-away`, repo);
  });

  it("no git repository any more, inside another one: the one around it is not taken for it", async () => {
    const around = dirname(repo);
    const gitDir = join(room(), "git");
    renameSync(join(repo, ".git"), gitDir);
    repository({ "other.txt": "other\n" }, around);
    const others = fingerprint(around);
    expect(await refusal(deliver(id))).toEqual({
      code: "repo/refused",
      message: `${repo} is no git repository any more; it only lies inside ${around}`,
    });
    expect(fingerprint(around)).toBe(others);
    rmSync(join(around, ".git"), { recursive: true });
    renameSync(gitDir, join(repo, ".git"));
  });

  it("another repository in its place: refused, and nothing of it is touched", async () => {
    renameSync(repo, `${repo}-away`);
    repository({ "a.txt": "another\n" }, repo);
    const others = fingerprint(repo);
    expect(await refusal(deliver(id))).toMatchObject({
      code: "delivery/refused",
      message: expect.stringContaining("has no commit in common with this work") as string,
    });
    expect(fingerprint(repo)).toBe(others);
    rmSync(repo, { recursive: true });
    renameSync(`${repo}-away`, repo);
  });

  it("edits of the same lines, committed: a conflict that names the file, and every byte is the person's", async () => {
    writeFileSync(join(repo, "a.txt"), "theirs\n");
    git(repo, "commit", "-q", "-m", "theirs", "a.txt");
    const before = fingerprint(repo);
    expect(await refusal(deliver(id))).toEqual({
      code: "delivery/refused",
      message: "main of app moved on and conflicts with this work in a.txt",
    });
    expect(fingerprint(repo)).toBe(before);
    git(repo, "reset", "-q", "--soft", "HEAD~1");
    git(repo, "reset", "-q", "a.txt");
    git(repo, "checkout", "-q", "--", "a.txt");
  });

  it("edits of the same file, not committed: the work goes to a branch of its own, and every byte is the person's", async () => {
    writeFileSync(join(repo, "a.txt"), "in the middle of something\n");
    const before = fingerprint(repo).split("\n");
    const { repos } = await deliver(id);
    expect(repos["app"]).toMatchObject({ way: "branch", branch: `agentos/${id}` });
    expect(readFileSync(join(repo, "a.txt"), "utf8")).toBe("in the middle of something\n");
    const after = fingerprint(repo).split("\n");
    expect(after.filter((line) => !line.includes(`agentos/${id}`)).slice(1)).toEqual(before.slice(1));
    git(repo, "checkout", "-q", "--", "a.txt");
    git(repo, "branch", "-q", "-D", `agentos/${id}`);
  });

  it("moved, and its new path told: delivered there, with the person's uncommitted work as it was", async () => {
    expect(fingerprint(repo).split("\n").slice(1)).toEqual(untouched.split("\n").slice(1));
    const moved = join(room(), "elsewhere");
    renameSync(repo, moved);
    await rig.system.cases.changeRepo(ADA, repoId, { path: moved });
    await deliver(id);
    const read = (name: string): string => readFileSync(join(moved, name), "utf8");
    expect(["a.txt", "b.txt", "c.txt", "notes.txt"].map(read)).toEqual(["two\n", "changed\n", "staged\n", "mine\n"]);
    expect(git(moved, "status", "--porcelain").split("\n")).toEqual(["M b.txt", "M  c.txt", "?? notes.txt"]);
    expect(git(moved, "stash", "list")).toContain("stash@{0}");
  });

  it("moved again, and a link left in its place: found there", async () => {
    const at = (await rig.system.cases.findRepo(repoId)).repo.path;
    renameSync(at, `${at}-again`);
    symlinkSync(`${at}-again`, at);
    expect((await deliver(id)).notes).toEqual(["app: main has this work already"]);
  });
});

it("leaves nothing to warn about", () => expect(rig.warnings).toEqual([]));
