import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Client } from "../../src/interfaces/client/client.ts";
import {
  approve,
  git,
  sampleRepo,
  type TestDaemon,
  temporaryDirectory,
  until,
  waitForStatus,
  withDaemon,
} from "../support/daemon.ts";
import { type GitServer, gitServer, served } from "../support/git-server.ts";

/* A task on a private remote repository, from its url to the push, with a daemon that is killed in between. */

const SECRET = "s3cr3t/Tok+en=";
const GATE = { id: "check", run: "test -f a.txt -o -f README.md" };
let server: GitServer;
let bare: string;
let url: string;
let home: string;
let person: string;
let agent: ReturnType<typeof createServer>;
let daemon: TestDaemon;
let first: string;
let conflicting: string;

beforeAll(async () => {
  const root = temporaryDirectory("served");
  bare = served(root, "app.git", sampleRepo("plain"));
  server = await gitServer({ root, credentials: `git:${SECRET}` });
  url = `${server.url}/app.git`;
  home = temporaryDirectory("home");
  person = temporaryDirectory("person");
  writeFileSync(join(home, "config.yaml"), `remotes:\n  127.0.0.1:\n    token_env: APP_TOKEN\n`);
  writeFileSync(join(person, ".netrc"), `machine elsewhere login ada password ${SECRET}\n`, { mode: 0o600 });
  mkdirSync(join(person, ".ssh"));
  writeFileSync(join(person, ".ssh", "id_ed25519"), SECRET, { mode: 0o600 });
  agent = createServer().listen(join(person, "agent.sock"));
  daemon = await started();
});
afterAll(() => void agent.close());

const started = (): Promise<TestDaemon> =>
  withDaemon({
    child: true,
    home,
    environment: {
      HOME: person,
      APP_TOKEN: SECRET,
      SSH_AUTH_SOCK: join(person, "agent.sock"),
      GIT_CONFIG_SYSTEM: "/dev/null",
    },
  });
const at = (branch: string): string => git(bare, "rev-parse", `refs/heads/${branch}`).trim();

/** A task that did its work and proved it. */
async function proven(api: Client, file: string, run = `echo done > ${file}`): Promise<string> {
  const { id } = await api.createTask({
    title: `Write ${file}`,
    project: "shop",
    agent: "script",
    gates: [GATE],
    plan: { items: [{ id: "work", title: "Do it", do: [{ run }] }] },
  });
  await api.freezeTask(id);
  await api.readyTask(id);
  await waitForStatus(api, id, ["awaiting_approval"]);
  await approve(api, id);
  await waitForStatus(api, id, ["succeeded"]);
  return id;
}

test("a url with a secret is refused with advice, and a good one becomes a repo", async () => {
  await daemon.api.createProject({ name: "shop" });
  const refused = await daemon.ask("POST", "/api/projects/shop/repos", {
    body: { url: url.replace("http://", `http://ada:${SECRET.replace("/", "%2F")}@`) },
  });
  expect([refused.status, refused.json.code]).toEqual([422, "repo/refused"]);
  expect(refused.text).not.toContain("s3cr3t");
  expect(refused.json.next).toContain("config.yaml");
  const repo = await daemon.api.addRepo("shop", { url });
  expect(repo).toMatchObject({ name: "app", path: url, kind: "remote", default_branch: "main" });
  expect(await daemon.api.probeRepo(repo.id)).toMatchObject({
    kind: "remote",
    read: { ok: true },
    write: { ok: true, says: expect.stringContaining("a push was opened and not sent") },
    branch: "main",
    credentials: "token from the environment",
    notes: [],
  });
  expect([server.pushes(), git(bare, "for-each-ref", "refs/agentos")]).toEqual([0, ""]);
});

test("its task sees no credential: no variable, no file, no socket", async () => {
  const look = [
    "env > seen.txt",
    "{ cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; } >> seen.txt",
    `for f in ${person}/.netrc ${person}/.ssh/id_ed25519 ${home}/config.yaml ${home}/mirrors ~/.netrc ~/.ssh ~/.gitconfig ${person}/agent.sock; do test -e $f && echo "present $f" >> seen.txt; done`,
    "git config --list >> seen.txt 2>&1; git remote -v >> seen.txt 2>&1",
    `git ls-remote ${url} >> seen.txt 2>&1`,
    "true",
  ].join("\n");
  const id = await proven(daemon.api, "seen.txt", look);
  first = id;
  const { repos } = await daemon.api.diff(id);
  const seen = repos["app"]?.diff ?? "";
  expect(seen).toContain("PATH=");
  expect(seen).not.toMatch(/present |s3cr3t|APP_TOKEN|SSH_AUTH_SOCK|AGENTOS_GIT/);
  expect(seen).not.toContain(at("main"));
});

test("nothing is pushed without being asked, and then exactly the proven commit, once", async () => {
  const id = first;
  const before = at("main");
  const refused = await daemon.ask("POST", `/api/tasks/${id}/deliver`, { body: {} });
  expect(refused.json).toMatchObject({
    code: "delivery/refused",
    next: expect.stringContaining(`agentos task deliver ${id} --push main`),
  });
  expect(server.pushes()).toBe(0);
  const candidate = (await daemon.api.task(id)).candidate?.["app"];
  const { repos } = await daemon.api.deliverTask(id, { push: "main" });
  expect(repos).toEqual({
    app: {
      way: "push",
      branch: "main",
      from: before,
      to: candidate?.commit,
      tree: candidate?.tree,
      checkout_followed: false,
    },
  });
  expect(at("main")).toBe(candidate?.commit);
  const again = await daemon.api.deliverTask(id, { push: "main" });
  expect(again.notes).toEqual(["app: main has this work already"]);
  expect(server.pushes()).toBe(1);
});

