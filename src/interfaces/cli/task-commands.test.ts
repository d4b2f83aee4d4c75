import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Around, type } from "../../../test/support/command-line.ts";
import {
  eventGiven,
  evidenceGiven,
  OTHER,
  projectGiven,
  stepGiven,
  TASK,
  taskGiven,
  verdictGiven,
} from "../../../test/support/given-views.ts";
import type { DependencyGraphView, MovedListView } from "../../contract/views.ts";
import { trouble } from "../client/trouble.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "agentos-task-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const NEXT = `see where it stands: agentos task show ${TASK}`;
const GRAPH: DependencyGraphView = {
  tasks: [
    { id: TASK, title: "Mend it", status: "queued", exit_reason: null, block_reason: null },
    { id: OTHER, title: "Use it", status: "draft", exit_reason: null, block_reason: null },
  ],
  dependencies: [{ task: OTHER, kind: "requires", other: TASK }],
  cut: false,
};
const TREE = [
  `${TASK}  queued  Mend it`,
  "depends on nothing",
  "comes before:",
  `└─ is required by ${OTHER}  draft  Use it`,
];
const artifact = (name: string) => ({ name, media_type: "text/plain", bytes: 3, digest: "d1" });

interface Row {
  readonly words: string;
  readonly api: Around["api"];
  readonly out: readonly string[];
  readonly ids: readonly string[];
  readonly talk?: readonly string[];
}

