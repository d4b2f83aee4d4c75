import { execFile, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestDaemon, temporaryDirectory, withDaemon } from "../support/daemon.ts";
import { commit, fingerprint, gate, git, type Rig, repository, rigOver } from "./task-kit.ts";

/*
 * Planning cannot write, run anything that stays, or reach the network. Every attack below is one `explore` command of a plan file. Then
 * the very same text runs without the sandbox on a scratch copy, where it must succeed: an attack that does nothing anywhere proves nothing.
 */

interface Place {
  /** Where the command runs: the repository's top. */
  readonly cwd: string;
  readonly home: string;
}

interface Attack {
  readonly name: string;
  /** The program it cannot do without; when the machine does not have it the control is skipped by that name. */
  readonly needs: string;
  readonly run: string;
  /** Whether it did what it wanted, seen from the host; `said` is the standard output of the command. */
  readonly fired: (place: Place, said: string) => boolean;
}

const outside = temporaryDirectory("outside");
const canary = join(outside, "canary.txt");
const inTmp = join(realpathSync(tmpdir()), `agentos-hostile-${process.pid}`);
let connections = 0;
let listener: Server;
let port = 0;
let daemon: TestDaemon;
let rig: Rig;
let attacks: readonly Attack[] = [];

beforeAll(async () => {
  writeFileSync(canary, "untouched\n");
  listener = createServer((_, answer) => answer.end("reached\n"));
  listener.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the listener has no port");
  port = address.port;
  daemon = await withDaemon({ config: { toolPath: toolPath() } });
  if (daemon.inside === null) throw new Error("the daemon is not in this process");
  rig = rigOver(daemon.inside.system, daemon.home, daemon.log());
  attacks = theAttacks();
});

afterAll(() => {
  listener.close();
  rmSync(inTmp, { force: true });
});

/** PATH for the attacks, with the real directories of the programs they need. */
function toolPath(): readonly string[] {
  const python =
    spawnSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).stdout?.trim() ?? "";
  return [
    dirname(realpathSync(process.execPath)),
    ...(python === "" ? [] : [dirname(realpathSync(python))]),
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
  ];
}

const isThere = (place: Place, path: string): boolean => existsSync(join(place.cwd, path));

/** Each connection attack looks at the listener's own count since it was asked last. */
function connectedSince(): boolean {
  const seen = connections > counted;
  counted = connections;
  return seen;
}
let counted = 0;

