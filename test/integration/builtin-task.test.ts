import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BLOCK_REASONS } from "../../src/domain/waiting.ts";
import type { SeenRequest } from "../support/model-server.ts";
import { calls, type Scripted } from "../support/scripted-model.ts";
import {
  EDITS,
  FINISHES,
  FIRST,
  GREEN,
  item,
  KEY,
  type Modelled,
  plans,
  resumeWith,
  setModels,
  startModelled,
  submits,
  titleOf,
  told,
  turnOf,
  wellBehaved,
} from "./builtin-kit.ts";
import { ADA, git, repository } from "./task-kit.ts";

const SCRIPTS: Record<string, (request: SeenRequest) => Scripted> = {};
let made: Modelled;
beforeAll(async () => {
  made = await startModelled((request) => (SCRIPTS[titleOf(request)] ?? wellBehaved)(request));
});
afterAll(() => made.rig.stop());

const outcomeIn = (request: SeenRequest) => request.messages.filter(({ role }) => role === "tool").at(-1)?.text ?? "";

describe("a task of the built-in agent", () => {
  it("without any model waits before anything is looked at, and goes on once there is one", async () => {
    const { rig, server } = made;
    const id = await rig.queued(await rig.project(repository()), { title: "No model", ...GREEN });
    const blocked = await rig.until(id, "blocked");
    expect([blocked.reason, blocked.detail, blocked.bases]).toEqual([
      "no_model",
      "no model is configured for the phase planning of this task",
      null,
    ]);
    expect(BLOCK_REASONS.no_model.next).toContain("agentos model policy set");
    expect(server.requests).toEqual([]);
    await setModels(rig, FIRST);
    await rig.system.cases.answer.resume(ADA, id, null, null);
    await rig.until(id, "awaiting_approval");
    await rig.approve(id);
    await rig.until(id, "succeeded");
  });

  it("mends a failing test end to end: plan, approval, a try that is red, one that knows why, green, delivered", async () => {
    const { rig, server } = made;
    const title = "Mend the sum";
    const failed = "An earlier attempt did not get there.";
    const seen: string[] = [];
    SCRIPTS[title] = (request) => {
      const turn = turnOf(request);
      if (plans(request)) {
        const looks = [
          calls(["list", {}], ["read", { path: "AGENTS.md" }]),
          calls(["inspect", { command: "cat sum.js" }]),
        ];
        return (
          looks[turn] ?? submits({ ...item({ criterion: "tests" }), paths: ["sum.js"], commands: ["node --test"] })
        );
      }
      const second = told(request).includes(failed);
      seen[second ? 1 : 0] ??= told(request);
      const wrong = calls(["edit", { path: "sum.js", find: "a - b", replace: "a * b" }]);
      const right = calls(["edit", { path: "sum.js", find: "a * b", replace: "a + b" }]);
      return [calls(["read", { path: "sum.js" }]), second ? right : wrong][turn] ?? FINISHES;
    };
    const app = repository({
      "AGENTS.md": "Numbers only.\n",
      "package.json": '{"type":"module"}\n',
      "sum.js": "export const sum = (a, b) => a - b;\n",
      "sum.test.js":
        'import test from "node:test";\nimport assert from "node:assert";\nimport { sum } from "./sum.js";\ntest("it adds", () => assert.equal(sum(2, 3), 5));\n',
    });
    const from = server.requests.length;
    const tests = { id: "tests", run: "node --test --test-reporter=tap", report: "tap", definition: ["sum.test.js"] };
    const id = await rig.approved(await rig.project(app), { title, gates: [tests] });
    const done = await rig.until(id, "succeeded");

    expect(done.attempt).toBe(2);
    expect(seen[0]).not.toContain(failed);
    // The real output of the gate, as the test runner wrote it.
    expect(seen[1]).toContain("not ok 1 - it adds");
    expect(seen[1]).toContain("error: '6 == 5'");
    await rig.system.cases.deliver({ task: id, by: ADA, way: "merge", branch: null });
    expect(git(app, "show", "main:sum.js")).toBe("export const sum = (a, b) => a + b;");
    // One request for each finished call, all of them by the key; what was asked of the model stands in the journal.
    const finished = (await rig.bodies(id, "STEP_COMPLETED")).filter(({ evidence }) =>
      evidence.some(({ kind }) => kind === "model"),
    );
    expect(server.requests.length - from).toBe(finished.length);
    expect(server.requests.at(-1)?.headers["authorization"]).toBe(`Bearer ${KEY}`);
    // AGENTS.md was read as a file like another: the step's evidence has its hash.
    const reads = (await rig.bodies(id, "STEP_COMPLETED")).flatMap(({ evidence }) =>
      evidence.flatMap((one) => (one.kind === "file" && one.path === "AGENTS.md" ? [one.after] : [])),
    );
    const hash = execFileSync("sha256sum", [join(app, "AGENTS.md")], { encoding: "utf8" }).slice(0, 64);
    expect(reads.length).toBeGreaterThanOrEqual(3);
    expect(new Set(reads)).toEqual(new Set([hash]));
  });

  it("works in several repositories by one plan", async () => {
    const { rig } = made;
    const title = "Both";
    SCRIPTS[title] = (request) => {
      if (plans(request)) return submits(item({ repo: "app" }), item({ id: "lib", repo: "lib", depends_on: ["say"] }));
      const repo = told(request).includes("Work item lib") ? "lib" : "app";
      return turnOf(request) === 0 ? calls(["edit", { repo, path: "a.txt", find: "one", replace: "two" }]) : FINISHES;
    };
    const [app, lib] = [repository(), repository({ "a.txt": "one\n" }, `${repository()}/../lib`)];
    const gates = [
      { id: "both", repo: "app", beside: ["lib"], run: "cd $AGENTOS_REPOS && grep -q two app/a.txt lib/a.txt" },
    ];
    const id = await rig.approved(await rig.project(app, lib), { title, gates });
    const done = await rig.until(id, "succeeded");
    expect([done.candidate?.["app"]?.changed, done.candidate?.["lib"]?.changed]).toEqual([1, 1]);
  });

  it("leaves the plan's paths only with a person's yes, and is told a no", async () => {
    const { rig } = made;
    const title = "Further";
    SCRIPTS[title] = (request) => {
      if (plans(request)) return submits(item());
      const further = calls(["write", { path: "other.txt", content: "x\n" }]);
      const run = calls(["run", { command: "touch third.txt" }]);
      return [further, run, EDITS][turnOf(request)] ?? FINISHES;
    };
    const id = await rig.approved(await rig.project(repository()), { title, ...GREEN });
    const asked = await rig.until(id, "blocked");
    expect([asked.reason, asked.asked?.matter.kind, asked.detail]).toEqual([
      "approval_needed",
      "permission",
      "write other.txt in app: work item say of the approved plan does not name other.txt",
    ]);
    const settle = (decision: "allowed" | "denied") =>
      rig.system.cases.answer.settle(ADA, id, { decision, text: null, grant: false, expected: null });
    await settle("allowed");
    await rig.happened(id, "ASKED", (await rig.events(id)).find(({ event }) => event.type === "ANSWERED")?.seq);
    await rig.until(id, "blocked");
    await settle("denied");
    const done = await rig.until(id, "succeeded");
    expect(done.candidate?.["app"]?.changed).toBe(2);
    const last = made.server.requests.findLast((request) => titleOf(request) === title && !plans(request));
    expect(last?.messages.filter(({ role }) => role === "tool").map(({ text }) => text)).toEqual([
      "other.txt was written.",
      "Not done: run touch third.txt in app: a person said no",
      "a.txt was changed.",
    ]);
  });

  it("was refused something, then asks a person, and goes on from where it was", async () => {
    const { rig } = made;
    const title = "Refused and asking";
    SCRIPTS[title] = (request) => {
      if (plans(request)) return submits(item());
      const further = calls(["write", { path: "other.txt", content: "x\n" }]);
      return [calls(["run", { command: "sudo ls" }]), further, EDITS][turnOf(request)] ?? FINISHES;
    };
    const id = await rig.approved(await rig.project(repository()), { title, ...GREEN });
    expect(await rig.until(id, "blocked")).toMatchObject({ reason: "approval_needed", denials: 1 });
    await rig.system.cases.answer.settle(ADA, id, { decision: "allowed", text: null, grant: false, expected: null });
    expect((await rig.until(id, "succeeded")).candidate?.["app"]?.changed).toBe(2);
  });

  it("autonomous leaves the plan's paths not by itself: the task waits, and a no is told to the model", async () => {
    const { rig } = made;
    const title = "Alone and further";
    SCRIPTS[title] = (request) => {
      if (plans(request)) return submits(item());
      return [calls(["write", { path: "other.txt", content: "x\n" }]), EDITS][turnOf(request)] ?? FINISHES;
    };
    const id = await rig.queued(await rig.project(repository()), { title, run_mode: "autonomous", ...GREEN });
    expect(await rig.until(id, "blocked")).toMatchObject({
      reason: "approval_needed",
      asked: { matter: { kind: "permission" } },
    });
    await rig.system.cases.answer.settle(ADA, id, { decision: "denied", text: null, grant: false, expected: null });
    const done = await rig.until(id, "succeeded");
    expect(done.candidate?.["app"]?.changed).toBe(1);
    const last = made.server.requests.findLast((request) => titleOf(request) === title && !plans(request));
    expect(last?.messages.filter(({ role }) => role === "tool").map(({ text }) => text)).toEqual([
      "Not done: write other.txt in app: a person said no",
      "a.txt was changed.",
    ]);
  });

  it("asks a person and goes on with the answer, in planning as in the work", async () => {
    const { rig } = made;
    const title = "Curious";
    SCRIPTS[title] = (request) => {
      const turn = turnOf(request);
      if (turn === 0) return calls(["ask", { question: "Which word?", choices: ["one", "two"] }]);
      expect(outcomeIn(request)).toMatch(/^(The person answered: two|a\.txt was written\.)$/);
      if (plans(request)) return submits(item());
      return turn === 1 ? calls(["write", { path: "a.txt", content: "two\n" }]) : FINISHES;
    };
    const id = await rig.queued(await rig.project(repository()), { title, run_mode: "autonomous", ...GREEN });
    for (const step of ["1.plan", "1.item-say"]) {
      const blocked = await rig.until(id, "blocked");
      expect([blocked.reason, blocked.asked?.step.startsWith(step)]).toEqual(["question", true]);
      await rig.system.cases.answer.settle(ADA, id, {
        decision: "answered",
        text: "two",
        grant: false,
        expected: null,
      });
    }
    await rig.until(id, "succeeded");
  });

  it("a plan that fits no spec is repaired or, after three repairs, waits for a person, who can let it try anew", async () => {
    const { rig } = made;
    const title = "Planless";
    let good = false;
    SCRIPTS[title] = (request) =>
      good ? wellBehaved(request) : submits(item({ criterion: `c${turnOf(request) + 7}` }));
    const id = await rig.queued(await rig.project(repository()), { title, run_mode: "autonomous", ...GREEN });
    const blocked = await rig.until(id, "blocked");
    expect([blocked.reason, blocked.detail]).toEqual([
      "agent_failed",
      "the plan was still invalid after 3 repairs: work item say serves the criterion c10, and the criteria are check",
    ]);
    good = true;
    await rig.system.cases.answer.resume(ADA, id, null, null);
    await rig.until(id, "succeeded");
  });

  it("stops at its budget, and goes on with more of it", async () => {
    const { rig } = made;
    await setModels(rig, { any: { use: FIRST.any?.use ?? [], budget: { turns: 2 } } });
    const id = await rig.queued(await rig.project(repository()), {
      title: "Thrifty",
      run_mode: "autonomous",
      ...GREEN,
    });
    const blocked = await rig.until(id, "blocked");
    expect([blocked.reason, blocked.detail]).toEqual([
      "budget_exhausted",
      "the budget of the phase implementation is 2 turns, and it has spent 2 turns",
    ]);
    await resumeWith(rig, id, { turns: 5 });
    await rig.until(id, "succeeded");
    await setModels(rig, FIRST);
  });

  it("writes the provider's key nowhere: not plain, not encoded", async () => {
    const { rig } = made;
    await rig.stop();
    const forms = [KEY, Buffer.from(KEY).toString("base64"), encodeURIComponent(KEY), JSON.stringify(KEY).slice(1, -1)];
    const files = readdirSync(rig.home, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    expect(files.length).toBeGreaterThan(20);
    for (const file of files) {
      const bytes = readFileSync(join(file.parentPath, file.name));
      for (const form of forms) expect([file.name, bytes.includes(form)]).toEqual([file.name, false]);
    }
    expect(rig.warnings.join("\n")).not.toContain(KEY);
  });
});
