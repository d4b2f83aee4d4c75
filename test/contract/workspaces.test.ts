import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  ADA,
  AT_MS,
  begun,
  CLONE,
  git,
  isRoot,
  listing,
  NOBODY,
  personsEnvironment,
  put,
  repository,
  room,
  WORK,
  withoutGit,
  workspacesIn,
} from "./workspaces.kit.ts";

// ---------------------------------------------------------------------------------------------------------------------
// Random trees

type Node =
  | { readonly kind: "file"; readonly content: Buffer; readonly mode: number }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "directory"; readonly mode: number; readonly children: Readonly<Record<string, Node>> }
  | { readonly kind: "repository"; readonly template: "empty" | "committed" };

const ODD_NAMES = [
  "plain",
  "-n",
  "--",
  " ",
  "a b",
  "new\nline",
  "cr\rend\r",
  "tab\t",
  '"quoted"',
  "'",
  "back\\slash",
  "*",
  "?[x]",
  ":(top)x",
  "#",
  "!neg",
  ".gitignore",
  ".gitattributes",
  ".gitmodules",
  ".GIT",
  ".Git",
  "git~1",
  "GIT~1",
  ".git.",
  ".git ",
  "%agentos%",
  "%agentos%.git",
  "a\\.git",
  "HEAD",
  "\xff\xfe",
  "caf\xc3\xa9",
  "cafe\xcc\x81",
  "\xc3",
  "node_modules",
  "x".repeat(200),
  "...",
  "~",
  "\x01\x7f",
];
const anyName = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...ODD_NAMES) },
  {
    weight: 2,
    arbitrary: fc
      .uint8Array({ minLength: 1, maxLength: 20 })
      .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 47 ? 95 : byte))).toString("latin1"))
      .filter((name) => name !== "." && name !== ".."),
  },
);
const anyContent = fc.oneof(
  fc
    .constantFrom(
      "",
      "text\n",
      "crlf\r\nlines\r\n",
      "mixed\r\n\n",
      "*\n",
      "*.txt text eol=crlf\n* filter=lfs\n",
      "$Id$\n",
      "\ufeffbom\r\n",
    )
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
);
const anyFile: fc.Arbitrary<Node> = fc.record({
  kind: fc.constant("file" as const),
  content: anyContent,
  mode: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(0o644, 0o755) },
    { weight: 1, arbitrary: fc.constantFrom(0o600, 0o444, 0o400, 0o000, 0o777, 0o4755, 0o111, 0o664) },
  ),
});
const anyLink: fc.Arbitrary<Node> = fc.record({
  kind: fc.constant("link" as const),
  target: fc.constantFrom(
    "plain",
    "dangling",
    "/etc/passwd",
    "..",
    ".",
    "../../..",
    "/etc",
    "\xff odd",
    "a".repeat(300),
  ),
});
const anyRepository: fc.Arbitrary<Node> = fc.record({
  kind: fc.constant("repository" as const),
  template: fc.constantFrom("empty" as const, "committed" as const),
});

const { directory: anyDirectory } = fc.letrec<{ node: Node; directory: Extract<Node, { kind: "directory" }> }>(
  (tie) => ({
    node: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      { weight: 5, arbitrary: anyFile },
      { weight: 2, arbitrary: anyLink },
      { weight: 1, arbitrary: anyRepository },
      { weight: 4, arbitrary: tie("directory") },
    ),
    directory: fc.record({
      kind: fc.constant("directory" as const),
      mode: fc.oneof(
        { weight: 5, arbitrary: fc.constant(0o755) },
        { weight: 1, arbitrary: fc.constantFrom(0o700, 0o555, 0o000, 0o1777, 0o2755) },
      ),
      children: fc.dictionary(anyName, tie("node"), { maxKeys: 6, noNullPrototype: true }),
    }),
  }),
);

let templates: { readonly empty: string; readonly committed: string };
beforeAll(() => {
  const committed = repository({ "inner.txt": "inner\n" });
  const empty = `${room()}/empty`;
  mkdirSync(empty);
  git(empty, "init", "-q");
  templates = { empty, committed };
});

