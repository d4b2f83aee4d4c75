import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { startedByShells } from "../../src/adapters/git/kept-shell.ts";
import { type Ended, forked, type Program, type Starter } from "../../src/adapters/git/program.ts";
import { until } from "../support/daemon.ts";
import { lives } from "./providers-kit.ts";

const PATH = "/usr/local/bin:/usr/bin:/bin";
const BASE = { PATH, LC_ALL: "C", BASE: "there" };
const linux = process.platform === "linux";
const directory = realpathSync(mkdtempSync(join(tmpdir(), "agentos-test-programs-")));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Said extends Ended {
  readonly stdout: string;
}

async function say(start: Starter, words: Program["words"], more: Partial<Program> = {}): Promise<Said> {
  const pieces: Buffer[] = [];
  const ended = await start({
    words,
    cwd: directory,
    environment: {},
    input: Buffer.alloc(0),
    plainModes: false,
    person: null,
    ownGroup: false,
    timeoutMs: 20_000,
    onOutput: (piece) => {
      pieces.push(piece);
      return true;
    },
    ...more,
  });
  return { ...ended, stdout: Buffer.concat(pieces).toString("latin1") };
}

/** `start` says who its parent is. */
const parentOf = async (start: Starter): Promise<number> =>
  Number((await say(start, ["/bin/sh", "-c", 'echo "$PPID"'])).stdout);

const AWKWARD = [
  "",
  "-n",
  "two words",
  "it's",
  "'",
  "''\\''",
  '"$HOME" `id` $(id) \\ ! * ? [a] {b,c} ~ # & ; | < >',
  "line\nline\n",
  "\t\r\u0001\u007f",
  // Every byte that UTF-8 has beyond ASCII: shells mark places in their own words with some of them.
  Array.from({ length: 64 }, (_, at) => String.fromCodePoint(0x80 + at, 0x800 + at, 0x10000 + at)).join(""),
];

const BYTES = Buffer.from(Array.from({ length: 256 }, (_, at) => at));

describe.each([
  ["as children of this process", forked],
  ["as children of shells", startedByShells],
] as const)("programs %s", (_, startedBy) => {
  const start = startedBy(BASE);

  it("get their arguments as they are", async () => {
    const { stdout } = await say(start, ["/usr/bin/printf", "%s\\0", ...AWKWARD]);
    expect(Buffer.from(stdout, "latin1").toString("utf8").split("\0")).toEqual([...AWKWARD, ""]);
  });

  it("get the environment of all and their own, and nothing else", async () => {
    const own = { OWN: "it's\nmine", BASE: "other" };
    const { stdout } = await say(start, ["/usr/bin/env", "-0"], { environment: own });
    const given = stdout.split("\0").filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=|^$/.test(line));
    expect(given.sort()).toEqual([`BASE=${own.BASE}`, "LC_ALL=C", `OWN=${own.OWN}`, `PATH=${PATH}`]);
    expect((await say(start, ["/usr/bin/env"])).stdout).not.toContain("OWN=");
  });

  it("read their input to its end, whatever the one before had", async () => {
    for (const length of [70_000, 0, 3, 1, 300_000, 2 * 1024 ** 2, 5]) {
      const input = Buffer.alloc(length, BYTES);
      const { stdout, code } = await say(start, ["cat"], { input });
      expect({ code, same: Buffer.from(stdout, "latin1").equals(input) }).toEqual({ code: 0, same: true });
    }
  });

  it("are heard to the last byte, on both streams, with their exit code", async () => {
    const script = "head -c 3000000 /dev/zero; printf 'no newline at the end'; printf 'and this' >&2; exit 3";
    expect(await say(start, ["/bin/sh", "-c", script])).toEqual({
      code: 3,
      stderr: "and this",
      stdout: `${"\0".repeat(3_000_000)}no newline at the end`,
    });
  });

  it("run where they are told to, and make files as they are told to", async () => {
    const before = process.umask(0o077);
    try {
      const below = join(directory, "a place");
      mkdirSync(below, { recursive: true });
      expect((await say(start, ["/bin/pwd"], { cwd: below })).stdout).toBe(`${below}\n`);
      const then = startedBy(BASE);
      const modeOf = (name: string): string => (statSync(join(below, name)).mode & 0o777).toString(8);
      await say(then, ["touch", "plain"], { cwd: below, plainModes: true });
      await say(then, ["touch", "own"], { cwd: below });
      expect([modeOf("plain"), modeOf("own")]).toEqual(["644", "600"]);
      rmSync(below, { recursive: true });
    } finally {
      process.umask(before);
    }
  });

  it("that are not there, or whose directory is not, are told as such", async () => {
    await expect(say(start, ["agentos-no-such-program"])).rejects.toMatchObject({
      code: "doctor/unready",
      message: "agentos-no-such-program could not be started: it does not exist",
    });
    const cwd = join(directory, "gone");
    await expect(say(start, ["true"], { cwd })).rejects.toMatchObject({
      code: "repo/refused",
      message: `${cwd} is not there, or cannot be entered`,
    });
    expect(await say(start, ["true"])).toMatchObject({ code: 0 });
  });

  it("end at their time limit, and the next one runs", async () => {
    expect(await say(start, ["sleep", "600"], { timeoutMs: 50 })).toEqual({ code: null, stderr: "", stdout: "" });
    expect(await say(start, ["/bin/echo", "next"])).toMatchObject({ code: 0, stdout: "next\n" });
  });

  it("are ended once there is enough, or when what they say cannot be taken", async () => {
    let bytes = 0;
    const enough = (piece: Buffer): boolean => {
      bytes += piece.length;
      return bytes < 100_000;
    };
    expect(await say(start, ["yes"], { onOutput: enough })).toMatchObject({ code: null });
    const refuse = (): boolean => {
      throw new RangeError("not this");
    };
    await expect(say(start, ["yes"], { onOutput: refuse })).rejects.toThrow(new RangeError("not this"));
    expect(await say(start, ["/bin/echo", "next"])).toMatchObject({ code: 0, stdout: "next\n" });
  });

  it("run side by side, each heard by who asked for it", async () => {
    const asked = Array.from({ length: 24 }, (_unused, at) => String(at));
    const said = await Promise.all(
      asked.map((at) => say(start, ["/bin/sh", "-c", 'cat; echo "$0" >&2; exit "$0"', at], { input: Buffer.from(at) })),
    );
    expect(said).toEqual(asked.map((at) => ({ code: Number(at), stderr: `${at}\n`, stdout: at })));
  });

  it("refuse what no program can be given", async () => {
    await expect(say(start, ["echo", "a\0b"])).rejects.toBeInstanceOf(TypeError);
    await expect(say(start, ["echo"], { environment: { A: "a\0b" } })).rejects.toBeInstanceOf(TypeError);
  });
});

