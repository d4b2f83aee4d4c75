import { execFile, spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crossedRedLine } from "../../src/domain/red-line.ts";
import type { Policy } from "../../src/ports/policy.ts";
import { commit, fingerprint, gate, put, type Rig, repository, rigOver } from "../integration/task-kit.ts";
import { type TestDaemon, temporaryDirectory, withDaemon } from "../support/daemon.ts";
import { REACHES, type Surroundings } from "./reach.ts";
import { EVASIONS } from "./shell.ts";

/*
 * With the policy switched off, the sandbox alone: every command of the lists runs as a step of a real task, and none of them writes
 * outside, reads a secret or sends a packet. Before that, each runs without the sandbox and does what it wants.
 */

/** The policy layer as it is not: yes to everything, red lines included. */
const YES: Policy = {
  decide: async () => ({ verdict: "allow", rule: "test/everything", policy: "none", set: "", reason: "" }),
};

interface Payload {
  /** Id of the row and number of the payload. */
  readonly name: string;
  readonly needs: string;
  readonly shell: "sh" | "bash";
  readonly text: string;
  readonly fired: (said: string) => boolean;
}

const SECRET = "agentos-secret-4f9d21";
const outside = temporaryDirectory("attacks-outside");
const home = temporaryDirectory("attacks-home");
const abstract = `agentos-attacks-${process.pid}`;
const socket = join(outside, "machine.sock");
const servers: Server[] = [];
let connections = 0;
let counted = 0;
let daemon: TestDaemon;
let rig: Rig;
let payloads: readonly Payload[] = [];

beforeAll(async () => {
  chmodSync(outside, 0o777);
  chmodSync(home, 0o755);
  for (const file of [
    ".ssh/id_rsa",
    ".netrc",
    ".npmrc",
    ".aws/credentials",
    ".config/gh/hosts.yml",
    ".git-credentials",
  ])
    put(home, { [file]: `${SECRET}\n` });
  const port = await listening(
    (server) => server.listen(0, "0.0.0.0"),
    () => {
      connections += 1;
    },
  );
  await listening((server) => server.listen(socket));
  await listening((server) => server.listen(`\0${abstract}`));
  chmodSync(socket, 0o777);
  writeFileSync("/dev/shm/agentos-was-here", "");
  // A secret of the person in the daemon's environment: nothing of that is for a step.
  process.env["AGENTOS_ATTACKS_TOKEN"] = SECRET;
  const inside = dirname(process.execPath);
  daemon = await withDaemon({
    config: { toolPath: [inside, ...pythons(), "/usr/local/bin", "/usr/bin", "/bin"] },
    adapters: { policy: YES },
  });
  if (daemon.inside === null) throw new Error("the daemon is not in this process");
  rig = rigOver(daemon.inside.system, daemon.home, daemon.log());
  payloads = all({
    outside,
    home,
    secret: SECRET,
    data: daemon.home,
    daemon: process.pid,
    port,
    url: daemon.url,
    socket,
    abstract,
  });
});

afterAll(() => {
  for (const server of servers) server.close();
  delete process.env["AGENTOS_ATTACKS_TOKEN"];
  rmSync("/dev/shm/agentos-was-here", { force: true });
});

