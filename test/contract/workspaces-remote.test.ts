import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { HostAccess, RemoteAccess } from "../../src/adapters/git/credentials.ts";
import { gitWorkspaces } from "../../src/adapters/git/workspaces.ts";
import type { Workspaces } from "../../src/ports/workspaces.ts";
import { repository } from "../integration/task-kit.ts";
import { git, temporaryDirectory, until } from "../support/daemon.ts";
import { type GitServer, gitServer, served } from "../support/git-server.ts";

/* Remote repositories over real servers on 127.0.0.1: what is read and written there, with which credentials, and what is said when not. */

const SECRET = "s3cr3t/Tok+en=";
/** The machine's own credential helpers are nobody's here. */
const NO_HELPERS = { GIT_CONFIG_SYSTEM: "/dev/null" };
const NOBODY: HostAccess = { tokenEnv: null, tokenFile: null, username: null, sshKey: null, knownHosts: null };
let locked: GitServer;
let open: GitServer;

beforeAll(async () => {
  const root = temporaryDirectory("served");
  served(root, "app.git", repository({ "a.txt": "one\n", "b.txt": "two\n" }));
  mkdirSync(join(root, "none.git"));
  locked = await gitServer({ root, credentials: `git:${SECRET}` });
  open = await gitServer({ root, credentials: null, readOnly: true });
});

const access = (more: Partial<RemoteAccess> = {}, variables: Record<string, string> = {}): RemoteAccess => ({
  home: temporaryDirectory("person"),
  variable: (name) => ({ PATH: process.env["PATH"] ?? "", ...NO_HELPERS, ...variables })[name],
  hosts: {},
  ...more,
});
const over = (remotes: RemoteAccess, home = temporaryDirectory("home")): Workspaces & { readonly home: string } => ({
  ...gitWorkspaces({ home, owner: null, remotes }),
  home,
});
const withToken = (): RemoteAccess =>
  access({ hosts: { "127.0.0.1": { ...NOBODY, tokenEnv: "APP_TOKEN" } } }, { APP_TOKEN: SECRET });
const failing = async (promise: Promise<unknown>): Promise<{ code: string; said: string }> => {
  const error = (await promise.then(
    () => ({ code: "it did not fail" }),
    (thrown: unknown) => thrown,
  )) as { code: string; next?: string; cause?: unknown };
  return { code: error.code, said: `${String(error)} ${error.next} ${String(error.cause)} ${JSON.stringify(error)}` };
};