describe.skipIf(!linux)(`a kept shell${linux ? "" : " (only on Linux)"}`, () => {
  it("runs one program after the other", async () => {
    const start = startedByShells(BASE);
    const shell = await parentOf(start);
    expect(shell).not.toBe(process.pid);
    expect(await parentOf(start)).toBe(shell);
  });

  it("that was killed ends what it ran, and another takes its place", async () => {
    const start = startedByShells(BASE);
    const shell = await parentOf(start);
    const waiting = say(start, ["/bin/sh", "-c", 'echo "$$" > pid; exec sleep 600']);
    const pid = await until("it runs", async () => Number(readOr(join(directory, "pid"))) || null);
    process.kill(shell, "SIGKILL");
    process.kill(pid, "SIGKILL");
    expect(await waiting).toEqual({ code: null, stderr: "", stdout: "" });
    expect(await parentOf(start)).not.toBe(shell);
  });

  it("keeps no process going, and is gone with it", async () => {
    const script = `
      import { startedByShells } from ${JSON.stringify(join(import.meta.dirname, "../../src/adapters/git/kept-shell.ts"))};
      const start = startedByShells(${JSON.stringify(BASE)});
      await start({ words: ["/bin/sh", "-c", 'echo "$PPID"'], cwd: "/", environment: {}, input: Buffer.alloc(0), plainModes: false,
        person: null, ownGroup: false, timeoutMs: 1000, onOutput: (piece) => process.stdout.write(piece) });`;
    writeFileSync(join(directory, "one.mjs"), script);
    const { stdout } = await promisify(execFile)(process.execPath, [join(directory, "one.mjs")]);
    expect(Number(stdout)).toBeGreaterThan(1);
    await until("the shell is gone", async () => !lives(Number(stdout)));

    const nowhere = { env: { ...process.env, TMPDIR: join(directory, "gone") } };
    const forking = promisify(execFile)(process.execPath, [join(directory, "one.mjs")], nowhere);
    expect(Number((await forking).stdout), "without a place for a file").toBe(forking.child.pid);
  });
});

function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
