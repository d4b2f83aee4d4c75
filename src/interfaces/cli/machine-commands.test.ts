import { describe, expect, test } from "vitest";
import { type Around, type } from "../../../test/support/command-line.ts";
import { eventGiven, OTHER, TASK, taskGiven } from "../../../test/support/given-views.ts";
import type { AgentProbeView, AgentTestView, EventView, GcView } from "../../contract/views.ts";
import type { AuditResult } from "./context.ts";
import type { RunningDaemon } from "./daemon-process.ts";

describe("cleaning up", () => {
  const item = (more: Partial<GcView["items"][number]>): GcView["items"][number] => ({
    kind: "layer",
    id: "d".repeat(64),
    bytes: 1024,
    goes: true,
    why: "nothing needs it",
    problem: null,
    ...more,
  });
  const found = (...items: readonly GcView["items"][number][]): NonNullable<Around["api"]> => ({
    gc: async () => ({ items: [...items], bytes: 1024, kept_bytes: 5, rescued: ["refs/agentos/rescue/1"] }),
  });
  const ITEMS = [item({}), item({ kind: "workspace", id: TASK, goes: false, bytes: 5, why: "it runs" })];

  test("says beforehand what would go, what stays, and why", async () => {
    const said = await type("gc --dry-run", { api: found(...ITEMS) });
    expect(said).toMatchObject({
      exit: 0,
      asked: [["gc", { dry_run: true }]],
      out: [
        "would go  layer      dddddddddddd                1.0 KiB  nothing needs it",
        `kept      workspace  ${TASK}  5 bytes  it runs`,
        "kept aside: refs/agentos/rescue/1",
        "would free: 1.0 KiB (1024 bytes); kept: 5 bytes (5 bytes)",
      ],
    });
    expect((await type("gc --dry-run --quiet", { api: found(...ITEMS) })).out).toEqual(["d".repeat(64)]);
  });

  test("asks first, and removes nothing where the person is not sure", async () => {
    const question = "This removes 1 of 2 things on disk (1.0 KiB). Go on?";
    expect(await type("gc", { api: found(...ITEMS), says: { yes: false } })).toMatchObject({
      exit: 1,
      asked: [["gc", { dry_run: true }]],
      questions: [question],
      out: [],
      talk: ["nothing was changed"],
    });
    const sure = await type("gc", { api: found(...ITEMS), says: { yes: true } });
    expect([sure.exit, sure.asked.at(-1), sure.out[0]]).toEqual([
      0,
      ["gc", { dry_run: false }],
      "gone  layer      dddddddddddd                1.0 KiB  nothing needs it",
    ]);
  });

  test("says with the exit code that something could not be removed", async () => {
    const said = await type("gc --yes", { api: found(item({ goes: false, problem: "permission denied" })) });
    expect([said.exit, said.out[0]]).toEqual([1, "kept  layer  dddddddddddd  1.0 KiB  permission denied"]);
  });

  test("may find nothing", async () =>
    expect((await type("gc --yes", { api: found() })).out[0]).toBe("there is nothing to clean up"));
});

describe("working directories", () => {
  test("are listed by task", async () => {
    const api: Around["api"] = {
      workspaces: async () => ({
        items: [
          { task: TASK, status: "running", bytes: 2048, epochs: [1, 2] },
          { task: OTHER, status: null, bytes: 0, epochs: [] },
        ],
      }),
    };
    expect((await type("workspace list", { api })).out).toEqual([
      "TASK                        STATUS   SIZE     EPOCHS",
      `${TASK}  running  2.0 KiB  1, 2`,
      `${OTHER}  unknown  0 bytes`,
    ]);
    expect((await type("workspace list --quiet", { api })).out).toEqual([TASK, OTHER]);
    expect((await type("workspace list", { api: { workspaces: async () => ({ items: [] }) } })).out).toEqual([
      "no workspaces",
    ]);
  });

  test("are removed only when the person is sure", async () => {
    const api: Around["api"] = {
      task: async () => taskGiven(),
      cleanWorkspace: async ({ task }) => ({ task, bytes: 2048, rescued: ["refs/agentos/rescue/1"] }),
    };
    expect(await type(`workspace clean ${TASK}`, { api, says: { yes: false } })).toMatchObject({
      exit: 1,
      asked: [["task", TASK]],
      questions: [
        `This removes the working directories of task ${TASK} (Mend it); what is in them and not in git is kept under refs/agentos/rescue first. Go on?`,
      ],
    });
    expect(await type(`workspace clean ${TASK} --yes`, { api })).toMatchObject({
      exit: 0,
      out: ["2.0 KiB were freed", "kept: refs/agentos/rescue/1"],
    });
    expect((await type(`workspace clean ${TASK} --yes --quiet`, { api })).out).toEqual([TASK]);
    expect(await type(`workspace clean ${TASK} --undelivered`, { api, says: { yes: false } })).toMatchObject({
      exit: 1,
      asked: [["task", TASK]],
      questions: [
        `This removes the working directories of task ${TASK} (Mend it); what is in them and not in git is kept under refs/agentos/rescue first. Work of it that is not delivered can not be delivered afterwards. Go on?`,
      ],
    });
    expect((await type(`workspace clean ${TASK} --undelivered --yes`, { api })).asked).toEqual([
      ["task", TASK],
      ["cleanWorkspace", { task: TASK, undelivered: true }],
    ]);
  });
});