function build(at: Buffer, node: Node): void {
  if (node.kind === "file") {
    writeFileSync(at, node.content);
    chmodSync(at, node.mode);
  } else if (node.kind === "link") symlinkSync(Buffer.from(node.target, "latin1"), at);
  else if (node.kind === "repository") copyTree(Buffer.from(templates[node.template]), at);
  else {
    if (!existsSync(at)) mkdirSync(at);
    for (const [name, child] of Object.entries(node.children))
      build(Buffer.concat([at, Buffer.from("/"), Buffer.from(name, "latin1")]), child);
    chmodSync(at, node.mode);
  }
}

function copyTree(from: Buffer, to: Buffer): void {
  const stats = lstatSync(from);
  if (!stats.isDirectory()) {
    writeFileSync(to, readFileSync(from));
    return;
  }
  mkdirSync(to);
  for (const name of readdirSync(from, { encoding: "latin1" })) {
    const below = Buffer.from(`/${name}`, "latin1");
    copyTree(Buffer.concat([from, below]), Buffer.concat([to, below]));
  }
}

function empty(directory: string): void {
  execFileSync("chmod", ["-R", "u+rwx", directory], { stdio: "ignore" });
  execFileSync("find", [directory, "-mindepth", "1", "-delete"]);
}

/** Makes directories below one, step by step, until no path can name the last. Gives the name of the first. */
function goDown(directory: string): string {
  const name = "d".repeat(200);
  execFileSync(
    "sh",
    [
      "-c",
      `i=0; while [ $i -lt 40 ]; do mkdir ${name}; cd ${name} 2>/dev/null || cd -P ${name}; i=$((i+1)); done; echo deep > file`,
    ],
    { cwd: directory },
  );
  return name;
}

