import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type CliWanted,
  confirming,
  type FakeClient,
  following,
  givenCli,
  recorded,
} from "../../../test/support/given-cli.ts";
import { eventGiven, inboxItemGiven, OTHER, projectGiven, TASK, taskGiven } from "../../../test/support/given-views.ts";
import {
  DOWN,
  ENTER,
  LEAVE,
  onScriptedTerminal,
  scriptedPerson,
  type Told,
  UP,
} from "../../../test/support/scripted-person.ts";
import type { TaskView } from "../../contract/views.ts";
import { trouble } from "../client/trouble.ts";
import type { DaemonProcess } from "./daemon-process.ts";
import { menu } from "./menu.ts";

vi.mock("@clack/prompts", async (original) => onScriptedTerminal(await original()));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "agentos-menu-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The keys from “New task”, where the menu begins, to a choice. */
const TO = {
  inbox: UP + ENTER,
  new: ENTER,
  list: DOWN + ENTER,
  inspect: DOWN + DOWN + ENTER,
  resume: DOWN + DOWN + DOWN + ENTER,
  quit: DOWN + DOWN + DOWN + DOWN + ENTER,
} as const;
const menuThen = (choice: keyof typeof TO): Told => ["AgentOS", TO[choice]];

const daemonWith = (inbox: number | null): DaemonProcess =>
  ({
    find: async () => (inbox === null ? null : { pid: 1, url: "http://127.0.0.1:1", health: { inbox } }),
  }) as DaemonProcess;

/** A person opens the menu, does this, and quits. What they saw and were told. */
async function inMenu(api: FakeClient, told: readonly Told[], more: CliWanted = {}) {
  const person = scriptedPerson(...told, menuThen("quit"));
  const given = givenCli(api, {
    daemon: daemonWith(null),
    settings: {
      home: directory,
      host: "127.0.0.1",
      port: 0,
      runMode: null,
      toolPath: [],
      display: false,
    },
    workingDirectory: directory,
    prompt: confirming(),
    ...more,
  });
  await menu.run({}, given.context);
  expect(person.waitsFor()).toEqual([]);
  return { screen: person.screen(), stdout: given.stdout(), stderr: given.stderr() };
}

const WAITS = { reason: "paused", sentence: "You paused it.", next: "agentos task resume" };
/** The state the person looks at, which the answers are about: nothing has happened since. */
const SEEN = 7;
const ended = (more: Partial<TaskView> = {}) => taskGiven({ status: "succeeded", project: null, seq: SEEN, ...more });
const blocked = (reason: string, sentence: string) =>
  taskGiven({ status: "blocked", block_reason: reason, seq: SEEN, waiting: { ...WAITS, sentence } });

describe("the menu", () => {
  test("says how many wait for the person, and begins at a new task", async () => {
    const { screen } = await inMenu({}, [], { daemon: daemonWith(3) });
    expect(screen).toContain("Needs you");
    const waiting = await inMenu({ inbox: async () => ({ items: [], next: null }) }, [menuThen("inbox")], {
      daemon: daemonWith(3),
    });
    expect(waiting.screen).toContain("Needs you (3)");
    expect(waiting.stderr).toBe("nothing waits for you\n");
  });

  test("is left with an interrupt as well", async () => {
    const person = scriptedPerson(["AgentOS", LEAVE]);
    await menu.run({}, givenCli({}, { daemon: daemonWith(null), prompt: confirming() }).context);
    expect(person.waitsFor()).toEqual([]);
  });

  test("goes on after what was refused, with the sentence and the next step", async () => {
    const refused = async () => {
      throw trouble("task/refused", "no\u001b[2J", { next: "look" });
    };
    const { stderr } = await inMenu({ tasks: refused }, [menuThen("list")]);
    expect(stderr).toBe("no\\u{1b}[2J\nnext: look\n");
  });

  test("ends loudly with what is a bug, and when the person interrupted", async () => {
    scriptedPerson(menuThen("list"));
    const bug = givenCli(
      { tasks: () => Promise.reject(new Error("a bug")) },
      { daemon: daemonWith(null), prompt: confirming() },
    );
    await expect(menu.run({}, bug.context)).rejects.toThrow("a bug");

    scriptedPerson(menuThen("list"));
    const gone = givenCli(
      { tasks: () => Promise.reject(trouble("daemon/unreachable", "it is gone")) },
      { daemon: daemonWith(null), prompt: confirming(), signal: AbortSignal.abort() },
    );
    await expect(menu.run({}, gone.context)).rejects.toThrow("it is gone");
  });
});