/** A server that says the secret to everybody; its port, if it has one. */
function listening(listen: (server: Server) => Server, onConnection: () => void = () => undefined): Promise<number> {
  const server = createServer((one) => {
    onConnection();
    one.on("error", () => undefined).end(`${SECRET}\n`);
  });
  servers.push(server);
  return new Promise((resolve) => {
    listen(server).once("listening", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

/** Where python3 really is: the shims of version managers work for nobody who is confined. */
function pythons(): readonly string[] {
  const found = spawnSync("python3", ["-c", "import os, sys; print(os.path.realpath(sys.executable))"], {
    encoding: "utf8",
  });
  return found.status === 0 ? [dirname(found.stdout.trim())] : [];
}

function all(at: Surroundings): readonly Payload[] {
  const wrote = (name: string) => (): boolean => readdirSync(outside).some((file) => file.startsWith(`${name}.`));
  const evasions = EVASIONS.flatMap(({ id, shell, runs }) =>
    runs.map(([needs, run], n): Payload => {
      const name = `${id}-${n}`;
      return { name, needs, shell, text: run(join(outside, `${name}.`)), fired: wrote(name) };
    }),
  );
  const reaches = REACHES.map(({ id, needs, fired, run }, n): Payload => {
    const name = `${id}-${n}`;
    const shows = { wrote: wrote(name), read: (said: string) => said.includes(SECRET), connected };
    return { name, needs, shell: "sh", text: run(at, join(outside, `${name}.`)), fired: shows[fired] };
  });
  return [...evasions, ...reaches];
}

function connected(): boolean {
  const fired = connections > counted;
  counted = connections;
  return fired;
}

const rowOf = ({ name }: Payload): string => name.slice(0, name.indexOf("-"));

const has = (program: string): boolean => spawnSync("sh", ["-c", 'command -v "$1"', "sh", program]).status === 0;

/** Not by a blocking call: the listeners answer in this very process. */
const unguarded = (payload: Payload, cwd: string): Promise<string> =>
  new Promise((resolve) => {
    const child = execFile(
      payload.shell,
      ["-c", payload.text],
      {
        cwd,
        timeout: 10_000,
        encoding: "utf8",
        env: { PATH: process.env["PATH"], HOME: home, TERM: "dumb", AGENTOS_ATTACKS_TOKEN: SECRET },
      },
      (_, stdout) => resolve(stdout),
    );
    child.stdin?.end();
  });

/** What they left outside; then the same may be tried again. */
function tidy(): void {
  for (const file of readdirSync(outside))
    if (file !== "machine.sock") rmSync(join(outside, file), { recursive: true });
  for (const path of [".agentos", "agentos.db-evil"]) rmSync(join(daemon.home, path), { recursive: true, force: true });
}

/** A repository that brings the commands along, each as a script of its own. */
function hostileRepository(): string {
  const repo = repository({ "a.txt": "one\n" });
  for (const { name, shell, text } of payloads) put(repo, { [`attacks/${name}.${shell}`]: `${text}\n` });
  put(repo, {
    "all.sh": `for f in attacks/$1*; do echo "== $f"; timeout 10 "\${f##*.}" "$f" < /dev/null 2>&1; done; echo "== end"\n`,
  });
  commit(repo, "commands");
  return repo;
}

describe("with the policy switched off, the sandbox alone", () => {
  it("the control: without the sandbox every command does what it wants", async (context) => {
    const cwd = hostileRepository();
    const silent: string[] = [];
    const fired = new Set<string>();
    for (const payload of payloads.filter(({ needs }) => has(needs)))
      if (payload.fired(await unguarded(payload, cwd))) fired.add(rowOf(payload));
      else silent.push(`${payload.name}: ${payload.text}`);
    tidy();
    expect(silent).toEqual([]);
    const untried = [...new Set(payloads.map(rowOf))].filter((row) => !fired.has(row));
    if (untried.length > 0) context.skip(`programs that are not on this machine: all of the rows ${untried.join()}`);
  });

  it("stops every outside write, secret read and packet, and each group of commands is a step with its evidence", async () => {
    const repo = hostileRepository();
    const before = fingerprint(repo);
    connected();
    const groups = ["E", "F", "G", "N"];
    const id = await rig.approved(await rig.project(repo), {
      agent: "script",
      plan: {
        items: [
          { id: "work", title: "Attack", do: groups.map((group) => ({ run: `bash all.sh ${group}; : > done` })) },
        ],
      },
      gates: [gate("test -f done")],
    });
    expect((await rig.until(id, "succeeded", "blocked", "failed")).status).toBe("succeeded");
    const said = (await rig.system.cases.look.logs(id, null, 10_000_000))
      .filter(({ step }) => step.act.kind === "command")
      .map(({ stdout }) => stdout)
      .join("");
    const parts = new Map(said.split(/^== /m).map((part) => [part.slice(0, part.indexOf("\n")), part] as const));
    const of = ({ name, shell }: Payload): string => parts.get(`attacks/${name}.${shell}`) ?? "";
    expect(payloads.filter((payload) => of(payload) === "").map(({ name }) => name)).toEqual([]);
    expect(payloads.filter((payload) => payload.fired(of(payload))).map(({ name }) => name)).toEqual([]);
    expect(connections).toBe(counted);
    expect(readdirSync(outside)).toEqual(["machine.sock"]);
    expect(
      [".agentos", "agentos.db-evil", "config.yaml"].filter((path) => existsSync(join(daemon.home, path))),
    ).toEqual([]);
    expect(fingerprint(repo)).toBe(before);
    // The audit trail holds each of them as what it was: a confined command, what it said and how it ended.
    const done = await rig.bodies(id, "STEP_COMPLETED");
    const commands = done.flatMap(({ evidence }) => evidence.filter((one) => one.kind === "command"));
    expect(
      commands
        .filter(({ argv }) => argv.join(" ").includes("all.sh"))
        .map(({ exitCode, endedBy }) => [exitCode, endedBy]),
    ).toEqual(groups.map(() => [0, "itself"]));
  });

  it("is what stops them, also those that a red line would have named", async () => {
    const lines = [
      "sudo id",
      "git push --force origin main",
      "git commit --no-verify -m x",
      "rm -rf .git",
      "git gc --prune=now",
    ];
    for (const text of lines)
      expect(
        crossedRedLine({
          kind: "command",
          repo: "app",
          argv: ["/bin/sh", "-c", text],
          cwd: ".",
          timeoutMs: 1,
          network: [],
        }),
      ).not.toBe(null);
    const repo = repository();
    const before = fingerprint(repo);
    const id = await rig.approved(await rig.project(repo), {
      agent: "script",
      plan: {
        items: [
          {
            id: "work",
            title: "Attack",
            do: [{ run: `${lines.map((line) => `(${line})`).join("; ")}; rm -rf ../.. /etc/passwd ~; : > done` }],
          },
        ],
      },
      gates: [gate("test -f a.txt", "kept")],
      attempts: 1,
      expects_change: false,
    });
    const ended = await rig.until(id, "succeeded", "blocked", "failed");
    // The workspace is the step's to destroy, and its gate says so; what is outside stands.
    expect(["succeeded", "blocked"]).toContain(ended.status);
    expect(fingerprint(repo)).toBe(before);
    expect(await rig.bodies(id, "DENIED")).toEqual([]);
  });

  it("leaves nothing to warn about", () => expect(daemon.log()).toEqual([]));
});
