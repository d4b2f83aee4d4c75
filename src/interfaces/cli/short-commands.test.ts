import { describe, expect, test } from "vitest";
import { type CliWanted, type FakeClient, following, givenCli } from "../../../test/support/given-cli.ts";
import { eventGiven, inboxItemGiven, TASK, taskGiven } from "../../../test/support/given-views.ts";
import { problemOf } from "../client/trouble.ts";
import { doctor } from "./commands/doctor.ts";
import { inbox } from "./commands/inbox.ts";
import { inboxShow } from "./commands/inbox-show.ts";
import { server } from "./commands/server.ts";
import { version } from "./commands/version.ts";
import type { DoctorResult } from "./context.ts";
import type { DaemonProcess } from "./daemon-process.ts";
import { follow } from "./follow.ts";
import { web } from "./web.ts";

const SETTINGS = { home: "/data", host: "127.0.0.1", port: 8000, runMode: null, toolPath: [], display: false };
const QUIET: CliWanted = { shape: { quiet: true } };

test("the version is said in a sentence, and alone with --quiet", async () => {
  const [said, quiet] = [givenCli({}), givenCli({}, QUIET)];
  await version.run({}, said.context);
  await version.run({}, quiet.context);
  expect([said.stdout(), quiet.stdout()]).toEqual(["agentos 1.2.3\n", "1.2.3\n"]);
});

describe("the doctor", () => {
  const check = (name: string, more: Partial<DoctorResult["checks"][number]> = {}) => ({
    name,
    ok: true,
    required: true,
    detail: "there",
    next: null,
    fixed: false,
    ...more,
  });
  const looking = (found: DoctorResult) => {
    const asked: unknown[] = [];
    const given = givenCli(
      {},
      {
        settings: SETTINGS,
        offline: {
          auditVerify: () => Promise.reject(new Error("nobody asked for it")),
          init: () => Promise.reject(new Error("nobody asked for it")),
          doctor: async (...words) => {
            asked.push(words);
            return found;
          },
        },
      },
    );
    return { ...given, asked };
  };

  test("says of each thing whether it is there, what was done, and what is left to a person", async () => {
    const { context, stdout, asked } = looking({
      ready: true,
      checks: [
        check("node"),
        check("data directory", { detail: "created", fixed: true }),
        check("browser", { ok: false, required: false, detail: "none", next: "Install one.\u001b[2J" }),
      ],
    });
    await doctor.run({ fix: true, dryRun: false }, context);
    expect(asked).toEqual([["/data", { fix: true, dryRun: false }]]);
    expect(stdout()).toBe(
      "ok       node: there\nok       data directory: created (done now)\nabsent   browser: none\n         Install one.\\u{1b}[2J\nready\n",
    );
  });

  test("fails where something is missing that is needed, and names the next step of the first", async () => {
    const { context, stdout } = looking({
      ready: false,
      checks: [
        check("git", { ok: false, detail: "not found", next: "apt install git" }),
        check("browser", { ok: false, required: false, detail: "none" }),
        check("sandbox", { ok: false, detail: "not found", next: "apt install bubblewrap" }),
      ],
    });
    const error = await doctor.run({ fix: false, dryRun: false }, context).catch((thrown: unknown) => thrown);
    expect(problemOf(error)).toMatchObject({
      code: "doctor/unready",
      detail: "this machine is not ready: git, sandbox",
      next: "apt install git",
      facts: { missing: ["git", "sandbox"] },
    });
    expect(stdout()).toBe(
      "MISSING  git: not found\n         apt install git\nabsent   browser: none\nMISSING  sandbox: not found\n         apt install bubblewrap\nnot ready\n",
    );
  });
});