describe("foreign agents", () => {
  test("are listed with where they are, or how they are installed", async () => {
    const agent = { command: [], usual_hosts: [], plans: false, quirk: null };
    const api: Around["api"] = {
      agents: async () => ({
        items: [
          { ...agent, name: "opencode", title: "OpenCode", path: "/bin/opencode", install: "npm i opencode" },
          { ...agent, name: "gemini", title: "Gemini", path: null, install: "npm i gemini" },
        ],
      }),
    };
    expect((await type("agent list", { api })).out).toEqual([
      "NAME      AGENT     WHERE",
      "opencode  OpenCode  /bin/opencode",
      "gemini    Gemini    not found; install it: npm i gemini",
    ]);
    expect((await type("agent list --quiet", { api })).out).toEqual(["opencode"]);
  });

  const probe: AgentProbeView = {
    protocol: 1,
    agent: "opencode",
    version: "1.0",
    loads_sessions: true,
    auth_methods: ["login"],
    modes: ["build", "plan"],
    trouble: null,
  };
  test("tell what they can do when they are asked", async () => {
    const probed = (more: Partial<AgentProbeView>): Around => ({
      api: { probeAgent: async () => ({ ...probe, ...more }) },
    });
    expect(await type("agent probe opencode --project shop", probed({}))).toMatchObject({
      asked: [["probeAgent", { agent: "acp:opencode", project: "shop" }]],
      out: [
        "opencode 1.0 speaks version 1 of the protocol.",
        "Sessions: it goes on in the one before",
        "Modes: build, plan",
        "Ways to sign in: login",
      ],
    });
    expect(
      (
        await type(
          "agent probe opencode",
          probed({ agent: null, version: null, loads_sessions: false, modes: [], auth_methods: [] }),
        )
      ).out,
    ).toEqual([
      "It speaks version 1 of the protocol, and does not say its name.",
      "Sessions: always a new one, told what happened before",
      "Modes: none",
      "Ways to sign in: none asked for",
    ]);
    expect(
      await type(["agent", "probe", "--agent-command", "my agent  --acp"], probed({ protocol: 0, trouble: "it hung" })),
    ).toMatchObject({
      asked: [["probeAgent", { agent: { kind: "acp", command: ["my", "agent", "--acp"] } }]],
      out: ["It does not speak the protocol.", "Trouble: it hung"],
    });
  });

  const trial: AgentTestView = {
    stop: "end_turn",
    message: "",
    changed: [],
    asked: [],
    denied: [],
    trouble: null,
  };
  test("tell what they did when they are tried", async () => {
    const tried = (more: Partial<AgentTestView>): Around => ({
      api: { testAgent: async () => ({ ...trial, ...more }) },
    });
    expect(await type("agent test opencode --project shop", tried({}))).toMatchObject({
      asked: [["testAgent", { agent: "acp:opencode", project: "shop" }]],
      out: [
        "Its turn ended: end turn",
        "Files it left: none",
        "It asked its client for nothing: mounts and egress alone would govern it.",
      ],
    });
    expect(
      (
        await type(
          "agent test opencode",
          tried({ message: "done\nall", changed: ["a"], asked: ["write a"], denied: ["run b"], trouble: "slow" }),
        )
      ).out,
    ).toEqual([
      "Its turn ended: end turn",
      "Files it left: a",
      "It asked for: write a, run b",
      "Trouble: slow",
      "It said:",
      "  done",
      "  all",
    ]);
  });

  test.each(["agent probe", "agent probe builtin", "agent test", "agent test script"])(
    "have to be named: %s",
    async (words) =>
      expect(await type(words)).toMatchObject({
        exit: 2,
        asked: [],
        talk: ["agentos: name a foreign agent", "next: agentos agent list shows those it knows."],
      }),
  );
});

