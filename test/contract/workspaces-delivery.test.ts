import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import {
  ADA,
  AT_MS,
  begun,
  CLONE,
  commit,
  fingerprint,
  git,
  isRoot,
  listing,
  NOBODY,
  put,
  repository,
  room,
  WORK,
  withoutGit,
  workspacesIn,
} from "./workspaces.kit.ts";

/** Whether there is a second file system to keep a repository on, from where nothing can be linked. */
const elsewhere =
  existsSync("/dev/shm") &&
  statSync("/dev/shm").dev !== statSync(tmpdir()).dev &&
  (statSync("/dev/shm").mode & 0o002) !== 0;

const inspected = (path: string) => workspacesIn(`${room()}/home`).inspect(path);

describe("inspecting", () => {
  test("names what a person changed, staged, deleted and added, and leaves their index as it is", async () => {
    const repo = repository({
      "a.txt": "1\n",
      "b.txt": "1\n",
      "c.txt": "1\n",
      "touched.txt": "1\n",
      ".gitignore": "ignored\n",
    });
    put(repo, { "a.txt": "2\n", "b.txt": "2\n", ignored: "x", "new/é.txt": "x", "touched.txt": "1\n" });
    git(repo, "add", "b.txt");
    rmSync(`${repo}/c.txt`);
    put(repo, { "own/.git/info/exclude": "x" });
    put(repo, { ".git/info/exclude": "*.local\n", "my.local": "x" });
    const before = fingerprint(repo);
    expect(await inspected(`${repo}/new`)).toEqual({
      root: repo,
      below: "new",
      head: git(repo, "rev-parse", "HEAD"),
      branch: "main",
      dirty: ["a.txt", "b.txt", "c.txt", "new/é.txt"],
      unsupported: [],
    });
    expect(fingerprint(repo)).toEqual(before);
  });

  test("a commit that could not be read is looked at again once it can", async () => {
    const repo = repository();
    const tree = git(repo, "rev-parse", "HEAD:src");
    const object = `${repo}/.git/objects/${tree.slice(0, 2)}/${tree.slice(2)}`;
    renameSync(object, `${repo}/aside`);
    expect((await inspected(repo)).unsupported).toEqual([expect.stringContaining("cannot be read whole")]);
    renameSync(`${repo}/aside`, object);
    expect((await inspected(repo)).unsupported).toEqual([]);
  });

  test("names the branch, however HEAD says it", async () => {
    const { repo } = await begun();
    const branchNow = async () => (await workspacesIn(`${room()}/home`).inspect(repo)).branch;
    for (const name of ["feature/ä-1", "a@b", "it's", "x!y", "été#2"]) {
      git(repo, "checkout", "-q", "-b", name);
      expect(await branchNow()).toBe(name);
    }
    git(repo, "checkout", "-q", "main");
    // What git itself made long ago, and still understands.
    rmSync(`${repo}/.git/HEAD`);
    symlinkSync("refs/heads/main", `${repo}/.git/HEAD`);
    expect(await branchNow()).toBe("main");
  });

  test("tells every way in which files can differ from the last commit", async () => {
    const { repo } = await begun({
      "a.txt": "a\n",
      "b.txt": "b\n",
      "c.txt": "c\n",
      "d.txt": "d\n",
      ".gitignore": "*.log\n",
    });
    put(repo, { "a.txt": "changed\n", "new/deep.txt": "new\n", "new/ä\n.txt": "odd\n", "x.log": "ignored\n" });
    rmSync(`${repo}/b.txt`);
    git(repo, "mv", "c.txt", "moved.txt");
    chmodSync(`${repo}/d.txt`, 0o755);
    put(repo, { "meant.txt": "later\n" });
    git(repo, "add", "-N", "meant.txt");
    const before = fingerprint(repo);
    const { dirty } = await workspacesIn(`${room()}/home`).inspect(repo);
    expect(dirty).toEqual(
      ["a.txt", "b.txt", "c.txt", "d.txt", "meant.txt", "moved.txt", "new/deep.txt", "new/ä\n.txt"].sort(),
    );
    expect(fingerprint(repo)).toEqual(before);
  });

  test("understands linked working trees, a detached HEAD and packed refs", async () => {
    const repo = repository();
    const linked = `${room()}/linked`;
    git(repo, "worktree", "add", "-q", "-b", "side", linked);
    git(repo, "pack-refs", "--all");
    git(repo, "checkout", "-q", "--detach");
    const head = git(repo, "rev-parse", "HEAD");
    expect(await inspected(linked)).toEqual({
      root: linked,
      below: "",
      head,
      branch: "side",
      dirty: [],
      unsupported: [],
    });
    expect(await inspected(repo)).toEqual({ root: repo, below: "", head, branch: null, dirty: [], unsupported: [] });
  });

  test("refuses what is no repository", async () => {
    const plain = room();
    await expect(inspected(plain)).rejects.toMatchObject({ code: "repo/refused" });
    await expect(inspected(`${plain}/absent`)).rejects.toMatchObject({ code: "repo/refused" });
    await expect(inspected("relative")).rejects.toMatchObject({ code: "repo/refused" });
    writeFileSync(`${plain}/.git`, "gitdir: /nonexistent\n");
    await expect(inspected(plain)).rejects.toMatchObject({ code: "repo/refused" });
  });

  const unsupported: readonly (readonly [string, RegExp, () => string])[] = [
    [
      "a repository without a commit",
      /^it has no commit yet: commit something first$/,
      () => {
        const path = room();
        git(path, "init", "-q");
        return path;
      },
    ],
    [
      "a bare repository",
      /is a bare repository/,
      () => {
        const path = `${room()}/bare.git`;
        git(repository(), "clone", "-q", "--bare", ".", path);
        return path;
      },
    ],
    [
      "submodules",
      /submodules \(vendor\/lib\)/,
      () => {
        const repo = repository();
        git(repo, "submodule", "--quiet", "add", repository(), "vendor/lib");
        commit(repo, "with a submodule");
        return repo;
      },
    ],
    [
      "Git LFS",
      /Git LFS \(assets\/\.gitattributes\)/,
      () => repository({ "assets/.gitattributes": "# filter=none\n*.png filter=lfs diff=lfs merge=lfs -text\n" }),
    ],
    [
      "a shallow clone",
      /shallow clone/,
      () => {
        const origin = repository();
        commit(origin, "second");
        const path = `${room()}/shallow`;
        git(origin, "clone", "-q", "--depth", "1", `file://${origin}`, path);
        return path;
      },
    ],
    [
      "a partial clone",
      /partial clone/,
      () => {
        const origin = repository();
        git(origin, "config", "uploadpack.allowFilter", "true");
        const path = `${room()}/partial`;
        git(origin, "clone", "-q", "--filter=blob:none", `file://${origin}`, path);
        return path;
      },
    ],
    [
      "a sparse checkout",
      /sparse/,
      () => {
        const repo = repository();
        git(repo, "sparse-checkout", "set", "src");
        return repo;
      },
    ],
  ];
  test.each(unsupported)("says why %s cannot be worked on", async (_, reason, make) => {
    const state = await inspected(make());
    expect(state.unsupported).toEqual([expect.stringMatching(reason)]);
  });
});