describe("the inbox", () => {
  const QUESTION: FakeClient = {
    inbox: async () => ({ items: [inboxItemGiven()], next: null }),
    inboxItem: async (id) =>
      inboxItemGiven({
        id,
        ways: [
          {
            answer: "text",
            command: `agentos inbox answer ${TASK} --text TEXT --at 7`,
            call: { method: "POST", path: "/", body: {} },
          },
        ],
      }),
  };

  test("is a list with what to do next, and ids alone with --quiet", async () => {
    const [said, quiet] = [givenCli(QUESTION), givenCli(QUESTION, QUIET)];
    await inbox.run({}, said.context);
    await inbox.run({}, quiet.context);
    expect(said.stdout()).toMatch(
      new RegExp(`^${TASK}  question  -        .*  Mend it: It asks you something\\.$`, "m"),
    );
    expect(said.stderr()).toBe("next: agentos inbox show ID; agentos inbox answer ID\n");
    expect([quiet.stdout(), quiet.stderr()]).toEqual([`${TASK}\n`, ""]);
  });

  test("that is empty asks for nothing, and its page is the one that was named", async () => {
    const asked: unknown[] = [];
    const { context, stdout, stderr } = givenCli({
      inbox: async (query) => {
        asked.push(query);
        return { items: [], next: null };
      },
    });
    await inbox.run(inbox.args.parse({ project: "shop", cursor: "c2", limit: "5" }), context);
    expect(asked).toEqual([{ project: "shop", cursor: "c2", limit: 5 }]);
    expect([stdout(), stderr()]).toEqual(["nothing waits for you\n", ""]);
  });

  test("shows one matter with the commands that answer it, and its id alone with --quiet", async () => {
    const [said, quiet] = [givenCli(QUESTION), givenCli(QUESTION, QUIET)];
    await inboxShow.run({ id: TASK }, said.context);
    await inboxShow.run({ id: TASK }, quiet.context);
    expect(said.stdout()).toBe(
      `question of task ${TASK}\nTitle: Mend it\nProject: none\nSince: 2026-11-22 12:00:00\nWhy: It asks you something.\n1 way to answer:\n  agentos inbox answer ${TASK} --text TEXT --at 7\n`,
    );
    expect(quiet.stdout()).toBe(`${TASK}\n`);
  });
});

test("the page's address is told where there is no display to open it on", async () => {
  const running = { url: "http://127.0.0.1:8000", pid: 7, started: true };
  const daemon = { start: async () => running } as DaemonProcess;
  const [said, quiet] = [
    givenCli({}, { settings: SETTINGS, daemon }),
    givenCli({}, { settings: SETTINGS, daemon, ...QUIET }),
  ];
  await web.run({}, said.context);
  await web.run({}, quiet.context);
  expect([said.stdout(), said.stderr()]).toEqual([
    "http://127.0.0.1:8000\n",
    "there is no display here: open the address in a browser on this machine\n",
  ]);
  expect([quiet.stdout(), quiet.stderr()]).toEqual(["http://127.0.0.1:8000\n", ""]);
});

describe("a daemon in the foreground", () => {
  const serving = (found: unknown) => {
    const served: unknown[] = [];
    const given = givenCli(
      {},
      {
        settings: SETTINGS,
        daemon: { find: async () => found } as DaemonProcess,
        serve: async () => void served.push("served"),
      },
    );
    return { ...given, served };
  };

  test("is served until it is interrupted", async () => {
    const { context, served, stderr } = serving(null);
    await server.run({}, context);
    expect(served).toEqual(["served"]);
    expect(stderr()).toBe("the daemon of /data runs here until it is interrupted\n");
  });

  test("is refused where one runs already, which is named", async () => {
    const { context, served } = serving({ url: "http://127.0.0.1:8000", pid: 7 });
    const error = await server.run({}, context).catch((thrown: unknown) => thrown);
    expect(problemOf(error)).toMatchObject({
      code: "daemon/running",
      detail: "a daemon is running on /data already: http://127.0.0.1:8000 (pid 7)",
      next: "Use it, or stop it first: agentos daemon stop",
    });
    expect(served).toEqual([]);
  });
});

describe("a task that a command set going", () => {
  const SETTLED: FakeClient = {
    task: async () => taskGiven({ status: "failed", seq: 8, waiting: null }),
    followTask: following(eventGiven(8, { sentence: "It failed." })),
  };

  test("is told as it is now, or with --wait as it became, by the exit code as well", async () => {
    const now = givenCli({});
    expect(await follow(now.context, taskGiven({ status: "queued" }), 7, { wait: false })).toBe(0);
    expect([now.stdout(), now.stderr()]).toEqual([
      `task ${TASK}: queued\n`,
      `see where it stands: agentos task show ${TASK}\n`,
    ]);
    const then = givenCli(SETTLED);
    expect(await follow(then.context, taskGiven({ status: "queued" }), 7, { wait: true })).toBe(12);
    expect([then.stdout(), then.stderr()]).toEqual([`task ${TASK}: failed\n`, "12:00:00  It failed.\n"]);
  });

  test("is its id alone with --quiet", async () => {
    const now = givenCli({}, QUIET);
    await follow(now.context, taskGiven({ status: "queued" }), 7, { wait: false });
    const then = givenCli(SETTLED, QUIET);
    await follow(then.context, taskGiven({ status: "queued" }), 7, { wait: true });
    expect([now.stdout(), then.stdout(), then.stderr()]).toEqual([`${TASK}\n`, `${TASK}\n`, ""]);
  });
});
