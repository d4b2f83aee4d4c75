import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Around, type } from "../../../test/support/command-line.ts";
import {
  PROJECT,
  projectGiven,
  REPO,
  repoGiven,
  TASK,
  taskGiven,
  verdictGiven,
} from "../../../test/support/given-views.ts";
import type {
  GateView,
  LookedAtServerView,
  NoteView,
  OfferedGatesView,
  ProbeView,
  ScanView,
} from "../../contract/views.ts";
import { trouble } from "../client/trouble.ts";

let directory: string;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "agentos-project-")));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const gateGiven = (more: Partial<GateView> = {}): GateView => ({
  id: "tests",
  repo: "app",
  argv: ["npm", "test"],
  cwd: ".",
  judgement: "tests",
  runner: "node",
  report: null,
  program: "/usr/bin/npm",
  program_found: true,
  timeout_ms: 600_000,
  source: "detected",
  pinned: [],
  ...more,
});
const offeredGiven = (more: Partial<OfferedGatesView> = {}): OfferedGatesView => ({
  repo: "app",
  root: "/src/app",
  commit: "c".repeat(40),
  ecosystems: ["node"],
  gates: [gateGiven()],
  prepare: [],
  notes: [],
  ...more,
});
const OFFERED = [
  "/src/app at cccccccccccc: node",
  "Gate tests: npm test",
  "  judged by the tests that node counts, at most 600 s, detected",
  "  program: /usr/bin/npm",
];
const scanGiven = (more: Partial<ScanView> = {}): ScanView => ({
  root: "/src/app",
  head: null,
  branch: null,
  dirty: [],
  unsupported: [],
  ecosystems: [],
  gates: [],
  prepare: [],
  notes: [],
  ...more,
});
const yes = { ok: true, code: null, says: "it can be read", next: null };
const probeGiven = (more: Partial<ProbeView> = {}): ProbeView => ({
  kind: "remote",
  read: yes,
  write: yes,
  branch: "main",
  bytes: 2048,
  credentials: "an SSH agent",
  notes: [],
  ...more,
});
const note = (more: Partial<NoteView>): NoteView => ({
  id: "N1",
  project: { id: PROJECT, name: "shop" },
  repo: null,
  text: "Use tabs",
  status: "approved",
  by: "person:ada",
  task: null,
  at: "2026-11-22T12:00:00.000Z",
  ...more,
});
const server: LookedAtServerView = {
  name: "search",
  argv: ["search-server"],
  hosts: [],
  tools: [],
  offered: [
    { name: "find", callable: "search_find", description: "Finds.", schema: {}, digest: "d1", agreed: true },
    { name: "find ", callable: null, description: "Finds too.", schema: {}, digest: "d2", agreed: false },
  ],
  changes: ["find is another"],
};

interface Row {
  readonly words: string;
  readonly api: Around["api"];
  readonly out: readonly string[];
  readonly ids: readonly string[];
  readonly talk?: readonly string[];
}