describe("a workspace tree", () => {
  // Many trees, and some gits for each: on a slow machine the usual limit is too short.
  test("restores byte for byte, whatever the tree was and whatever lay there before", {
    timeout: 240_000,
  }, async () => {
    const { workspaces, work } = await begun();
    await fc.assert(
      fc.asyncProperty(anyDirectory, anyDirectory, async (one, other) => {
        empty(work);
        build(Buffer.from(work), one);
        const seen = listing(work);
        const tree = await workspaces.snapshot(WORK, []);
        expect(listing(work)).toEqual(seen);

        empty(work);
        build(Buffer.from(work), other);
        const { rescued } = await workspaces.restore(WORK, tree, []);
        expect(listing(work)).toEqual(seen);
        expect(await workspaces.snapshot(WORK, [])).toBe(tree);
        expect(await workspaces.verifyTree(CLONE, tree)).toBe(true);
        if (rescued === null) return;
        const before = git(`${workspaces.objectsPath(CLONE)}/..`, "rev-parse", rescued);
        await workspaces.restore(WORK, before, []);
        expect(await workspaces.snapshot(WORK, [])).toBe(before);
      }),
      { numRuns: 30 },
    );
  });

  test("has one id for one content: order, times and owners are no part of it", async () => {
    const { workspaces, work } = await begun();
    empty(work);
    put(work, { a: "1", "b/c": "2" });
    const first = await workspaces.snapshot(WORK, []);
    empty(work);
    put(work, { "b/c": "2", a: "1" });
    expect(await workspaces.snapshot(WORK, [])).toBe(first);
    chmodSync(`${work}/a`, 0o600);
    expect(await workspaces.snapshot(WORK, [])).not.toBe(first);
  });

  test("sees a file of the same size and time that was written in between", async () => {
    const { workspaces, work } = await begun();
    const before = await workspaces.snapshot(WORK, []);
    for (let round = 0; round < 20; round++) {
      writeFileSync(`${work}/a.txt`, `${String.fromCharCode(65 + round)}ne\n`);
      const now = await workspaces.snapshot(WORK, []);
      expect(now).not.toBe(before);
      expect(git(`${workspaces.objectsPath(CLONE)}/..`, "show", `${now}:content/a.txt`)).toBe(
        `${String.fromCharCode(65 + round)}ne`,
      );
    }
  });

  test("does not hold excluded paths; restoring empties them and keeps the place itself", async () => {
    const { workspaces, work, tree } = await begun();
    put(work, { "node_modules/x/index.js": "x", "src/cache/y": "y", keep: "1" });
    const partial = await workspaces.snapshot(WORK, ["node_modules", "src/cache"]);
    expect(await workspaces.treeChanges(CLONE, tree, partial)).toEqual(["keep"]);
    writeFileSync(`${work}/keep`, "2");
    await workspaces.restore(WORK, partial, ["node_modules", "src/cache"]);
    expect(readFileSync(`${work}/keep`, "utf8")).toBe("1");
    expect(readdirSync(`${work}/node_modules`)).toEqual([]);
    expect(readdirSync(`${work}/src/cache`)).toEqual([]);
  });

  test("restoring empties an excluded directory that is deeper than any path can name", async () => {
    const { workspaces, work } = await begun();
    const tree = await workspaces.snapshot(WORK, ["node_modules"]);
    put(work, { "node_modules/x/index.js": "x" });
    goDown(`${work}/node_modules`);
    await workspaces.restore(WORK, tree, ["node_modules"]);
    expect(readdirSync(`${work}/node_modules`)).toEqual([]);
  });

  test("a link put in the place of an excluded directory is taken away, and nothing behind it", async () => {
    const { workspaces, work } = await begun();
    const tree = await workspaces.snapshot(WORK, ["node_modules"]);
    const outside = room();
    put(outside, { precious: "1" });
    symlinkSync(outside, `${work}/node_modules`);
    await workspaces.restore(WORK, tree, ["node_modules"]);
    expect(existsSync(`${work}/node_modules`)).toBe(false);
    expect(readFileSync(`${outside}/precious`, "utf8")).toBe("1");
  });

  test.each([
    ["another content", "shared\n"],
    ["another mode only", "one\n"],
  ])("restoring a file with %s leaves alone what has another name elsewhere", async (_, content) => {
    const { workspaces, work } = await begun();
    const tree = await workspaces.snapshot(WORK, []);
    const shared = `${room()}/shared`;
    writeFileSync(shared, content, { mode: 0o600 });
    rmSync(`${work}/a.txt`);
    linkSync(shared, `${work}/a.txt`);
    await workspaces.restore(WORK, tree, []);
    expect([readFileSync(shared, "utf8"), statSync(shared).mode & 0o777]).toEqual([content, 0o600]);
  });

  test("a directory stands where git sorts it, among files whose names begin like its own", async () => {
    const { workspaces, work } = await begun();
    put(work, { "a/x": "1\n", "a-b": "2\n", "a.b": "3\n", a0: "4\n", "a/y/z": "5\n", "a/y.z": "6\n", "a/y0": "7\n" });
    const tree = await workspaces.snapshot(WORK, []);
    rmSync(`${work}/a`, { recursive: true });
    await workspaces.restore(WORK, tree, []);
    expect(readFileSync(`${work}/a/y/z`, "utf8")).toBe("5\n");
    expect(await workspaces.snapshot(WORK, [])).toBe(tree);
  });

  test("sockets and pipes are no part of it and are gone after restoring", async () => {
    const { workspaces, work, tree, base } = await begun();
    execFileSync("mkfifo", [`${work}/pipe`]);
    const socket = createServer();
    // By a short way: the name of a socket has at most 108 bytes.
    const way = `${room()}/way`;
    symlinkSync(work, way);
    await new Promise<void>((resolve) => socket.listen(`${way}/socket`, resolve));
    try {
      expect(await workspaces.snapshot(WORK, [])).toBe(tree);
      expect((await workspaces.candidate(WORK, base, "change", ADA, AT_MS, [])).leftOut).toEqual([
        { path: "pipe", reason: "it is a named pipe" },
        { path: "socket", reason: "it is a socket" },
      ]);
      await workspaces.restore(WORK, tree, []);
      expect([existsSync(`${work}/pipe`), existsSync(`${work}/socket`)]).toEqual([false, false]);
    } finally {
      socket.close();
    }
  });

  test("a directory deeper than any path can name is left out, and restoring takes it away", async () => {
    const { workspaces, work, tree } = await begun();
    const name = goDown(work);
    const deep = await workspaces.snapshot(WORK, []);
    expect(deep).not.toBe(tree);
    await workspaces.restore(WORK, tree, []);
    expect(await workspaces.snapshot(WORK, [])).toBe(tree);
    expect(existsSync(`${work}/${name}`)).toBe(false);
  });

  test("a damaged or missing object is noticed", async () => {
    const { workspaces, work } = await begun();
    writeFileSync(`${work}/new`, "some new content");
    const tree = await workspaces.snapshot(WORK, []);
    expect(await workspaces.verifyTree(CLONE, tree)).toBe(true);
    const id = git(`${workspaces.objectsPath(CLONE)}/..`, "rev-parse", `${tree}:content/new`);
    const other = git(`${workspaces.objectsPath(CLONE)}/..`, "rev-parse", `${tree}:manifest.json`);
    const file = (object: string): string =>
      `${workspaces.objectsPath(CLONE)}/${object.slice(0, 2)}/${object.slice(2)}`;
    const good = readFileSync(file(id));
    rmSync(file(id));
    writeFileSync(file(id), readFileSync(file(other)));
    expect(await workspaces.verifyTree(CLONE, tree)).toBe(false);
    rmSync(file(id));
    writeFileSync(file(id), good.subarray(0, good.length - 3));
    expect(await workspaces.verifyTree(CLONE, tree)).toBe(false);
    rmSync(file(id));
    expect(await workspaces.verifyTree(CLONE, tree)).toBe(false);
    expect(await workspaces.verifyTree(CLONE, "0".repeat(40))).toBe(false);
    await expect(workspaces.restore(WORK, "0".repeat(40), [])).rejects.toMatchObject({ code: "store/corrupt" });
  });

  test("two trees differ where files, links, modes or empty directories do, and .git does not count", async () => {
    const { workspaces, work, tree } = await begun();
    put(work, { "new/deep/file": "1", ".git/whatever": "1", "nested/.git/HEAD": "x", "a.txt": "changed" });
    mkdirSync(`${work}/hollow`);
    chmodSync(`${work}/src/b.txt`, 0o600);
    const after = await workspaces.snapshot(WORK, []);
    expect(await workspaces.treeChanges(CLONE, tree, after)).toEqual(["a.txt", "hollow", "new/deep/file", "src/b.txt"]);
    expect(await workspaces.treeChanges(CLONE, after, tree)).toEqual(["a.txt", "hollow", "new/deep/file", "src/b.txt"]);
  });

  test("after kill -9 in the middle of restoring, restoring again works", async () => {
    const { workspaces, work } = await begun();
    for (let at = 0; at < 1500; at++) put(work, { [`many/${at % 40}/file${at}`]: `content ${at}\n`.repeat(20) });
    const seen = listing(work);
    const tree = await workspaces.snapshot(WORK, []);
    const home = work.slice(0, work.indexOf("/workspaces/"));
    const script = `
      const { gitWorkspaces } = await import(${JSON.stringify(new URL("../../src/adapters/git/workspaces.ts", import.meta.url).href)});
      await gitWorkspaces({ home: ${JSON.stringify(home)}, owner: null }).restore(${JSON.stringify(WORK)}, "${tree}", []);`;
    let interrupted = 0;
    // The instant is chosen by what has been written so far, not by time.
    for (const written of ["many/0/file1000", "many/17/file17", "many/25/file1025", "many/38/file38"]) {
      empty(work);
      put(work, { "many/0/file0": "wrong", "rubbish/x": "y" });
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "ignore" });
      const ended = new Promise((resolve) => child.once("close", resolve));
      while (child.exitCode === null && !existsSync(`${work}/${written}`))
        await new Promise((resolve) => setImmediate(resolve));
      child.kill("SIGKILL");
      await ended;
      if (JSON.stringify(listing(work)) !== JSON.stringify(seen)) interrupted += 1;
      await workspacesIn(home).restore(WORK, tree, []);
      expect(listing(work)).toEqual(seen);
    }
    expect(interrupted).toBeGreaterThan(0);
  });

  test("lock files that a killed git left in the private clone do not stop the next daemon", async () => {
    const { workspaces, work, tree, clone } = await begun();
    for (const name of ["HEAD.lock", "packed-refs.lock", "config.lock", "refs/agentos/base.lock"])
      writeFileSync(`${clone}/${name}`, "");
    mkdirSync(`${clone}/refs/agentos/rescue`);
    writeFileSync(`${clone}/refs/agentos/rescue/1-1.lock`, "");
    const next = workspacesIn(work.slice(0, work.indexOf("/workspaces/")));
    writeFileSync(`${work}/x`, "x");
    await next.restore(WORK, tree, []);
    expect(await next.snapshot(WORK, [])).toBe(tree);
    expect(await workspaces.exists(WORK)).toBe(true);
  });
});