const ROWS: readonly Row[] = [
  {
    words: `task compare ${TASK}`,
    api: {
      compareTasks: async () => ({
        items: [
          { ...taskGiven(), agent: "script", spec: null, gates: [], change: null, detail: null, delivered: false },
        ],
      }),
    },
    out: [
      "ID                          STATUS  AGENT   GATES  CHANGE  WORKED",
      `${TASK}  draft   script  -      -       0.0 s`,
    ],
    ids: [TASK],
  },
  { words: `task deps ${TASK}`, api: { dependenciesOf: async () => GRAPH }, out: TREE, ids: [TASK, OTHER] },
  {
    words: `task deps add ${TASK} --blocks ${OTHER}`,
    api: { addDependency: async () => GRAPH },
    out: TREE,
    ids: [TASK],
  },
  {
    words: `task deps remove ${TASK} --suggests ${OTHER}`,
    api: { removeDependency: async () => ({ ...GRAPH, dependencies: [] }) },
    out: [`${TASK}  queued  Mend it`, "depends on nothing", "nothing depends on it"],
    ids: [TASK],
  },
  {
    words: "task deps graph",
    api: { dependencies: async () => ({ ...GRAPH, cut: true }) },
    out: [`${TASK}  queued  Mend it`, `└─ is required by ${OTHER}  draft  Use it`],
    ids: [TASK, OTHER],
    talk: ["there is more than is shown: narrow it by --project or --session"],
  },
  {
    words: "task deps graph --format mermaid",
    api: { dependencies: async () => GRAPH },
    out: [
      "graph LR",
      `  ${TASK}["Mend it<br/>queued"]`,
      `  ${OTHER}["Use it<br/>draft"]`,
      `  ${TASK} -->|requires| ${OTHER}`,
    ],
    ids: [TASK, OTHER],
  },
  {
    words: "task deps graph --format dot",
    api: { dependencies: async () => GRAPH },
    out: [
      "digraph tasks {",
      "  rankdir=LR;",
      `  "${TASK}" [label="Mend it\\nqueued"];`,
      `  "${OTHER}" [label="Use it\\ndraft"];`,
      `  "${TASK}" -> "${OTHER}" [label="requires"];`,
      "}",
    ],
    ids: [TASK, OTHER],
  },
  {
    words: "task deps graph --format json",
    api: { dependencies: async () => GRAPH },
    out: [JSON.stringify(GRAPH)],
    ids: [TASK, OTHER],
  },
  {
    words: `task mode ${TASK} interactive`,
    api: { changeTask: async () => taskGiven() },
    out: [`task ${TASK}: interactive from the next step on`],
    ids: [TASK],
  },
  {
    words: `task prioritize ${TASK} urgent`,
    api: { changeTask: async (_, { priority = "normal" }) => taskGiven({ priority }) },
    out: [`task ${TASK}: draft, priority urgent`],
    ids: [TASK],
  },
  {
    words: `task diff ${TASK}`,
    api: {
      diff: async () => ({
        repos: {
          app: {
            from: "a".repeat(40),
            to: "b".repeat(40),
            diff: "+\tone\n",
            changed: [
              { path: "a.txt", change: "added", lines_added: 1, lines_removed: 0 },
              { path: "b.png", change: "changed", lines_added: null, lines_removed: null },
            ],
          },
        },
      }),
    },
    out: ["── app aaaaaaaaaaaa..bbbbbbbbbbbb", "added    +1  -0  a.txt", "changed  +-  --  b.png", "+\tone"],
    ids: ["a.txt", "b.png"],
  },
  {
    words: `task trace ${TASK}`,
    api: { taskEvents: async (_, after) => ({ items: [eventGiven(after + 1)], next: after === 0 ? 1 : null }) },
    out: [
      "#1  2026-11-22 12:00:00  person:ada  CREATED  ada created it",
      "#2  2026-11-22 12:00:00  person:ada  CREATED  ada created it",
    ],
    ids: ["1", "2"],
  },
  {
    words: `task fork ${TASK} --times 2 --agent gates`,
    api: { forkTask: async (origin) => ({ origin, tasks: [OTHER, TASK] }) },
    out: [`task ${OTHER}`, `task ${TASK}`],
    ids: [OTHER, TASK],
    talk: [`2 attempts more; see them side by side: agentos task compare ${TASK}`],
  },
  {
    words: `task freeze ${TASK}`,
    api: {
      freezeTask: async () => taskGiven({ status: "queued" }),
      spec: async () => ({ version: 2, frozen: false, hash: null, spec: {}, canonical: null }),
    },
    out: [`task ${TASK}: queued`, "spec: version 2, a draft"],
    ids: [TASK],
    talk: [NEXT],
  },
  {
    words: `task pause ${TASK} --reason lunch`,
    api: { pauseTask: async () => taskGiven({ status: "blocked", block_reason: "paused" }) },
    out: [`task ${TASK}: blocked/paused`],
    ids: [TASK],
  },
  {
    words: `task pause ${TASK}`,
    api: { pauseTask: async () => taskGiven({ status: "running" }) },
    out: [`task ${TASK}: running`],
    ids: [TASK],
    talk: ["it pauses at its next boundary, when no effect is open"],
  },
  {
    words: `task supersede-others ${TASK} --yes`,
    api: {
      attemptsOf: async () => ({ tasks: [TASK, OTHER] }),
      supersedeOthers: async () => ({ tasks: [OTHER] }),
    },
    out: [`task ${OTHER}: superseded`],
    ids: [OTHER],
  },
  {
    words: `task deliver ${TASK} --push mend --branch mend`,
    api: {
      deliverTask: async () => ({
        repos: {
          app: { way: "merge", branch: "main", from: "a", to: "b", tree: "t", checkout_followed: true },
          lib: { way: "patch", branch: null, from: null, to: "c", tree: "t", checkout_followed: false },
        },
        notes: ["main was pushed"],
      }),
      attemptsOf: async () => ({ tasks: [TASK, OTHER] }),
    },
    out: ["app: main is b, was a; the checkout followed", `lib: written as a patch (agentos task artifacts ${TASK})`],
    ids: [TASK],
    talk: [
      "main was pushed",
      `1 other attempt at this: agentos task supersede-others ${TASK} ends what is left of them`,
    ],
  },
  {
    words: `task logs ${TASK}`,
    api: {
      logs: async () => ({
        items: [
          {
            step: "1.a.1",
            run: 2,
            doing: "run make",
            status: "failed",
            stdout: "one\n",
            stderr: "two\n",
            truncated: true,
          },
        ],
      }),
    },
    out: [
      "── 1.a.1 (run 2): run make [failed]",
      "one",
      "── stderr",
      "two",
      "── shortened; --json --step has the same, the whole is in the evidence",
    ],
    ids: ["1.a.1"],
  },
  {
    words: `task logs ${TASK} --step 1.a.2`,
    api: { logs: async () => ({ items: [] }) },
    out: ["step 1.a.2 has written nothing"],
    ids: [],
  },
  {
    words: `task attach ${TASK}`,
    api: {
      task: async () => taskGiven({ status: "canceled", seq: 1, gates: [verdictGiven()] }),
      followTask: async function* () {
        yield { cursor: 1, event: eventGiven(1) };
      },
    },
    out: [`task ${TASK}: canceled`, "Gates (base → candidate):", "  tests: not run → pass"],
    ids: [TASK],
    talk: ["12:00:00  ada created it"],
  },
];