const ROWS: readonly Row[] = [
  {
    words: "project list",
    api: {
      projects: async () => ({ items: [projectGiven({ repos: [repoGiven(), repoGiven({ path: "/src/lib" })] })] }),
    },
    out: ["NAME  ID                          REPOS", `shop  ${PROJECT}  /src/app, /src/lib`],
    ids: [PROJECT],
  },
  { words: "project list", api: { projects: async () => ({ items: [] }) }, out: ["no projects"], ids: [] },
  {
    words: "project pause shop --reason lunch",
    api: { pauseProject: async () => projectGiven() },
    out: [
      "project shop is paused: none of its tasks is taken up, and what runs goes back into the queue at its next boundary",
    ],
    ids: [PROJECT],
  },
  {
    words: "project resume shop --reason lunch",
    api: { resumeProject: async () => projectGiven() },
    out: ["project shop is resumed"],
    ids: [PROJECT],
  },
  {
    words: "project delete shop --yes",
    api: { project: async () => projectGiven(), deleteProject: async () => projectGiven() },
    out: ["project shop was deleted; its history stays"],
    ids: [PROJECT],
  },
  {
    words: "project notes list shop",
    api: {
      notes: async () => ({ items: [note({}), note({ id: "N2", status: "proposed", repo: "app", text: null })] }),
    },
    out: [
      "ID  STATUS    BY          ABOUT      NOTE",
      "N1  approved  person:ada  all of it  Use tabs",
      "N2  proposed  person:ada  app        (erased)",
    ],
    ids: ["N1", "N2"],
    talk: ["next: agentos project notes approve shop NOTE, or agentos project notes retire shop NOTE"],
  },
  {
    words: "repo list",
    api: { projects: async () => ({ items: [projectGiven({ repos: [repoGiven()] })] }) },
    out: [
      "PROJECT  NAME  ID                          ROLE  WRITABLE  PATH",
      `shop     app   ${REPO}  code  yes       /src/app`,
    ],
    ids: [REPO],
  },
  {
    words: "repo list --project shop",
    api: { project: async () => projectGiven({ repos: [] }) },
    out: ["no repos"],
    ids: [],
  },
  {
    words: `repo scan ${REPO}`,
    api: {
      repo: async () => repoGiven(),
      scanRepo: async () =>
        scanGiven({
          head: "c".repeat(40),
          branch: "main",
          dirty: ["a.txt"],
          unsupported: ["submodules"],
          ecosystems: ["node"],
          gates: [
            { id: "tests", argv: ["npm", "test"], judgement: "tests" },
            { id: "lint", argv: [], judgement: "exit" },
          ],
          prepare: [["npm", "ci"]],
          notes: ["two lock files"],
        }),
    },
    out: [
      "/src/app at cccccccccccc on main",
      "Kind: node",
      "Gate tests: npm test, judged by its tests",
      "Gate lint: no command, judged by its exit code",
      "Prepared with: npm ci",
      "Not supported: submodules",
      "Uncommitted files:",
      "  a.txt",
      "Note: two lock files",
    ],
    ids: [REPO],
  },
  {
    words: "repo scan shop/app",
    api: {
      projects: async () => ({ items: [projectGiven({ repos: [repoGiven(), repoGiven({ id: TASK, name: "lib" })] })] }),
      scanRepo: async () => scanGiven(),
    },
    out: ["/src/app, no commit yet", "Kind: nothing AgentOS knows", "Prepared with: nothing", "No uncommitted files"],
    ids: [REPO],
  },
  {
    words: `repo probe ${REPO}`,
    api: { repo: async () => repoGiven(), probeRepo: async () => probeGiven({ notes: ["it is a fork"] }) },
    out: [
      "Read: yes, it can be read",
      "Write: yes, it can be read",
      "Credentials: an SSH agent",
      "Default branch: main",
      "Size: 2.0 KiB",
      "Note: it is a fork",
    ],
    ids: [REPO],
  },
  {
    words: "gate list shop",
    api: {
      tasks: async () => ({ items: [], next: null }),
      projectGates: async () => ({
        items: [
          offeredGiven(),
          offeredGiven({
            ecosystems: [],
            gates: [
              gateGiven({
                id: "lint",
                argv: ["make"],
                cwd: "web",
                judgement: "exit",
                program: null,
                program_found: false,
                source: "named",
              }),
              gateGiven({ id: "none", argv: [], runner: null, program_found: null }),
            ],
            prepare: [
              {
                id: "npm",
                repo: "app",
                argv: ["npm", "ci"],
                cwd: ".",
                inputs: [],
                fills: [],
                hosts: [],
                reproducible: true,
              },
              {
                id: "pip",
                repo: "app",
                argv: ["pip"],
                cwd: "py",
                inputs: [],
                fills: [],
                hosts: ["a", "b"],
                reproducible: false,
              },
            ],
            notes: ["two lock files"],
          }),
        ],
      }),
    },
    out: [
      ...OFFERED,
      "/src/app at cccccccccccc: nothing AgentOS knows",
      "Gate lint: make in web",
      "  judged by its exit code, at most 600 s, named",
      "  program: make is not found",
      "Gate none: no command",
      "  judged by the tests that its report counts, at most 600 s, detected",
      "Prepared by: npm ci (once for each lock file; reaches no host)",
      "Prepared by: pip in py (for each task anew; reaches a, b)",
      "Note: two lock files",
    ],
    ids: ["tests", "lint", "none"],
  },
  {
    words: `gate list ${TASK}`,
    api: {
      taskGates: async (task) => ({
        task,
        pinned_on: {},
        gates: [gateGiven()],
        prepare: [],
        verdicts: [verdictGiven()],
      }),
    },
    out: [
      `Task: ${TASK}`,
      "It is a draft; freezing it pins its gates.",
      ...OFFERED.slice(1),
      "Gates (base → candidate):",
      "  tests: not run → pass",
    ],
    ids: ["tests"],
  },
  {
    words: "mcp probe shop search",
    api: { probeToolServer: async () => server },
    out: [
      "search offers 2 tools",
      "",
      "find  agreed to",
      "  Finds.",
      "  {}",
      "  d1",
      "",
      "find   cannot be called: its name cannot be told apart",
      "  Finds too.",
      "  {}",
      "  d2",
      "",
      "changed since it was agreed to: find is another",
    ],
    ids: ["find", "find "],
  },
];