describe("the record", () => {
  const event = (stream: string, seq: number, more: Partial<EventView> = {}) =>
    eventGiven(seq, { position: seq + 10, stream, sentence: "it was created", ...more });
  const ALL = [event(`task/${TASK}`, 1), event("system", 2, { actor: "worker:w1" })];
  const events = async () => ({ items: ALL, next: null });
  const line = (stream: string, seq: number, actor = "person:ada") =>
    `${stream}#${seq}  2026-11-22 12:00:00  ${actor}  CREATED  it was created`;

  test("is told of everything, of one task, or of one actor", async () => {
    expect(await type("audit log", { api: { events } })).toMatchObject({
      asked: [["events", 0, 1000]],
      out: [line(`task/${TASK} `, 1), line("system ", 2, "worker:w1")],
    });
    expect((await type("audit log --actor worker --quiet", { api: { events } })).out).toEqual(["system#2"]);
    expect(
      await type(`audit log --task ${TASK}`, { api: { audits: async () => ({ items: ALL.slice(0, 1), next: null }) } }),
    ).toMatchObject({ asked: [["audits", TASK, 0, 1000]], out: [line("", 1)] });
  });

  test("is followed from where it stood", async () => {
    const { signal } = new AbortController();
    const goingOn = async function* () {
      yield { cursor: 13, event: event("system", 3) };
      yield { cursor: 14, event: event("system", 4, { actor: "worker:w1" }) };
    };
    const followed = await type("audit log --follow --actor person", {
      signal,
      api: { events, followEvents: goingOn },
    });
    expect(followed.out).toEqual([line(`task/${TASK} `, 1), line("system ", 3)]);
    expect(followed.asked.at(-1)).toEqual(["followEvents", 12, signal]);
    const ofTask = await type(`audit log --follow --task ${TASK}`, {
      signal,
      api: { audits: async () => ({ items: [], next: null }), followTask: goingOn },
    });
    expect(ofTask.out).toEqual([line("", 3), line("", 4, "worker:w1")]);
    expect(ofTask.asked.at(-1)).toEqual(["followTask", TASK, 0, signal]);
  });

  test("is one envelope with --json, which nothing follows", async () =>
    expect((await type("audit log --follow --json", { api: { events } })).out.map((text) => JSON.parse(text))).toEqual([
      { agentos: 1, ok: true, data: { items: ALL } },
    ]));

  const audited = (more: Partial<AuditResult>): Around => ({
    offline: {
      auditVerify: async (home) => {
        expect(home).toBe("/home/ada/.agentos");
        return { streams: 2, events: 1, blobs: 0, findings: [], backwards: [], ...more };
      },
      doctor: () => Promise.reject(new Error("not asked for")),
      init: () => Promise.reject(new Error("not asked for")),
    },
  });

  test("is whole, however a clock was set", async () =>
    expect(
      await type("audit verify", audited({ backwards: [{ stream: "system", seq: 2, ms: 3_600_000 }] })),
    ).toMatchObject({
      exit: 0,
      out: [
        "checked 1 event in 2 streams and 0 blobs: whole",
        "system #2: dated 3600 s before the event before it: the clock was set back; the order is the journal's",
      ],
    }));

  test("was changed: what names a place is told first, and how much there is more", async () => {
    const about = { stream: "journal", seq: null, problem: "a row is missing" };
    const at = { stream: `task/${TASK}`, seq: 2, problem: "its hash is wrong" };
    expect(await type("audit verify", audited({ findings: [about, at] }))).toMatchObject({
      exit: 6,
      out: [
        "checked 1 event in 2 streams and 0 blobs: 2 findings",
        `task/${TASK} #2: its hash is wrong`,
        "journal: a row is missing",
      ],
      talk: [
        `agentos: the history was changed outside AgentOS: task/${TASK} #2: its hash is wrong and 1 more`,
        expect.stringMatching(/^next: Keep a copy of the data directory/),
      ],
    });
    expect((await type("audit verify", audited({ findings: [about] }))).talk[0]).toBe(
      "agentos: the history was changed outside AgentOS: journal: a row is missing",
    );
  });
});

describe("the daemon", () => {
  const running: RunningDaemon = {
    pid: 7,
    url: "http://127.0.0.1:8000",
    health: {
      ok: true,
      version: "1.0.0",
      pid: 7,
      started_at: "2026-11-22T12:00:00.000Z",
      home: "/home/ada/.agentos",
      sandbox: null,
      sandbox_problem: "bubblewrap is not installed",
      tasks: { running: 1, done: 0 },
      working: 1,
      inbox: 2,
      paused: { since: "2026-11-22T13:00:00.000Z", by: "person:ada", reason: "lunch" },
    },
  };
  const found = (daemon: RunningDaemon | null): Around => ({
    daemon: {
      find: async () => daemon,
      start: () => Promise.reject(new Error("not asked for")),
      stop: () => Promise.reject(new Error("not asked for")),
      wasStopped: () => Promise.reject(new Error("not asked for")),
    },
  });

  test("tells how it is", async () => {
    expect((await type("daemon status", found(running))).out).toEqual([
      "URL: http://127.0.0.1:8000",
      "PID: 7",
      "Data: /home/ada/.agentos",
      "Version: 1.0.0, since 2026-11-22 12:00:00",
      "Sandbox: none: bubblewrap is not installed",
      "Paused: since 2026-11-22 13:00:00 by person:ada (lunch); no task is taken up until agentos daemon resume",
      "Tasks: 1 running; 1 being worked on",
      "Inbox: 2 waiting for you (agentos inbox)",
    ]);
    expect((await type("daemon status --quiet", found(running))).out).toEqual(["7"]);
  });

  test("may not run", async () =>
    expect(await type("daemon status", found(null))).toMatchObject({
      exit: 69,
      out: [],
      talk: ["agentos: no daemon runs on /home/ada/.agentos", "next: agentos daemon start"],
    }));
});
