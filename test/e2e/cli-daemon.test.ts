import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MEND, type Person, person } from "./cli-person.ts";

let ada: Person;
beforeEach(() => {
  ada = person();
});
afterEach(() => ada.leave());

const announced = (): { readonly pid: number; readonly url: string } =>
  JSON.parse(readFileSync(join(ada.home, "daemon.json"), "utf8"));

describe("the daemon", () => {
  test("is started by the first command that needs it, and is the same for the next", async () => {
    const first = await ada.agentos("task", "list");
    expect(first).toMatchObject({ code: 0, stdout: "no tasks\n" });
    expect(first.stderr).toMatch(/^the daemon was started: http:\/\/127\.0\.0\.1:\d+ \(pid \d+, data in /);
    const { pid } = announced();
    expect(await ada.agentos("daemon", "start", "--quiet")).toEqual({ code: 0, stdout: `${pid}\n`, stderr: "" });
    expect(statSync(join(ada.home, "logs", "daemon.log")).mode & 0o777).toBe(0o600);
  });

  test("is one, when many commands start it at the same moment, also through a link", async () => {
    const link = `${ada.home}-link`;
    mkdirSync(ada.home, { mode: 0o700 });
    symlinkSync(ada.home, link);
    const people = [ada, ada, ada, ada.with({ AGENTOS_HOME: link })];
    const said = await Promise.all(people.map((who) => who.agentos("daemon", "start", "--quiet")));
    const rivals = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && isDaemonOf([ada.home, link], pid));
    expect(rivals).toEqual([String(announced().pid)]);
    expect(new Set(said.map(({ code, stdout }) => `${code} ${stdout}`))).toEqual(new Set([`0 ${announced().pid}\n`]));
  });

  test("is stopped in good order, says so once, and status tells by its exit code", async () => {
    await ada.agentos("daemon", "start");
    expect((await ada.agentos("daemon", "status")).code).toBe(0);
    expect(await ada.agentos("daemon", "stop")).toMatchObject({
      code: 0,
      stdout: "the daemon has stopped; its tasks go on when it starts again\n",
    });
    expect(await ada.agentos("daemon", "stop")).toMatchObject({ code: 0, stdout: "no daemon was running\n" });
    expect(await ada.agentos("daemon", "status")).toMatchObject({ code: 69, stdout: "" });
    expect(existsSync(join(ada.home, "daemon.json"))).toBe(false);
  });

  test("that was killed is started again by the next command", async () => {
    await ada.agentos("daemon", "start");
    const { pid } = announced();
    process.kill(pid, "SIGKILL");
    expect(await ada.agentos("task", "list")).toMatchObject({ code: 0, stdout: "no tasks\n" });
    expect(announced().pid).not.toBe(pid);
  });

  test("is never a process that happens to have its pid", async () => {
    await ada.agentos("daemon", "start");
    await ada.agentos("daemon", "stop");
    writeFileSync(
      join(ada.home, "daemon.json"),
      JSON.stringify({ pid: process.pid, start_ticks: 1, url: "http://127.0.0.1:9", version: "0" }),
    );
    expect((await ada.agentos("daemon", "status")).code).toBe(69);
    expect((await ada.agentos("task", "list")).code).toBe(0);
  });

  test("is not started on a port where somebody else listens", async () => {
    const stranger = createServer((_, response) => response.end("hello"));
    await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
    const { port } = stranger.address() as AddressInfo;
    const said = await ada.with({ AGENTOS_PORT: String(port) }).agentos("task", "list");
    stranger.close();
    expect(said).toMatchObject({
      code: 69,
      stdout: "",
      stderr: `agentos: port ${port} of 127.0.0.1 is in use by another program, which is not AgentOS\nnext: Use another port: AGENTOS_PORT=${port + 1}\n`,
    });
  });

  test("of another data directory is named, and not used", async () => {
    await ada.agentos("daemon", "start");
    const { port } = new URL(announced().url);
    const said = await ada.with({ AGENTOS_PORT: port, AGENTOS_HOME: `${ada.home}-other` }).agentos("task", "list");
    expect(said.code).toBe(69);
    expect(said.stderr).toContain(`belongs to the AgentOS daemon of ${ada.home} (pid ${announced().pid})`);
  });

  test("that cannot start is told with the end of its log", async () => {
    const said = await ada.with({ AGENTOS_TASKS_MAX: "no" }).agentos("task", "list");
    expect(said.code).toBe(69);
    expect(said.stderr).toMatch(
      /the daemon could not be started: it ended with exit code \d+; the end of its log: .*AGENTOS_TASKS_MAX: must be a whole number/,
    );
  });
});