describe("a command about projects and their repos tells what came of it in lines, and with --quiet the ids alone:", () => {
  test.each(ROWS)("$words → $ids", async ({ words, api = {}, out, ids, talk = [] }) => {
    expect(await type(words, { api })).toMatchObject({ exit: 0, out, talk });
    expect(await type(`${words} --quiet`, { api })).toMatchObject({ exit: 0, out: ids, talk: [] });
  });
});

test("a pause and a resumption keep their reason, and have none where none was given", async () => {
  const api: Around["api"] = { pauseProject: async () => projectGiven(), resumeProject: async () => projectGiven() };
  const asked = async (words: string) => (await type(words, { api })).asked;
  expect(await asked("project pause shop --reason lunch")).toEqual([["pauseProject", "shop", { reason: "lunch" }]]);
  expect(await asked("project pause shop")).toEqual([["pauseProject", "shop", {}]]);
  expect(await asked("project resume shop --reason fed")).toEqual([["resumeProject", "shop", { reason: "fed" }]]);
  expect(await asked("project resume shop")).toEqual([["resumeProject", "shop", {}]]);
});

test("a project is deleted only when the person is sure", async () =>
  expect(
    await type("project delete shop", {
      api: { project: async () => projectGiven({ repos: [repoGiven()] }) },
      says: { yes: false },
    }),
  ).toMatchObject({
    exit: 1,
    asked: [["project", "shop"]],
    questions: [
      "This takes project shop (1 repo) out of AgentOS; the repositories, its tasks and its history stay as they are. Go on?",
    ],
    out: [],
    talk: ["nothing was changed"],
  }));

describe("a repository that cannot be used", () => {
  const no = { ok: false, code: "auth", says: "the server wants a key", next: "ssh-add" };
  test.each([
    [{ read: no }, ["Read: no, the server wants a key", "  ssh-add"]],
    [{ write: no, branch: null, bytes: null }, ["Read: yes, it can be read", "Write: no, the server wants a key"]],
  ])("says so with the exit code: %j", async (more, lines) => {
    const said = await type(`repo probe ${REPO}`, {
      api: { repo: async () => repoGiven(), probeRepo: async () => probeGiven(more) },
    });
    expect([said.exit, said.out.slice(0, 2)]).toEqual([1, lines]);
  });

  test("may have neither a branch nor a size yet", async () =>
    expect(
      (
        await type(`repo probe ${REPO}`, {
          api: { repo: async () => repoGiven(), probeRepo: async () => probeGiven({ branch: null, bytes: null }) },
        })
      ).out.slice(3),
    ).toEqual(["Default branch: none", "Size: unknown, nothing of it was fetched yet"]));
});

