import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import {
  ADA,
  AT_MS,
  begun,
  CLONE,
  fingerprint,
  git,
  personsEnvironment,
  put,
  repository,
  room,
  WORK,
  workspacesIn,
} from "./workspaces.kit.ts";

/** A program that leaves a mark when anything runs it, and behaves well enough as a filter to be run again. */
function payload(): { readonly program: string; readonly marks: string; fired(): string[]; clear(): void } {
  const place = room();
  chmodSync(place, 0o777);
  const marks = `${place}/marks`;
  mkdirSync(marks);
  chmodSync(marks, 0o777);
  const program = `${place}/evil`;
  writeFileSync(
    program,
    `#!/bin/sh\ntouch "${marks}/$(basename "$0")-$1"\n[ "$1" = lazy ] || cat 2>/dev/null\nexit 0\n`,
  );
  chmodSync(program, 0o755);
  return {
    program,
    marks,
    fired: () => readdirSync(marks),
    clear: () => {
      for (const name of readdirSync(marks)) rmSync(`${marks}/${name}`);
    },
  };
}

const HOOKS = [
  "post-checkout",
  "post-commit",
  "pre-commit",
  "post-index-change",
  "reference-transaction",
  "pre-receive",
  "update",
  "post-receive",
  "post-merge",
  "pre-push",
  "post-update",
  "pre-auto-gc",
  "commit-msg",
  "prepare-commit-msg",
  "proc-receive",
  "push-to-checkout",
];

/** A repository whose own configuration runs the payload wherever git lets it. */
function hostile() {
  const evil = payload();
  const repo = repository({
    "a.txt": "one\n",
    "b.dat": "data\n",
    "c.dat": "more\n",
    ".gitattributes": "*.dat filter=evil diff=evil merge=evil\n*.txt diff=evil\n",
  });
  for (const hook of HOOKS) symlinkSync(evil.program, `${repo}/.git/hooks/${hook}`);
  const included = `${repo}/.git/more`;
  writeFileSync(included, `[core]\n\tfsmonitor = ${evil.program} included\n\tpager = ${evil.program} pager\n`);
  const settings: readonly (readonly [string, string])[] = [
    ["core.fsmonitor", `${evil.program} fsmonitor`],
    ["core.hooksPath", `${repo}/.git/hooks`],
    ["filter.evil.clean", `${evil.program} clean`],
    ["filter.evil.smudge", `${evil.program} smudge`],
    ["filter.evil.required", "true"],
    ["diff.evil.textconv", `${evil.program} textconv`],
    ["diff.evil.command", `${evil.program} diffdriver`],
    ["diff.external", `${evil.program} external`],
    ["merge.evil.driver", `${evil.program} merge`],
    ["core.sshCommand", `${evil.program} ssh`],
    ["core.editor", `${evil.program} editor`],
    ["core.askPass", `${evil.program} askpass`],
    ["core.alternateRefsCommand", `${evil.program} alternates`],
    ["credential.helper", `${evil.program} credential`],
    ["gpg.program", `${evil.program} gpg`],
    ["commit.gpgSign", "true"],
    ["uploadpack.packObjectsHook", `${evil.program} packobjects`],
    ["alias.status", `!${evil.program} alias`],
    ["include.path", included],
  ];
  for (const [key, value] of settings) git(repo, "config", key, value);
  return { repo, evil };
}