describe("a task's command tells what came of it in lines, and with --quiet the ids alone:", () => {
  const exit = (words: string) => (words.startsWith("task attach") ? 13 : 0);
  test.each(ROWS)("$words", async ({ words, api = {}, out, ids, talk = [] }) => {
    expect(await type(words, { api })).toMatchObject({ exit: exit(words), out, talk });
    expect(await type(`${words} --quiet`, { api })).toMatchObject({ exit: exit(words), out: ids, talk: [] });
  });
});

describe("a task", () => {
  test("is named by the beginning of its id, whichever page it is on", async () => {
    const pages = [
      { items: [], next: "2" },
      { items: [row(TASK)], next: null },
    ];
    const said = await type("task mode 01katask assisted", {
      api: {
        tasks: async ({ cursor } = {}) => pages[cursor === "2" ? 1 : 0] ?? { items: [], next: null },
        changeTask: async () => taskGiven(),
      },
    });
    expect(said.asked).toEqual([
      ["tasks", { search: "01KATASK", limit: 1000, cursor: undefined }],
      ["tasks", { search: "01KATASK", limit: 1000, cursor: "2" }],
      ["changeTask", TASK, { run_mode: "assisted" }],
    ]);
  });

  test.each([
    ["last", [], ["agentos: there is no task yet"]],
    ["01KATASK", [], ["agentos: there is no task whose id begins with 01KATASK"]],
  ])("%s is refused where there is none", async (name, items, said) => {
    const { exit, talk } = await type(`task show ${name}`, { api: { tasks: async () => ({ items, next: null }) } });
    expect([exit, talk.slice(0, 1)]).toEqual([3, said]);
  });

  test("is not guessed among several that begin alike", async () => {
    const many = Array.from({ length: 11 }, (_, n) => row(`${TASK.slice(0, 24)}${10 + n}`));
    const said = (items: readonly ReturnType<typeof row>[]) =>
      type("task show 01KATASK", { api: { tasks: async () => ({ items: [...items], next: null }) } });
    expect(await said([row(TASK), row(OTHER)])).toMatchObject({
      exit: 2,
      talk: [
        `agentos: 2 tasks begin with 01KATASK: ${TASK} (Mend it), ${OTHER} (Mend it)`,
        "next: Give more of the id.",
      ],
    });
    expect((await said(many)).talk[0]).toBe(
      `agentos: 11 tasks begin with 01KATASK: ${many
        .slice(0, 10)
        .map(({ id }) => `${id} (Mend it)`)
        .join(", ")} …`,
    );
  });
});

function row(id: string) {
  return { ...taskGiven({ id }), stalled: false };
}