describe("“Needs you”", () => {
  test("answers what the person chooses for the state they saw, and looks on until the task stands", async () => {
    const { calls, answers } = recorded();
    const { screen, stderr, stdout } = await inMenu(
      {
        inbox: async () => ({
          items: [inboxItemGiven({ id: OTHER, title: "Another" }), inboxItemGiven()],
          next: null,
        }),
        inboxItem: async (id) => inboxItemGiven({ id }),
        answerInbox: answers("answer", { id: TASK, task: taskGiven({ status: "running" }) }),
        task: async () => ended({ seq: 9 }),
        followTask: following(eventGiven(8, { sentence: "It went on." }), eventGiven(9, { sentence: "It succeeded." })),
      },
      [menuThen("inbox"), ["What first?", DOWN + ENTER], ["Your answer?", `staging${ENTER}`]],
    );
    expect(screen).toContain("Mend it (It asks you something. since 2026-11-22 12:00:00)");
    expect(calls).toEqual([["answer", TASK, { answer: "text", text: "staging", seq: 7 }]]);
    expect(stderr).toContain("12:00:00  It went on.\n12:00:00  It succeeded.\n");
    expect(stdout).toContain(`Task: ${TASK}\nTitle: Mend it\nStatus: succeeded\n`);
  });

  test("has nothing to look on at where the answer was about no task", async () => {
    const { calls, answers } = recorded();
    const { stdout } = await inMenu(
      {
        inbox: async () => ({ items: [inboxItemGiven({ kind: "note", answers: ["approve", "reject"] })], next: null }),
        inboxItem: async () => inboxItemGiven({ kind: "note", answers: ["approve", "reject"] }),
        answerInbox: answers("answer", { id: TASK, task: null }),
      },
      [menuThen("inbox"), ["What first?", ENTER], ["What do you say?", ENTER]],
    );
    expect(calls).toEqual([["answer", TASK, { answer: "approve", seq: 7 }]]);
    expect(stdout).toBe("");
  });

  test("sends nothing when the person leaves, be it at the list or at the question", async () => {
    const api: FakeClient = {
      inbox: async () => ({ items: [inboxItemGiven()], next: null }),
      inboxItem: async () => inboxItemGiven(),
    };
    const atList = await inMenu(api, [menuThen("inbox"), ["What first?", LEAVE]]);
    const atQuestion = await inMenu(api, [menuThen("inbox"), ["What first?", ENTER], ["Your answer?", LEAVE]]);
    expect([atList.stdout, atList.stderr, atQuestion.stdout]).toEqual(["", "", ""]);
  });

  test("takes a plan file where nobody could do the work", async () => {
    writeFileSync(
      join(directory, "mend.json"),
      JSON.stringify({ items: [{ id: "mend", title: "Mend the sum", do: [{ run: ["true"] }] }] }),
    );
    const { calls, answers } = recorded();
    const { stderr, stdout } = await inMenu(
      {
        inbox: async () => ({ items: [inboxItemGiven({ kind: "blocked", reason: "no_model" })], next: null }),
        inboxItem: async () => inboxItemGiven({ kind: "blocked", reason: "no_model" }),
        task: vi
          .fn()
          .mockResolvedValueOnce(blocked("no_model", "No model is named."))
          .mockResolvedValue(taskGiven({ status: "awaiting_approval", seq: SEEN })),
        reviseTask: answers("revise", taskGiven({ status: "draft" })),
        freezeTask: answers("freeze", taskGiven({ status: "draft" })),
        readyTask: answers("ready", taskGiven({ status: "queued" })),
        plan: async () => ({
          version: 1,
          hash: "0123456789abcdef",
          approved: false,
          approved_by: null,
          plan: null,
          canonical: "the plan",
        }),
      },
      [menuThen("inbox"), ["What first?", ENTER], ["A plan file that says what to do", `mend.json${ENTER}`]],
    );
    expect(calls).toEqual([
      [
        "revise",
        TASK,
        expect.objectContaining({
          plan: { items: [expect.objectContaining({ id: "mend", title: "Mend the sum" })] },
        }),
      ],
      ["freeze", TASK],
      ["ready", TASK],
    ]);
    expect(stderr).toBe("No model is named.\n“Resume task” asks whether you approve it.\n");
    expect(stdout).toContain("Status: awaiting_approval\n");
    expect(stdout).toContain("Plan 1, hash 0123456789abcdef\nthe plan\n");
  });

  test("lets the task wait where no plan file is named", async () => {
    const { stdout, stderr } = await inMenu(
      {
        inbox: async () => ({ items: [inboxItemGiven({ kind: "blocked", reason: "no_model" })], next: null }),
        inboxItem: async () => inboxItemGiven({ kind: "blocked", reason: "no_model" }),
        task: async () => blocked("no_model", "No model is named."),
      },
      [menuThen("inbox"), ["What first?", ENTER], ["A plan file that says what to do", ENTER]],
    );
    expect([stdout, stderr]).toEqual(["", "No model is named.\n"]);
  });
});

