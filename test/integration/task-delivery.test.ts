import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { isFailure } from "../../src/domain/failure.ts";
import { ADA, commit, fingerprint, gate, git, plan, put, type Rig, repository, room, startRig } from "./task-kit.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});

const read = (repo: string, path: string): string => readFileSync(join(repo, path), "utf8");
const deliver = (id: string, way: "merge" | "branch" | "patch" = "merge", branch: string | null = null) =>
  rig.system.cases.deliver({ task: id, by: ADA, way, branch });

async function refusal(
  what: Promise<unknown>,
): Promise<{ readonly code: string; readonly message: string; readonly next: string | null }> {
  try {
    await what;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { code: error.code, message: error.message, next: error.next };
  }
  throw new Error("it was not refused");
}

/** A proven task that wrote `two` into a.txt of a repository with another file. */
async function proven(
  spec: Record<string, unknown> = {},
): Promise<{ readonly id: string; readonly repo: string; readonly base: string }> {
  const repo = repository({ "a.txt": "one\n", "b.txt": "b\n" });
  const id = await rig.approved(await rig.project(repo), {
    ...plan("echo two > a.txt"),
    gates: [gate("grep -qx two a.txt && ! grep -qx broken b.txt")],
    ...spec,
  });
  await rig.until(id, "succeeded");
  return { id, repo, base: git(repo, "rev-parse", "HEAD") };
}