describe("a task that can still be delivered is shown with where its branches are:", () => {
  const open = taskGiven({
    status: "succeeded",
    bases: { app: { commit: "c".repeat(40), branch: "main", dirty: [], included: false } },
  });
  const moved = (more: Partial<MovedListView["items"][number]>) => ({
    items: [
      {
        repo: "app",
        branch: "main",
        base: "a",
        head: "b".repeat(40),
        commits: 2,
        conflicts: [],
        problem: null,
        ...more,
      },
    ],
  });
  const cases: readonly (readonly [string, MovedListView, readonly string[]])[] = [
    [
      "gone on",
      moved({}),
      [
        "Moved: main of app has 2 commits more, at bbbbbbbbbbbb",
        "  it merges with this work; delivering proves the merged tree first",
      ],
    ],
    [
      "against it",
      moved({ commits: 1, conflicts: ["a.txt"] }),
      ["Moved: main of app has 1 commit more, at bbbbbbbbbbbb", "  it conflicts with this work in a.txt"],
    ],
    ["where they were", moved({ commits: 0 }), []],
    ["gone", moved({ head: null }), ["Moved: main of app is gone"]],
    ["unknown", moved({ problem: "no answer" }), ["Not known whether main of app has moved: no answer"]],
  ];
  test.each(cases)("%s", async (_, found, lines) => {
    const shown = await type(`task show ${TASK}`, { api: { task: async () => open, moved: async () => found } });
    expect(shown.out.slice(shown.out.findIndex((line) => line.startsWith("Base of app")) + 1)).toEqual(lines);
  });

  test("and shown all the same where nobody can say", async () => {
    const api: Around["api"] = {
      task: async () => open,
      moved: async () => {
        throw trouble("daemon/unreachable", "the remote is away");
      },
    };
    expect(await type(`task show ${TASK} --quiet`, { api })).toMatchObject({ exit: 0, out: [TASK], talk: [] });
    expect((await type(`task show ${TASK}`, { api })).talk).toEqual([
      "not known whether the branches have moved: the remote is away",
    ]);
    const broken = { ...api, moved: () => Promise.reject(new Error("a bug")) };
    await expect(type(`task show ${TASK}`, { api: broken })).rejects.toThrow("a bug");
  });

  test.each([
    { status: "canceled" as const },
    { status: "failed" as const },
    { delivered: { app: { way: "patch", branch: null, to: "b", tree: "t", checkout_followed: false } } },
  ])("not of one that is over: %j", async (over) =>
    expect((await type(`task show ${TASK}`, { api: { task: async () => ({ ...open, ...over }) } })).asked).toEqual([
      ["task", TASK],
    ]),
  );
});

describe("a task's artifacts", () => {
  test("are listed with those it was shown and those it showed", async () => {
    const many = Array.from({ length: 21 }, (_, n) => artifact(`a${n}`));
    const api: Around["api"] = {
      artifacts: async () => ({
        items: [artifact("report.md")],
        from: [{ task: OTHER, artifacts: [] }],
        to: [{ task: OTHER, artifacts: many }],
      }),
    };
    expect((await type(`task artifacts ${TASK}`, { api })).out).toEqual([
      "NAME       SIZE     TYPE        DIGEST",
      "report.md  3 bytes  text/plain  d1",
      `shown of task ${OTHER}: nothing`,
      `shown to task ${OTHER}: ${many
        .slice(0, 20)
        .map(({ name }) => name)
        .join(", ")} and 1 more`,
    ]);
    expect((await type(`task artifacts ${TASK} --quiet`, { api })).out).toEqual(["report.md"]);
    expect(
      (await type(`task artifacts ${TASK}`, { api: { artifacts: async () => ({ items: [], from: [], to: [] }) } })).out,
    ).toEqual(["no artifacts"]);
  });

  /** As `sha256sum` says it of the file; the digest in the list is over a salt as well. */
  const SHA256 = "a2d1fd241ca06cb1430908a1ba992f4041003da22dbf2ca13db06a7e35643a42";
  const api: Around["api"] = { artifact: async () => Buffer.from("a\u001b[2J\nb\n") };

  test("command no terminal, and are as they are everywhere else", async () => {
    const words = `task artifacts ${TASK} report.md`;
    expect((await type(words, { api, stdoutIsTerminal: true })).out).toEqual(["a\\u{1b}[2J", "b"]);
    expect((await type(words, { api, stdoutIsTerminal: false })).out).toEqual(["a\u001b[2J", "b"]);
    const told = await type(`${words} --json`, { api, stdoutIsTerminal: false });
    expect(told.out.map((line) => JSON.parse(line))).toEqual([
      { agentos: 1, ok: true, data: { name: "report.md", bytes: 8, base64: "YRtbMkoKYgo=", sha256: SHA256 } },
    ]);
  });

  test("are written to a file that is not there yet", async () => {
    const words = `task artifacts ${TASK} report.md --output out.md`;
    const file = join(directory, "out.md");
    expect((await type(words, { api, workingDirectory: directory })).out).toEqual([
      `report.md was written to ${file}`,
      `its SHA-256 is ${SHA256}`,
    ]);
    expect(readFileSync(file, "utf8")).toBe("a\u001b[2J\nb\n");
    for (const [typed, why] of [
      [words, `${file} cannot be written: it is there already, and nothing is overwritten`],
      [`${words}/below`, `${file}/below cannot be written: what should be its directory is a file`],
    ] as const)
      expect(await type(typed, { api, workingDirectory: directory })).toMatchObject({
        exit: 2,
        talk: [`agentos: ${why}`, "next: Name another file with --output."],
      });
    rmSync(file);
    expect((await type(`${words} --quiet`, { api, workingDirectory: directory })).out).toEqual([file]);
  });
});