describe("“New task”", () => {
  const SPEC = { version: 1, frozen: false, hash: null, spec: null, canonical: null };

  test("outside of any repository asks for the project, and starts what was said in it", async () => {
    const { calls, answers } = recorded();
    const { stdout } = await inMenu(
      {
        projects: async () => ({ items: [projectGiven({ id: "P1", name: "shop" }), projectGiven({ id: "P2" })] }),
        createTask: answers("create", taskGiven({ status: "draft" })),
        freezeTask: answers("freeze", taskGiven({ status: "draft" })),
        readyTask: answers("ready", taskGiven({ status: "queued" })),
        spec: async () => SPEC,
        task: async () => ended({ seq: 1 }),
        followTask: following(eventGiven(1, { sentence: "It succeeded." })),
      },
      [
        menuThen("new"),
        ["What is to be done?", ` ${ENTER}`],
        ["Say it in a few words.", `Mend the sum ${ENTER}`],
        ["In which project?", DOWN + ENTER],
      ],
      {
        settings: { home: directory, host: "", port: 0, runMode: "assisted", toolPath: [], display: false },
      },
    );
    expect(calls).toEqual([
      ["create", { title: "Mend the sum", created_by: "ada", run_mode: "assisted", project: "P2" }],
      ["freeze", TASK],
      ["ready", TASK],
    ]);
    expect(stdout).toContain(`task ${TASK}\nspec: version 1, a draft\n`);
    expect(stdout).toContain("Status: succeeded\n");
  });

  test("starts nothing where there is no project to start it in, and says what to do", async () => {
    const { stderr } = await inMenu({ projects: async () => ({ items: [] }) }, [
      menuThen("new"),
      ["What is to be done?", `Mend it${ENTER}`],
    ]);
    expect(stderr).toBe(`there is no git repository at or above ${directory}\nnext: Change into a repository.\n`);
  });

  test("starts nothing when the person leaves", async () => {
    const atTitle = await inMenu({}, [menuThen("new"), ["What is to be done?", LEAVE]]);
    const atProject = await inMenu({ projects: async () => ({ items: [projectGiven()] }) }, [
      menuThen("new"),
      ["What is to be done?", `Mend it${ENTER}`],
      ["In which project?", LEAVE],
    ]);
    expect([atTitle.stdout, atTitle.stderr, atProject.stdout]).toEqual(["", "", ""]);
  });
});

