import { expect, test } from "vitest";
import { type FakeClient, givenCli, recorded } from "../../../test/support/given-cli.ts";
import { projectGiven, repoGiven, TASK, taskGiven } from "../../../test/support/given-views.ts";
import { problemOf, trouble } from "../client/trouble.ts";
import { projectHere, startTask } from "./start-task.ts";

const SCAN = {
  root: "/shop",
  head: "c1",
  branch: "main",
  unsupported: [],
  ecosystems: [],
  gates: [],
  prepare: [],
  notes: [],
};
const FILES = Array.from({ length: 10 }, (_, at) => `${at}.txt`);

/** Starts a task in a project with two repositories, of which one has uncommitted files. */
function starting(api: FakeClient, more: { readonly include_changes?: boolean } = {}) {
  const { calls, answers } = recorded();
  const { context, stderr } = givenCli({
    scanRepo: async (id) => ({ ...SCAN, dirty: id === "R1" ? FILES : [] }),
    createTask: answers("create", taskGiven({ status: "draft" })),
    freezeTask: answers("freeze", taskGiven({ status: "draft" })),
    readyTask: answers("ready", taskGiven({ status: "queued" })),
    spec: async () => ({ version: 1, frozen: true, hash: "s1", spec: null, canonical: null }),
    ...api,
  });
  const project = projectGiven({
    id: "P1",
    repos: [repoGiven({ id: "R1", name: "app" }), repoGiven({ id: "R2", name: "lib" })],
  });
  return { calls, stderr, started: startTask(context, { title: "Mend it", created_by: "ada", ...more }, project) };
}

test("a task is created, frozen and readied, and a person hears what of theirs is not part of it", async () => {
  const { calls, stderr, started } = starting({});
  expect(await started).toMatchObject({ task: { status: "queued" }, spec: { hash: "s1" } });
  expect(calls).toEqual([
    ["create", { title: "Mend it", created_by: "ada", project: "P1" }],
    ["freeze", TASK],
    ["ready", TASK],
  ]);
  expect(stderr()).toBe(
    "not part of the task (--include-changes takes them along): 10 uncommitted files of app: 0.txt, 1.txt, 2.txt, 3.txt, 4.txt, 5.txt, 6.txt, 7.txt and 2 more\n",
  );
});

test("or that it is", async () => {
  const { stderr, started } = starting({}, { include_changes: true });
  await started;
  expect(stderr()).toMatch(/^included with the task: 10 uncommitted files of app: /);
});

test("what is refused after the task was created names the draft that stays", async () => {
  const refusal = trouble("task/refused", "no gate can prove it", { next: "Name one.", facts: { gates: 0 } });
  const { calls, started } = starting({ freezeTask: () => Promise.reject(refusal) });
  const error = await started.catch((thrown: unknown) => thrown);
  expect(problemOf(error)).toEqual({
    ...refusal.problem,
    detail: `no gate can prove it (task ${TASK} stays a draft)`,
    next: `Name one. The draft is changed with agentos task revise ${TASK} and goes on with agentos task freeze ${TASK}, then agentos task ready ${TASK}; agentos task cancel ${TASK} drops it.`,
    facts: { gates: 0, task: TASK },
  });
  expect((error as Error).cause).toBe(refusal);
  expect(calls.map((call) => (call as readonly unknown[])[0])).toEqual(["create"]);
});

test("a bug stays one", async () => {
  const bug = new TypeError("a bug");
  const { started } = starting({ readyTask: () => Promise.reject(bug) });
  await expect(started).rejects.toBe(bug);
});

test("the project of a directory is the one that was named, whatever the directory", async () => {
  const { context } = givenCli({ project: async (name) => projectGiven({ name }) });
  expect((await projectHere(context, "site"))?.name).toBe("site");
  expect(await projectHere(context, undefined)).toBeNull();
});