describe("a person who waits for a task", () => {
  test("and interrupts, hears that it goes on, and gets 130", async () => {
    const plan = ada.write(
      "plan.yaml",
      MEND.replace("- replace", "- run: while [ ! -e done ]; do sleep 0.05; done\n      - replace"),
    );
    const waiting = ada.begin(["task", "create", "Wait", "--plan", plan, "--mode", "autonomous", "--wait"]);
    await waiting.sees("Work item mend was begun");
    waiting.child.kill("SIGINT");
    const { code, stderr } = await waiting.said;
    expect(code).toBe(130);
    expect(stderr).toMatch(/no longer waiting; task [0-9A-Z]{26} goes on/);
    const [task] = await ada
      .data<{ items: { id: string; status: string }[] }>("task", "list")
      .then(({ items }) => items);
    expect(task?.status).toBe("running");
    await ada.agentos("task", "cancel", task?.id ?? "");
  });

  test("for so many seconds, gets 124 after them", async () => {
    const plan = ada.write(
      "plan.yaml",
      MEND.replace("- replace", "- run: while [ ! -e done ]; do sleep 0.05; done\n      - replace"),
    );
    const { code, stderr } = await ada.agentos(
      "task",
      "create",
      "Wait",
      "--plan",
      plan,
      "--mode",
      "autonomous",
      "--wait",
      "--timeout",
      "0.5",
    );
    expect(code).toBe(124);
    expect(stderr).toContain("not settled after 0.5 s");
    await ada.agentos("task", "cancel", (await ada.agentos("task", "list", "--quiet")).stdout.trim());
  });

  test("sees it through a daemon that was killed under them", async () => {
    const plan = ada.write("plan.yaml", MEND.replace("- replace", "- run: sleep 1\n      - replace"));
    const waiting = ada.begin(["task", "create", "Survive", "--plan", plan, "--mode", "autonomous", "--wait"]);
    await waiting.sees(/Step [^ ]+: run /);
    process.kill(announced().pid, "SIGKILL");
    const { code, stdout, stderr } = await waiting.said;
    expect(stderr).toContain("took the task over from one that died");
    expect(stdout).toContain("tests: fail (1 of 2 tests passed) → pass (2 of 2 tests passed)");
    expect(code).toBe(0);
  });

  test("does not start a daemon again that was stopped on purpose", async () => {
    const plan = ada.write("plan.yaml", MEND);
    const id = (await ada.agentos("task", "create", "Stay", "--plan", plan, "--wait", "--quiet")).stdout.trim();
    const waiting = ada.begin(["audit", "log", "--follow"]);
    await waiting.sees(`task/${id} #11`);
    await ada.agentos("daemon", "stop");
    const { code, stderr } = await waiting.said;
    expect(stderr).toContain("the daemon was stopped; its tasks go on when it starts again");
    expect(code).toBe(69);
    expect((await ada.agentos("daemon", "status")).code).toBe(69);
  });
});

test("nobody reads on: the command ends quietly", async () => {
  const shell = await new Promise<{ readonly code: number | null; readonly stderr: string }>((resolve) => {
    const running = ada.begin(["--help"]);
    running.child.stdout?.destroy();
    void running.said.then(resolve);
  });
  expect(shell).toMatchObject({ code: 0, stderr: "" });
});

function isDaemonOf(homes: readonly string[], pid: string): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return command.includes("daemon-program") && homes.some((home) => environment.includes(`AGENTOS_HOME=${home}`));
  } catch {
    return false; // another person's, or gone since it was listed
  }
}