describe("adopting", () => {
  test("with the person's uncommitted changes puts them in a commit on top, the same one when asked again", async () => {
    const repo = repository({ "a.txt": "1\n", "gone.txt": "1\n", ".gitignore": "ignored\n" });
    put(repo, { "a.txt": "2\n", "staged.txt": "s\n", "new.txt": "n\n", ignored: "i" });
    git(repo, "add", "staged.txt");
    rmSync(`${repo}/gone.txt`);
    git(repo, "init", "-q", "nested");
    const head = git(repo, "rev-parse", "HEAD");
    const before = fingerprint(repo);
    const workspaces = workspacesIn(`${room()}/home`);
    const base = await workspaces.adopt(CLONE, repo, head, true);
    expect(fingerprint(repo)).toEqual(before);
    const clone = `${workspaces.objectsPath(CLONE)}/..`;
    expect(git(clone, "log", "-1", "--format=%an <%ae> %P %s", base)).toBe(
      `Ada <ada@example.org> ${head} uncommitted changes of main`,
    );
    expect(git(clone, "diff", "--name-status", head, base)).toBe("M\ta.txt\nD\tgone.txt\nA\tnew.txt\nA\tstaged.txt");
    writeFileSync(`${repo}/a.txt`, "3\n");
    expect(await workspaces.adopt(CLONE, repo, head, true)).toBe(base);
    expect(git(clone, "fsck", "--no-dangling")).toBe("");
    await workspaces.checkout(WORK, base);
    expect(readFileSync(`${workspaces.path(WORK)}/a.txt`, "utf8")).toBe("2\n");
  });

  test("with uncommitted changes leaves out a repository that was added as a link to its commit", async () => {
    const repo = repository();
    repository({ "inner.txt": "inner\n" }, `${repo}/nested`);
    git(repo, "add", "nested");
    put(repo, { "a.txt": "changed\n" });
    // Control: the person's next commit would hold the link.
    expect(git(repo, "ls-files", "-s", "nested")).toMatch(/^160000 /);
    const head = git(repo, "rev-parse", "HEAD");
    const workspaces = workspacesIn(`${room()}/home`);
    const base = await workspaces.adopt(CLONE, repo, head, true);
    expect(await workspaces.changes(CLONE, head, base)).toEqual([
      { path: "a.txt", change: "modified", linesAdded: 1, linesRemoved: 1 },
    ]);
  });

  test("with uncommitted changes is refused where they are on top of another commit, or of a merge that is not finished", async () => {
    const repo = repository({ "a.txt": "1\n" });
    const first = git(repo, "rev-parse", "HEAD");
    git(repo, "checkout", "-q", "-b", "side");
    put(repo, { "a.txt": "side\n" });
    commit(repo, "side");
    git(repo, "checkout", "-q", "main");
    put(repo, { "a.txt": "main\n" });
    const main = commit(repo, "main");
    const adopting = (base: string) => workspacesIn(`${room()}/home`).adopt(CLONE, repo, base, true);
    await expect(adopting(first)).rejects.toMatchObject({
      code: "repo/refused",
      message: `the uncommitted changes in ${repo} are on top of ${main}, not of ${first}`,
    });
    expect(() => git(repo, "merge", "-q", "side")).toThrow();
    await expect(adopting(main)).rejects.toMatchObject({
      code: "repo/refused",
      message: `${repo} has an unfinished merge`,
    });
  });

  test("with changes, when there are none, is the base itself", async () => {
    const repo = repository();
    const head = git(repo, "rev-parse", "HEAD");
    expect(await workspacesIn(`${room()}/home`).adopt(CLONE, repo, head, true)).toBe(head);
  });

  test("again, after the person committed and collected garbage, has the new commit too", async () => {
    const { repo, workspaces, base } = await begun();
    put(repo, { "a.txt": "later\n" });
    const later = commit(repo, "later");
    git(repo, "gc", "-q", "--prune=now");
    expect(await workspaces.adopt(CLONE, repo, later, false)).toBe(later);
    expect(await workspaces.changes(CLONE, base, later)).toEqual([
      { path: "a.txt", change: "modified", linesAdded: 1, linesRemoved: 1 },
    ]);
  });

  test("of a repository that borrows objects from another is whole without it", async () => {
    const origin = repository();
    const borrower = `${room()}/borrower`;
    git(origin, "clone", "-q", "--shared", origin, borrower);
    const workspaces = workspacesIn(`${room()}/home`);
    await workspaces.adopt(CLONE, borrower, git(borrower, "rev-parse", "HEAD"), false);
    expect(git(`${workspaces.objectsPath(CLONE)}/..`, "fsck", "--no-dangling")).toBe("");
  });

  test("of a repository that borrows over a chain without end is refused with what to do", async () => {
    const borrowers = [repository(), ...Array.from({ length: 6 }, () => `${room()}/borrower`)];
    for (const [index, borrower] of borrowers.entries()) {
      const origin = borrowers[index - 1];
      if (origin !== undefined) git(origin, "clone", "-q", "--shared", origin, borrower);
    }
    const adopting = (repo = "") =>
      workspacesIn(`${room()}/home`).adopt(CLONE, repo, git(repo, "rev-parse", "HEAD"), false);
    await adopting(borrowers[5]);
    await expect(adopting(borrowers[6])).rejects.toMatchObject({
      code: "repo/unsupported",
      message: expect.stringMatching(/borrows objects over more than 5 steps: run git repack -a -d there$/),
    });
  });

  test.skipIf(!elsewhere)(
    `of a repository on another file system copies what cannot be linked${elsewhere ? "" : ": /dev/shm is none here"}`,
    async () => {
      const place = mkdtempSync("/dev/shm/agentos-workspaces-");
      try {
        const repo = repository(undefined, `${place}/app`);
        git(repo, "repack", "-q", "-a", "-d");
        put(repo, { "a.txt": "later\n" });
        const head = commit(repo, "later");
        const workspaces = workspacesIn(`${room()}/home`);
        await workspaces.adopt(CLONE, repo, head, false);
        rmSync(repo, { recursive: true });
        expect(git(`${workspaces.objectsPath(CLONE)}/..`, "fsck", "--no-dangling")).toBe("");
        const copied = readdirSync(workspaces.objectsPath(CLONE), { recursive: true, encoding: "utf8" });
        expect(copied.filter((name) => name.includes(".tmp-"))).toEqual([]);
        await workspaces.checkout(WORK, head);
        expect(readFileSync(`${workspaces.path(WORK)}/a.txt`, "utf8")).toBe("later\n");
      } finally {
        rmSync(place, { recursive: true, force: true });
      }
    },
  );

  test("a commit that is not there, or something that is no commit, is refused", async () => {
    const repo = repository();
    const workspaces = workspacesIn(`${room()}/home`);
    await expect(workspaces.adopt(CLONE, repo, "1".repeat(40), false)).rejects.toMatchObject({ code: "repo/refused" });
    await expect(workspaces.adopt(CLONE, repo, git(repo, "rev-parse", "HEAD^{tree}"), false)).rejects.toMatchObject({
      code: "repo/refused",
    });
    await expect(workspaces.adopt(CLONE, repo, "--help", false)).rejects.toMatchObject({ code: "input/invalid" });
    await expect(workspaces.checkout(WORK, "1".repeat(40))).rejects.toMatchObject({ code: "repo/not-found" });
  });

  test("a SHA-256 repository works the same", async () => {
    const repo = `${room()}/app`;
    mkdirSync(repo);
    git(repo, "init", "-q", "-b", "main", "--object-format=sha256");
    git(repo, "config", "user.name", "Ada");
    git(repo, "config", "user.email", "ada@example.org");
    put(repo, { "a.txt": "1\n" });
    const head = commit(repo, "first");
    const workspaces = workspacesIn(`${room()}/home`);
    await workspaces.adopt(CLONE, repo, head, false);
    const tree = await workspaces.checkout(WORK, head);
    expect(tree).toHaveLength(64);
    expect(await workspaces.verifyTree(CLONE, tree)).toBe(true);
    writeFileSync(`${workspaces.path(WORK)}/a.txt`, "2\n");
    const made = await workspaces.candidate(WORK, head, "change", ADA, AT_MS, []);
    await workspaces.publishRef(CLONE, repo, made.commit, "task/x");
    expect(await workspaces.moveBranch(repo, "main", head, made.commit)).toEqual({ checkoutFollowed: true });
    expect(git(repo, "status", "--porcelain")).toBe("");
  });
});

