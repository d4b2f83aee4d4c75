import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bubblewrapSandbox, mountWitnessArgv, parseMountWitness } from "../../src/adapters/sandbox/bubblewrap.ts";
import type { ProcessMark, RunCommand, Sandbox, SandboxOutcome, SessionCommand } from "../../src/ports/sandbox.ts";
import { FULL } from "../support/sample.ts";

/**
 * The same sandbox with its two ways of bounding memory; as an ordinary user both often are the watchdog. The second is taken through what
 * bounds and processes mean, where they differ, and at full size through all of it.
 */
const SANDBOXES: readonly { readonly name: string; readonly make: () => Sandbox; readonly whole: boolean }[] = [
  { name: "bubblewrap", make: () => bubblewrapSandbox(), whole: true },
  { name: "bubblewrap without control groups", make: () => bubblewrapSandbox({ controlGroups: false }), whole: FULL },
];

const MiB = 1024 * 1024;
const NODE = realpathSync(process.execPath);
const isRoot = process.getuid?.() === 0;
const hasPerl = existsSync("/usr/bin/perl");

for (const { name, make, whole } of SANDBOXES)
  describe(`the sandbox contract: ${name}`, () => sandboxContract(make, whole));

function sandboxContract(make: () => Sandbox, whole: boolean): void {
  const alike: (name: string, tests: () => void) => void = whole ? describe : () => {};
  const sandbox = make();
  let host: string;
  let workspace: string;
  let commands = 0;

  /** A command over a writable /workspace, with Node at /node; what is given replaces what is usual. */
  const command = (argv: readonly string[], given: Partial<RunCommand> = {}): RunCommand => {
    commands += 1;
    return {
      argv,
      cwd: "/workspace",
      mounts: [
        { host: workspace, inside: "/workspace", access: "write" },
        { host: NODE, inside: "/node", access: "read" },
      ],
      scratches: [],
      environment: {},
      toolPath: [],
      egressSocket: null,
      stall: null,
      limits: { wallMs: 30_000, memoryBytes: 512 * MiB, processes: 128, outputBytes: MiB, fileBytes: 64 * MiB },
      outputFile: join(host, `output-${commands}`),
      onStart: () => undefined,
      ...given,
    };
  };
  const session = (
    argv: readonly string[],
    { onStderr = () => undefined, ...given }: Partial<SessionCommand> = {},
  ) => ({
    ...command(argv, given),
    onStderr,
  });
  const limits = (changed: Partial<RunCommand["limits"]>) => ({ limits: { ...command([]).limits, ...changed } });
  const never = (): AbortSignal => new AbortController().signal;
  const run = (argv: readonly string[], given: Partial<RunCommand> = {}): Promise<SandboxOutcome> =>
    sandbox.run(command(argv, given), never());
  const sh = (script: string, given: Partial<RunCommand> = {}) => run(["sh", "-c", script], given);
  const js = (script: string, given: Partial<RunCommand> = {}) => run(["/node", "-e", script], given);
  /** The same script without any sandbox: shows that the payload works, so that its failing inside means something. */
  const unguarded = (script: string) => spawnSync("sh", ["-c", script], { encoding: "utf8", cwd: host });

  const ownedByAgent = (path: string): void => {
    const owner = sandbox.owner();
    if (owner !== null) chownSync(path, owner.uid, owner.gid);
  };

  beforeAll(() => {
    host = mkdtempSync(join(tmpdir(), "agentos-contract-"));
    workspace = join(host, "workspace");
    mkdirSync(workspace);
    ownedByAgent(workspace);
  });
  afterAll(() => rmSync(host, { recursive: true, force: true }));

  alike("running", () => {
    it("works, and says what it did", async () => {
      const outcome = await sh("echo out; echo err >&2; echo made >made; exit 3");
      expect(outcome).toMatchObject({ exitCode: 3, signal: null, endedBy: "itself" });
      expect([text(outcome.stdout), text(outcome.stderr)]).toEqual(["out\n", "err\n"]);
      expect(readFileSync(join(workspace, "made"), "utf8")).toBe("made\n");
    });

    it("tells a signal from an exit code", async () => {
      expect(await sh("kill -TERM $$")).toMatchObject({ exitCode: null, signal: "SIGTERM", endedBy: "itself" });
    });

    it("takes no variable that would be read as more than a variable: nothing outside is reached by one", async () => {
      const outside = join(host, "outside");
      writeFileSync(outside, "untouched\n");
      const reaches = `v\0--bind\0${host}\0/tmp/host`;
      for (const environment of [{ X: reaches }, { [`X\0v\0--bind\0/\0/tmp/host`]: "v" }, { "": "v" }, { "A=B": "v" }])
        await expect(sh("echo reached >/tmp/host/outside", { environment })).rejects.toMatchObject({
          code: "input/invalid",
        });
      expect(readFileSync(outside, "utf8")).toBe("untouched\n");
      // The control: a value may hold anything else.
      const value = "two words\n--bind / =";
      expect(text((await sh('printf %s "$X"', { environment: { X: value } })).stdout)).toBe(value);
    });

    it("says of the system's programs where they lead, as a command inside does, and of nothing else", async () => {
      const inside = async (path: string): Promise<string> => text((await sh(`readlink -f ${path}`)).stdout).trim();
      for (const path of ["/bin/sh", "/usr/bin/env"]) expect(sandbox.systemProgram(path)).toBe(await inside(path));
      const others = [
        "sh",
        "bin/sh",
        "/usr/bin/no-such-program",
        "/usr/bin",
        "/etc/passwd",
        "/bin/../etc/passwd",
        "/workspace/a",
      ];
      expect(others.map((path) => sandbox.systemProgram(path))).toEqual(others.map(() => null));
    });

    it.each([["no-such-program"], ["/no/such/program"], ["./no-such-program"], ["-c"]])(
      "takes the missing program %s for an outcome",
      async (program) => {
        const outcome = await run([program, "argument"]);
        expect(outcome).toMatchObject({ exitCode: 127, endedBy: "itself" });
        expect(text(outcome.stderr)).toContain(`there is no program ${program}`);
      },
    );

    it("takes a missing directory for an outcome", async () => {
      const outcome = await run(["true"], { cwd: "/workspace/nowhere" });
      expect(outcome.exitCode).toBe(127);
      expect(text(outcome.stderr)).toContain("there is no directory /workspace/nowhere");
    });

    it("refuses in words what no system can start, and starts nothing", async () => {
      const marks: ProcessMark[] = [];
      const onStart = (mark: ProcessMark): void => void marks.push(mark);
      for (const [argv, message] of [
        [["echo", "a\0b"], "a word of the command holds a NUL character"],
        [["echo", "x".repeat(131_072)], "a word of the command has 131072 bytes, and a program can be given 131071"],
        [Array(20).fill("x".repeat(100_000)), "the command has 2000180 bytes in all, and at most 1048576 are started"],
      ] as const) {
        const refusal = { code: "input/invalid", message };
        await expect(sandbox.run(command(argv, { onStart }), never())).rejects.toMatchObject(refusal);
        await expect(sandbox.open(session(argv, { onStart }), never()).outcome).rejects.toMatchObject(refusal);
      }
      expect(marks).toEqual([]);
      const most = "x".repeat(131_071);
      expect((await run(["sh", "-c", 'printf %s "$1" | wc -c', "sh", most])).exitCode).toBe(0);
    });

    it("passes arguments as they are", async () => {
      const words = ["a b", "", "$HOME", "'\"", "ü\n", "--", "*"];
      const outcome = await run(["/node", "-p", "JSON.stringify(process.argv.slice(1))", "--", ...words]);
      expect(JSON.parse(text(outcome.stdout))).toEqual(words);
    });

    it("writes the output to the live file while the command runs", async () => {
      const given = command(["sh", "-c", "echo before; until [ -e go ]; do sleep 0.01; done; echo after"]);
      const running = sandbox.run(given, never());
      await until(() => existsSync(given.outputFile) && readFileSync(given.outputFile, "utf8") === "before\n");
      writeFileSync(join(workspace, "go"), "");
      await running;
      expect(readFileSync(given.outputFile, "utf8")).toBe("before\nafter\n");
    });

    it("gives the command streams that it can open by name", async () => {
      expect(text((await sh("echo out >/dev/stdout; echo err >/dev/stderr")).stderr)).toBe("err\n");
    });

    it("does not follow a link in the live file's place", async () => {
      const canary = join(host, "canary-live");
      writeFileSync(canary, "untouched");
      const given = command(["echo", "through the link"]);
      symlinkSync(canary, given.outputFile);
      await expect(sandbox.run(given, never())).rejects.toMatchObject({ code: "ELOOP" });
      expect(readFileSync(canary, "utf8")).toBe("untouched");
    });

    it("digests the environment without host paths", async () => {
      const [first, again, other] = await Promise.all([
        run(["true"]),
        run(["true"]),
        run(["true"], { environment: { CI: "1" } }),
      ]);
      expect(again.environmentDigest).toBe(first.environmentDigest);
      expect(other.environmentDigest).not.toBe(first.environmentDigest);
      const elsewhere = join(host, "elsewhere");
      mkdirSync(elsewhere, { recursive: true });
      const moved = await run(["true"], {
        mounts: command([]).mounts.map((mount) =>
          mount.inside === "/workspace" ? { ...mount, host: elsewhere } : mount,
        ),
      });
      expect(moved.environmentDigest).toBe(first.environmentDigest);
    });

    it("runs several commands at the same time without mixing them", async () => {
      const all = await Promise.all(Array.from({ length: 6 }, (_, index) => sh(`echo ${index}; echo e${index} >&2`)));
      expect(all.map(({ stdout, stderr }) => text(stdout) + text(stderr))).toEqual(
        all.map((_, index) => `${index}\ne${index}\n`),
      );
    });

    it("proves itself", async () => {
      expect((await sandbox.selfTest()).checks).toHaveLength(5);
    });
  });

  alike("files", () => {
    it("refuses a write outside the mounts", async () => {
      const canary = join(host, "canary-outside");
      const payload = `echo x >${canary}`;
      expect(unguarded(payload).status).toBe(0);
      rmSync(canary);
      expect((await sh(payload)).exitCode).not.toBe(0);
      expect(existsSync(canary)).toBe(false);
    });

    it.each(["/", "/etc", "/usr", "/usr/bin", "/dev", "/run", "/root", "/home", "/proc", "/var"])(
      "refuses a write in %s",
      async (directory) => {
        expect((await sh(`touch ${directory}/agentos-canary`)).exitCode).not.toBe(0);
        expect(existsSync(join(directory, "agentos-canary"))).toBe(false);
      },
    );

    it("refuses a write on a read-only mount, and the mount table says so", async () => {
      const mounts = (access: "read" | "write") => [
        { host: workspace, inside: "/work space", access },
        { host: NODE, inside: "/node", access: "read" as const },
      ];
      const attempt = `try { require("fs").writeFileSync("/work space/ro", "x"); console.log("done") } catch (e) { console.log(e.code) }`;
      const seen = async (access: "read" | "write") => {
        const given = { cwd: "/", mounts: mounts(access) };
        const wrote = text((await js(attempt, given)).stdout).trim();
        const witness = await run(mountWitnessArgv("/work space"), given);
        return { wrote, readOnly: parseMountWitness(text(witness.stdout), "/work space")?.readOnly };
      };
      expect(await seen("read")).toEqual({ wrote: "EROFS", readOnly: true });
      expect(await seen("write")).toEqual({ wrote: "done", readOnly: false });
    });

    it("shows nothing of the person's home, whatever their PATH names", async () => {
      const home = homeOfThisUser();
      const secret = mkdtempSync(join(home, ".agentos-contract-"));
      try {
        chmodSync(secret, 0o755);
        writeFileSync(join(secret, "id_rsa"), "private");
        const payload = `cat ${secret}/id_rsa; ls -A $HOME`;
        expect(unguarded(payload).stdout).toContain("private");
        const toolPath = [home, join(home, ".ssh"), join(home, ".config"), "/", "/etc", "/usr/bin"];
        expect(text((await sh(payload, { toolPath })).stdout)).toBe("");
      } finally {
        rmSync(secret, { recursive: true });
      }
    });

    it.each([
      "/etc/shadow",
      "/etc/gshadow",
      "/etc/ssl/private",
      "/etc/sudoers",
      "/etc/ssh",
      "/root/.ssh",
      "/boot",
      "/sys/kernel",
    ])("does not show %s", async (path) => {
      expect((await sh(`cat ${path} || ls ${path}`)).exitCode).not.toBe(0);
      expect(text((await sh(`cat ${path} 2>/dev/null`)).stdout)).toBe("");
    });

    it("cannot be led outside by a link in the workspace", async () => {
      const canary = join(host, "canary-link");
      writeFileSync(canary, "untouched");
      symlinkSync(canary, join(workspace, "link"));
      expect(unguarded(`cat ${join(workspace, "link")}`).stdout).toBe("untouched");
      const outcome = await sh("cat link; echo changed >link; cat /proc/self/root/../link");
      expect(text(outcome.stdout)).not.toContain("untouched");
      expect(readFileSync(canary, "utf8")).toBe("untouched");
      rmSync(join(workspace, "link"));
    });

    it("refuses to mount where an earlier command left a link", async () => {
      symlinkSync(host, join(workspace, ".git"));
      const inner = { host: NODE, inside: "/workspace/.git/node", access: "read" as const };
      try {
        await expect(run(["true"], { mounts: [...command([]).mounts, inner] })).rejects.toMatchObject({
          code: "act/denied",
        });
        expect(existsSync(join(host, "node"))).toBe(false);
      } finally {
        rmSync(join(workspace, ".git"));
      }
    });

    it("mounts inside a mount, whatever the order they are named in", async () => {
      const inner = join(host, "inner");
      mkdirSync(inner);
      writeFileSync(join(inner, "file"), "inner");
      const outcome = await sh("cat deep/file; touch deep/x; touch scratch/x && echo wrote", {
        mounts: [{ host: inner, inside: "/workspace/deep", access: "read" }, ...command([]).mounts],
        scratches: [{ inside: "/workspace/scratch", bytesMax: MiB }],
      });
      expect(text(outcome.stdout)).toBe("innerwrote\n");
      expect(readdirSync(inner)).toEqual(["file"]);
      expect(readdirSync(join(workspace, "scratch"))).toEqual([]);
    });

    it("bounds a scratch, /dev/shm and the largest file", async () => {
      const outcome = await sh(
        "head -c 2000000 /dev/zero >/s/f; head -c 100000000 /dev/zero >/dev/shm/f; head -c 70000000 /dev/zero >f; stat -c %s /s/f /dev/shm/f f",
        { scratches: [{ inside: "/s", bytesMax: MiB }] },
      );
      expect(text(outcome.stdout).split("\n")).toEqual([String(MiB), String(64 * MiB), String(64 * MiB), ""]);
      rmSync(join(workspace, "f"));
    });

    it("shares no /dev/shm and no /tmp with the host", async () => {
      const canary = `agentos-canary-${process.pid}`;
      expect((await sh(`echo x >/dev/shm/${canary} && echo x >/tmp/${canary}`)).exitCode).toBe(0);
      expect([existsSync(`/dev/shm/${canary}`), existsSync(`/tmp/${canary}`)]).toEqual([false, false]);
      expect(text((await sh("ls -A /dev/shm /tmp")).stdout)).toBe("/dev/shm:\n\n/tmp:\n");
    });

    it("hands down no descriptor that the daemon was started with", async () => {
      const payload = "ls -l /proc/self/fd; cat /proc/self/fd/30/id_rsa 2>/dev/null; cat <&31 2>/dev/null";
      const secret = join(host, "leak");
      mkdirSync(secret);
      writeFileSync(join(secret, "id_rsa"), "private");
      const started = (argv: readonly string[]) =>
        spawnSync("bash", ["-c", `exec 30<${secret} 31<${secret}/id_rsa; exec "$@"`, "bash", ...argv], {
          encoding: "utf8",
        });
      expect(started(["sh", "-c", payload]).stdout).toContain("private");
      const script = runnerScript(command(["sh", "-c", payload]), "process.stdout.write(Buffer.from(o.stdout.bytes))");
      const inside = started([NODE, "--input-type=module", "-e", script]);
      expect(inside.stdout).toContain("-> /dev/null");
      expect(inside.stdout).not.toContain("private");
      expect(inside.stdout).not.toContain(secret);
    });
  });

  alike("environment", () => {
    it("is built, not inherited", async () => {
      const poison = {
        NODE_OPTIONS: "--require ./evil.js",
        LD_PRELOAD: "/evil.so",
        GIT_DIR: "/evil",
        GIT_CONFIG_COUNT: "1",
        npm_config_script_shell: "/evil",
        PYTHONPATH: "/evil",
        BASH_ENV: "/evil",
        SSH_AUTH_SOCK: "/evil",
        AGENTOS_SECRET: "evil",
      };
      const saved = { ...process.env };
      Object.assign(process.env, poison);
      try {
        expect(
          spawnSync("/bin/sh", ["-c", "echo $AGENTOS_SECRET"], {
            encoding: "utf8",
            env: { ...process.env, LD_PRELOAD: "" },
          }).stdout,
        ).toBe("evil\n");
        const seen = text((await run(["env"])).stdout);
        expect(
          Object.fromEntries(
            seen
              .trim()
              .split("\n")
              .map((line) => line.split(/=(.*)/s).slice(0, 2)),
          ),
        ).toEqual({
          HOME: "/home/agent",
          LANG: "C.UTF-8",
          LOGNAME: "agent",
          PATH: "/usr/local/bin:/usr/bin:/bin",
          PWD: "/workspace",
          TERM: "dumb",
          TMPDIR: "/tmp",
          USER: "agent",
        });
      } finally {
        for (const name of Object.keys(poison)) delete process.env[name];
        Object.assign(process.env, saved);
      }
    });

    it("keeps given variables out of what others on the machine can read", async () => {
      const given = command(["sleep", "30"], { environment: { DATABASE_URL: "postgres://secret-7f3a" } });
      const stop = new AbortController();
      let argumentsSeen = "";
      const marked: ProcessMark[] = [];
      const running = sandbox.run({ ...given, onStart: (mark) => marked.push(mark) }, stop.signal);
      await until(() => marked.length === 1);
      for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
        argumentsSeen += readOr(`/proc/${pid}/cmdline`);
      stop.abort();
      await running;
      expect(argumentsSeen).toContain("agentos-gate");
      expect(argumentsSeen).not.toContain("secret-7f3a");
    });

    it("brings toolchains found on the person's PATH, read-only, in order, and never npm's own", async () => {
      const home = join(host, "person");
      const bin = join(home, ".nvm/versions/node/v1.2.3/bin");
      const library = join(home, ".nvm/versions/node/v1.2.3/lib");
      const local = join(host, "repo/node_modules/.bin");
      for (const directory of [bin, library, local]) mkdirSync(directory, { recursive: true });
      writeFileSync(join(library, "said"), "from the toolchain\n");
      writeFileSync(join(bin, "tool"), `#!/bin/sh\ncat "$(dirname "$0")/../lib/said"\n`, { mode: 0o755 });
      writeFileSync(join(local, "tool"), "#!/bin/sh\necho from node_modules\n", { mode: 0o755 });
      const outcome = await sh(`tool; touch ${bin}/x || echo refused; echo $PATH`, {
        toolPath: [local, join(host, "missing"), bin, "/usr/bin"],
      });
      expect(text(outcome.stdout)).toBe(`from the toolchain\nrefused\n${bin}:/usr/bin:/usr/local/bin:/bin\n`);
    });
  });

  describe("processes and privilege", () => {
    it("is built again when it was killed while it was built, for nothing had run", async () => {
      const outcome = sandbox.run(command(["echo", "ran"]), never());
      await killedFirst();
      expect(await outcome).toMatchObject({ exitCode: 0, endedBy: "itself" });
      expect(text((await outcome).stdout)).toBe("ran\n");
    });

    it("has no way to the daemon's processes", async () => {
      const outcome = await sh(
        `cat /proc/${process.pid}/environ /proc/${process.pid}/cmdline; kill -9 ${process.pid}; kill -9 -1; ls /proc | grep -c '^[0-9]'`,
      );
      expect(text(outcome.stdout)).not.toContain("vitest");
      expect(process.kill(process.pid, 0)).toBe(true);
    });

    it("has no capability, gains none, and runs as nobody's user", async () => {
      const outcome = await sh("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status; id -u; id -G");
      const uid = sandbox.owner()?.uid ?? process.getuid?.();
      expect(text(outcome.stdout)).toContain("CapEff:\t0000000000000000");
      expect(text(outcome.stdout)).toContain("CapBnd:\t0000000000000000");
      expect(text(outcome.stdout)).toContain("NoNewPrivs:\t1");
      expect(text(outcome.stdout)).toContain(`\n${uid}\n`);
      expect(uid).not.toBe(0);
    });

    it("cannot make user namespaces", async () => {
      const payload = "unshare -U true";
      if (isRoot) expect(unguarded(payload).status).toBe(0);
      expect((await sh(payload)).exitCode).not.toBe(0);
      expect((await sh("bwrap --dev-bind / / --unshare-user true")).exitCode).not.toBe(0);
    });

    it("gets nothing from setuid programs", async () => {
      const outcome = await sh("su -c id root </dev/null; sudo -n id; mount -t tmpfs none /tmp; id -u");
      expect(text(outcome.stdout)).not.toContain("uid=0");
    });

    it("leaves nobody behind, not even who forked twice into a session of its own", async () => {
      const mark = `31${process.pid}.5`;
      const payload = `(setsid sh -c 'sleep ${mark} & sleep ${mark}' >/dev/null 2>&1 &) ; until [ $(grep -cz ${mark} /proc/[0-9]*/cmdline | grep -c ':[1-9]') -gt 2 ]; do :; done; echo started`;
      const outcome = await sh(payload);
      expect(text(outcome.stdout)).toBe("started\n");
      expect(processesWith(mark)).toEqual([]);
    });

    it("ends all of it at once when it is cancelled", async () => {
      const mark = `32${process.pid}.5`;
      const stop = new AbortController();
      const given = command([
        "sh",
        "-c",
        `setsid sh -c 'trap "" TERM; sleep ${mark}; sleep ${mark}' & trap "" TERM INT; sleep ${mark}`,
      ]);
      const running = sandbox.run(given, stop.signal);
      await until(() => processesWith(mark).length > 1);
      stop.abort();
      expect(await running).toMatchObject({ endedBy: "cancel", exitCode: null });
      expect(processesWith(mark)).toEqual([]);
    });

    it("starts nothing when it was cancelled before", async () => {
      let starts = 0;
      const given = command(["touch", "never"], { onStart: () => (starts += 1) });
      expect(await sandbox.run(given, AbortSignal.abort())).toMatchObject({ endedBy: "cancel" });
      expect([starts, existsSync(join(workspace, "never"))]).toEqual([0, false]);
    });

    it("leaves nothing when it is cancelled at any moment of its start", async () => {
      const mark = `33${process.pid}.5`;
      for (let ms = 0; ms < 30; ms += 3) {
        const outcome = await sandbox.run(command(["sleep", mark]), AbortSignal.timeout(ms));
        expect(outcome.endedBy).toBe("cancel");
        expect(processesWith(mark)).toEqual([]);
      }
    });

    it("ends everything and rethrows when the start cannot be recorded", async () => {
      const mark = `34${process.pid}.5`;
      const given = command(["sh", "-c", `touch ran; sleep ${mark}`], {
        onStart: () => {
          // A slow disk: a command that had been let go already would use the time.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
          throw new Error("the journal is full");
        },
      });
      await expect(sandbox.run(given, never())).rejects.toThrow("the journal is full");
      expect([existsSync(join(workspace, "ran")), processesWith(mark)]).toEqual([false, []]);
    });

    it("dies with the process that runs it, after SIGKILL too", async () => {
      const mark = `35${process.pid}.5`;
      const script = runnerScript(command(["sh", "-c", `setsid sleep ${mark} & sleep ${mark}`]), "");
      const daemon = spawn(NODE, ["--input-type=module", "-e", script], { stdio: "ignore" });
      await until(() => processesWith(mark).length > 1);
      daemon.kill("SIGKILL");
      await until(() => processesWith(mark).length === 0);
    });

    it("leaves nothing when the process that runs it is killed at any moment of the start", async () => {
      const mark = `36${process.pid}.5`;
      const script = `${runnerScript(command(["sleep", mark]), "")}`.replace(
        "const o",
        'process.stdout.write("up"); const o',
      );
      for (let ms = 0; ms < 60; ms += 6) {
        const daemon = spawn(NODE, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "ignore"] });
        await once(daemon.stdout, "data");
        await delay(ms); // The moment is what is tried; nothing is waited for.
        daemon.kill("SIGKILL");
      }
      await until(() => processesWith(mark).length === 0);
    });

    it("has no init left when it settles, however much there was to end", async () => {
      for (let round = 0; round < 5; round += 1) {
        const inits: number[] = [];
        const many = "i=0; while [ $i -lt 100 ]; do sleep 60 >/dev/null 2>&1 & i=$((i+1)); done";
        await sh(many, { onStart: ({ pid }) => inits.push(pid) });
        expect(inits.map((pid) => existsSync(`/proc/${pid}/exe`) && readOr(`/proc/${pid}/cmdline`))).toEqual([false]);
      }
    });

    it("reaps by mark, and leaves a stranger with the same pid alone", async () => {
      const marked: ProcessMark[] = [];
      const running = sandbox.run(command(["sleep", "60"], { onStart: (mark) => marked.push(mark) }), never());
      await until(() => marked.length === 1);
      const [mark] = marked as [ProcessMark];
      expect(await sandbox.reap({ ...mark, startTicks: mark.startTicks - 1 })).toBe(false);
      expect(await sandbox.reap({ ...mark, bootId: "another boot" })).toBe(false);
      expect(await sandbox.reap(mark)).toBe(true);
      expect(await running).toMatchObject({ exitCode: null, signal: "SIGKILL", endedBy: "itself" });
      expect(await sandbox.reap(mark)).toBe(false);
    });
  });

  alike("network", () => {
    let server: Server;
    let connections = 0;
    let port = 0;
    beforeAll(async () => {
      server = createServer((socket) => {
        connections += 1;
        socket.on("error", () => undefined).end("hello");
      });
      await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
      const address = server.address();
      port = typeof address === "object" && address !== null ? address.port : 0;
    });
    afterAll(() => server.close());

    const dial = (to: string) =>
      `require("net").connect(${to}).on("connect", () => { console.log("connected"); process.exit() }).on("error", (e) => { console.log(e.code); process.exit(1) })`;
    const dialUnguarded = (to: string) =>
      new Promise<string>((resolve) => {
        let said = "";
        const child = spawn(NODE, ["-e", dial(to)], { stdio: ["ignore", "pipe", "ignore"] });
        child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
        child.once("close", () => resolve(said.trim()));
      });

    it("does not reach the host's loopback", async () => {
      const to = `${port}, "127.0.0.1"`;
      expect(await dialUnguarded(to)).toBe("connected");
      const before = connections;
      expect(text((await js(dial(to))).stdout)).toBe("ECONNREFUSED\n");
      expect((await run(["bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${port}`])).exitCode).not.toBe(0);
      expect(connections).toBe(before);
    });

    it("has no interface but its own loopback, and no names", async () => {
      expect(text((await js("console.log(Object.keys(require('os').networkInterfaces()).join())")).stdout)).toBe(
        "lo\n",
      );
      const looked = await js("require('dns').lookup('example.com', (e) => console.log(e.code))");
      expect(text(looked.stdout)).toMatch(/^(ENOTFOUND|EAI_AGAIN)\n$/);
    });

    it("reaches no unix socket of the host, by path or abstract name", async () => {
      const path = join(host, "s.sock");
      const abstract = `\\0agentos-contract-${process.pid}`;
      const byPath = createServer((socket) => socket.end()).listen(path);
      const byName = createServer((socket) => socket.end()).listen(abstract.replace("\\0", "\0"));
      try {
        chmodSync(path, 0o777);
        for (const to of [JSON.stringify(path), `"${abstract}"`]) {
          expect(await dialUnguarded(to)).toBe("connected");
          expect(text((await js(dial(to))).stdout)).toMatch(/^(ENOENT|ECONNREFUSED|EACCES)\n$/);
        }
        expect((await sh("ls /var/run/docker.sock /run/docker.sock /run/dbus /tmp/.X11-unix")).exitCode).not.toBe(0);
      } finally {
        byPath.close();
        byName.close();
      }
    });

    it.skipIf(!hasPerl)(
      "opens no socket of a family that ignores namespaces (perl names families by number)",
      async () => {
        const payload = `for (40, 38, 1, 2) { print socket(my $s, $_, $_ == 38 ? 5 : 1, 0) ? "open " : "refused " }`;
        const outside = spawnSync("/usr/bin/perl", ["-e", payload], { encoding: "utf8" }).stdout;
        expect(outside).toMatch(/^(open|refused) (open|refused) open open $/);
        expect(outside).toContain("open");
        expect(text((await run(["/usr/bin/perl", "-e", payload])).stdout)).toBe("refused refused open open ");
      },
    );
  });

  describe("bounds", () => {
    it("say of a command without a sign of life that it has stalled, and end it where that is asked for", async () => {
      const stalls: number[] = [];
      const watch = (ends: boolean) => ({
        stall: { afterMs: 400, ends, onStall: (ms: number) => void stalls.push(ms) },
      });
      const [warned, ended] = await Promise.all([
        sh("exec sleep 1", watch(false)),
        js("process.stdin.resume(); setInterval(() => {}, 100)", watch(true)),
      ]);
      expect(warned).toMatchObject({ endedBy: "itself", exitCode: 0 });
      expect(ended).toMatchObject({ endedBy: "stall", exitCode: null, signal: "SIGKILL" });
      expect(stalls.map((ms) => ms >= 400)).toEqual([true, true]);
    });

    it("take computing, writing, talking and starting programs for signs of life", async () => {
      const stalled: string[] = [];
      const busy = (what: string) => ({
        ...limits({ wallMs: 1_500 }),
        stall: { afterMs: 600, ends: true, onStall: () => void stalled.push(what) },
      });
      const ends = await Promise.all([
        sh("while :; do :; done", busy("computes")),
        js("setInterval(() => fs.appendFileSync('written', 'x'), 40)", busy("writes")),
        js("setInterval(() => console.log('x'), 40)", busy("talks")),
        sh("while :; do sleep 0.1; done", busy("starts programs")),
      ]);
      expect([stalled, ends.map(({ endedBy }) => endedBy)]).toEqual([[], ["time", "time", "time", "time"]]);
    });

    it("ends an endless loop by time", async () => {
      const outcome = await sh("while :; do :; done", limits({ wallMs: 500 }));
      expect(outcome).toMatchObject({ endedBy: "time", exitCode: null });
      expect(outcome.durationMs).toBeLessThan(10_000);
    });

    it("ends a flood of output, and keeps what fits", async () => {
      const given = command(["sh", "-c", "yes >&2 & yes"], limits({ outputBytes: 100_000 }));
      const outcome = await sandbox.run(given, never());
      expect(outcome.endedBy).toBe("output");
      expect(outcome.stdout.bytes.length + outcome.stderr.bytes.length).toBe(100_000);
      expect(readFileSync(given.outputFile).length).toBe(100_000);
    });

    it("ends a memory balloon", async () => {
      const outcome = await js(
        "const kept = []; setInterval(() => kept.push(Buffer.alloc(16 * 1024 * 1024, 1)), 5)",
        limits({ memoryBytes: 256 * MiB }),
      );
      expect(outcome).toMatchObject({ endedBy: "memory", exitCode: null });
    });

    it("counts the memory of all processes together", async () => {
      const balloon =
        "const kept = []; for (let i = 0; i < 8; i++) kept.push(Buffer.alloc(16 * 1024 * 1024, 1)); setInterval(() => kept, 1000)";
      const outcome = await sh(
        `/node -e '${balloon}' & /node -e '${balloon}' & wait`,
        limits({ memoryBytes: 256 * MiB }),
      );
      expect(outcome.endedBy).toBe("memory");
    });

    it.skipIf(!hasPerl)(
      "bounds a fork bomb, and leaves the daemon responsive (in perl: a shell gives up)",
      async () => {
        const mark = `fork-bomb-${process.pid}`;
        let most = 0;
        const delays: number[] = [];
        let last = performance.now();
        const pulse = setInterval(() => {
          delays.push(performance.now() - last - 10);
          last = performance.now();
        }, 10);
        const count = setInterval(() => {
          most = Math.max(most, processesWith(mark).length);
        }, 200);
        const bomb = ["/usr/bin/perl", "-e", "while (1) { fork }", mark];
        const outcome = await run(bomb, limits({ wallMs: 2_000, processes: 40 }));
        clearInterval(count);
        clearInterval(pulse);
        expect(outcome.endedBy).toBe("time");
        expect(most).toBeGreaterThan(30);
        expect(most).toBeLessThan(50);
        expect(processesWith(mark)).toEqual([]);
        expect(delays.sort((a, b) => a - b)[Math.floor(delays.length * 0.99)]).toBeLessThan(200);
      },
    );

    it("gives each sandbox its own count of processes", async () => {
      const bomb = sh("while :; do sleep 5 & done", limits({ wallMs: 1_500, processes: 40 }));
      const other = await sh(
        "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.3 & done; wait; echo all",
        limits({ processes: 40 }),
      );
      expect(text(other.stdout)).toBe("all\n");
      await bomb;
    });
  });

  alike("talking", () => {
    /** Opens a conversation; what it says comes as whole lines. */
    const open = (argv: readonly string[], given: Partial<SessionCommand> = {}, signal = never()) => {
      const opened = sandbox.open(session(argv, given), signal);
      const writer = opened.input.getWriter();
      const lines = linesOf(opened.output);
      return {
        ...opened,
        say: (words: string) => writer.write(Buffer.from(`${words}\n`)),
        bye: () => writer.close(),
        lines,
      };
    };
    const echo = ["sh", "-c", "while read -r line; do echo heard $line; done; echo bye; echo told >&2; exit 4"];

    it("says and hears line by line, and gives end-of-file", async () => {
      const told: string[] = [];
      const onStderr = (chunk: Uint8Array): void => void told.push(Buffer.from(chunk).toString());
      const { say, bye, lines, outcome } = open(echo, { onStderr });
      await say("one");
      expect(await next(lines)).toBe("heard one");
      await say("two");
      expect(await next(lines)).toBe("heard two");
      await bye();
      expect(await next(lines)).toBe("bye");
      expect(await next(lines)).toBe(null);
      const ended = await outcome;
      expect(ended).toMatchObject({ exitCode: 4, endedBy: "itself", stdoutBytes: 24 });
      expect(text(ended.stderr)).toBe("told\n");
      expect(told.join("")).toBe("told\n");
    });

    it("tells of stderr what fits its bound, and fails as whoever is told fails", async () => {
      let told = 0;
      const onStderr = (chunk: Uint8Array): void => {
        told += chunk.length;
      };
      const flood = sandbox.open(
        session(["sh", "-c", "yes >&2"], { onStderr, ...limits({ outputBytes: 1_000 }) }),
        never(),
      );
      expect(await flood.outcome).toMatchObject({ endedBy: "output" });
      expect(told).toBe(1_000);
      const full = (): void => {
        throw Object.assign(new Error("no room"), { code: "ENOSPC" });
      };
      const { outcome } = sandbox.open(session(["sh", "-c", "echo x >&2"], { onStderr: full }), never());
      await expect(outcome).rejects.toMatchObject({ code: "store/full" });
    });

    it("hands on more than the bound on output, and slows who is not listened to", async () => {
      const bytes = 4 * MiB;
      const { outcome, output } = sandbox.open(session(["head", "-c", String(bytes), "/dev/zero"]), never());
      const reader = output.getReader();
      let heard = 0;
      for (let part = await reader.read(); !part.done; part = await reader.read()) heard += part.value.length;
      expect(heard).toBe(bytes);
      expect(await outcome).toMatchObject({ exitCode: 0, endedBy: "itself", stdoutBytes: bytes });

      const silent = sandbox.open(session(["yes"], limits({ wallMs: 1_000 })), never());
      const { endedBy, stdoutBytes } = await silent.outcome;
      expect(endedBy).toBe("time");
      expect(stdoutBytes).toBeLessThan(8 * MiB);
    });

    it("ends at once with all it forked, and what is said to it then is an error", async () => {
      const mark = `talk-${process.pid}-${commands}`;
      const abort = new AbortController();
      const forks = `setsid sh -c 'while :; do sleep 1; done' ${mark} & echo up; read -r never`;
      const { lines, outcome, say } = open(["sh", "-c", forks], {}, abort.signal);
      expect(await next(lines)).toBe("up");
      await until(() => processesWith(mark).length > 0);
      abort.abort();
      expect(await outcome).toMatchObject({ exitCode: null, signal: "SIGKILL", endedBy: "cancel" });
      expect(processesWith(mark)).toEqual([]);
      await expect(say("anybody?")).rejects.toThrow();
    });

    it("never starts what is aborted before, and what cannot start is an outcome", async () => {
      const aborted = new AbortController();
      aborted.abort();
      expect(await sandbox.open(session(["true"]), aborted.signal).outcome).toMatchObject({ endedBy: "cancel" });
      expect(await sandbox.open(session(["no-such-program"]), never()).outcome).toMatchObject({ exitCode: 127 });
      const broken = bubblewrapSandbox({ program: "/no/such/bwrap" }).open(session(["true"]), never());
      await expect(broken.outcome).rejects.toMatchObject({ code: "sandbox/missing" });
    });

    it("can have a home of its own that stays", async () => {
      const home = join(host, "home");
      mkdirSync(home);
      ownedByAgent(home);
      const mounts = [...command([]).mounts, { host: home, inside: "/home/agent", access: "write" } as const];
      const { outcome } = sandbox.open(session(["sh", "-c", "echo kept >~/note"], { mounts }), never());
      expect(await outcome).toMatchObject({ exitCode: 0 });
      expect(readFileSync(join(home, "note"), "utf8")).toBe("kept\n");
    });
  });

  /** Kills the outer process of the next sandbox as soon as it is there: none is built that fast. */
  async function killedFirst(): Promise<void> {
    for (;;) {
      const outer = childrenOf(process.pid).find((pid) => /agentos-join|bwrap/.test(commandLineOf(pid)));
      if (outer !== undefined) return void process.kill(outer, "SIGKILL");
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  alike("without a working bubblewrap", () => {
    it("says what to install", async () => {
      const broken = bubblewrapSandbox({ program: "/no/such/bwrap" });
      const failure = { code: "sandbox/missing", next: expect.stringContaining("apt-get install -y bubblewrap") };
      await expect(broken.selfTest()).rejects.toMatchObject(failure);
      await expect(broken.run(command(["true"]), never())).rejects.toMatchObject(failure);
    });

    it("refuses when it confines nothing", async () => {
      const fake = join(host, "fake-bwrap");
      writeFileSync(fake, '#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 9 && exit\nexit 1\n', { mode: 0o755 });
      await expect(bubblewrapSandbox({ program: fake }).selfTest()).rejects.toMatchObject({ code: "sandbox/missing" });
    });
  });
}

// Root starts another user for this; an ordinary user has just run all of the above as one.
const asRoot = isRoot ? it : () => undefined;
asRoot("confines for an ordinary user too", () => {
  const directory = mkdtempSync(join(tmpdir(), "agentos-contract-"));
  chmodSync(directory, 0o777);
  try {
    const script = `${IMPORT} console.log(JSON.stringify(await bubblewrapSandbox().selfTest()));`;
    const words = ["--reuid=65534", "--regid=65534", "--clear-groups", NODE, "--input-type=module", "-e", script];
    const seen = spawnSync("setpriv", words, { encoding: "utf8", env: { TMPDIR: directory, PATH: "/usr/bin:/bin" } });
    expect(seen.stderr).toBe("");
    expect(JSON.parse(seen.stdout).checks[0]).toBe("a command ran as uid 65534 and ended with exit code 0");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

async function* linesOf(output: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of output) {
    const parts = (rest + Buffer.from(chunk).toString("utf8")).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

const next = async (lines: AsyncGenerator<string>): Promise<string | null> => {
  const { done, value } = await lines.next();
  return done === true ? null : value;
};

const text = ({ bytes }: { readonly bytes: Uint8Array }): string => Buffer.from(bytes).toString("utf8");

const homeOfThisUser = (): string => process.env["HOME"] ?? tmpdir();

const IMPORT = `import { bubblewrapSandbox } from ${JSON.stringify(new URL("../../src/adapters/sandbox/bubblewrap.ts", import.meta.url).href)};`;

/** A module that runs one command as a daemon of its own would; `after` sees the outcome as `o`. */
const runnerScript = (command: RunCommand, after: string): string =>
  `${IMPORT} const o = await bubblewrapSandbox().run({ ...${JSON.stringify(command)}, onStart: () => undefined }, new AbortController().signal); ${after}`;

/** Pids of living processes whose arguments hold the mark; this test's own are no match, they only pass it on. */
const processesWith = (mark: string): readonly number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => readOr(`/proc/${name}/cmdline`).split("\0").includes(mark))
    .map(Number);

const readOr = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // The process ended between listing and reading.
  }
};

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await delay(5);
};

function childrenOf(pid: number): readonly number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path) ? readFileSync(path, "utf8").trim().split(" ").filter(Boolean).map(Number) : [];
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return ""; // It ended.
  }
}
