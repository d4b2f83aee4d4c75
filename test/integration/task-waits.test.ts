import { renameSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { Failure, isFailure } from "../../src/domain/failure.ts";
import { waitingFor } from "../../src/domain/sentence.ts";
import { ADA, gate, git, plan, type Rig, repository, room, startRig } from "./task-kit.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});

const GREEN = gate("test -f done");
const WORK = plan("touch done");

const failureOf = async (what: Promise<unknown>): Promise<Failure> => {
  try {
    await what;
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
  throw new Error("nothing was refused");
};

describe("what a task waits for, and how it goes on", () => {
  it("without agent and model it is blocked as no_model, before anything was looked at", async () => {
    const id = await rig.queued(await rig.project(repository()), { gates: [GREEN] });
    const waits = await rig.until(id, "blocked", "failed");
    expect(waits).toMatchObject({ status: "blocked", reason: "no_model", phase: "intent", bases: null });
    expect(waitingFor(waits)?.next).toContain("agentos model policy set any PROVIDER/MODEL");
    expect(await rig.bodies(id, "STEP_STARTED")).toEqual([]);
  });

  it("no intent falls back to the gates agent, not even one that speaks of running tests", async () => {
    const id = await rig.queued(await rig.project(repository()), {
      title: "Run the tests and tell me",
      gates: [GREEN],
    });
    expect((await rig.until(id, "blocked", "succeeded")).status).toBe("blocked");
  });

  it("a repository without tests is unproven, with one attempt, and a person may accept it on record", async () => {
    const id = await rig.approved(await rig.project(repository()), WORK);
    const waits = await rig.until(id, "blocked");
    expect([waits.reason, waits.attempt]).toEqual(["gates_exhausted", 1]);
    expect(waits.verdicts["tests"]).toMatchObject({ verdict: "unproven" });
    expect(waits.detail).toContain("the repository has none");
    expect(
      (await failureOf(rig.system.cases.answer.accept({ kind: "agent", name: "sly" }, id, "it is fine"))).facts["why"],
    ).toBe("only a person may accept what is not proven");
    expect((await failureOf(rig.system.cases.answer.accept(ADA, id, ""))).code).toBe("input/invalid");
    await rig.system.cases.answer.accept(ADA, id, "I looked at it");
    const done = await rig.task(id);
    expect(done).toMatchObject({ status: "succeeded", exitReason: "accepted_unproven", acceptedUnproven: ["tests"] });
    const [accepted] = await rig.bodies(id, "ACCEPTED_UNPROVEN");
    expect(await rig.text(accepted?.reason ?? null)).toBe("I looked at it");
  });

  it("a repository that was moved before planning: repo_missing, and it goes on when it is back", async () => {
    const repo = repository();
    const id = await rig.frozen(await rig.project(repo), { ...WORK, gates: [GREEN] });
    renameSync(repo, `${repo}-away`);
    await rig.system.cases.answer.ready(ADA, id);
    const waits = await rig.until(id, "blocked", "failed");
    expect(waits).toMatchObject({ status: "blocked", reason: "repo_missing" });
    expect("detail" in waits && waits.detail).toContain(repo);
    renameSync(`${repo}-away`, repo);
    await rig.system.cases.answer.resume(ADA, id, null, null);
    await rig.until(id, "awaiting_approval");
    await rig.approve(id);
    expect((await rig.until(id, "succeeded", "blocked")).status).toBe("succeeded");
  });

  it("a repository that was moved after planning does not stop the work: the task has its own clone", async () => {
    const repo = repository();
    const id = await rig.queued(await rig.project(repo), { ...WORK, gates: [GREEN] });
    await rig.until(id, "awaiting_approval");
    renameSync(repo, `${repo}-away`);
    await rig.approve(id);
    expect((await rig.until(id, "succeeded", "blocked", "failed")).status).toBe("succeeded");
  });

  it("a project with a living task is not deleted; of a deleted one a retried task waits as repo_missing", async () => {
    const project = await rig.project(repository());
    const id = await rig.queued(project, { ...plan("exit 1"), gates: [GREEN], run_mode: "autonomous", attempts: 1 });
    expect((await rig.until(id, "failed", "blocked")).status).toBe("failed");
    const living = await rig.queued(project, { ...WORK, gates: [GREEN] });
    await rig.until(living, "awaiting_approval");
    expect((await failureOf(rig.system.cases.deleteProject(ADA, project.id))).code).toBe("project/refused");
    await rig.system.cases.answer.cancel(ADA, living, null);
    await rig.system.cases.deleteProject(ADA, project.id);
    await rig.system.cases.answer.retry(ADA, id);
    const waits = await rig.until(id, "blocked", "failed");
    expect(waits).toMatchObject({ status: "blocked", reason: "repo_missing" });
  });

  it("a plan whose exploring finds nothing still is a plan; what it saw is in its notes", async () => {
    const id = await rig.queued(await rig.project(repository()), {
      agent: "script",
      plan: {
        explore: [{ run: "cat a.txt" }, { run: "exit 9" }],
        items: [{ id: "work", title: "w", do: [{ run: "touch done" }] }],
      },
      gates: [GREEN],
    });
    await rig.until(id, "awaiting_approval");
    const { value } = await rig.system.cases.look.plan(id);
    expect(value.notes).toEqual([
      "app: /bin/sh -c cat a.txt exited with 0: one",
      "app: /bin/sh -c exit 9 exited with 9: ",
    ]);
    await rig.system.cases.answer.cancel(ADA, id, null);
  });

  it("a spec that does not have its frozen hash any more makes the task wait as integrity", async () => {
    const project = await rig.project(repository());
    let corrupt = false;
    const other = await startRig({
      store: (store) => ({
        ...store,
        tasks: {
          ...store.tasks,
          spec: async (task, version) => {
            const found = await store.tasks.spec(task, version);
            return corrupt && found !== null
              ? { ...found, text: found.text.replace('"attempts":3', '"attempts":4') }
              : found;
          },
        },
      }),
    });
    expect(project.repos).toHaveLength(1);
    const id = await other.queued(await other.project(repository()), { ...WORK, gates: [GREEN] });
    await other.until(id, "awaiting_approval");
    corrupt = true;
    await other.approve(id);
    expect(await other.until(id, "blocked", "failed")).toMatchObject({ status: "blocked", reason: "integrity" });
    corrupt = false;
    await other.system.cases.answer.resume(ADA, id, null, null);
    expect((await other.until(id, "succeeded", "failed")).status).toBe("succeeded");
  });

  it("a busy store is waited for: it is nobody's fault, and the task neither fails nor stands still", async () => {
    let busy = 3;
    const other = await startRig({
      store: (store) => ({
        ...store,
        async append(wanted) {
          if (busy > 0 && wanted.events.some(({ event }) => event.type === "STEP_COMPLETED")) {
            busy -= 1;
            throw new Failure("store/busy", "another process keeps the write lock");
          }
          return store.append(wanted);
        },
      }),
    });
    const id = await other.queued(await other.project(repository()), {
      ...WORK,
      gates: [GREEN],
      run_mode: "autonomous",
    });
    const done = await other.until(id, "succeeded", "failed", "blocked");
    expect([done.status, busy]).toEqual(["succeeded", 0]);
    expect(other.warnings).toEqual([]);
  });

  it("an agent's bug ends the task as bug and leaves the others alone", async () => {
    const { scriptAgent } = await import("../../src/agents/script/script-agent.ts");
    const other = await startRig({
      agents: {
        script: {
          ...scriptAgent,
          work: async (item, can) => {
            if (item.id === "work") return scriptAgent.work(item, can);
            throw new TypeError("undefined is not a function");
          },
        },
      },
    });
    const project = await other.project(repository());
    const bad = await other.approved(project, {
      agent: "script",
      plan: { items: [{ id: "buggy", title: "w", do: [{ run: "true" }] }] },
      gates: [GREEN],
    });
    const good = await other.approved(project, { ...WORK, gates: [GREEN] });
    const failed = await other.until(bad, "failed");
    expect([failed.exitReason, failed.openStep, failed.detail.includes("is not a function")]).toEqual([
      "bug",
      null,
      false,
    ]);
    expect(other.warnings).toHaveLength(1);
    expect((await other.until(good, "succeeded", "failed")).status).toBe("succeeded");
  });
});

it("names that every object has are names like any other: of gates, of items, of repos", async () => {
  const repo = repository({ "a.txt": "one\n" }, `${room()}/constructor`);
  const id = await rig.approved(await rig.project(repo), {
    agent: "script",
    plan: { items: [{ id: "constructor", title: "w", do: [{ run: "touch done" }] }] },
    gates: [gate("test -f done", "constructor")],
  });
  const done = await rig.until(id, "succeeded");
  expect(Object.keys(done.verdicts)).toEqual(["constructor"]);
});

describe("binding", () => {
  it("a spec frozen without a project is not what runs after binding, not even when freezing it again is refused", async () => {
    const { cases } = rig.system;
    const { draftFrom } = await import("../../src/contract/from-wire.ts");
    const { SpecInput } = await import("../../src/contract/inputs.ts");
    const draft = draftFrom(
      SpecInput.parse({ title: "Early", agent: "gates", scopes: [{ repo: "elsewhere", access: "full" }] }),
    );
    const { task } = await cases.createTask(ADA, {
      id: null,
      draft,
      createdBy: "ada",
      session: null,
      metadata: null,
      priority: null,
      project: null,
      dependencies: [],
    });
    await cases.freezeTask(ADA, task.id);
    const project = await rig.project(repository());
    expect((await failureOf(cases.bindTask(ADA, task.id, project.id))).code).toBe("spec/invalid");
    expect((await failureOf(cases.answer.ready(ADA, task.id))).facts["why"]).toBe("its spec is not frozen");
  });

  it("a spec frozen without a project is completed from it and frozen anew", async () => {
    const { cases } = rig.system;
    const { draftFrom } = await import("../../src/contract/from-wire.ts");
    const { SpecInput } = await import("../../src/contract/inputs.ts");
    const draft = draftFrom(SpecInput.parse({ title: "Early", agent: "gates" }));
    const { task } = await cases.createTask(ADA, {
      id: null,
      draft,
      createdBy: "ada",
      session: null,
      metadata: null,
      priority: null,
      project: null,
      dependencies: [],
    });
    await cases.freezeTask(ADA, task.id);
    const bound = await cases.bindTask(ADA, task.id, (await rig.project(repository())).id);
    expect(bound.task.spec?.version).toBe(2);
    expect((await cases.look.spec(task.id)).value.gates).toHaveLength(1);
  });
});

describe("several tasks", () => {
  it("run at the same time, at most as many as the worker has room for", async () => {
    const few = await startRig({}, { tasksMax: 2 });
    const project = await few.project(repository());
    const ids = await Promise.all(
      ["a", "b", "c", "d"].map((name) =>
        few.queued(project, { title: name, ...plan("sleep 0.5; touch done"), gates: [GREEN], run_mode: "autonomous" }),
      ),
    );
    for (const id of ids) expect((await few.until(id, "succeeded", "failed", "blocked")).status).toBe("succeeded");
    let holding = 0;
    let most = 0;
    const life = (await Promise.all(ids.map((id) => few.events(id)))).flat().sort((a, b) => a.atMs - b.atMs);
    const ends = new Set(["PLAN_PROPOSED", "COMPLETED"]);
    for (const { event } of life) {
      if (event.type === "CLAIMED") holding += 1;
      if (ends.has(event.type)) holding -= 1;
      most = Math.max(most, holding);
    }
    expect(most).toBe(2);
    expect(few.warnings).toEqual([]);
  });

  it("a task put into the queue is taken up at once: nothing polls", async () => {
    const project = await rig.project(repository());
    const id = await rig.queued(project, { ...WORK, gates: [GREEN] });
    await rig.until(id, "awaiting_approval");
    const events = await rig.events(id);
    const at = (type: string): number => events.find(({ event }) => event.type === type)?.atMs ?? Number.NaN;
    expect(at("CLAIMED") - at("QUEUED")).toBeLessThan(1_000);
    await rig.system.cases.answer.cancel(ADA, id, null);
  });

  it("two repositories in one task: each has its own candidate, and the one that is read-only stays as it is", async () => {
    const code = repository({ "a.txt": "one\n" });
    const docs = repository({ "d.txt": "doc\n" }, `${code}-docs`);
    const project = await rig.project(code, docs);
    const id = await rig.approved(project, {
      agent: "script",
      plan: {
        items: [
          {
            id: "code",
            title: "c",
            repo: "app",
            do: [{ run: "cat ../app-docs/d.txt > a.txt; echo x > ../app-docs/d.txt || true" }],
          },
        ],
      },
      scopes: [
        { repo: "app", access: "full" },
        { repo: "app-docs", access: "read_only" },
      ],
      gates: [{ id: "check", repo: "app", run: "grep -qx doc a.txt" }],
    });
    const done = await rig.until(id, "succeeded", "blocked");
    expect(done.status).toBe("succeeded");
    expect([done.candidate?.["app"]?.changed, done.candidate?.["app-docs"]?.changed]).toEqual([1, 0]);
    expect(git(docs, "status", "--porcelain")).toBe("");
  });
});

describe("the gates agent", () => {
  it("runs the gates, changes nothing and stores report.md, from the template's title alone", async () => {
    const repo = repository({
      "package.json": JSON.stringify({ name: "app", scripts: { test: "node --test" } }),
      "a.test.js": 'require("node:test").test("adds", () => {});',
    });
    const id = await rig.approved(await rig.project(repo), { title: "Run tests and generate report" });
    const done = await rig.until(id, "succeeded", "blocked");
    expect(done).toMatchObject({ status: "succeeded", exitReason: "done", template: "Run tests and generate report" });
    expect(done.verdicts["tests"]).toMatchObject({
      verdict: "pass",
      counts: { passed: 1, failed: 0, skipped: 0, todo: 0 },
    });
    expect(done.candidate?.["app"]?.changed).toBe(0);
    const { mediaType, bytes } = await rig.system.cases.look.artifact(id, "report.md");
    const report = new TextDecoder().decode(bytes);
    expect(mediaType).toBe("text/markdown");
    expect(report).toContain("| tests | app |");
    expect(report).toContain("| pass | 1 passed, 0 failed, 0 skipped |");
  });

  it("writes the report of red gates too, and does not try again what cannot come out differently", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      agent: "gates",
      gates: [gate("echo broken; exit 4")],
    });
    const waits = await rig.until(id, "blocked");
    expect([waits.reason, waits.attempt]).toEqual(["gates_exhausted", 1]);
    const report = new TextDecoder().decode((await rig.system.cases.look.artifact(id, "report.md")).bytes);
    expect(report).toContain("| fail |");
    expect(report).toContain("exited with 4");
  });
});

it("leaves nothing to warn about", () => expect(rig.warnings).toEqual([]));