describe("a remote repository is read", () => {
  test("with a token of the daemon's environment, and its tasks work on a clone of the mirror", async () => {
    const workspaces = over(withToken());
    const url = `${locked.url}/app.git`;
    const state = await workspaces.inspect(url);
    const head = git(join(locked.root, "app.git"), "rev-parse", "main").trim();
    expect(state).toEqual({ root: url, below: "", head, branch: "main", dirty: [], unsupported: [] });
    expect(await workspaces.pathsAt(url, head)).toEqual(["a.txt", "b.txt"]);
    expect(await workspaces.fileAt(url, head, "a.txt")).toBe("one\n");
    const clone = { task: "T1", repo: "app" };
    expect(await workspaces.adopt(clone, url, head, true)).toBe(head);
    await workspaces.checkout({ ...clone, epoch: 1 }, head);
    expect(readFileSync(join(workspaces.path({ ...clone, epoch: 1 }), "b.txt"), "utf8")).toBe("two\n");
    // The token is nowhere on disk, in no form.
    const forms = [SECRET, encodeURIComponent(SECRET), Buffer.from(`git:${SECRET}`).toString("base64")];
    expect(filesHolding(workspaces.home, forms)).toEqual([]);
  });

  test("with a token in a file of the person alone", async () => {
    const file = join(temporaryDirectory("token"), "token");
    writeFileSync(file, `${SECRET}\n`, { mode: 0o600 });
    const remotes = access({ hosts: { "127.0.0.1": { ...NOBODY, tokenFile: file } } });
    expect((await over(remotes).inspect(`${locked.url}/app.git`)).branch).toBe("main");
    chmodSync(file, 0o640);
    expect(await failing(over(remotes).inspect(`${locked.url}/app.git`))).toMatchObject({
      code: "remote/auth-needed",
      said: expect.stringContaining(`chmod 600 ${file}`),
    });
  });

  test("with the person's netrc", async () => {
    const remotes = access();
    writeFileSync(join(remotes.home, ".netrc"), `machine 127.0.0.1 login git password ${SECRET}\n`, { mode: 0o600 });
    expect((await over(remotes).inspect(`${locked.url}/app.git`)).branch).toBe("main");
  });

  test("with the person's own credential helper", async () => {
    const remotes = access();
    const helper = join(remotes.home, "helper");
    writeFileSync(helper, `#!/bin/sh\necho username=git\necho 'password=${SECRET}'\n`, { mode: 0o700 });
    writeFileSync(
      join(remotes.home, ".gitconfig"),
      `[credential]\n\thelper = ${helper}\n[core]\n\tsshCommand = false\n`,
    );
    expect((await over(remotes).inspect(`${locked.url}/app.git`)).branch).toBe("main");
  });

  describe("with the credential helper of the person's git settings", () => {
    const WRONG = "!echo username=git; echo password=wrong; :";
    const RIGHT = `!echo username=git; echo 'password=${SECRET}'; :`;
    const setting = (helper: string): string => `[credential]\n\thelper =\n\thelper = ${JSON.stringify(helper)}\n`;
    /** Files below the person's home, and below the directory that XDG_CONFIG_HOME names. */
    const looked = async (own: Record<string, string>, xdg: Record<string, string> | null, named?: string) => {
      const home = temporaryDirectory("person");
      const elsewhere = temporaryDirectory("xdg");
      for (const [place, files] of [[home, own] as const, [elsewhere, xdg ?? {}] as const])
        for (const [path, helper] of Object.entries(files)) {
          mkdirSync(dirname(join(place, path)), { recursive: true });
          writeFileSync(join(place, path), setting(helper));
        }
      const variables = {
        ...(xdg !== null && { XDG_CONFIG_HOME: elsewhere }),
        ...(named !== undefined && { GIT_CONFIG_GLOBAL: join(home, named) }),
      };
      return over(access({ home }, variables))
        .inspect(`${locked.url}/app.git`)
        .then(
          ({ branch }) => branch,
          ({ code }: { code: string }) => code,
        );
    };

    test.each([
      ["in ~/.config/git/config", { ".config/git/config": RIGHT }, null, undefined, "main"],
      [
        "below XDG_CONFIG_HOME, and not below ~/.config",
        { ".config/git/config": WRONG },
        { "git/config": RIGHT },
        undefined,
        "main",
      ],
      [
        "in ~/.gitconfig after the other",
        { ".config/git/config": WRONG, ".gitconfig": RIGHT },
        null,
        undefined,
        "main",
      ],
      [
        "in ~/.gitconfig, which overrules the other",
        { ".config/git/config": RIGHT, ".gitconfig": WRONG },
        null,
        undefined,
        "remote/auth-refused",
      ],
      [
        "in the file that GIT_CONFIG_GLOBAL names, and in no other",
        { ".config/git/config": WRONG, ".gitconfig": WRONG, named: RIGHT },
        null,
        "named",
        "main",
      ],
      [
        "in none that counts",
        { ".config/git/config": RIGHT, ".gitconfig": RIGHT },
        null,
        "absent",
        "remote/auth-needed",
      ],
    ])("%s", async (_, own, xdg, named, expected) => expect(await looked(own, xdg, named)).toBe(expected));
  });

  test("over file://, and what it has gained since is seen at the next look", async () => {
    const source = repository();
    const workspaces = over(access());
    const url = `file://${source}`;
    const first = await workspaces.inspect(url);
    writeFileSync(join(source, "a.txt"), "moved\n");
    git(source, "commit", "-qam", "on");
    git(source, "branch", "other");
    const now = git(source, "rev-parse", "HEAD").trim();
    expect(first.head).not.toBe(now);
    expect((await workspaces.inspect(url)).head).toBe(now);
    expect((await workspaces.inspect(url, "other")).head).toBe(now);
    expect((await workspaces.inspect(url, "nowhere")).unsupported).toEqual([
      "it has no branch nowhere: name another default branch",
    ]);
  });

  test("over ssh, with the agent's socket and no question asked", async () => {
    const source = repository();
    const place = temporaryDirectory("ssh");
    const ssh = join(place, "ssh");
    // What it was called with, then what a server's login shell would do.
    writeFileSync(
      ssh,
      `#!/bin/sh\nprintf '%s\\n' "$SSH_AUTH_SOCK" "$@" >> ${place}/called\nfor last; do :; done\nexec sh -c "$last"\n`,
      { mode: 0o700 },
    );
    const remotes = access({}, { GIT_SSH_COMMAND: ssh, SSH_AUTH_SOCK: `${place}/agent.sock` });
    const state = await over(remotes).inspect(`ssh://git@127.0.0.1:2222${source}`);
    expect(state.branch).toBe("main");
    const called = readFileSync(join(place, "called"), "utf8").split("\n");
    expect(called[0]).toBe(`${place}/agent.sock`);
    expect(called).toEqual(expect.arrayContaining(["BatchMode=yes", "StrictHostKeyChecking=yes", "ForwardAgent=no"]));
  });
});

