import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HostAccess, RemoteAccess } from "../../src/adapters/git/credentials.ts";
import { gitWorkspaces } from "../../src/adapters/git/workspaces.ts";
import { repository } from "../integration/task-kit.ts";
import { git, temporaryDirectory, until } from "../support/daemon.ts";
import { freePort } from "../support/free-port.ts";
import { served } from "../support/git-server.ts";

/* Over a real sshd on 127.0.0.1. Without one on this machine the stand-in of workspaces-remote.test.ts covers what is ours of it. */

const SSHD = process.env["AGENTOS_TEST_SSHD"] ?? "/usr/sbin/sshd";
const account = (): string | null => {
  try {
    return userInfo().username;
  } catch {
    return null; // a uid without an account: sshd lets nobody in who is not in its user database
  }
};
const missing = !existsSync(SSHD)
  ? `${SSHD} is not installed (Debian's openssh-server)`
  : account() === null
    ? "this uid has no account to log in to"
    : process.getuid?.() === 0 && !readFileSync("/etc/passwd", "utf8").includes("\nsshd:")
      ? "root's sshd needs an account called sshd"
      : null;
/** Where root's sshd keeps itself apart; made by whatever starts Debian's own, which need not run here. */
const APART = "/run/sshd";
const NOBODY: HostAccess = { tokenEnv: null, tokenFile: null, username: null, sshKey: null, knownHosts: null };

describe.skipIf(missing !== null)(`over a real sshd${missing === null ? "" : `: ${missing}`}`, () => {
  let place: string;
  let url: string;
  let bare: string;
  const children: ChildProcess[] = [];
  let madeApart = false;
  const key = (name: string): string => join(place, name);

  beforeAll(async () => {
    place = temporaryDirectory("sshd");
    if (process.getuid?.() === 0 && !existsSync(APART)) {
      mkdirSync(APART, { mode: 0o755 });
      madeApart = true;
    }
    for (const name of ["host", "person"])
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key(name)]);
    const port = await freePort();
    writeFileSync(
      join(place, "config"),
      [
        `ListenAddress 127.0.0.1:${port}`,
        `HostKey ${key("host")}`,
        `AuthorizedKeysFile ${key("person")}.pub`,
        "PidFile none",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin yes",
        "",
      ].join("\n"),
    );
    children.push(spawn(SSHD, ["-D", "-e", "-f", join(place, "config")], { stdio: "ignore" }));
    await until("sshd listens", () => reachable(port));
    children.push(spawn("ssh-agent", ["-D", "-a", join(place, "agent")], { stdio: "ignore" }));
    await until("the agent listens", async () => existsSync(join(place, "agent")));
    execFileSync("ssh-add", ["-q", key("person")], {
      env: { PATH: process.env["PATH"], SSH_AUTH_SOCK: join(place, "agent") },
    });
    const [type, hostKey] = readFileSync(`${key("host")}.pub`, "utf8").split(" ");
    writeFileSync(join(place, "known"), `[127.0.0.1]:${port} ${type} ${hostKey}\n`);
    writeFileSync(join(place, "nobody"), "");
    bare = served(place, "app.git", repository());
    url = `ssh://${account()}@127.0.0.1:${port}${bare}`;
  });
  afterAll(() => {
    for (const child of children) child.kill();
    if (madeApart) rmdirSync(APART);
  });

  const over = (host: Partial<HostAccess>, agent: boolean) => {
    const remotes: RemoteAccess = {
      home: temporaryDirectory("person"),
      variable: (name) =>
        name === "PATH" ? process.env["PATH"] : name === "SSH_AUTH_SOCK" && agent ? join(place, "agent") : undefined,
      hosts: { "127.0.0.1": { ...NOBODY, knownHosts: join(place, "known"), ...host } },
    };
    return gitWorkspaces({ home: temporaryDirectory("home"), owner: null, remotes });
  };

  test("the person's agent reads and pushes", async () => {
    const workspaces = over({}, true);
    const { head } = await workspaces.inspect(url);
    expect(head).toBe(git(bare, "rev-parse", "main").trim());
    await workspaces.moveBranch(url, "mine", null, head ?? "");
    expect(git(bare, "rev-parse", "mine").trim()).toBe(head);
    expect(await workspaces.probe(url, null)).toMatchObject({ write: { ok: true }, credentials: "ssh agent" });
  });

  test("a configured key does too", async () => {
    accessSync(key("person"), constants.R_OK);
    expect((await over({ sshKey: key("person") }, false).inspect(url)).branch).toBe("main");
  });

  test("a key that is not let in, and a host nobody knows, are said", async () => {
    await expect(over({ sshKey: key("host") }, false).inspect(url)).rejects.toMatchObject({
      code: "remote/auth-refused",
    });
    await expect(over({ knownHosts: join(place, "nobody") }, true).inspect(url)).rejects.toMatchObject({
      code: "remote/host-unknown",
    });
    await expect(over({}, true).inspect(url.replace("app.git", "none.git"))).rejects.toMatchObject({
      code: "remote/not-found",
    });
  });
});

const reachable = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