describe("a candidate", () => {
  test("is what git add -A would commit", async () => {
    const files = {
      ".gitattributes": "*.txt text eol=crlf\n*.f filter=loud\n",
      "a.txt": "one\n",
      "b.f": "x\n",
      "gone/c": "1\n",
      ".gitignore": "*.log\n/out/\n",
      "kept.log.d/x": "1",
    };
    const { repo, workspaces, work, base } = await begun(files);
    const plain = `${room()}/plain`;
    git(repo, "clone", "-q", repo, plain);
    for (const directory of [work, plain]) {
      put(directory, {
        "a.txt": "one\r\ntwo\r\n",
        "b.f": "raw\r\n",
        "x.log": "ignored",
        "out/x": "ignored",
        "sub/.gitignore": "secret\n",
        "sub/secret": "s",
        "sub/é": "u",
        "sub/-n": "dash",
        "sub/new\nline": "n",
        run: "#!/bin/sh\n",
      });
      chmodSync(`${directory}/run`, 0o755);
      symlinkSync("nowhere", `${directory}/link`);
      rmSync(`${directory}/gone`, { recursive: true });
    }
    git(plain, "add", "-A");
    const made = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
    expect(made.tree).toBe(git(plain, "write-tree"));
    expect(made.leftOut).toEqual([]);
    expect(made.changed.map(({ path, change }) => `${change} ${path}`)).toEqual([
      "modified a.txt",
      "modified b.f",
      "deleted gone/c",
      "added link",
      "added run",
      "added sub/-n",
      "added sub/.gitignore",
      "added sub/new\nline",
      "added sub/é",
    ]);
    expect(made.changed[0]).toEqual({ path: "a.txt", change: "modified", linesAdded: 1, linesRemoved: 0 });
    expect(await workspaces.candidate(WORK, base, "change", ADA, AT_MS, [])).toEqual(made);
    expect(await workspaces.treeOf(CLONE, made.commit)).toBe(made.tree);
  });

  test("of an unchanged working directory has the base's tree and no changes", async () => {
    const { workspaces, base } = await begun();
    const made = await workspaces.candidate(WORK, base, "nothing", ADA, AT_MS, []);
    expect(made).toEqual({
      commit: expect.any(String),
      tree: await workspaces.treeOf(CLONE, base),
      changed: [],
      leftOut: [],
    });
  });

  test("leaves nested repositories, pipes and names git refuses out and says so, where git add -A gives up", async () => {
    const { workspaces, work, base } = await begun();
    for (const name of ["unborn", "deep/er/unborn"]) git(work, "init", "-q", name);
    repository({ "inner.txt": "inner\n" }, `${work}/born`);
    put(work, {
      "unborn/x": "1",
      "deep/er/unborn/x": "1",
      "src/GIT~1": "1",
      "bad/.GIT/x": "1",
      fine: "1",
      "node_modules/x/y": "1",
    });
    symlinkSync("x", `${work}/.gitmodules`);
    execFileSync("mkfifo", [`${work}/pipe`]);
    // Control.
    expect(() =>
      git(work, `--git-dir=${workspaces.objectsPath(CLONE)}/..`, "--work-tree=.", "add", "-A", "-n"),
    ).toThrow();
    const made = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, ["node_modules"]);
    expect(made.changed.map(({ path }) => path)).toEqual(["fine"]);
    const own = "it is a git repository of its own";
    const refused = "git does not take this path";
    expect(made.leftOut).toEqual([
      { path: ".gitmodules", reason: refused },
      { path: "bad/.GIT/x", reason: refused },
      { path: "born", reason: own },
      { path: "deep/er/unborn", reason: own },
      { path: "pipe", reason: "it is a named pipe" },
      { path: "src/GIT~1", reason: refused },
      { path: "unborn", reason: own },
    ]);
  });

  test("keeps what the agent changed in a directory it made a repository of", async () => {
    const { workspaces, work, base } = await begun();
    git(work, "init", "-q", "src");
    put(work, { "src/b.txt": "changed\n", "src/new.txt": "new\n" });
    const made = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
    expect([made.changed.map(({ path }) => path), made.leftOut]).toEqual([["src/b.txt", "src/new.txt"], []]);
  });

  test("is checked out for a gate exactly as git would, apart from the working directory", async () => {
    const { workspaces, work, base, clone } = await begun({
      ".gitattributes": "*.txt text eol=crlf\n*.f filter=loud\n",
      "a.txt": "one\n",
      "b.f": "x\n",
    });
    put(work, { "a.txt": "two\r\n", ignored: "x", ".gitignore": "ignored\n" });
    const made = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
    const gate = await workspaces.gateCheckout(WORK, made.commit, "tests");
    const plain = `${room()}/plain`;
    git(clone, "clone", "-q", "--no-checkout", ".", plain);
    git(plain, "checkout", "-q", "--detach", made.commit);
    expect(listing(gate.path, withoutGit)).toEqual(listing(plain, withoutGit));
    expect(gate.tree).toBe(made.tree);
    writeFileSync(`${gate.path}/left`, "by an earlier run");
    expect(existsSync(`${(await workspaces.gateCheckout(WORK, made.commit, "tests")).path}/left`)).toBe(false);
    await workspaces.dropGateCheckout(WORK, "tests");
    await workspaces.dropGateCheckout(WORK, "tests");
    expect(existsSync(gate.path)).toBe(false);
    await expect(workspaces.gateCheckout(WORK, made.commit, "../../x")).rejects.toMatchObject({
      code: "input/invalid",
    });
  });

  test("can be read: files, digests, diffs with a bound", async () => {
    const { workspaces, work, base, repo } = await begun({ "a.txt": "one\n", "d/b.txt": "b\n" });
    put(work, { "a.txt": "two\n", "binary.bin": Buffer.from([0, 1, 2]) });
    symlinkSync("a.txt", `${work}/link`);
    const { commit: made } = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
    expect(await workspaces.textAt(CLONE, made, "a.txt")).toBe("two\n");
    expect(await workspaces.fileAt(repo, base, "a.txt")).toBe("one\n");
    for (const path of ["link", "d", "absent", "../a.txt", "", "/a.txt", "d//b.txt"])
      expect([path, await workspaces.textAt(CLONE, made, path)]).toEqual([path, null]);
    for (const read of [
      () => workspaces.textAt(CLONE, made, "a.txt", 3),
      () => workspaces.fileAt(repo, base, "a.txt", 3),
    ])
      await expect(read()).rejects.toMatchObject({
        code: "repo/unsupported",
        message: expect.stringMatching(/^a\.txt in commit [0-9a-f]{12} has 4 bytes, and .* up to 3 bytes$/),
        next: "Commit a smaller a.txt, or take it out of the repository.",
        facts: { path: "a.txt", bytes: 4, bytesMax: 3 },
      });
    expect(await workspaces.pathsAt(repo, base, "d")).toEqual(["d/b.txt"]);
    expect(await workspaces.pathsAt(repo, base, "", 1)).toEqual(["a.txt"]);
    expect(await workspaces.digestsAt(CLONE, made, ["a.txt", "absent", "d"])).toEqual({
      "a.txt": "27dd8ed44a83ff94d557f9fd0412ed5a8cbca69ea04922d88c01184a07300a5a",
      absent: null,
      d: null,
    });
    const diff = await workspaces.diff(CLONE, base, made, 100_000);
    expect(diff).toContain("-one\n+two\n");
    expect(diff).toContain("Binary files /dev/null and b/binary.bin differ");
    expect(await workspaces.diff(CLONE, base, made, 200)).toMatch(
      /\n\[the diff is longer than 200 bytes; the rest is left out\]\n$/,
    );
    expect((await workspaces.changes(CLONE, base, made)).find(({ path }) => path === "binary.bin")).toEqual({
      path: "binary.bin",
      change: "added",
      linesAdded: null,
      linesRemoved: null,
    });
    const applied = `${room()}/applied`;
    git(repo, "clone", "-q", repo, applied);
    writeFileSync(`${applied}/../patch`, await workspaces.patch(CLONE, base, made));
    git(applied, "apply", "--index", "../patch");
    expect(git(applied, "write-tree")).toBe(await workspaces.treeOf(CLONE, made));
  });

  test("survives garbage collection of the private clone, like everything that is kept", async () => {
    const { workspaces, work, base, clone } = await begun();
    put(work, { "a.txt": "two\n" });
    const tree = await workspaces.snapshot(WORK, []);
    const made = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
    await workspaces.keep(CLONE, [tree, made.commit]);
    git(clone, "gc", "-q", "--prune=now");
    expect(await workspaces.verifyTree(CLONE, tree)).toBe(true);
    expect(await workspaces.treeOf(CLONE, made.commit)).toBe(made.tree);
  });
});