describe("a hostile repository", () => {
  test("runs nothing of its own in any operation, and stays as it is", async () => {
    const { repo, evil } = hostile();
    writeFileSync(`${repo}/b.dat`, "changed data\n");

    // Control: plain git in that repository runs the payload in many ways.
    spawnSync("git", ["status"], { cwd: repo, env: personsEnvironment() });
    spawnSync("git", ["diff"], { cwd: repo, env: personsEnvironment() });
    spawnSync("git", ["add", "b.dat"], { cwd: repo, env: personsEnvironment() });
    spawnSync("git", ["update-ref", "refs/heads/control", "HEAD"], { cwd: repo, env: personsEnvironment() });
    spawnSync("git", ["reset", "-q", "--hard"], { cwd: repo, env: personsEnvironment() });
    expect(evil.fired()).toEqual(
      expect.arrayContaining(["evil-included", "evil-clean", "evil-diffdriver", "evil-smudge"]),
    );
    expect(evil.fired().some((name) => name.startsWith("reference-transaction"))).toBe(true);
    evil.clear();

    git(repo, "config", "core.worktree", "/");
    writeFileSync(`${repo}/a.txt`, "dirty\n");
    const head = execFileSync(
      "git",
      ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", `--git-dir=${repo}/.git`, "rev-parse", "HEAD"],
      { encoding: "utf8", env: personsEnvironment() },
    ).trim();
    evil.clear();
    const before = fingerprint(repo);

    const workspaces = workspacesIn(`${room()}/home`);
    expect(await workspaces.inspect(`${repo}/.git/..`)).toMatchObject({
      root: repo,
      head,
      branch: "main",
      dirty: expect.arrayContaining(["a.txt"]),
      unsupported: [],
    });
    expect(await workspaces.fileAt(repo, head, "a.txt")).toBe("one\n");
    expect(await workspaces.pathsAt(repo, head)).toEqual([".gitattributes", "a.txt", "b.dat", "c.dat"]);
    const base = await workspaces.adopt(CLONE, repo, head, true);
    const tree = await workspaces.checkout(WORK, base);
    const work = workspaces.path(WORK);
    put(work, { "a.txt": "by the agent\n", "b.dat": "by the agent\n", "new.dat": "new\n" });
    rmSync(`${work}/c.dat`);
    const candidate = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
    await workspaces.snapshot(WORK, []);
    await workspaces.restore(WORK, tree, []);
    await workspaces.gateCheckout(WORK, candidate.commit, "tests");
    expect(await workspaces.diff(CLONE, base, candidate.commit, 100_000)).toContain("+by the agent");
    await workspaces.changes(CLONE, base, candidate.commit);
    expect(await workspaces.patch(CLONE, base, candidate.commit)).toContain("+by the agent");
    await workspaces.outlook(CLONE, repo, "main", base, candidate.commit);
    await workspaces.mergeWith(CLONE, repo, "main", candidate.commit, "merge", ADA, AT_MS);
    await workspaces.publishRef(CLONE, repo, candidate.commit, "task/x");
    expect(fingerprint(repo)).toEqual(before);

    await workspaces.moveBranch(repo, "delivered", null, candidate.commit);
    expect(await workspaces.branchHead(repo, "delivered")).toBe(candidate.commit);
    // Its files would have to go through a filter of the person's: refused, not run.
    await expect(workspaces.moveBranch(repo, "main", head, candidate.commit)).rejects.toMatchObject({
      code: "delivery/refused",
    });
    await workspaces.remove(CLONE.task, { app: repo });
    expect(evil.fired()).toEqual([]);
  });

  test("a checkout follows a delivery without hooks or fsmonitor", async () => {
    const { repo, evil } = hostile();
    git(repo, "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "reset", "-q", "--hard");
    evil.clear();
    const workspaces = workspacesIn(`${room()}/home`);
    const { head } = await workspaces.inspect(repo);
    const base = await workspaces.adopt(CLONE, repo, head ?? "", false);
    await workspaces.checkout(WORK, base);
    writeFileSync(`${workspaces.path(WORK)}/a.txt`, "by the agent\n");
    const { commit: to } = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
    await workspaces.publishRef(CLONE, repo, to, "task/x");
    expect(await workspaces.moveBranch(repo, "main", base, to)).toEqual({ checkoutFollowed: true });
    expect(evil.fired()).toEqual([]);
  });

  test("a promise of missing objects is not kept by running the repository's own program", async () => {
    const evil = payload();
    const repo = repository();
    const head = git(repo, "rev-parse", "HEAD");
    const blob = git(repo, "rev-parse", "HEAD:a.txt");
    for (const [key, value] of [
      ["core.repositoryformatversion", "1"],
      ["extensions.partialClone", "origin"],
      ["remote.origin.url", repo],
      ["remote.origin.promisor", "true"],
      ["remote.origin.uploadpack", `${evil.program} lazy`],
    ] as const)
      git(repo, "config", key, value);
    rmSync(`${repo}/.git/objects/${blob.slice(0, 2)}/${blob.slice(2)}`);
    spawnSync("git", ["cat-file", "-p", blob], { cwd: repo, env: personsEnvironment() });
    expect(evil.fired()).toEqual(["evil-lazy"]);
    evil.clear();

    const workspaces = workspacesIn(`${room()}/home`);
    const state = await workspaces.inspect(repo);
    expect(state.unsupported.join()).toContain("partial clone");
    await expect(workspaces.fileAt(repo, head, "a.txt")).rejects.toMatchObject({ code: "store/corrupt" });
    await expect(workspaces.adopt(CLONE, repo, head, false)).rejects.toMatchObject({ code: "repo/refused" });
    await workspaces.branchHead(repo, "main");
    expect(evil.fired()).toEqual([]);
  });

  test("what the caller's environment says to git is not heard", async () => {
    const evil = payload();
    const { repo, workspaces, base, work } = await begun();
    writeFileSync(`${work}/a.txt`, "changed\n");
    const said: Record<string, string> = {
      GIT_DIR: "/nonexistent",
      GIT_WORK_TREE: "/",
      GIT_INDEX_FILE: "/nonexistent",
      GIT_EXTERNAL_DIFF: `${evil.program} environment`,
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "core.fsmonitor",
      GIT_CONFIG_VALUE_0: `${evil.program} counted`,
      GIT_CONFIG_PARAMETERS: `'core.fsmonitor'='${evil.program} parameters'`,
      GIT_SSH_COMMAND: evil.program,
    };
    for (const [name, value] of Object.entries(said)) vi.stubEnv(name, value);
    const candidate = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
    expect(await workspaces.diff(CLONE, base, candidate.commit, 10_000)).toContain("+changed");
    expect((await workspaces.inspect(repo)).head).toBe(base);
    vi.unstubAllEnvs();
    expect(evil.fired()).toEqual([]);
  });
});

describe("a hostile agent", () => {
  test("that rewrites the scratch .git runs nothing and changes nothing that counts", async () => {
    const evil = payload();
    const { workspaces, work, base } = await begun({ "a.txt": "one\n" });
    const honest = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
    writeFileSync(
      `${work}/.git/config`,
      `[core]\n\tfsmonitor = ${evil.program} fsmonitor\n\thooksPath = ${work}/.git/hooks\n\tworktree = /\n[filter "evil"]\n\tclean = ${evil.program} clean\n\tsmudge = ${evil.program} smudge\n`,
    );
    mkdirSync(`${work}/.git/hooks`);
    mkdirSync(`${work}/.git/info`, { recursive: true });
    for (const hook of HOOKS) symlinkSync(evil.program, `${work}/.git/hooks/${hook}`);
    writeFileSync(`${work}/.git/info/attributes`, "* filter=evil\n");
    writeFileSync(`${work}/.git/info/exclude`, "*\n");
    writeFileSync(`${work}/.git/index`, "rubbish");
    // Control: git in that directory runs it.
    spawnSync("git", ["read-tree", "--empty"], { cwd: work, env: personsEnvironment() });
    spawnSync("git", ["-c", "core.worktree=", "status"], { cwd: work, env: personsEnvironment() });
    expect(evil.fired().length).toBeGreaterThan(0);
    evil.clear();

    expect(await workspaces.candidate(WORK, base, "change", ADA, AT_MS, [])).toEqual(honest);
    const planted = await workspaces.snapshot(WORK, []);
    rmSync(`${work}/.git`, { recursive: true });
    writeFileSync(`${work}/.git`, `gitdir: ${room()}\n`);
    expect(await workspaces.candidate(WORK, base, "change", ADA, AT_MS, [])).toEqual(honest);
    await workspaces.restore(WORK, planted, []);
    await workspaces.gateCheckout(WORK, base, "tests");
    expect(evil.fired()).toEqual([]);
  });

  test("that links its way out has the link in the commit, never what is behind it", async () => {
    const { workspaces, work, base } = await begun();
    const outside = room();
    put(outside, { secret: "s3cret\n", "directory/secret": "s3cret\n" });
    symlinkSync(`${outside}/secret`, `${work}/link`);
    rmSync(`${work}/src`, { recursive: true });
    symlinkSync(`${outside}/directory`, `${work}/src`);
    const { commit: made } = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
    const diff = await workspaces.diff(CLONE, base, made, 100_000);
    expect(diff).toContain(`${outside}/secret`);
    expect(diff).not.toContain("s3cret");
    const tree = await workspaces.snapshot(WORK, []);
    rmSync(`${work}/src`);
    await workspaces.restore(WORK, tree, []);
    expect(existsSync(`${outside}/directory/secret`)).toBe(true);
  });

  test("that hides a bare repository in the tree has it taken as files", async () => {
    const { workspaces, work, base } = await begun();
    git(work, "init", "-q", "--bare", "bare");
    const { changed, leftOut } = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
    expect([changed.map(({ path }) => path).includes("bare/HEAD"), leftOut]).toEqual([true, []]);
    const state = await workspaces.inspect(`${work}/bare/refs`);
    expect(state.unsupported.join()).toContain("bare repository");
  });
});