describe("“List tasks”, “Inspect task”", () => {
  test("show the tasks there are, and all of the one that is chosen", async () => {
    const api: FakeClient = {
      tasks: async () => ({ items: [{ ...ended(), stalled: false }], next: null }),
      task: async () => ended(),
    };
    const listed = await inMenu(api, [menuThen("list")]);
    expect(listed.stdout).toContain(`${TASK}  succeeded  normal    -        2026-11-22 12:00:00  Mend it\n`);
    const inspected = await inMenu(api, [menuThen("inspect"), ["Which task?", ENTER]]);
    expect(inspected.screen).toContain(`${TASK}  Mend it (succeeded, 2026-11-22 12:00:00)`);
    expect(inspected.stdout).toContain(`Task: ${TASK}\n`);
    const left = await inMenu(api, [menuThen("inspect"), ["Which task?", LEAVE]]);
    expect(left.stdout).toBe("");
  });

  test("say where there is none", async () => {
    const { stderr } = await inMenu({ tasks: async () => ({ items: [], next: null }) }, [menuThen("inspect")]);
    expect(stderr).toBe("there are no tasks yet\n");
  });
});

describe("“Resume task”", () => {
  /** One task waits, and what is sent about it is written down. */
  function waiting(task: TaskView) {
    const { calls, answers } = recorded();
    const states = [task, ended()];
    const api: FakeClient = {
      tasks: async () => ({ items: [{ ...task, stalled: false }], next: null }),
      task: async () => states.shift() ?? ended(),
      resumeTask: answers("resume", taskGiven({ status: "queued" })),
    };
    return { calls, api };
  }
  const FIRST: readonly Told[] = [menuThen("resume"), ["Which of those that wait for you?", ENTER]];

  test("says where no task waits", async () => {
    const asked: unknown[] = [];
    const { stderr } = await inMenu(
      {
        tasks: async (query) => {
          asked.push(query);
          return { items: [], next: null };
        },
      },
      [menuThen("resume")],
    );
    expect(asked).toEqual([{ status: "awaiting_approval,blocked", limit: 20 }]);
    expect(stderr).toBe("no task waits for you\n");
  });

  test("asks what became of a step whose outcome is unknown", async () => {
    const { calls, api } = waiting(blocked("outcome_unknown", "It cannot be known whether it took effect."));
    const { stdout } = await inMenu(api, [
      ...FIRST,
      ["It cannot be known whether it took effect. What became of it?", DOWN + DOWN + ENTER],
    ]);
    expect(calls).toEqual([["resume", TASK, { outcome: "abort" }]]);
    expect(stdout).toContain("Status: succeeded\n");
  });

  test("leaves it as it is when the person does not know", async () => {
    const { calls, api } = waiting(blocked("outcome_unknown", "It cannot be known."));
    const { stdout } = await inMenu(api, [...FIRST, ["What became of it?", LEAVE]]);
    expect([calls, stdout]).toEqual([[], ""]);
  });

  test.each([
    [true, [["resume", TASK, {}]]],
    [false, []],
  ])("lets any other go on after a yes, and only then: %j", async (yes, sent) => {
    const { calls, api } = waiting(blocked("paused", "You paused it."));
    const prompt = confirming(yes);
    const { stdout } = await inMenu(api, FIRST, { prompt });
    expect(prompt.asked).toEqual(["You paused it. Let it go on?"]);
    expect([calls, stdout.includes("Status: succeeded\n")]).toEqual([sent, yes]);
  });

  test("takes a plan file for a task that nobody could do", async () => {
    const { calls, api } = waiting(blocked("no_model", "No model is named."));
    const { stderr } = await inMenu(api, [...FIRST, ["A plan file that says what to do", LEAVE]]);
    expect([calls, stderr]).toEqual([[], "No model is named.\n"]);
  });
});