describe("what goes wrong on the way is said by its kind, and without a secret:", () => {
  const wrong = (): RemoteAccess =>
    access({ hosts: { "127.0.0.1": { ...NOBODY, tokenEnv: "APP_TOKEN" } } }, { APP_TOKEN: "wr0ng-t0ken" });
  test.each<[string, string, () => RemoteAccess, () => string]>([
    ["no credentials", "remote/auth-needed", access, () => `${locked.url}/app.git`],
    ["wrong ones", "remote/auth-refused", wrong, () => `${locked.url}/app.git`],
    [
      "a token that is not set",
      "remote/auth-needed",
      () => access({ hosts: withToken().hosts }),
      () => `${locked.url}/app.git`,
    ],
    ["no such repository", "remote/not-found", withToken, () => `${locked.url}/other.git`],
    ["no such file", "remote/not-found", access, () => "file:///nowhere/app.git"],
    ["nobody listens", "remote/unreachable", access, () => "http://127.0.0.1:1/app.git"],
    ["no such host", "remote/unreachable", access, () => "https://no-such-host.invalid/app.git"],
    ["nobody listens (git)", "remote/unreachable", access, () => "git://127.0.0.1:1/app.git"],
    [
      "a host key nobody knows",
      "remote/host-unknown",
      () => sshSaying("Host key verification failed.", 255),
      () => "ssh://git@127.0.0.1/app.git",
    ],
    [
      "a key the server does not take",
      "remote/auth-refused",
      () => sshSaying("git@127.0.0.1: Permission denied (publickey).", 255),
      () => "ssh://git@127.0.0.1/app.git",
    ],
  ])("%s: %s", async (_, code, remotes, url) => {
    const failure = await failing(over(remotes()).inspect(url()));
    expect(failure).toMatchObject({ code });
    expect(failure.said).not.toMatch(/wr0ng-t0ken|s3cr3t|R2l0|Z2l0Ond/);
  });

  const sshSaying = (words: string, exit: number): RemoteAccess => {
    const ssh = join(temporaryDirectory("ssh"), "ssh");
    writeFileSync(ssh, `#!/bin/sh\necho '${words}' >&2\nexit ${exit}\n`, { mode: 0o700 });
    return access({}, { GIT_SSH_COMMAND: ssh });
  };

  test("a host that takes the connection and says nothing, whichever program waits for it", async () => {
    const deaf = createServer().listen(0, "127.0.0.1");
    await once(deaf, "listening");
    const place = temporaryDirectory("ssh");
    writeFileSync(join(place, "ssh"), `#!/bin/sh\necho $$ > ${place}/pid\nsleep 600 & wait\n`, { mode: 0o700 });
    const remotes = { ...access({}, { GIT_SSH_COMMAND: join(place, "ssh") }), lookMs: 700 };
    try {
      const { port } = deaf.address() as AddressInfo;
      expect(await failing(over(remotes).inspect(`http://127.0.0.1:${port}/app.git`))).toMatchObject({
        code: "remote/timeout",
      });
      expect(await failing(over(remotes).inspect("ssh://git@127.0.0.1/app.git"))).toMatchObject({
        code: "remote/timeout",
      });
    } finally {
      deaf.close();
    }
    const pid = Number(readFileSync(join(place, "pid"), "utf8"));
    await until("the program that waited is gone too", async () => !existsSync(`/proc/${pid}`));
  });

  test("a token is never sent over plain http to another machine", async () => {
    const remotes = access({ hosts: { "git.invalid": { ...NOBODY, tokenEnv: "APP_TOKEN" } } }, { APP_TOKEN: SECRET });
    expect(await failing(over(remotes).inspect("http://git.invalid/app.git"))).toMatchObject({
      code: "remote/auth-refused",
    });
  });
});