test("the evidence of a task is told by criterion, gate, second opinion and step", async () => {
  const api: Around["api"] = {
    evidence: async () =>
      evidenceGiven({
        criteria: [
          { id: "a", text: "Empty input is no error", gate: "tests", verdict: "pass" },
          { id: "b", text: "It is fast", gate: null, verdict: "unproven" },
          { id: "c", text: "It is small", gate: "size", verdict: "fail" },
        ],
        gates: [verdictGiven()],
        review: { by: "team/large", count: 1, findings: "one\ntwo", failed: null },
        steps: [
          stepGiven({ run: 2, record_hash: "h1", evidence: [{ kind: "program", name: "make", path: null }] }),
          stepGiven({ step: "1.item-work.2", status: "open", ended_seq: null }),
        ],
      }),
  };
  const lines = (await type(`task evidence ${TASK}`, { api })).out;
  expect(lines).toEqual([
    "Criteria:",
    " ✓  pass      tests    Empty input is no error",
    " ?  unproven  no gate  It is fast",
    " ✗  fail      size     It is small",
    "Gates (base → candidate):",
    "  tests: not run → pass",
    "Second opinion by team/large, on which no verdict depends:",
    "  one",
    "  two",
    "Steps:",
    "  #7–8  2026-11-22 12:00:00  completed  1.item-work.1 (run 2): run make",
    "      program make: not found",
    "      record h1",
    "  #7–…  2026-11-22 12:00:00  open  1.item-work.2: run make",
  ]);
  expect((await type(`task evidence ${TASK} --quiet`, { api })).out).toEqual(["1.item-work.1", "1.item-work.2"]);
});

test.each([
  [{ by: "a/b", count: 0, findings: null, failed: null }, "  nothing was found"],
  [{ by: "a/b", count: 0, findings: null, failed: "it gave up" }, "  none: it gave up"],
])("a second opinion may be that there is none: %j", async (review, said) =>
  expect(
    (await type(`task evidence ${TASK}`, { api: { evidence: async () => evidenceGiven({ review }) } })).out,
  ).toEqual(["Criteria:", "Second opinion by a/b, on which no verdict depends:", said, "Steps:"]),
);

describe("the other attempts at a task", () => {
  const api: Around["api"] = {
    attemptsOf: async () => ({ tasks: [TASK, OTHER] }),
    supersedeOthers: async () => ({ tasks: [] }),
  };
  const words = `task supersede-others ${TASK}`;

  test("are ended only when the person is sure", async () =>
    expect(await type(words, { api, says: { yes: false } })).toMatchObject({
      exit: 1,
      asked: [["attemptsOf", TASK]],
      questions: [
        `This ends 1 other attempt at task ${TASK} as superseded, as far as they live or succeeded undelivered. Go on?`,
      ],
      talk: ["nothing was changed"],
    }));

  test("may have ended before", async () =>
    expect((await type(words, { api, says: { yes: true } })).out).toEqual(["there was none left"]));
});