// ---------------------------------------------------------------------------------------------------------------------

describe("a working directory", () => {
  const attributes = {
    ".gitattributes": "*.txt text eol=crlf\n*.bin -text\n*.f filter=loud\n",
    "a.txt": "one\ntwo\n",
    "b.bin": "x\r\ny\n",
    "c.f": "raw\n",
    "d e/-n": "odd\n",
  };

  test("is what git checkout makes of the commit", async () => {
    const { repo, work } = await begun(attributes);
    const plain = `${room()}/plain`;
    git(repo, "clone", "-q", repo, plain);
    expect(listing(work, withoutGit)).toEqual(listing(plain, withoutGit));
  });

  test("has a git of its own that works over the read-only objects and changes nothing that counts", async () => {
    const { work, workspaces, base, clone } = await begun();
    expect(readFileSync(`${work}/.git/objects/info/alternates`, "utf8")).toBe(`${workspaces.objectsInside(CLONE)}\n`);
    // Stands for the mount of the sandbox.
    const inside = (...args: string[]): string =>
      execFileSync("git", ["-c", `safe.directory=${work}`, ...args], {
        cwd: work,
        encoding: "utf8",
        env: { ...personsEnvironment(), GIT_ALTERNATE_OBJECT_DIRECTORIES: workspaces.objectsPath(CLONE) },
        stdio: ["ignore", "pipe", "ignore"],
      }).trim();
    expect(inside("status", "--porcelain", "--branch")).toBe("## main");
    writeFileSync(`${work}/a.txt`, "changed\n");
    expect(inside("diff", "--stat")).toContain("a.txt");
    const refs = git(clone, "for-each-ref");
    inside("commit", "-qam", "by the agent");
    expect(inside("log", "--format=%an", "-1")).toBe("AgentOS agent");
    expect(git(clone, "for-each-ref")).toBe(refs);
    const candidate = await workspaces.candidate(WORK, base, "by the task", ADA, AT_MS, []);
    expect(git(clone, "log", "-1", "--format=%an <%ae> %at %cn <%ce> %P %s", candidate.commit)).toBe(
      `Ada <ada@example.org> ${AT_MS / 1000} AgentOS <agentos@localhost> ${base} by the task`,
    );
  });

  test("made again starts from the commit, and what lay there is kept under rescue", async () => {
    const { workspaces, work, base, clone } = await begun();
    writeFileSync(`${work}/a.txt`, "precious\n");
    mkdirSync(`${work}/../.new-left-by-a-crash`);
    await workspaces.checkout(WORK, base);
    expect(readFileSync(`${work}/a.txt`, "utf8")).toBe("one\n");
    expect(git(clone, "show", "refs/agentos/rescue/1-1:content/a.txt")).toBe("precious");
    expect(readdirSync(`${work}/..`)).toEqual(["app"]);
  });

  test("can be handed to the next epoch, also when asked twice", async () => {
    const { workspaces, work, tree } = await begun();
    await workspaces.handOver(WORK, 2);
    await workspaces.handOver(WORK, 2);
    expect(existsSync(work)).toBe(false);
    expect(await workspaces.exists({ ...CLONE, epoch: 1 })).toBe(false);
    expect(await workspaces.snapshot({ ...CLONE, epoch: 2 }, [])).toBe(tree);
  });

  test("is private: nobody else can enter the workspaces", async () => {
    const { work } = await begun();
    const top = work.slice(0, work.indexOf("/workspaces/") + "/workspaces".length);
    expect(statSync(top).mode & 0o777).toBe(0o700);
  });

  test("the private clone shares no writable file with the person's repository", async () => {
    const { repo, workspaces } = await begun();
    git(repo, "gc", "-q");
    expect(git(`${workspaces.objectsPath(CLONE)}/..`, "fsck", "--no-dangling")).toBe("");
    for (const [path, entry] of Object.entries(listing(workspaces.objectsPath(CLONE))))
      if (!path.endsWith("/")) expect(entry).toMatch(/^444 /);
  });

  // Only root has another user to speak of; for an ordinary user there is no such case.

  const asRoot = isRoot ? test : () => undefined;

  asRoot("belongs to the sandbox's user, all of it, also what is restored and written later", async () => {
    const repo = repository();
    const workspaces = workspacesIn(`${room()}/home`, NOBODY);
    const base = await workspaces.adopt(CLONE, repo, git(repo, "rev-parse", "HEAD"), false);
    const tree = await workspaces.checkout(WORK, base);
    const work = workspaces.path(WORK);
    rmSync(`${work}/src`, { recursive: true });
    await workspaces.restore(WORK, tree, []);
    await workspaces.writeFile(WORK, "new/deep/file", Buffer.from("x"));
    symlinkSync("x", `${work}/link`);
    const linked = await workspaces.snapshot(WORK, []);
    rmSync(`${work}/link`);
    await workspaces.restore(WORK, linked, []);
    const gate = await workspaces.gateCheckout(WORK, base, "tests");
    for (const top of [work, gate.path]) {
      for (const name of ["", ...readdirSync(top, { recursive: true, encoding: "utf8" })])
        expect([name, lstatSync(`${top}/${name}`).uid]).toEqual([name, NOBODY.uid]);
    }
    const seen = spawnSync(
      "setpriv",
      ["--reuid=65534", "--regid=65534", "--clear-groups", "find", workspaces.objectsPath(CLONE), "!", "-readable"],
      { encoding: "utf8" },
    );
    // The top is closed to that user; the sandbox mounts the objects themselves.
    expect(seen.status).not.toBe(0);
    for (const [path, entry] of Object.entries(listing(workspaces.objectsPath(CLONE))))
      expect([path, Number.parseInt(entry, 8) & 0o004]).toEqual([path, 0o004]);
  });
});