test("a base that moved is merged, proven again and pushed; one that conflicts is said and left alone", async () => {
  const merged = await proven(daemon.api, "second.txt");
  conflicting = await proven(daemon.api, "README.md");
  const theirs = commitOn("main", { "README.md": "somebody else's\n" });
  const moved = { repo: "app", branch: "main", head: theirs, commits: 1, problem: null };
  expect((await daemon.api.moved(merged)).items).toEqual([expect.objectContaining({ ...moved, conflicts: [] })]);
  expect((await daemon.api.moved(conflicting)).items).toEqual([
    expect.objectContaining({ ...moved, conflicts: ["README.md"] }),
  ]);
  const done = await daemon.api.deliverTask(merged, { push: "main" });
  expect(done.notes).toEqual(["app: main had moved on; the merged tree passed the same gates"]);
  expect(git(bare, "rev-parse", "main^1").trim()).toBe(theirs);
  expect(git(bare, "ls-tree", "--name-only", "main").split("\n")).toContain("second.txt");
  const tip = at("main");
  await expect(daemon.api.deliverTask(conflicting, { push: "main" })).rejects.toMatchObject({
    problem: {
      code: "delivery/refused",
      facts: { conflicts: ["README.md"] },
      next: expect.stringContaining(`agentos task deliver ${conflicting} --push agentos/${conflicting}`),
    },
  });
  expect(at("main")).toBe(tip);
});

test("killed when the push has arrived and is not recorded: after the restart it is, and was pushed once", async () => {
  const id = conflicting;
  const pushes = server.pushes();
  let arrived = (): void => {};
  const inTheMiddle = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  server.onPushed = async () => {
    server.onPushed = null;
    arrived();
    await daemon.kill();
  };
  const cutOff = daemon.api.deliverTask(id, { push: "killed" }).catch((error: unknown) => error);
  await inTheMiddle;
  expect(await cutOff).toMatchObject({ problem: { code: "daemon/unreachable" } });
  daemon = await started();
  const task = await until("the push is recorded", async () => {
    const now = await daemon.api.task(id);
    return now.delivered === null ? null : now;
  });
  expect(task.delivered).toEqual({
    app: {
      way: "push",
      branch: "killed",
      to: task.candidate?.["app"]?.commit,
      tree: task.candidate?.["app"]?.tree,
      checkout_followed: false,
    },
  });
  expect(at("killed")).toBe(task.candidate?.["app"]?.commit);
  expect(server.pushes() - pushes).toBe(1);
  const types = (await daemon.api.taskEvents(id, 0, 1_000)).items.map(({ type }) => type);
  expect(types.filter((type) => type === "DELIVERED")).toHaveLength(1);
});

test("a push of a task over a remote and a local repository pushes to the one, and merges into the other as ever", async () => {
  const local = sampleRepo("plain");
  await daemon.api.createProject({ name: "both" });
  await daemon.api.addRepo("both", { url });
  await daemon.api.addRepo("both", { path: local, name: "here" });
  const { id } = await daemon.api.createTask({
    title: "Write both",
    project: "both",
    agent: "script",
    gates: ["app", "here"].map((repo) => ({ id: repo, repo, run: "test -f both.txt" })),
    plan: {
      items: ["app", "here"].map((repo) => ({ id: repo, title: repo, repo, do: [{ run: "echo done > both.txt" }] })),
    },
  });
  await daemon.api.freezeTask(id);
  await daemon.api.readyTask(id);
  await waitForStatus(daemon.api, id, ["awaiting_approval"]);
  await approve(daemon.api, id);
  const { candidate } = await waitForStatus(daemon.api, id, ["succeeded"]);
  const { repos } = await daemon.api.deliverTask(id, { push: "both" });
  expect(
    Object.fromEntries(Object.entries(repos).map(([repo, { way, branch, to }]) => [repo, [way, branch, to]])),
  ).toEqual({
    app: ["push", "both", candidate?.["app"]?.commit],
    here: ["merge", "main", candidate?.["here"]?.commit],
  });
  expect([at("both"), git(local, "rev-parse", "main").trim()]).toEqual([
    candidate?.["app"]?.commit,
    candidate?.["here"]?.commit,
  ]);
});

test("the token is in no form in the journal, the blobs, the log or anything else of the data directory", async () => {
  const forms = [
    SECRET,
    encodeURIComponent(SECRET),
    Buffer.from(SECRET).toString("base64").replace(/=+$/, ""),
    Buffer.from(`git:${SECRET}`).toString("base64"),
  ];
  await daemon.stop();
  const holding = readdirSync(home, { recursive: true, encoding: "utf8" })
    .map((name) => join(home, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
    .filter((path) => forms.some((form) => readFileSync(path).includes(form)));
  expect(holding).toEqual([]);
  expect(forms.filter((form) => daemon.log().join("\n").includes(form))).toEqual([]);
});

/** Somebody else's commit on a branch of the server. */
function commitOn(branch: string, files: Readonly<Record<string, string>>): string {
  const place = join(temporaryDirectory("theirs"), "app");
  execFileSync("git", ["clone", "-q", "-b", branch, bare, place], { stdio: "ignore" });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(place, name), content);
  git(place, "add", "-A");
  git(place, "commit", "-qm", "Theirs");
  git(place, "push", "-q", "origin", branch);
  return git(place, "rev-parse", "HEAD").trim();
}