describe("a branch of a remote moves", () => {
  let url: string;
  let bare: string;
  let workspaces: Workspaces;
  const clone = { task: "T1", repo: "app" };
  let base: string;
  let candidate: string;

  beforeAll(async () => {
    const name = "moving.git";
    bare = served(locked.root, name, repository());
    url = `${locked.url}/${name}`;
    workspaces = over(withToken());
    base = (await workspaces.inspect(url)).head ?? "";
    await workspaces.adopt(clone, url, base, false);
    const workspace = { ...clone, epoch: 1 };
    await workspaces.checkout(workspace, base);
    await workspaces.writeFile(workspace, "new.txt", new TextEncoder().encode("new\n"));
    const ada = { name: "Ada", email: "ada@example.org" };
    candidate = (await workspaces.candidate(workspace, base, "New", ada, 0, [])).commit;
    await workspaces.publishRef(clone, url, candidate, "tasks/T1");
  });
  const at = (branch: string): string => git(bare, "rev-parse", `refs/heads/${branch}`).trim();

  test("to a new one, once, and the same call again sends nothing", async () => {
    const pushes = locked.pushes();
    await workspaces.moveBranch(url, "feature", null, candidate);
    expect(at("feature")).toBe(candidate);
    await workspaces.moveBranch(url, "feature", null, candidate);
    expect(locked.pushes() - pushes).toBe(1);
    expect(git(bare, "for-each-ref", "refs/agentos")).toBe("");
  });

  test("not when somebody moved it meanwhile, nor by force", async () => {
    git(bare, "update-ref", "refs/heads/taken", base);
    expect(await failing(workspaces.moveBranch(url, "taken", null, candidate))).toMatchObject({ code: "remote/moved" });
    expect(at("taken")).toBe(base);
    // Forward from the commit it is believed to be at, but that is not where it is.
    git(bare, "update-ref", "refs/heads/raced", git(bare, "commit-tree", `${base}^{tree}`, "-m", "theirs").trim());
    const theirs = at("raced");
    expect(await failing(workspaces.moveBranch(url, "raced", base, candidate))).toMatchObject({ code: "remote/moved" });
    expect(at("raced")).toBe(theirs);
    await workspaces.inspect(url);
    expect(await failing(workspaces.moveBranch(url, "raced", theirs, candidate))).toMatchObject({
      code: "delivery/refused",
    });
    expect(at("raced")).toBe(theirs);
  });

  test("not against the server's rules, whose words are told without the token", async () => {
    const hook = join(bare, "hooks", "pre-receive");
    mkdirSync(join(bare, "hooks"), { recursive: true });
    writeFileSync(hook, `#!/bin/sh\necho 'main is protected, ${SECRET}' >&2\nexit 1\n`, { mode: 0o755 });
    const failure = await failing(workspaces.moveBranch(url, "main", base, candidate));
    expect(failure).toMatchObject({ code: "remote/protected" });
    expect(failure.said).toContain("main is protected, [secret]");
    writeFileSync(hook, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    await workspaces.moveBranch(url, "main", base, candidate);
    expect(at("main")).toBe(candidate);
  });

  test("not where a push is opened and refused, which a probe says with the reason, and nothing was sent", async () => {
    const bare = join(temporaryDirectory("refusing"), "app.git");
    git(repository(), "clone", "-q", "--bare", ".", bare);
    const taken = git(bare, "commit-tree", "-m", "theirs", "main^{tree}").trim();
    git(bare, "update-ref", "refs/agentos/probe", taken);
    const objects = () => readdirSync(join(bare, "objects"), { recursive: true, encoding: "utf8" }).sort();
    const before = objects();
    expect(await over(access()).probe(`file://${bare}`, null)).toMatchObject({
      read: { ok: true },
      write: { ok: false, code: "remote/moved", says: expect.stringContaining("refs/agentos/probe") },
    });
    expect([git(bare, "rev-parse", "refs/agentos/probe").trim(), objects()]).toEqual([taken, before]);
  });

  test("not for somebody who may only read, which a probe says beforehand", async () => {
    const reading = over(access());
    expect(await reading.probe(`${open.url}/app.git`, null)).toMatchObject({
      read: { ok: true, says: "its branches and tags were listed and fetched (1)" },
      write: { ok: false, code: "remote/auth-refused" },
      credentials: "none found",
    });
    expect(await reading.probe(`${locked.url}/app.git`, null)).toMatchObject({
      read: { ok: false, code: "remote/auth-needed" },
      write: { ok: false, code: "remote/auth-needed", says: "not tried, because it could not be read" },
      bytes: null,
    });
    expect(await reading.probe(repository(), null)).toMatchObject({
      kind: "local",
      read: { ok: true },
      write: { ok: true },
      branch: "main",
      credentials: "none needed",
      notes: [],
    });
    const state = await reading.inspect(`${open.url}/app.git`);
    expect(await failing(reading.moveBranch(`${open.url}/app.git`, "x", null, state.head ?? ""))).toMatchObject({
      code: "remote/auth-refused",
    });
  });
});

/** Files below a directory that hold one of the texts, as they are on disk. */
function filesHolding(directory: string, texts: readonly string[]): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => existsSync(path) && statSync(path).isFile())
    .filter((path) => texts.some((text) => readFileSync(path).includes(text)));
}