describe("a history that is verified", () => {
  const api: Around["api"] = {
    evidence: async () =>
      evidenceGiven({
        criteria: [{ id: "a", text: "It works", gate: "tests", verdict: "pass" }],
        steps: [stepGiven()],
      }),
  };
  const audited = (...findings: readonly { stream: string; seq: number | null; problem: string }[]): Around => ({
    api,
    offline: {
      auditVerify: async () => ({ streams: 1, events: 3, blobs: 0, findings, backwards: [] }),
      doctor: async () => ({ ready: true, checks: [] }),
      init: async (home) => ({ home, created: false }),
    },
  });

  test("is whole", async () =>
    expect(await type(`task verify ${TASK}`, audited())).toMatchObject({
      exit: 0,
      out: [`the history of task ${TASK} and all it names is whole (1 step with their evidence)`, "pass: It works"],
      talk: [],
    }));

  test("was changed: what is of this task and of its ground is told, where it is first, and the rest counted", async () =>
    expect(
      await type(
        `task verify ${TASK}`,
        audited(
          { stream: "journal", seq: null, problem: "a row is missing" },
          { stream: `task/${OTHER}`, seq: 1, problem: "its hash is wrong" },
          { stream: `task/${TASK}`, seq: 2, problem: "its hash is wrong" },
        ),
      ),
    ).toMatchObject({
      exit: 6,
      out: [
        `the history of task ${TASK} was changed:`,
        `task/${TASK} #2: its hash is wrong`,
        "journal: a row is missing",
        "pass: It works",
      ],
      talk: [
        "1 finding outside of this task: agentos audit verify names them",
        `agentos: 2 findings on task ${TASK}: task/${TASK} #2: its hash is wrong; journal: a row is missing`,
        expect.stringMatching(/^next: /),
      ],
    }));
});