describe("single files", () => {
  const text = (bytes: Uint8Array | null): string | null =>
    bytes === null ? null : Buffer.from(bytes).toString("utf8");

  test("are read, written, listed and deleted", async () => {
    const { workspaces, work } = await begun();
    await workspaces.writeFile(WORK, "new/deep/file.sh", Buffer.from("#!/bin/sh\n"), true);
    expect(statSync(`${work}/new/deep/file.sh`).mode & 0o777).toBe(0o755);
    chmodSync(`${work}/a.txt`, 0o640);
    await workspaces.writeFile(WORK, "a.txt", Buffer.from("other\n"));
    expect([text(await workspaces.readFile(WORK, "a.txt", 100)), statSync(`${work}/a.txt`).mode & 0o777]).toEqual([
      "other\n",
      0o640,
    ]);
    expect(await workspaces.readFile(WORK, "absent", 100)).toBeNull();
    expect(await workspaces.readFile(WORK, "absent/too", 100)).toBeNull();
    expect(await workspaces.listFiles(WORK, "", 100)).toEqual(["a.txt", "new/deep/file.sh", "src/b.txt"]);
    expect(await workspaces.listFiles(WORK, "new/", 100)).toEqual(["new/deep/file.sh"]);
    expect(await workspaces.listFiles(WORK, "a.txt", 100)).toEqual(["a.txt"]);
    expect(await workspaces.listFiles(WORK, "absent", 100)).toEqual([]);
    expect(await workspaces.listFiles(WORK, "", 2)).toEqual(["a.txt", "new/deep/file.sh"]);
    await workspaces.writeFile(WORK, "a.txt", null);
    await workspaces.writeFile(WORK, "a.txt", null);
    expect(existsSync(`${work}/a.txt`)).toBe(false);
  });

  test.each([
    "../x",
    "/etc/passwd",
    "a/../../x",
    "src/..",
    ".",
    "",
    "src//b",
    "~/x",
    "~",
    "x\0y",
    "a\\..\\b",
    "file:///etc/passwd",
    "%2e%2e/x",
    ".%2E/x",
  ])("%j is no path inside", async (path) => {
    const { workspaces } = await shared();
    await expect(workspaces.readFile(WORK, path, 100)).rejects.toMatchObject({ code: "act/denied" });
    await expect(workspaces.writeFile(WORK, path, Buffer.from("x"))).rejects.toMatchObject({ code: "act/denied" });
  });

  test("links are followed neither as the file nor on the way, for reading, writing and deleting", async () => {
    const { workspaces, work } = await begun();
    const outside = room();
    put(outside, { secret: "s3cret" });
    symlinkSync(`${outside}/secret`, `${work}/link`);
    symlinkSync(outside, `${work}/way`);
    // Control: the plain call would have read it.
    expect(readFileSync(`${work}/link`, "utf8")).toBe("s3cret");
    for (const path of ["link", "way/secret"]) {
      await expect(workspaces.readFile(WORK, path, 100)).rejects.toMatchObject({ code: "act/denied" });
      await expect(workspaces.writeFile(WORK, path, Buffer.from("x"))).rejects.toMatchObject({ code: "act/denied" });
    }
    await expect(workspaces.writeFile(WORK, "way/secret", null)).rejects.toMatchObject({ code: "act/denied" });
    await expect(workspaces.writeFile(WORK, "way/new", Buffer.from("x"))).rejects.toMatchObject({ code: "act/denied" });
    await workspaces.writeFile(WORK, "link", null);
    expect(await workspaces.listFiles(WORK, "way", 10)).toEqual(["way"]);
    expect(listing(outside)).toMatchObject({ secret: expect.stringMatching(/^644 /) });
    expect(readFileSync(`${outside}/secret`, "utf8")).toBe("s3cret");
  });

  test("pipes, directories, files too large and git's own are refused", async () => {
    const { workspaces, work } = await begun();
    execFileSync("mkfifo", [`${work}/pipe`]);
    writeFileSync(`${work}/large`, "x".repeat(101));
    for (const path of ["pipe", "src", "large"])
      await expect(workspaces.readFile(WORK, path, 100)).rejects.toMatchObject({ code: "act/denied" });
    for (const path of ["pipe", "src", ".git/config", "sub/.GIT/hooks/x"])
      await expect(workspaces.writeFile(WORK, path, Buffer.from("x"))).rejects.toMatchObject({ code: "act/denied" });
    expect(text(await workspaces.readFile(WORK, "large", 101))).toHaveLength(101);
  });

  let one: Awaited<ReturnType<typeof begun>> | null = null;
  const shared = async () => {
    one ??= await begun();
    return one;
  };

  test("a name longer than any file can have is neither read, written, deleted nor listed", async () => {
    const { workspaces } = await shared();
    const name = "x".repeat(256);
    for (const content of [Buffer.from("x"), null])
      await expect(workspaces.writeFile(WORK, name, content)).rejects.toMatchObject({ code: "act/denied" });
    await expect(workspaces.listFiles(WORK, name, 10)).rejects.toMatchObject({ code: "act/denied" });
    await expect(workspaces.readFile(WORK, `src/${name}`, 100)).rejects.toMatchObject({
      code: "act/denied",
      message: "a name of 256 bytes is longer than a file's can be (255)",
    });
    await expect(workspaces.writeFile(WORK, `${name}/y`, Buffer.from("x"))).rejects.toMatchObject({
      code: "act/denied",
    });
  });
});