describe("delivery of a proven task", () => {
  it("merge: the branch moves to the candidate and the checkout follows; a trailer names the task", async () => {
    const { id, repo, base } = await proven();
    const before = fingerprint(repo);
    const told = await deliver(id);
    const { candidate, delivered } = await rig.task(id);
    expect(before).not.toBe(fingerprint(repo));
    expect(git(repo, "rev-parse", "main")).toBe(candidate?.["app"]?.commit);
    expect([git(repo, "status", "--porcelain"), read(repo, "a.txt")]).toEqual(["", "two\n"]);
    expect(told.repos["app"]).toEqual({
      way: "merge",
      branch: "main",
      from: base,
      to: candidate?.["app"]?.commit,
      tree: candidate?.["app"]?.tree,
      checkoutFollowed: true,
    });
    expect(delivered).toEqual(told.repos);
    expect(git(repo, "log", "-1", "--format=%an%n%B")).toContain(`AgentOS-Task: ${id}`);
    expect(git(repo, "fsck", "--connectivity-only")).toBe("");
  });

  it("merge again: says that the work is there, and moves nothing", async () => {
    const { id, repo } = await proven();
    await deliver(id);
    const head = git(repo, "rev-parse", "main");
    expect((await deliver(id)).notes).toEqual(["app: main has this work already"]);
    expect(git(repo, "rev-parse", "main")).toBe(head);
  });

  it("branch: a branch of its own, and nothing else moves", async () => {
    const { id, repo, base } = await proven();
    const told = await deliver(id, "branch");
    expect(told.repos["app"]?.branch).toBe(`agentos/${id}`);
    expect(git(repo, "rev-parse", `agentos/${id}`)).toBe((await rig.task(id)).candidate?.["app"]?.commit);
    expect([git(repo, "rev-parse", "main"), read(repo, "a.txt")]).toEqual([base, "one\n"]);
    expect((await refusal(deliver(id, "branch", "main"))).code).toBe("delivery/refused");
  });

  it("a push that is asked for where there is nothing to push to is refused, and no branch moves", async () => {
    const { id, repo } = await proven();
    const before = fingerprint(repo);
    for (const way of ["merge", "branch", "patch"] as const)
      expect(await refusal(rig.system.cases.deliver({ task: id, by: ADA, way, branch: null, push: "mended" }))).toEqual(
        {
          code: "delivery/refused",
          message: "app is a local repository, and --push is for remotes",
          next: `agentos task deliver ${id} --way branch --branch mended writes that branch of it.`,
        },
      );
    expect([fingerprint(repo), (await rig.task(id)).delivered]).toEqual([before, null]);
  });

  it("patch: an artifact that git applies", async () => {
    const { id, repo } = await proven();
    const before = fingerprint(repo);
    await deliver(id, "patch");
    expect(fingerprint(repo)).toBe(before);
    const { bytes, mediaType } = await rig.system.cases.look.artifact(id, "app.patch");
    const copy = join(room(), "copy");
    git(repo, "clone", "-q", repo, copy);
    writeFileSync(join(copy, "the.patch"), bytes);
    git(copy, "apply", "the.patch");
    expect([mediaType, read(copy, "a.txt")]).toEqual(["text/x-patch", "two\n"]);
  });

  it("a touched file that is dirty: a branch is written instead, and it says so", async () => {
    const { id, repo, base } = await proven();
    writeFileSync(join(repo, "a.txt"), "mine\n");
    const told = await deliver(id);
    expect(told.repos["app"]).toMatchObject({ way: "branch", branch: `agentos/${id}`, checkoutFollowed: false });
    expect(told.notes.join()).toContain("a.txt has uncommitted changes");
    expect([git(repo, "rev-parse", "main"), read(repo, "a.txt")]).toEqual([base, "mine\n"]);
  });

  it("an untouched file that is dirty stays dirty while the checkout follows", async () => {
    const { id, repo } = await proven();
    writeFileSync(join(repo, "b.txt"), "mine\n");
    expect((await deliver(id)).repos["app"]).toMatchObject({ way: "merge", checkoutFollowed: true });
    expect([read(repo, "a.txt"), read(repo, "b.txt"), git(repo, "status", "--porcelain")]).toEqual([
      "two\n",
      "mine\n",
      "M b.txt",
    ]);
  });

  it("the branch moved on and the merge is green: the merged tree is proven, then the branch moves", async () => {
    const { id, repo } = await proven();
    put(repo, { "c.txt": "theirs\n" });
    const theirs = commit(repo, "theirs");
    const told = await deliver(id);
    expect(told.notes).toEqual(["app: main had moved on; the merged tree passed the same gates"]);
    expect(git(repo, "log", "-1", "--format=%P", "main").split(" ")).toContain(theirs);
    expect([read(repo, "a.txt"), read(repo, "c.txt"), git(repo, "status", "--porcelain")]).toEqual([
      "two\n",
      "theirs\n",
      "",
    ]);
    const passed = (await rig.bodies(id, "GATE_PASSED")).filter(({ on }) => on === "merge");
    expect(passed.map(({ gate: name, tree }) => [name, tree])).toEqual([
      ["check", git(repo, "rev-parse", "main^{tree}")],
    ]);
  });

  it("the branch moved on and the merge is red: refused, and the branch stays where it was", async () => {
    const { id, repo } = await proven();
    put(repo, { "b.txt": "broken\n" });
    const theirs = commit(repo, "breaks it");
    const before = fingerprint(repo);
    const no = await refusal(deliver(id));
    expect(no.code).toBe("delivery/refused");
    expect(no.message).toContain("merged with the newer main, the gate check does not pass");
    expect(no.next).toContain("--way branch");
    expect([git(repo, "rev-parse", "main"), fingerprint(repo)]).toEqual([theirs, before]);
    expect((await rig.bodies(id, "GATE_FAILED")).filter(({ on }) => on === "merge")).toHaveLength(1);
    expect(await rig.task(id)).toMatchObject({ status: "succeeded", delivered: null, openStep: null });
  });

  it("the branch moved on and conflicts: refused by name of the file, nothing moves", async () => {
    const { id, repo } = await proven();
    put(repo, { "a.txt": "three\n" });
    commit(repo, "conflicts");
    const before = fingerprint(repo);
    const no = await refusal(deliver(id));
    expect([no.code, no.message.includes("a.txt")]).toEqual(["delivery/refused", true]);
    expect(fingerprint(repo)).toBe(before);
    expect((await deliver(id, "branch")).repos["app"]?.way).toBe("branch");
  });

  it("several asks at the same time move the branch once", async () => {
    const { id, repo } = await proven();
    const all = await Promise.allSettled([deliver(id), deliver(id), deliver(id)]);
    expect(all.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
    expect(git(repo, "rev-list", "--count", "main")).toBe("2");
  });

  it("a task that did not succeed is not delivered, one that changed nothing neither", async () => {
    const repo = repository();
    const waiting = await rig.queued(await rig.project(repo), { ...plan("true"), gates: [gate("true")] });
    await rig.until(waiting, "awaiting_approval");
    expect((await refusal(deliver(waiting))).code).toBe("task/refused");
    await rig.system.cases.answer.cancel(ADA, waiting, null);
    expect((await refusal(deliver(waiting))).code).toBe("task/refused");
    const looked = await rig.approved(await rig.project(repository()), {
      ...plan("true"),
      gates: [gate("true")],
      expects_change: false,
    });
    await rig.until(looked, "succeeded");
    expect((await refusal(deliver(looked))).message).toContain("changed nothing");
  });

  it("after the repository was moved away it is refused, and after it is back it goes", async () => {
    const { id, repo } = await proven();
    const { renameSync } = await import("node:fs");
    renameSync(repo, `${repo}-away`);
    expect((await refusal(deliver(id))).code).toMatch(/^repo\/|^delivery\//);
    renameSync(`${repo}-away`, repo);
    expect((await deliver(id)).repos["app"]?.way).toBe("merge");
  });

  it("work that was accepted on record without any gate is not called proven when it is merged with a moved branch", async () => {
    const repo = repository();
    const id = await rig.approved(await rig.project(repo), { ...plan("echo two > a.txt") });
    await rig.until(id, "blocked");
    await rig.system.cases.answer.accept(ADA, id, "I looked at it");
    put(repo, { "c.txt": "theirs\n" });
    const theirs = commit(repo, "theirs");
    const told = await deliver(id).then(
      (done) => done.notes.join(),
      (error: unknown) => {
        if (!isFailure(error, "delivery/refused")) throw error;
        expect(git(repo, "rev-parse", "main")).toBe(theirs);
        return error.message;
      },
    );
    expect(told).not.toContain("passed the same gates");
  });
});

it("leaves nothing to warn about", () => expect(rig.warnings).toEqual([]));