function theAttacks(): readonly Attack[] {
  const url = `http://127.0.0.1:${port}`;
  return [
    {
      name: "writes a file by python3 -c",
      needs: "python3",
      run: `python3 -c "open('python.txt','w').write('x')"`,
      fired: (place) => isThere(place, "python.txt"),
    },
    {
      name: "writes a file by a heredoc",
      needs: "sh",
      run: "cat > heredoc.txt <<'END'\nx\nEND",
      fired: (place) => isThere(place, "heredoc.txt"),
    },
    {
      name: "changes a file that is there",
      needs: "sh",
      run: "echo more >> a.txt",
      fired: (place) => readFileSync(join(place.cwd, "a.txt"), "utf8") !== "one\n",
    },
    {
      name: "changes a mode",
      needs: "sh",
      run: "chmod +x a.txt && ls -l a.txt | cut -c4",
      fired: (_, said) => said.trim() === "x",
    },
    {
      name: "commits",
      needs: "git",
      run: "git -c user.name=x -c user.email=x@example.org commit --allow-empty -m hostile",
      fired: (place) => git(place.cwd, "log", "-1", "--format=%s") === "hostile",
    },
    {
      name: "touches .git",
      needs: "sh",
      run: "echo x > .git/hostile",
      fired: (place) => isThere(place, ".git/hostile"),
    },
    {
      name: "sets a hook",
      needs: "sh",
      run: "mkdir -p .git/hooks && echo 'exit 1' > .git/hooks/pre-commit",
      fired: (place) => isThere(place, ".git/hooks/pre-commit"),
    },
    { name: "connects by curl", needs: "curl", run: `curl -s -m 5 ${url}/curl`, fired: connectedSince },
    {
      name: "connects by node",
      needs: "node",
      run: `node -e "fetch('${url}/node').then((a) => a.text()).then(console.log)"`,
      fired: connectedSince,
    },
    {
      name: "connects by /dev/tcp",
      needs: "bash",
      run: `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port} && echo GET >&3'`,
      fired: connectedSince,
    },
    {
      name: "asks the daemon's API",
      needs: "curl",
      run: `curl -s -m 5 ${daemon.url}/api/tasks`,
      fired: (_, said) => said.includes("items"),
    },
    {
      name: "writes through a committed link to a directory outside",
      needs: "sh",
      run: "echo x > out/evil.txt",
      fired: () => existsSync(join(outside, "evil.txt")),
    },
    {
      name: "writes through a committed link to a file outside",
      needs: "sh",
      run: "echo x > out-file",
      fired: () => readFileSync(canary, "utf8") !== "untouched\n",
    },
    {
      name: "writes outside by its path",
      needs: "sh",
      run: `echo x > ${join(outside, "by-path.txt")}`,
      fired: () => existsSync(join(outside, "by-path.txt")),
    },
    { name: "reads outside by its path", needs: "sh", run: `cat ${canary}`, fired: (_, said) => said !== "" },
    {
      name: "sees the journal",
      needs: "sh",
      run: `ls ${daemon.home}`,
      fired: (_, said) => said.includes("agentos.db"),
    },
    {
      name: "removes the workspace",
      needs: "sh",
      run: 'rm -rf "$PWD"/* "$PWD"/.[!.]*; ls',
      fired: (place) => !isThere(place, "a.txt"),
    },
    {
      name: "leaves something in /tmp",
      needs: "sh",
      run: `echo x > ${inTmp}; cat ${inTmp} > /dev/null`,
      fired: () => existsSync(inTmp),
    },
    {
      name: "finds in /tmp what the command before it left",
      needs: "sh",
      run: `cat ${inTmp}`,
      fired: (_, said) => said === "x\n",
    },
    {
      name: "writes to $HOME",
      needs: "sh",
      run: 'echo x > "$HOME/evil.txt"',
      fired: (place) => existsSync(join(place.home, "evil.txt")),
    },
    {
      name: "finds in $HOME what the command before it left",
      needs: "sh",
      run: 'cat "$HOME/evil.txt"',
      fired: (_, said) => said === "x\n",
    },
    {
      name: "leaves a process behind",
      needs: "sh",
      run: `(sleep 0.3; echo x > ${join(outside, "late.txt")}) > /dev/null 2>&1 &`,
      fired: () => waitedFor(join(outside, "late.txt"), 700),
    },
  ];
}

/** Whether a file comes to be within that time: for what a stray process would do after its command ended. */
function waitedFor(path: string, ms: number): boolean {
  const end = performance.now() + ms;
  while (performance.now() < end) if (existsSync(path)) return true;
  return false;
}

