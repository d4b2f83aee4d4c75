import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { streamId } from "../../src/domain/stream.ts";
import { ADA, gate, plan, type Rig, repository, startRig } from "./task-kit.ts";

/* What becomes of a task whose gates passed and about whose work something was found. */

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => expect(rig.warnings).toEqual([]));

const TWO = { write: "a.txt", content: "two\n" };
const CI = { write: ".github/workflows/test.yml", content: "on: push\n" };
const CHECK = gate("grep -q two a.txt");
const ASKS = "ci_changed (asks): .github/workflows/test.yml decides what others run as proof";

const started = async (acts: readonly Record<string, unknown>[], spec: object) => {
  const repo = repository();
  const project = await rig.project(repo);
  return { repo, id: await rig.queued(project, { ...plan(...acts), gates: [CHECK], attempts: 2, ...spec }) };
};
const asked = async (acts: readonly Record<string, unknown>[], spec: object = {}) => {
  const { repo, id } = await started(acts, spec);
  await rig.until(id, "awaiting_approval");
  await rig.approve(id);
  return { repo, id, task: await rig.until(id, "blocked", "succeeded", "failed") };
};

describe("a finding that asks", () => {
  test("has the task wait at once, without another attempt, and says what was found", async () => {
    const { id, task } = await asked([TWO, CI]);
    expect(task).toMatchObject({ status: "blocked", reason: "findings", detail: ASKS, attempt: 1 });
    expect(await rig.bodies(id, "CANDIDATE_INSPECTED")).toMatchObject([
      { trees: { app: task.candidate?.["app"]?.tree }, findings: [{ kind: "ci_changed", policy: "asks" }] },
    ]);
  });

  test("is let pass by a person's yes to exactly that work, which is then done and can be delivered", async () => {
    const { repo, id, task } = await asked([TWO, CI]);
    await rig.system.cases.answer.accept(ADA, id, "the new workflow is wanted");
    expect(await rig.task(id)).toMatchObject({ status: "succeeded", exitReason: "done", findingsAccepted: true });
    const [yes] = await rig.bodies(id, "FINDINGS_ACCEPTED");
    const { commit, tree } = task.candidate?.["app"] ?? {};
    expect(yes?.candidate).toEqual({ app: { commit, tree } });
    await rig.system.cases.deliver({ task: id, way: "merge", branch: null, leave: false, by: ADA });
    expect(existsSync(join(repo, CI.write))).toBe(true);
  });

  test("is told to the attempt that a person asks for instead", async () => {
    const { id } = await asked([TWO, CI]);
    await rig.system.cases.answer.resume(ADA, id, null, null);
    const again = await rig.until(id, "blocked");
    expect([again.reason, again.attempt, again.lastFailure?.text]).toEqual(["findings", 2, ASKS]);
  });

  test("fails the attempt where nobody is to be asked", async () => {
    const { id } = await started([TWO, CI], { run_mode: "autonomous" });
    const task = await rig.until(id, "failed");
    expect([task.exitReason, task.attempt, task.detail]).toEqual(["gates_failed", 2, `${ASKS} (2 attempts)`]);
  });

  test("is asked of nobody once a person has made the task autonomous", async () => {
    const { id } = await started([TWO, CI], { run_mode: "assisted" });
    await rig.until(id, "awaiting_approval");
    await rig.system.cases.answer.changeMode(ADA, id, "autonomous");
    await rig.approve(id);
    expect((await rig.until(id, "failed")).detail).toBe(`${ASKS} (2 attempts)`);
  });

  test("is only shown where the spec lets the work change this", async () => {
    const { task } = await asked([TWO, CI], { may_change: ["ci"] });
    expect(task).toMatchObject({ status: "succeeded", findings: [{ kind: "ci_changed", policy: "shown" }] });
  });
});

test("a secret blocks: nobody can let it pass, and nothing of it stands in what is told", async () => {
  const { id, task } = await asked([TWO, { write: "token.txt", content: `ghp_${"a1".repeat(20)}\n` }]);
  expect(task).toMatchObject({ status: "blocked", reason: "gates_exhausted" });
  const refused = rig.system.cases.answer.accept(ADA, id, "it is a test key");
  await expect(refused).rejects.toMatchObject({
    code: "task/refused",
    message: expect.stringContaining("nobody can let this pass: secret (blocks): token.txt holds a key or a password"),
  });
  expect(await rig.told(id)).not.toContain("ghp_");
});

test("a criterion that nothing proves waits for a person, and the work is then accepted, not proven", async () => {
  const { id, task } = await asked([TWO], { criteria: [{ text: "It reads well.", gate: "none" }] });
  expect(task).toMatchObject({
    status: "blocked",
    reason: "findings",
    detail: "criterion_unproven (asks): c1 is an acceptance criterion that nothing proves: It reads well.",
  });
  await rig.system.cases.answer.accept(ADA, id, "I read it");
  expect(await rig.task(id)).toMatchObject({ status: "succeeded", exitReason: "accepted_unproven" });
});

test("work that changes a test is proven with the test as it was, too: where only its own passes, a person is asked", async () => {
  const repo = repository({ "a.txt": "one\n", "test/check.sh": "grep -q one a.txt\n" });
  const id = await rig.approved(await rig.project(repo), {
    ...plan(TWO, { write: "test/check.sh", content: "grep -q two a.txt\n" }),
    // Which file a gate is about is pinned with it, unless it is found by its name as it runs.
    gates: [gate("for one in test/*.sh; do sh $one; done")],
  });
  const task = await rig.until(id, "blocked");
  expect(task).toMatchObject({
    reason: "findings",
    verdicts: { check: { verdict: "pass" } },
    keptTests: { check: { verdict: "fail" } },
    findings: [
      { kind: "earlier_tests_fail", about: "the gate check", policy: "asks" },
      { kind: "tests_changed", about: "test/check.sh", policy: "shown" },
    ],
  });
  expect((await rig.bodies(id, "GATE_PASSED")).map(({ on }) => on)).toEqual(["base", "candidate"]);
});

test("work that was paused before it was looked through can be accepted by nobody; resumed, it is looked through", async () => {
  const held = await startRig({
    store: (own) => ({
      ...own,
      async append(one) {
        const done = await own.append(one);
        for (const { event } of one.events)
          if (event.type === "STEP_STARTED" && event.body.act.kind === "gate" && event.body.act.on === "candidate")
            if (pausing) await held.system.cases.answer.pause(ADA, streamId(one.stream), null);
        return done;
      },
    }),
  });
  let pausing = true;
  const cache = { write: "tests/__pycache__/a.pyc", content: "planted\n" };
  const id = await held.approved(await held.project(repository()), {
    ...plan(TWO, cache),
    gates: [CHECK],
    attempts: 1,
  });
  expect(await held.until(id, "blocked")).toMatchObject({ reason: "paused", verdicts: { check: { verdict: "pass" } } });
  await expect(held.system.cases.answer.accept(ADA, id, "it is fine")).rejects.toMatchObject({
    code: "task/refused",
    facts: { why: "what it changes was not looked through yet, which is done once it is resumed" },
  });
  pausing = false;
  await held.system.cases.answer.resume(ADA, id, null, null);
  const looked = await held.until(id, "blocked");
  expect(looked).toMatchObject({ reason: "gates_exhausted", findings: [{ kind: "cache_planted", policy: "blocks" }] });
  await expect(held.system.cases.answer.accept(ADA, id, "it is fine")).rejects.toMatchObject({
    facts: { why: expect.stringContaining("nobody can let this pass: cache_planted") },
  });
  await held.stop();
  expect(held.warnings).toEqual([]);
});
