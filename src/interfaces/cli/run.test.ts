import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { healthGiven } from "../../../test/support/given-views.ts";
import { run, type Surroundings } from "./run.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "agentos-run-"));
});
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
  rmSync(home, { recursive: true, force: true });
});

const nobody = () => Promise.reject(new Error("nobody asked for it"));
const around = (more: Partial<Surroundings> = {}): Surroundings => ({
  version: "1.2.3",
  usualHome: () => home,
  person: () => "ada",
  settings: async () => ({ home, host: "127.0.0.1", port: 0, runMode: null, toolPath: [], display: false }),
  launch: async () => ({ program: "nothing", argv: [], environment: {} }),
  offline: nobody,
  serve: nobody,
  ...more,
});

/** A command line from beginning to end, in this process: what it wrote and how it would have ended. */
async function typed(words: readonly string[], surroundings = around()) {
  const before = {
    code: process.exitCode,
    stdout: process.stdout.listeners("error"),
    stderr: process.stderr.listeners("error"),
    interrupt: process.listeners("SIGINT"),
  };
  const written = { stdout: "", stderr: "", crash: "" };
  const writing = (name: "stdout" | "stderr") =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      written[name] += String(text);
      return true;
    });
  const spies = [
    writing("stdout"),
    writing("stderr"),
    vi.spyOn(console, "error").mockImplementation((error) => {
      written.crash += String(error);
    }),
  ];
  try {
    await run(words, surroundings);
    return { ...written, code: process.exitCode };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = before.code;
    for (const name of ["stdout", "stderr"] as const)
      for (const listener of process[name].listeners("error"))
        if (!before[name].includes(listener)) process[name].off("error", listener as () => void);
    for (const listener of process.listeners("SIGINT"))
      if (!before.interrupt.includes(listener)) process.off("SIGINT", listener);
  }
}

/** A daemon of this home, in this process, that has no tasks. */
async function daemonOf(version: string): Promise<void> {
  const server = createServer(({ url }, response) =>
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify(url === "/api/health" ? healthGiven(home, { version }) : { items: [], next: null })),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(join(home, "daemon.json"), JSON.stringify({ pid: process.pid, url, version }));
}

describe("help", () => {
  test("that was asked for is a success on stdout", async () => {
    const { stdout, stderr, code } = await typed(["inbox", "answer", "--help"]);
    expect(stdout).toMatch(/^Usage: agentos inbox answer /);
    expect([stderr, code]).toEqual(["", 0]);
  });

  test("that stands in for a command that was not named is none", async () => {
    const { stdout, stderr, code } = await typed(["task"]);
    expect(stderr).toMatch(/^Usage: agentos task /);
    expect([stdout, code]).toEqual(["", 2]);
  });

  test.each(["task", "model policy"])("leaves a script its envelope, where it asked for one: %s", async (noun) => {
    const { stdout, stderr, code } = await typed([...noun.split(" "), "--json"]);
    expect(
      stdout
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      {
        agentos: 1,
        ok: false,
        problem: {
          code: "input/invalid",
          detail: `agentos ${noun} is no command: what it is to do was not named.`,
          next: `agentos ${noun} --help shows what there is.`,
        },
      },
    ]);
    expect([stderr, code]).toEqual(["", 2]);
  });
});

describe("a bug", () => {
  const broken = around({ settings: () => Promise.reject(new TypeError("nothing is nothing")) });

  test("is told loudly, and is no success", async () => {
    expect(await typed(["version"], broken)).toEqual({
      stdout: "",
      stderr: "",
      crash: "TypeError: nothing is nothing",
      code: 70,
    });
  });

  test("leaves a script its envelope as well", async () => {
    const { stdout, crash, code } = await typed(["version", "--json"], broken);
    expect(JSON.parse(stdout)).toMatchObject({
      agentos: 1,
      ok: false,
      problem: { code: "internal", detail: "nothing is nothing" },
    });
    expect([crash, code]).toEqual(["TypeError: nothing is nothing", 70]);
  });
});

describe("a daemon that runs already", () => {
  test("is used without a word where it is of the same version", async () => {
    await daemonOf("1.2.3");
    expect(await typed(["task", "list"])).toEqual({ stdout: "no tasks\n", stderr: "", crash: "", code: 0 });
  });

  test("and is of another version is used, and the person hears how to get the new one", async () => {
    await daemonOf("1.2.2");
    expect(await typed(["task", "list"])).toEqual({
      stdout: "no tasks\n",
      stderr:
        "the daemon is AgentOS 1.2.2, this command 1.2.3: agentos daemon stop lets the next command start the new one\n",
      crash: "",
      code: 0,
    });
  });
});

test("a word that a command does not take is named with what it may be", async () => {
  expect(await typed(["inbox", "--limit", "many"])).toMatchObject({
    stdout: "",
    stderr:
      'agentos: agentos inbox: --limit must be a number up to 1000, not "many".\nnext: agentos inbox --help shows what it takes.\n',
    code: 2,
  });
});