describe("a hostile plan", () => {
  it("writes nothing, reaches nothing and leaves nothing, and the plan is proposed all the same", async () => {
    const repo = hostileRepository();
    const before = fingerprint(repo);
    const real: Place = { cwd: repo, home: process.env["HOME"] ?? "/nonexistent" };
    const project = await rig.project(repo);
    const id = await rig.queued(project, {
      agent: "script",
      plan: {
        explore: attacks.map(({ run }) => ({ run })),
        items: [{ id: "work", title: "w", do: [{ run: attacks[1]?.run ?? "" }, { run: "touch done" }] }],
      },
      gates: [gate("test -f done")],
    });
    const waits = await rig.until(id, "awaiting_approval", "blocked", "failed");
    expect(waits.status).toBe("awaiting_approval");

    const [proposed] = await rig.bodies(id, "PLAN_PROPOSED");
    const [witness] = proposed?.witness ?? [];
    const [pinned] = await rig.bodies(id, "BASES_PINNED");
    expect(proposed?.witness).toHaveLength(1);
    expect(witness?.before).toBe(pinned?.trees["app"]);
    expect(witness?.after).toBe(witness?.before);
    expect(witness?.mount).toMatch(/ \/workspace\/app ro[, ]/);

    const logs = (await rig.system.cases.look.logs(id, null, 10_000)).filter(
      ({ step }) => step.act.kind === "read" && step.act.what === "command",
    );
    expect(logs).toHaveLength(attacks.length);
    const exits = logs.map(
      ({ step }) => step.evidence.flatMap((one) => (one.kind === "command" ? [one.exitCode] : []))[0],
    );
    const fired = attacks.filter((attack, n) => attack.fired(real, logs[n]?.stdout ?? "")).map(({ name }) => name);
    expect(fired).toEqual([]);
    expect(connections).toBe(0);
    // Not even tried is not refused: each program was found inside, where the machine has it.
    const missing = attacks
      .filter(({ needs }, n) => has(needs) && exits[n] === 127)
      .map(({ name, needs }) => `${name}: ${needs}`);
    expect(missing).toEqual([]);
    expect(readFileSync(canary, "utf8")).toBe("untouched\n");
    expect(fingerprint(repo)).toBe(before);
    expect((await rig.bodies(id, "STEP_STARTED")).map(({ act }) => act.kind)).toEqual(
      Array.from({ length: attacks.length + 1 }, () => "read"),
    );

    // What planning looked at is what the work begins with.
    await rig.approve(id);
    const done = await rig.until(id, "succeeded", "blocked", "failed");
    expect([done.status, done.candidate?.["app"]?.changed]).toEqual(["succeeded", 2]);
    // The witness can see a change: the heredoc of these commands on a writable mount gives the workspace another id.
    const [worked] = await rig.bodies(id, "CHECKPOINTED");
    expect([worked === undefined, worked?.trees["app"] === witness?.before]).toEqual([false, false]);
    expect(daemon.log()).toEqual([]);
  });

  it("the control: without the sandbox each of these commands does what it wants", async (context) => {
    const home = join(temporaryDirectory("control-home"), "home");
    mkdirSync(home);
    const pattern = hostileRepository();
    const skipped: string[] = [];
    const failed: string[] = [];
    connectedSince();
    for (const { name, needs, run, fired } of attacks) {
      if (!has(needs)) {
        skipped.push(`${name}: there is no ${needs} on this machine`);
        continue;
      }
      const cwd = `${pattern}-${attacks.findIndex((one) => one.name === name)}`;
      cpSync(pattern, cwd, { recursive: true, verbatimSymlinks: true });
      if (!fired({ cwd, home }, await unguarded(run, cwd, home))) failed.push(name);
    }
    for (const path of ["evil.txt", "by-path.txt", "late.txt"]) rmSync(join(outside, path), { force: true });
    expect(failed).toEqual([]);
    if (skipped.length > 0) context.skip(skipped.join("; "));
  });
});

const has = (program: string): boolean => spawnSync("sh", ["-c", 'command -v "$1"', "sh", program]).status === 0;

function hostileRepository(): string {
  const repo = repository({ "a.txt": "one\n" });
  symlinkSync(outside, join(repo, "out"));
  symlinkSync(canary, join(repo, "out-file"));
  commit(repo, "links that lead outside");
  return repo;
}

/** The command's standard output, however it ended. Not by a blocking call: listener and daemon answer in this very process. */
const unguarded = (run: string, cwd: string, home: string): Promise<string> =>
  new Promise((resolve) => {
    execFile(
      "sh",
      ["-c", run],
      { cwd, encoding: "utf8", env: { PATH: toolPath().join(":"), HOME: home } },
      (_, stdout) => resolve(stdout),
    );
  });
