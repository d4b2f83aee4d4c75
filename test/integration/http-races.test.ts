import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, MEND_SUM, sampleRepo, type TestDaemon, waitForStatus, withDaemon } from "../support/daemon.ts";

/* Many who ask for the same thing in the same moment: one of them does it, and every other one is told what is the case now. */

const MANY = 20;

let daemon: TestDaemon;
let project = "";

beforeAll(async () => {
  daemon = await withDaemon({ config: { tasksMax: 1 } });
  project = (await daemon.api.projectOfPath({ path: sampleRepo("red") })).project.id;
});
afterAll(() => expect(daemon.log()).toEqual([]));

const atOnce = (ask: (index: number) => Promise<Answer>): Promise<readonly Answer[]> =>
  Promise.all(Array.from({ length: MANY }, (_, index) => ask(index)));
const outcomes = (answers: readonly Answer[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const { status, json } of answers)
    counts[`${status} ${json?.code ?? "done"}`] = (counts[`${status} ${json?.code ?? "done"}`] ?? 0) + 1;
  return counts;
};
const types = async (id: string): Promise<readonly string[]> =>
  (await daemon.api.taskEvents(id, 0, 1_000)).items.map(({ type }) => type);

test("a project's name is given once", async () => {
  expect(outcomes(await atOnce(() => daemon.ask("POST", "/api/projects", { body: { name: "wanted" } })))).toEqual({
    "201 done": 1,
    "409 project/refused": MANY - 1,
  });
  expect((await daemon.api.projects()).items.filter(({ name }) => name === "wanted")).toHaveLength(1);
});

test("the project of a path is made once", async () => {
  const path = sampleRepo("plain");
  const answers = await atOnce(() => daemon.ask("POST", "/api/projects/of-path", { body: { path } }));
  expect(outcomes(answers)).toEqual({ "200 done": MANY });
  expect(new Set(answers.map(({ json }) => json.project.id)).size).toBe(1);
  expect(answers.filter(({ json }) => json.made)).toHaveLength(1);
});

test("a repository is added once", async () => {
  const path = sampleRepo("plain");
  await daemon.api.createProject({ name: "grows" });
  expect(outcomes(await atOnce(() => daemon.ask("POST", "/api/projects/grows/repos", { body: { path } })))).toEqual({
    "201 done": 1,
    "409 project/refused": MANY - 1,
  });
  expect((await daemon.api.repos("grows")).items).toHaveLength(1);
});

test("a task is made ready once, its plan is approved once, and it is canceled once", async () => {
  const { id } = await daemon.api.createTask({ title: "Wanted by many", project, plan: MEND_SUM });
  const all = (verb: string, body = {}) => atOnce(() => daemon.ask("POST", `/api/tasks/${id}/${verb}`, { body }));
  const once = { "200 done": 1, "409 task/refused": MANY - 1 };
  await daemon.api.freezeTask(id);
  expect(outcomes(await all("ready"))).toEqual(once);
  await waitForStatus(daemon.api, id, ["awaiting_approval"]);
  expect(outcomes(await all("approve", { plan: (await daemon.api.plan(id)).hash }))).toEqual(once);
  expect((await types(id)).filter((type) => type === "PLAN_APPROVED")).toHaveLength(1);
  await waitForStatus(daemon.api, id, ["succeeded"]);
  expect(outcomes(await all("cancel"))).toEqual({ "409 task/refused": MANY });
});

test("a spec that is worked on is not revised, and nothing of it changes", async () => {
  const { id } = await daemon.api.createTask({ title: "Agreed on", project, plan: MEND_SUM });
  await daemon.api.freezeTask(id);
  await daemon.api.readyTask(id);
  const waiting = await waitForStatus(daemon.api, id, ["awaiting_approval"]);
  const before = await daemon.api.spec(id);
  const revised = await daemon.ask("PATCH", `/api/tasks/${id}/spec`, { body: { title: "Something else" } });
  if (revised.status === 200) {
    // Allowed as an explicit step back: then the plan is void and cannot be approved any more.
    expect(revised.json).toMatchObject({ status: "draft", spec: null });
    expect((await daemon.ask("POST", `/api/tasks/${id}/approve`, { body: { plan: waiting.plan?.hash } })).status).toBe(
      409,
    );
  } else {
    expect({ status: revised.status, code: revised.json.code }).toEqual({ status: 409, code: "task/refused" });
    expect(await daemon.api.spec(id)).toEqual(before);
  }
});