describe("delivering", () => {
  /** A candidate that changes a.txt, adds new.txt and deletes src/b.txt, published. */
  async function ready(files?: Parameters<typeof begun>[0]) {
    const all = await begun(files);
    put(all.work, { "a.txt": "by the agent\n", "new.txt": "new\n" });
    rmSync(`${all.work}/src/b.txt`, { force: true });
    const made = await all.workspaces.candidate(WORK, all.base, "change", ADA, AT_MS, []);
    await all.workspaces.publishRef(CLONE, all.repo, made.commit, "task/x");
    return { ...all, to: made.commit, tree: made.tree };
  }

  test("puts the commit under refs/agentos and changes nothing else", async () => {
    const { repo, workspaces, base, to } = await ready();
    expect(git(repo, "rev-parse", "refs/agentos/task/x")).toBe(to);
    expect(git(repo, "rev-parse", "HEAD")).toBe(base);
    const before = fingerprint(repo);
    await workspaces.publishRef(CLONE, repo, to, "task/x");
    expect(fingerprint(repo)).toEqual(before);
    git(repo, "fsck", "--strict");
    await expect(workspaces.publishRef(CLONE, repo, to, "../heads/main")).rejects.toThrow();
  });

  test("moves a checked-out branch and its files, and asked again does nothing more", async () => {
    const { repo, workspaces, base, to } = await ready();
    put(repo, { "mine.txt": "untracked\n" });
    expect(await workspaces.outlook(CLONE, repo, "main", base, to)).toEqual({
      branch: "main",
      head: base,
      relation: "at-base",
      checkedOut: true,
      dirtyTouched: [],
    });
    for (let round = 0; round < 2; round++) {
      expect(await workspaces.moveBranch(repo, "main", base, to)).toEqual({ checkoutFollowed: true });
      expect(git(repo, "status", "--porcelain")).toBe("?? mine.txt");
      expect(git(repo, "rev-parse", "HEAD")).toBe(to);
    }
    expect(await workspaces.outlook(CLONE, repo, "main", base, to)).toMatchObject({ relation: "contains" });
    expect(readdirSync(`${repo}/.git`).filter((name) => name.includes("agentos") || name.endsWith(".lock"))).toEqual(
      [],
    );
    put(repo, { "a.txt": "edited after the delivery\n" });
    await workspaces.moveBranch(repo, "main", base, to);
    expect(readFileSync(`${repo}/a.txt`, "utf8")).toBe("edited after the delivery\n");
  });

  test("keeps what the person changed in other files, staged or not", async () => {
    const { repo, workspaces, base, to } = await ready({ "a.txt": "1\n", "other.txt": "1\n", "staged.txt": "1\n" });
    put(repo, { "other.txt": "mine\n", "staged.txt": "mine\n" });
    git(repo, "add", "staged.txt");
    expect(await workspaces.moveBranch(repo, "main", base, to)).toEqual({ checkoutFollowed: true });
    expect(
      git(repo, "status", "--porcelain")
        .split("\n")
        .map((line) => line.trim()),
    ).toEqual(["M other.txt", "M  staged.txt"]);
  });

  test.each([
    ["changed", (repo: string) => put(repo, { "a.txt": "mine\n" }), ["a.txt"]],
    [
      "staged",
      (repo: string) => {
        put(repo, { "a.txt": "mine\n" });
        git(repo, "add", "-A");
      },
      ["a.txt"],
    ],
    ["untracked, where a new one would come", (repo: string) => put(repo, { "new.txt": "mine\n" }), ["new.txt"]],
    [
      "ignored, where a new one would come",
      (repo: string) => put(repo, { ".git/info/exclude": "new.txt\n", "new.txt": "mine\n" }),
      ["new.txt"],
    ],
    [
      "a directory with ignored files, where a new file would come",
      (repo: string) => put(repo, { ".git/info/exclude": "mine\n", "new.txt/deep/mine": "mine\n" }),
      ["new.txt/deep/mine"],
    ],
  ] as const)("refuses while a touched file is %s, and moves nothing", async (_, change, dirtyTouched) => {
    const { repo, workspaces, base, to } = await ready();
    change(repo);
    const before = fingerprint(repo);
    expect(await workspaces.outlook(CLONE, repo, "main", base, to)).toMatchObject({
      relation: "at-base",
      dirtyTouched,
    });
    await expect(workspaces.moveBranch(repo, "main", base, to)).rejects.toMatchObject({ code: "delivery/refused" });
    expect(fingerprint(repo)).toEqual(before);
  });

  test("refuses where an ignored file lies in the place of a new directory, and takes what is exactly what comes", async () => {
    const { repo, workspaces, work, base } = await begun();
    put(work, { "new/a.txt": "new\n" });
    const { commit: to } = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
    await workspaces.publishRef(CLONE, repo, to, "task/x");
    put(repo, { ".git/info/exclude": "new\n", new: "mine\n" });
    const before = fingerprint(repo);
    await expect(workspaces.moveBranch(repo, "main", base, to)).rejects.toMatchObject({
      code: "delivery/refused",
      facts: { paths: ["new"] },
    });
    expect(fingerprint(repo)).toEqual(before);
    rmSync(`${repo}/new`);
    put(repo, { "new/a.txt": "new\n", "new/mine.txt": "mine\n" });
    expect(await workspaces.moveBranch(repo, "main", base, to)).toEqual({ checkoutFollowed: true });
    expect(readFileSync(`${repo}/new/mine.txt`, "utf8")).toBe("mine\n");
    expect(git(repo, "status", "--porcelain")).toBe("");
  });

  test("refuses when the branch moved meanwhile, when it would throw commits away, and when another git holds the index", async () => {
    const { repo, workspaces, base, to } = await ready();
    writeFileSync(`${repo}/.git/index.lock`, "");
    await expect(workspaces.moveBranch(repo, "main", base, to)).rejects.toMatchObject({ code: "delivery/refused" });
    expect(existsSync(`${repo}/.git/index.lock`)).toBe(true);
    rmSync(`${repo}/.git/index.lock`);
    put(repo, { "b.txt": "theirs\n" });
    const theirs = commit(repo, "meanwhile");
    const before = fingerprint(repo);
    await expect(workspaces.moveBranch(repo, "main", base, to)).rejects.toMatchObject({ code: "delivery/refused" });
    await expect(workspaces.moveBranch(repo, "main", theirs, to)).rejects.toMatchObject({ code: "delivery/refused" });
    await expect(workspaces.moveBranch(repo, "main", null, to)).rejects.toMatchObject({ code: "delivery/refused" });
    expect(fingerprint(repo)).toEqual(before);
    expect(await workspaces.outlook(CLONE, repo, "main", base, to)).toMatchObject({ relation: "moved", head: theirs });
  });

  test("creates a branch, and moves one that is not checked out, without touching files", async () => {
    const { repo, workspaces, base, to } = await ready();
    expect(await workspaces.branchHead(repo, "agentos/x")).toBeNull();
    expect(await workspaces.moveBranch(repo, "agentos/x", null, to)).toEqual({ checkoutFollowed: false });
    expect(await workspaces.moveBranch(repo, "agentos/x", null, to)).toEqual({ checkoutFollowed: false });
    git(repo, "branch", "side", base);
    expect(await workspaces.moveBranch(repo, "side", base, to)).toEqual({ checkoutFollowed: false });
    expect([
      await workspaces.branchHead(repo, "side"),
      await workspaces.branchHead(repo, "agentos/x"),
      git(repo, "status", "--porcelain"),
    ]).toEqual([to, to, ""]);
    for (const name of ["-x", "a..b", "a b", "x.lock", ""])
      await expect(workspaces.branchHead(repo, name)).rejects.toMatchObject({ code: "input/invalid" });
  });

  test("follows in a linked working tree, and refuses one in the middle of a rebase", async () => {
    const { repo, workspaces, base, to } = await ready();
    const linked = `${room()}/linked`;
    git(repo, "worktree", "add", "-q", "-b", "side", linked, base);
    expect(await workspaces.moveBranch(repo, "side", base, to)).toEqual({ checkoutFollowed: true });
    expect([git(linked, "status", "--porcelain"), readFileSync(`${linked}/new.txt`, "utf8")]).toEqual(["", "new\n"]);
    git(linked, "checkout", "-q", "--detach");
    git(repo, "branch", "-f", "side", base);
    put(repo, { ".git/worktrees/linked/rebase-merge/head-name": "refs/heads/side\n" });
    await expect(workspaces.moveBranch(repo, "side", base, to)).rejects.toMatchObject({ code: "delivery/refused" });
  });

  test("takes no notice of a linked working tree that was removed by hand, and waits for one that is locked", async () => {
    const { repo, workspaces, base, to } = await ready();
    const linked = `${room()}/linked`;
    git(repo, "worktree", "add", "-q", "-b", "side", linked, base);
    git(repo, "worktree", "lock", linked);
    rmSync(linked, { recursive: true });
    const away = {
      code: "repo/refused",
      message: `${linked} is not there, or cannot be entered`,
      next: expect.stringContaining("git worktree unlock"),
    };
    await expect(workspaces.outlook(CLONE, repo, "side", base, to)).rejects.toMatchObject(away);
    await expect(workspaces.moveBranch(repo, "side", base, to)).rejects.toMatchObject(away);
    expect(await workspaces.branchHead(repo, "side")).toBe(base);

    git(repo, "worktree", "unlock", linked);
    expect(await workspaces.outlook(CLONE, repo, "side", base, to)).toEqual({
      branch: "side",
      head: base,
      relation: "at-base",
      checkedOut: false,
      dirtyTouched: [],
    });
    expect(await workspaces.moveBranch(repo, "side", base, to)).toEqual({ checkoutFollowed: false });
    expect(await workspaces.branchHead(repo, "side")).toBe(to);
  });

  describe("after a crash is finished by the same call", () => {
    test("when only the branch had moved", async () => {
      const { repo, workspaces, base, to } = await ready();
      git(repo, "update-ref", "refs/heads/main", to);
      expect(await workspaces.moveBranch(repo, "main", base, to)).toEqual({ checkoutFollowed: true });
      expect(git(repo, "status", "--porcelain")).toBe("");
    });

    test("when some of the files had been written and our lock was left", async () => {
      const { repo, workspaces, base, to } = await ready();
      git(repo, "update-ref", "refs/heads/main", to);
      put(repo, { "new.txt": "new\n" });
      rmSync(`${repo}/src/b.txt`);
      copyFileSync(`${repo}/.git/index`, `${repo}/.git/agentos-lock`);
      linkSync(`${repo}/.git/agentos-lock`, `${repo}/.git/index.lock`);
      writeFileSync(`${repo}/.git/agentos-index`, "half");
      writeFileSync(`${repo}/.git/agentos-index.lock`, "half");
      expect(await workspaces.moveBranch(repo, "main", base, to)).toEqual({ checkoutFollowed: true });
      expect(git(repo, "status", "--porcelain")).toBe("");
      expect(readdirSync(`${repo}/.git`).filter((name) => name.includes("agentos") || name.endsWith(".lock"))).toEqual(
        [],
      );
    });

    test("when all files had been written and the index not", async () => {
      const { repo, workspaces, base, to } = await ready();
      const index = readFileSync(`${repo}/.git/index`);
      await workspaces.moveBranch(repo, "main", base, to);
      writeFileSync(`${repo}/.git/index`, index);
      expect(await workspaces.moveBranch(repo, "main", base, to)).toEqual({ checkoutFollowed: true });
      expect(git(repo, "status", "--porcelain")).toBe("");
    });
  });

  describe("taken back", () => {
    const inGit = (path: string) => path.startsWith(".git");
    const leftovers = (repo: string) =>
      readdirSync(`${repo}/.git`).filter((name) => name.includes("agentos") || name.endsWith(".lock"));

    test("a branch and its files are what they were, what is the person's stays, and asked again nothing happens", async () => {
      const { repo, workspaces, base, to } = await ready({ "a.txt": "1\n", "other.txt": "1\n", "src/b.txt": "b\n" });
      const before = listing(repo, inGit);
      await workspaces.moveBranch(repo, "main", base, to);
      put(repo, { "other.txt": "mine\n", "mine.txt": "untracked\n" });
      await workspaces.takeBack(repo, "main", base, to, "try");
      expect(git(repo, "rev-parse", "main")).toBe(to);
      for (let round = 0; round < 2; round++) {
        await workspaces.takeBack(repo, "main", base, to);
        expect([git(repo, "rev-parse", "main"), git(repo, "status", "--porcelain"), leftovers(repo)]).toEqual([
          base,
          "M other.txt\n?? mine.txt",
          [],
        ]);
      }
      rmSync(`${repo}/mine.txt`);
      git(repo, "checkout", "-q", "other.txt");
      expect(listing(repo, inGit)).toEqual(before);
    });

    test("a branch that was made is gone again, one that is not checked out is where it was", async () => {
      const { repo, workspaces, base, to } = await ready();
      git(repo, "branch", "side", base);
      await workspaces.moveBranch(repo, "agentos/x", null, to);
      await workspaces.moveBranch(repo, "side", base, to);
      await workspaces.takeBack(repo, "agentos/x", null, to);
      await workspaces.takeBack(repo, "side", base, to);
      expect([await workspaces.branchHead(repo, "agentos/x"), await workspaces.branchHead(repo, "side")]).toEqual([
        null,
        base,
      ]);
    });

    test("a branch that was made is kept once somebody checked it out", async () => {
      const { repo, workspaces, to } = await ready();
      await workspaces.moveBranch(repo, "agentos/x", null, to);
      git(repo, "checkout", "-q", "agentos/x");
      const before = fingerprint(repo);
      for (const only of ["try", "go"] as const)
        await expect(workspaces.takeBack(repo, "agentos/x", null, to, only)).rejects.toMatchObject({
          code: "delivery/refused",
          message: `agentos/x is checked out in ${repo} by now`,
        });
      expect(fingerprint(repo)).toEqual(before);
    });

    test.each([
      ["built on it", (repo: string) => void git(repo, "commit", "-q", "--allow-empty", "-m", "theirs")],
      ["took it elsewhere", (repo: string) => void git(repo, "commit", "-q", "--amend", "-m", "theirs")],
      ["changed a file of it", (repo: string) => put(repo, { "a.txt": "mine\n" })],
      ["put back a file that it deletes", (repo: string) => put(repo, { "src/b.txt": "mine\n" })],
    ])("is refused when somebody %s, and everything stays", async (_, act) => {
      const { repo, workspaces, base, to } = await ready({ "a.txt": "1\n", "src/b.txt": "b\n" });
      await workspaces.moveBranch(repo, "main", base, to);
      act(repo);
      const before = fingerprint(repo);
      for (const only of ["try", "go"] as const)
        await expect(workspaces.takeBack(repo, "main", base, to, only)).rejects.toMatchObject({
          code: "delivery/refused",
        });
      expect(fingerprint(repo)).toEqual(before);
    });

    test.each<[string, (repo: string, base: string, to: string) => void]>([
      [
        "the way there had moved the branch and written some files",
        (repo, _, to) => {
          git(repo, "update-ref", "refs/heads/main", to);
          put(repo, { "new.txt": "new\n" });
        },
      ],
      [
        "the way back had moved the branch and no file",
        (repo, base, to) => {
          git(repo, "merge", "-q", "--ff-only", to);
          git(repo, "update-ref", "refs/heads/main", base);
        },
      ],
      [
        "the way back had moved the branch and written some files",
        (repo, base, to) => {
          git(repo, "merge", "-q", "--ff-only", to);
          git(repo, "update-ref", "refs/heads/main", base);
          put(repo, { "a.txt": "1\n" });
          rmSync(`${repo}/new.txt`);
          copyFileSync(`${repo}/.git/index`, `${repo}/.git/agentos-lock`);
          linkSync(`${repo}/.git/agentos-lock`, `${repo}/.git/index.lock`);
        },
      ],
    ])("is finished by the same call after a crash, when %s", async (_, crashed) => {
      const { repo, workspaces, base, to } = await ready({ "a.txt": "1\n", "src/b.txt": "b\n" });
      crashed(repo, base, to);
      await workspaces.takeBack(repo, "main", base, to);
      expect([git(repo, "rev-parse", "main"), git(repo, "status", "--porcelain"), leftovers(repo)]).toEqual([
        base,
        "",
        [],
      ]);
    });

    test("tried before, a move is refused for what it would be refused for, and nothing moves", async () => {
      const { repo, workspaces, base, to } = await ready();
      await workspaces.tryMove(repo, "main", base, to);
      expect([git(repo, "rev-parse", "main"), git(repo, "status", "--porcelain"), leftovers(repo)]).toEqual([
        base,
        "",
        [],
      ]);
      put(repo, { "new.txt": "mine\n" });
      await expect(workspaces.tryMove(repo, "main", base, to)).rejects.toMatchObject({ code: "delivery/refused" });
    });

    test("only our own dead lock is freed", async () => {
      const { repo, workspaces } = await ready();
      writeFileSync(`${repo}/.git/index.lock`, "");
      await workspaces.freeLocks(repo, "main");
      expect(existsSync(`${repo}/.git/index.lock`)).toBe(true);
      rmSync(`${repo}/.git/index.lock`);
      copyFileSync(`${repo}/.git/index`, `${repo}/.git/agentos-lock`);
      linkSync(`${repo}/.git/agentos-lock`, `${repo}/.git/index.lock`);
      await workspaces.freeLocks(repo, "main");
      expect(leftovers(repo)).toEqual([]);
    });

    test("says where a branch stands, also at a commit that only the person has", async () => {
      const { repo, workspaces, base, to } = await ready();
      const stand = () => workspaces.standing(CLONE, repo, "main", to);
      expect(await stand()).toEqual({ at: base, holdsWork: false });
      await workspaces.moveBranch(repo, "main", base, to);
      expect(await stand()).toEqual({ at: to, holdsWork: true });
      const theirs = commit(repo, "goes on");
      expect(await stand()).toEqual({ at: theirs, holdsWork: true });
      expect(await workspaces.standing(CLONE, repo, "none", to)).toEqual({ at: null, holdsWork: false });
    });
  });

  test("merges with a branch that moved, and says where it cannot", async () => {
    const { repo, workspaces, base, to } = await ready({ "a.txt": "1\n", "theirs.txt": "1\n" });
    put(repo, { "theirs.txt": "theirs\n" });
    const theirs = commit(repo, "meanwhile");
    const before = fingerprint(repo);
    const merged = await workspaces.mergeWith(CLONE, repo, "main", to, "merge", ADA, AT_MS);
    if (!("commit" in merged)) throw new Error("it conflicts");
    expect(merged.onto).toBe(theirs);
    expect(fingerprint(repo)).toEqual(before);
    expect(await workspaces.textAt(CLONE, merged.commit, "theirs.txt")).toBe("theirs\n");
    expect(await workspaces.textAt(CLONE, merged.commit, "a.txt")).toBe("by the agent\n");
    await workspaces.publishRef(CLONE, repo, merged.commit, "task/merge");
    expect(await workspaces.moveBranch(repo, "main", theirs, merged.commit)).toEqual({ checkoutFollowed: true });
    expect(git(repo, "log", "--format=%P", "-1")).toBe(`${theirs} ${to}`);
    expect(git(repo, "status", "--porcelain")).toBe("");

    git(repo, "reset", "-q", "--hard", base);
    put(repo, { "a.txt": "theirs\n" });
    commit(repo, "in the way");
    expect(await workspaces.mergeWith(CLONE, repo, "main", to, "merge", ADA, AT_MS)).toEqual({ conflicts: ["a.txt"] });
    await expect(workspaces.mergeWith(CLONE, repo, "absent", to, "merge", ADA, AT_MS)).rejects.toMatchObject({
      code: "delivery/refused",
    });
  });

  test("writes line endings as the person's settings say", async () => {
    const repo = repository({ "a.txt": "one\n" });
    git(repo, "config", "core.autocrlf", "true");
    rmSync(`${repo}/a.txt`);
    git(repo, "checkout", "-q", "--", "a.txt");
    const workspaces = workspacesIn(`${room()}/home`);
    const head = git(repo, "rev-parse", "HEAD");
    expect((await workspaces.inspect(repo)).dirty).toEqual([]);
    await workspaces.adopt(CLONE, repo, head, false);
    await workspaces.checkout(WORK, head);
    writeFileSync(`${workspaces.path(WORK)}/a.txt`, "two\n");
    const made = await workspaces.candidate(WORK, head, "change", ADA, AT_MS, []);
    await workspaces.publishRef(CLONE, repo, made.commit, "task/x");
    await workspaces.moveBranch(repo, "main", head, made.commit);
    expect([readFileSync(`${repo}/a.txt`, "utf8"), git(repo, "status", "--porcelain")]).toEqual(["two\r\n", ""]);
  });

  // Only root has another user to speak of; for an ordinary user there is no such case.

  const asRoot = isRoot ? test : () => undefined;

  asRoot("by root into another user's repository leaves all of it that user's", async () => {
    const repo = repository();
    const head = git(repo, "rev-parse", "HEAD");
    const top = repo.slice(0, repo.lastIndexOf("/"));
    for (const name of ["", ...readdirSync(top, { recursive: true, encoding: "utf8" })])
      chownSync(`${top}/${name}`, NOBODY.uid, NOBODY.gid);
    const workspaces = workspacesIn(`${room()}/home`);
    expect(await workspaces.inspect(repo)).toMatchObject({ head, dirty: [] });
    await workspaces.adopt(CLONE, repo, head, false);
    await workspaces.checkout(WORK, head);
    put(workspaces.path(WORK), { "a.txt": "2\n", "new/deep.txt": "2\n" });
    const made = await workspaces.candidate(WORK, head, "change", ADA, AT_MS, []);
    await workspaces.publishRef(CLONE, repo, made.commit, "task/x");
    expect(await workspaces.moveBranch(repo, "main", head, made.commit)).toEqual({ checkoutFollowed: true });
    for (const name of ["", ...readdirSync(top, { recursive: true, encoding: "utf8" })])
      expect([name, lstatSync(`${top}/${name}`).uid]).toEqual([name, NOBODY.uid]);
    expect(
      git(
        repo,
        "-c",
        `safe.directory=${repo}`,
        `--git-dir=${repo}/.git`,
        `--work-tree=${repo}`,
        "status",
        "--porcelain",
      ),
    ).toBe("");
  });
});