describe("a repo is named", () => {
  const twice: Around["api"] = {
    projects: async () => ({
      items: [projectGiven({ repos: [repoGiven()] }), projectGiven({ name: "site", repos: [repoGiven({ id: TASK })] })],
    }),
  };
  test("by its project too, where two have one of its name", async () =>
    expect(await type("repo scan app", { api: twice })).toMatchObject({
      exit: 2,
      talk: ["agentos: 2 projects have a repo app", "next: Name one: shop/app, site/app"],
    }));
  test("by both also where it is changed", async () => {
    const api: Around["api"] = { ...twice, changeRepo: async (id) => ({ ...repoGiven({ id }), notes: [] }) };
    expect((await type("repo set site/app --read-only", { api })).asked.at(-1)).toEqual([
      "changeRepo",
      TASK,
      { writable: false },
    ]);
  });
  test("and nothing about it is a change that is refused", async () =>
    expect(await type("repo set site/app", { api: twice })).toMatchObject({
      exit: 2,
      asked: [],
      out: [],
      talk: ["agentos: nothing was named that should change", "next: agentos repo set --help shows what can."],
    }));
  test("or refused, where none has", async () =>
    expect((await type("repo scan docs", { api: twice })).talk[0]).toBe("agentos: there is no repo docs"));
});

describe("what a project is set to", () => {
  const before = projectGiven({
    settings: {
      agent_grants: { hosts: ["a:443"], variables: ["A"], files: ["~/.a"] },
      approvals: { approver_not_creator: true, expires_ms: 1000, delegates: ["bob"] },
    },
  });
  const api: Around["api"] = { project: async () => before, changeProject: async () => before };
  const cases: readonly (readonly [words: string, change: unknown])[] = [
    ["--name store", { name: "store", settings: {} }],
    ["--agent none", { settings: { agent: null } }],
    ["--agent builtin", { settings: { agent: "builtin" } }],
    ["--agent opencode", { settings: { agent: "acp:opencode" } }],
    ["--mode autonomous --tasks-max none", { settings: { run_mode: "autonomous", tasks_max: null } }],
    ["--tasks-max 2 --package-host r:443", { settings: { tasks_max: 2, package_hosts: ["r:443"] } }],
    [
      "--agent-host b:443 --agent-host c:443 --agent-file none",
      { settings: { agent_grants: { hosts: ["b:443", "c:443"], variables: ["A"], files: [] } } },
    ],
    [
      "--approver-not-creator no",
      { settings: { approvals: { approver_not_creator: false, expires_ms: 1000, delegates: ["bob"] } } },
    ],
    [
      "--approval-expires none --delegate eve",
      { settings: { approvals: { approver_not_creator: true, expires_ms: null, delegates: ["eve"] } } },
    ],
    [
      "--approval-expires 8h",
      { settings: { approvals: { approver_not_creator: true, expires_ms: 28_800_000, delegates: ["bob"] } } },
    ],
  ];
  test.each(cases)("is only what was named: %s", async (words, change) => {
    const said = await type(`project set shop ${words} --quiet`, { api });
    expect([said.exit, said.out, said.asked.at(-1)]).toEqual([0, [PROJECT], ["changeProject", "shop", change]]);
  });

  test("has to be named", async () =>
    expect(await type("project set shop", { api })).toMatchObject({
      exit: 2,
      asked: [],
      talk: ["agentos: nothing was named that should change", "next: agentos project set --help shows what can."],
    }));
});