describe("a task that is not taken up because it is paused", () => {
  const waiting = { reason: "daemon_paused", sentence: "It waits because everything is paused.", next: "resume it" };
  const queued = taskGiven({ status: "queued", seq: 2, waiting });
  const ended = taskGiven({ status: "canceled", seq: 3 });

  test.each(["", " --from-now"])("says so once to whoever follows it: attach%s", async (how) => {
    const states = [queued, queued, queued, queued];
    const api: Around["api"] = {
      task: async () => states.shift() ?? ended,
      followTask: async function* (_id, after) {
        for (const seq of [1, 2, 3]) if (seq > after) yield { cursor: seq, event: eventGiven(seq) };
      },
    };
    const { talk } = await type(`task attach ${TASK}${how}`, { api });
    expect(talk.filter((line) => !line.startsWith("12:"))).toEqual([waiting.sentence, `next: ${waiting.next}`]);
  });

  test("says so once to whoever waits for it, and no more than that it goes on when the time is over", async () => {
    const api: Around["api"] = {
      resumeTask: async () => queued,
      task: async () => queued,
      followTask: async function* (_id, _after, signal) {
        yield { cursor: 2, event: eventGiven(2) };
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    };
    const { exit, talk } = await type(`task resume ${TASK} --wait --timeout 0.05`, { api });
    expect([exit, talk]).toEqual([
      124,
      [
        waiting.sentence,
        `next: ${waiting.next}`,
        expect.stringMatching(/^12:00:00 {2}/),
        `not settled after 0.05 s; task ${TASK} goes on (agentos task show ${TASK})`,
      ],
    ]);
  });
});

describe("a new task", () => {
  const api: Around["api"] = {
    project: async () => projectGiven(),
    createTask: async () => taskGiven({ waiting: { reason: "draft", sentence: "It is a draft.", next: "freeze it" } }),
  };

  test("is kept as a draft with facts of a person's own, whatever stands in their values", async () => {
    const said = await type(
      ["task", "create", "Mend it", "--draft", "--project", "shop", "--metadata", "ticket=a=b", "--metadata", "empty="],
      { api },
    );
    expect(said).toMatchObject({ exit: 0, out: [`task ${TASK}`], talk: ["It is a draft.", "next: freeze it"] });
    expect(said.asked.at(-1)).toEqual([
      "createTask",
      {
        title: "Mend it",
        created_by: "ada",
        requires: [],
        suggests: [],
        metadata: { ticket: "a=b", empty: "" },
        project: projectGiven().id,
      },
    ]);
  });

  test.each(["ticket", "=4711"])("is refused with a fact that is none: %s", async (odd) =>
    expect(await type(["task", "create", "x", "--draft", "--metadata", odd], { api })).toMatchObject({
      exit: 2,
      asked: [],
      talk: [`agentos: --metadata must be KEY=VALUE, and "${odd}" is not`, "next: For example: --metadata ticket=4711"],
    }),
  );
});

describe("a spec", () => {
  test("is revised by what was named, and what counted before no longer does", async () => {
    const said = await type(["task", "revise", TASK, "--title", "Better", "--may-change", "tests, ci"], {
      api: { reviseTask: async () => taskGiven() },
    });
    expect(said).toMatchObject({
      exit: 0,
      asked: [["reviseTask", TASK, { title: "Better", may_change: ["tests", "ci"] }]],
      out: [`task ${TASK}: draft`],
      talk: [
        `an earlier freeze, plan and approval no longer count; next: agentos task freeze ${TASK}, then agentos task ready ${TASK}`,
      ],
    });
  });

  test("is not revised by nothing", async () =>
    expect(await type(`task revise ${TASK}`)).toMatchObject({
      exit: 2,
      asked: [],
      talk: ["agentos: nothing was named that should change", "next: agentos task revise --help shows what can."],
    }));
});

test.each(["add", "remove"])("task deps %s names another task", async (verb) =>
  expect(await type(`task deps ${verb} ${TASK}`)).toMatchObject({
    exit: 2,
    asked: [],
    talk: ["agentos: no other task was named", "next: Name it with --requires, --blocks or --suggests."],
  }),
);

test("dependencies are said in the order of their words, each with its task", async () => {
  const said = await type(`task deps add ${TASK} --suggests ${OTHER} --requires ${OTHER}`, {
    api: { addDependency: async () => GRAPH },
  });
  expect(said.asked).toEqual([
    ["addDependency", TASK, { kind: "requires", other: OTHER }],
    ["addDependency", TASK, { kind: "suggests", other: OTHER }],
  ]);
});

describe("one verb for all tasks of a filter", () => {
  const one = (id: string, outcome: "done" | "refused") => ({
    id,
    title: "Mend it",
    status: "draft" as const,
    outcome,
    code: null,
    why: outcome === "refused" ? "it is over" : null,
  });
  const pages: NonNullable<Around["api"]> = {
    bulk: async ({ cursor, dry_run = false }) => ({
      verb: "cancel",
      dry_run,
      items: [cursor === undefined ? one(TASK, "done") : one(OTHER, "refused")],
      done: 0,
      refused: 0,
      next: cursor === undefined ? "2" : null,
    }),
  };

  test("finds them on whichever page they are, and says what came of each", async () => {
    const said = await type("task cancel --session s --status draft,queued", { api: pages });
    expect(said).toMatchObject({
      exit: 4,
      out: [`${TASK}  draft  done     Mend it`, `${OTHER}  draft  refused  it is over`],
      talk: ["1 task refused; the others were not held up by it"],
    });
    const wanted = { session: "s", status: ["draft", "queued"], verb: "cancel" };
    expect(said.asked).toEqual([
      ["bulk", { ...wanted, dry_run: true }],
      ["bulk", { ...wanted, dry_run: true, cursor: "2" }],
      ["bulk", wanted],
      ["bulk", { ...wanted, cursor: "2" }],
    ]);
    expect((await type("task cancel --session s --quiet", { api: pages })).out).toEqual([TASK]);
  });
});