describe("cleaning up", () => {
  test("keeps what is not in git in the person's repository, then removes all", async () => {
    const { repo, workspaces, work, base, tree } = await begun({ "a.txt": "1\n", ".gitignore": "ignored\n" });
    put(work, { "a.txt": "set aside\n" });
    await workspaces.restore(WORK, tree, []);
    put(work, { "a.txt": "not delivered\n", ignored: "x" });
    const made = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
    put(work, { "a.txt": "not committed\n", "nested/x": "in a nested repository\n" });
    git(work, "init", "-q", "nested");
    expect((await workspaces.use())[0]).toEqual({ task: CLONE.task, bytes: expect.any(Number), epochs: [1] });
    const before = fingerprint(repo);
    const { rescued, bytes } = await workspaces.remove(CLONE.task, { app: repo });
    expect(fingerprint(repo)).toEqual(before);
    expect(bytes).toBeGreaterThan(10_000);
    expect(await workspaces.use()).toEqual([]);
    const under = `refs/agentos/rescue/${CLONE.task}/app`;
    expect([...rescued].sort()).toEqual([
      `${under}/1-1`,
      `${under}/candidate-${made.commit}`,
      `${under}/epoch-1`,
      `${under}/whole-1`,
    ]);
    expect(git(repo, "show", `${under}/1-1:content/a.txt`)).toBe("set aside");
    expect(git(repo, "show", `${under}/candidate-${made.commit}:a.txt`)).toBe("not delivered");
    expect(git(repo, "show", `${under}/epoch-1:a.txt`)).toBe("not committed");
    expect(git(repo, "show", `${under}/whole-1:content/nested/x`)).toBe("in a nested repository");
    git(repo, "fsck", "--strict");
    expect(await workspaces.remove(CLONE.task, { app: repo })).toEqual({ rescued: [], bytes: 0 });
  });

  test("keeps nothing when all was delivered", async () => {
    const { repo, workspaces, work, base } = await begun();
    put(work, { "a.txt": "2\n" });
    const made = await workspaces.candidate(WORK, base, "change", ADA, AT_MS, []);
    await workspaces.publishRef(CLONE, repo, made.commit, "task/x");
    expect((await workspaces.remove(CLONE.task, { app: repo })).rescued).toEqual([]);
  });

  test("keeps it in a bundle when the person's repository is gone", async () => {
    const { repo, workspaces, work } = await begun();
    put(work, { "a.txt": "precious\n" });
    renameSync(repo, `${repo}-elsewhere`);
    const { rescued } = await workspaces.remove(CLONE.task, { app: repo });
    const clone = `${room()}/back`;
    git(`${repo}-elsewhere`, "clone", "-q", "--mirror", rescued[0] ?? "", clone);
    expect(git(clone, "show", `refs/agentos/rescue/${CLONE.task}/app/epoch-1:a.txt`)).toBe("precious");
    expect(statSync(`${rescued[0]}/..`.replace(/\/[^/]+\/\.\.$/, "")).mode & 0o077).toBe(0);
  });

  test("a name that climbs is no task", async () => {
    const workspaces = workspacesIn(`${room()}/home`);
    for (const task of ["..", "../x", "", "a/b", ".views"])
      await expect(workspaces.remove(task, {})).rejects.toMatchObject({ code: "input/invalid" });
  });
});