describe("the gates of where a person is", () => {
  test("are those of the project of the repository around them", async () => {
    mkdirSync(join(directory, ".git"));
    mkdirSync(join(directory, "src"));
    const said = await type("gate list", {
      workingDirectory: join(directory, "src"),
      api: {
        projectOfPath: async () => ({ project: projectGiven(), made: true }),
        projectGates: async () => ({ items: [offeredGiven()] }),
      },
    });
    expect(said).toMatchObject({
      out: OFFERED,
      talk: [`the project shop was created for ${directory}`],
      asked: [
        ["projectOfPath", { path: directory, tool_path: [] }],
        ["projectGates", PROJECT],
      ],
    });
  });

  test("are none outside of any repository", async () =>
    expect(await type("gate list", { workingDirectory: directory })).toMatchObject({ exit: 0, out: [], asked: [] }));

  test("are looked for in a directory, or in a repo by its name", async () => {
    mkdirSync(join(directory, ".git"));
    const api: Around["api"] = {
      detectGates: async () => offeredGiven(),
      projects: async () => ({ items: [projectGiven({ repos: [repoGiven()] })] }),
    };
    const around = { api, workingDirectory: directory, settings: { toolPath: ["/opt/bin"] } };
    expect(await type("gate detect", around)).toMatchObject({
      out: OFFERED,
      asked: [["detectGates", { path: directory, tool_path: ["/opt/bin"] }]],
    });
    expect(await type("gate detect app --quiet", around)).toMatchObject({
      out: ["tests"],
      asked: [["projects"], ["detectGates", { path: "/src/app" }]],
    });
  });

  test("are none to look for where no repository is", async () => {
    const told = async (words: string) => {
      const { exit, asked, talk } = await type(words, { workingDirectory: directory });
      return [exit, asked.filter(([name]) => name !== "task"), ...talk];
    };
    const none = `agentos: there is no git repository at or above ${directory}`;
    expect(await told("gate detect")).toEqual([
      2,
      [],
      none,
      "next: Change into a repository, or name one (agentos gate detect PATH, or a repo's id or name).",
    ]);
    const named = "next: Change into a repository, or name a project (--project NAME).";
    expect(await told("gate run")).toEqual([2, [], none, named]);
    expect(await told("task create x")).toEqual([
      2,
      [],
      none,
      "next: Change into a repository, or name a project (--project NAME), or keep it as a draft (--draft).",
    ]);
  });
});

describe("gates of a name that may be a task's or a project's", () => {
  const among = (error: Error): NonNullable<Around["api"]> => ({
    tasks: () => Promise.reject(error),
    projectGates: async () => ({ items: [] }),
  });
  test("are the project's where no task is called so", async () =>
    expect((await type("gate list cabbage", { api: among(trouble("task/not-found", "none")) })).asked.at(-1)).toEqual([
      "projectGates",
      "cabbage",
    ]));
  test("are not guessed where the daemon says something else", async () =>
    expect((await type("gate list cabbage", { api: among(trouble("input/invalid", "two begin so")) })).talk[0]).toBe(
      "agentos: two begin so",
    ));
});

test("the gates of a project are run as a task of its own, and followed to its end", async () => {
  const done = taskGiven({ status: "succeeded", gates: [verdictGiven()] });
  const api: Around["api"] = {
    project: async () => projectGiven({ repos: [repoGiven()] }),
    scanRepo: async () => scanGiven({ dirty: ["a.txt"] }),
    createTask: async () => taskGiven(),
    freezeTask: async () => taskGiven(),
    readyTask: async () => taskGiven({ status: "queued" }),
    spec: async () => ({ version: 1, frozen: false, hash: null, spec: {}, canonical: null }),
    task: async () => done,
    followTask: async function* () {
      yield {
        cursor: 1,
        event: {
          stream: `task/${TASK}`,
          seq: 1,
          type: "SUCCEEDED",
          at: "2026-11-22T12:00:00.000Z",
          actor: "worker:w1",
          sentence: "it succeeded",
          body: {},
        },
      };
    },
  };
  const said = await type(["gate", "run", "--project", "shop", "--gate", "lint=npm run lint"], { api });
  expect(said).toMatchObject({
    exit: 0,
    out: [`task ${TASK}: succeeded`, "Gates (base → candidate):", "  tests: not run → pass"],
    talk: [
      "not part of the task (--include-changes takes them along): 1 uncommitted file of app: a.txt",
      "12:00:00  it succeeded",
    ],
  });
  expect(said.asked.find(([name]) => name === "createTask")?.[1]).toEqual({
    title: "Run the gates of shop",
    agent: "gates",
    run_mode: "autonomous",
    created_by: "ada",
    gates: [{ id: "lint", run: "npm run lint" }],
    expects_change: false,
    project: PROJECT,
  });
  expect((await type("gate run --project shop --quiet", { api })).out).toEqual([TASK]);
});
