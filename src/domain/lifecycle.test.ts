import { describe, expect, it, test } from "vitest";
import {
  ADA,
  COMMANDS,
  EXAMPLES,
  event,
  type Given,
  give,
  given,
  IN,
  proposal,
  ref,
  report,
  SLY,
  STORIES,
  WORKER,
} from "../../test/support/given-task.ts";
import { POLICY, SYSTEM } from "./actor.ts";
import type { GateReport } from "./event.ts";
import { answersTo, isWaiting } from "./inbox.ts";
import { allowedCommands, type Command, type CommandType, isRefusal, type WorkReport } from "./lifecycle.ts";
import { waitingFor } from "./sentence.ts";
import { STATUSES, type Status } from "./task.ts";
import { BLOCK_REASONS } from "./waiting.ts";

/** Event types, each with `!` when not by the one who asked; or why it is refused (null: there is no rule at all). */
type Outcome = string | { readonly why: string | null };
const NO: Outcome = { why: null };

function outcome(history: Given, command: Command): Outcome {
  const decision = history.when(command);
  if (isRefusal(decision)) return { why: decision.why };
  return decision.map(({ event: { type }, actor }) => (actor === command.by ? type : `${type}!`)).join(" ");
}

/** Every cell: what the usual command comes to in the usual task of that status. */
const CELLS: { readonly [S in Status]: { readonly [C in CommandType]: Outcome } } = {
  draft: {
    revise: "SPEC_REVISED",
    freeze: "SPEC_FROZEN",
    bind: "BOUND",
    ready: { why: "it is not bound to a project" },
    claim: NO,
    approve: NO,
    request_changes: NO,
    reject: NO,
    pause: NO,
    answer: NO,
    resume: NO,
    cancel: "CANCELED",
    retry: NO,
    accept: NO,
    report: NO,
    add_dependency: "DEPENDENCY_ADDED",
    remove_dependency: { why: "it does not depend on task T2 by requires" },
    miss_dependency: NO,
    supersede: "SUPERSEDED CANCELED",
    record_delivery: NO,
    prioritize: "PRIORITIZED",
    change_mode: NO,
    deny: "DENIED",
  },
  queued: {
    revise: "SPEC_REVISED",
    freeze: NO,
    bind: NO,
    ready: NO,
    claim: "CLAIMED",
    approve: NO,
    request_changes: NO,
    reject: NO,
    pause: NO,
    answer: NO,
    resume: NO,
    cancel: "CANCELED",
    retry: NO,
    accept: NO,
    report: NO,
    add_dependency: "DEPENDENCY_ADDED",
    remove_dependency: { why: "it does not depend on task T2 by requires" },
    miss_dependency: { why: "it does not require task T2" },
    supersede: "SUPERSEDED CANCELED",
    record_delivery: NO,
    prioritize: "PRIORITIZED",
    change_mode: "RUN_MODE_CHANGED",
    deny: "DENIED",
  },
  running: {
    revise: NO,
    freeze: NO,
    bind: NO,
    ready: NO,
    claim: { why: "epoch 1 is not after 1" },
    approve: NO,
    request_changes: NO,
    reject: NO,
    pause: "PAUSE_REQUESTED",
    answer: NO,
    resume: NO,
    cancel: "CANCEL_REQUESTED",
    retry: NO,
    accept: NO,
    report: "PHASE_ENTERED",
    add_dependency: NO,
    remove_dependency: NO,
    miss_dependency: NO,
    supersede: "SUPERSEDED CANCEL_REQUESTED",
    record_delivery: NO,
    prioritize: "PRIORITIZED",
    change_mode: "RUN_MODE_CHANGED",
    deny: "DENIED",
  },
  awaiting_approval: {
    revise: "SPEC_REVISED",
    freeze: NO,
    bind: NO,
    ready: NO,
    claim: NO,
    approve: "PLAN_APPROVED QUEUED",
    request_changes: "CHANGES_REQUESTED QUEUED",
    reject: "PLAN_REJECTED CANCELED",
    pause: NO,
    answer: NO,
    resume: NO,
    cancel: "CANCELED",
    retry: NO,
    accept: NO,
    report: NO,
    add_dependency: "DEPENDENCY_ADDED",
    remove_dependency: { why: "it does not depend on task T2 by requires" },
    miss_dependency: NO,
    supersede: "SUPERSEDED CANCELED",
    record_delivery: NO,
    prioritize: "PRIORITIZED",
    change_mode: "RUN_MODE_CHANGED",
    deny: "DENIED",
  },
  blocked: {
    revise: "SPEC_REVISED",
    freeze: NO,
    bind: NO,
    ready: NO,
    claim: NO,
    approve: NO,
    request_changes: NO,
    reject: NO,
    pause: NO,
    answer: { why: "it asks nothing: it is blocked by no_model" },
    resume: "RESUMED QUEUED",
    cancel: "CANCELED",
    retry: NO,
    accept: { why: "there is no candidate to accept" },
    report: NO,
    add_dependency: "DEPENDENCY_ADDED",
    remove_dependency: { why: "it does not depend on task T2 by requires" },
    miss_dependency: NO,
    supersede: "SUPERSEDED CANCELED",
    record_delivery: NO,
    prioritize: "PRIORITIZED",
    change_mode: "RUN_MODE_CHANGED",
    deny: "DENIED",
  },
  succeeded: {
    revise: NO,
    freeze: NO,
    bind: NO,
    ready: NO,
    claim: NO,
    approve: NO,
    request_changes: NO,
    reject: NO,
    pause: NO,
    answer: NO,
    resume: NO,
    cancel: NO,
    retry: NO,
    accept: NO,
    report: NO,
    add_dependency: NO,
    remove_dependency: NO,
    miss_dependency: NO,
    supersede: "SUPERSEDED CANCELED",
    record_delivery: "DELIVERED",
    prioritize: NO,
    change_mode: NO,
    deny: "DENIED",
  },
  failed: {
    revise: "SPEC_REVISED",
    freeze: NO,
    bind: NO,
    ready: NO,
    claim: NO,
    approve: NO,
    request_changes: NO,
    reject: NO,
    pause: NO,
    answer: NO,
    resume: NO,
    cancel: NO,
    retry: "RETRIED PHASE_ENTERED QUEUED",
    accept: "ACCEPTED_UNPROVEN COMPLETED",
    report: NO,
    add_dependency: "DEPENDENCY_ADDED",
    remove_dependency: { why: "it does not depend on task T2 by requires" },
    miss_dependency: NO,
    supersede: NO,
    record_delivery: NO,
    prioritize: "PRIORITIZED",
    change_mode: NO,
    deny: "DENIED",
  },
  canceled: {
    revise: NO,
    freeze: NO,
    bind: NO,
    ready: NO,
    claim: NO,
    approve: NO,
    request_changes: NO,
    reject: NO,
    pause: NO,
    answer: NO,
    resume: NO,
    cancel: NO,
    retry: NO,
    accept: NO,
    report: NO,
    add_dependency: NO,
    remove_dependency: NO,
    miss_dependency: NO,
    supersede: NO,
    record_delivery: NO,
    prioritize: NO,
    change_mode: NO,
    deny: "DENIED",
  },
};

const ALLOWED: { readonly [S in Status]: readonly CommandType[] } = {
  draft: ["revise", "freeze", "bind", "ready", "cancel"],
  queued: ["revise", "cancel"],
  running: ["pause", "cancel"],
  awaiting_approval: ["approve", "request_changes", "reject", "revise", "cancel"],
  // This one has made no candidate yet.
  blocked: ["resume", "revise", "cancel"],
  succeeded: [],
  failed: ["retry", "revise", "accept"],
  canceled: [],
};

describe.each(STATUSES)("in %s", (status) => {
  const history = IN[status];

  it("stands where its history says", () => expect(history.task.status).toBe(status));

  it("names what is allowed", () => expect(allowedCommands(history.task)).toEqual(ALLOWED[status]));

  it.each(Object.entries(CELLS[status]) as [CommandType, Outcome][])("%s comes to %j", (command, expected) => {
    expect(outcome(history, COMMANDS[command])).toEqual(expected);
    if (typeof expected !== "string")
      expect(history.when(COMMANDS[command])).toEqual({
        refused: command,
        status,
        why: expected.why,
        allowed: ALLOWED[status],
      });
  });
});

describe("an attempt whose work was not taken", () => {
  const supersede = (by = ADA) => ({ ...give("supersede", { with: "T3" }), by }) as Command;

  test("ends as superseded, also when it had succeeded, but not when it was delivered itself", () => {
    expect(IN.succeeded.and(supersede()).task).toMatchObject({
      status: "canceled",
      exitReason: "superseded",
      supersededBy: "T3",
    });
    const delivered = IN.succeeded.and(COMMANDS.record_delivery);
    expect(outcome(delivered, supersede())).toEqual({ why: "it was delivered itself" });
    const delivering = IN.succeeded.and(give("record_delivery", { events: [event("STEP_STARTED") as never] }));
    expect(outcome(delivering, supersede())).toEqual({ why: "step 1.work.1 is open" });
  });

  test("that runs ends so once its worker has put it down, also when it was asked to cancel before", () => {
    const stop = report({ type: "stop", why: "cancel" });
    expect(IN.running.and(supersede()).and(stop).task).toMatchObject({ status: "canceled", exitReason: "superseded" });
    const asked = IN.running.and(COMMANDS.cancel);
    expect(outcome(asked, supersede())).toBe("SUPERSEDED");
    expect(asked.and(supersede()).and(stop).task).toMatchObject({ exitReason: "superseded" });
  });

  test("is ended by no agent", () => {
    const why = "an agent may not say whose work is taken";
    for (const history of [IN.queued, IN.running, IN.succeeded])
      expect(outcome(history, supersede(SLY))).toEqual({ why });
  });
});

describe("the way from draft to done, in whole values", () => {
  test("freezing gives the next version, and only of the draft as it is", () => {
    expect(given().when(COMMANDS.freeze)).toEqual([
      { actor: ADA, event: { type: "SPEC_FROZEN", body: { version: 1, hash: "s1", text: ref("spec") } } },
    ]);
    const revised = given(COMMANDS.freeze, COMMANDS.revise);
    expect(outcome(revised, COMMANDS.freeze)).toEqual({ why: "the draft changed meanwhile" });
    expect(outcome(given(COMMANDS.freeze), COMMANDS.freeze)).toEqual({ why: "it is frozen already, as s1" });
    expect(
      revised.and(give("freeze", { draft: ref("draft2").digest, spec: ref("spec"), hash: "s2" })).task.spec,
    ).toEqual({ version: 2, hash: "s2", text: ref("spec") });
  });

  test("binding again to the same project is refused; to any project it voids a spec that was frozen before", () => {
    expect(outcome(given(COMMANDS.bind), COMMANDS.bind)).toEqual({ why: "it is bound to that project already" });
    expect(given(COMMANDS.freeze, COMMANDS.bind).task.spec).toBeNull();
    expect(outcome(given(COMMANDS.freeze, COMMANDS.bind), COMMANDS.ready)).toEqual({ why: "its spec is not frozen" });
  });

  test("ready needs project and spec", () => {
    expect(outcome(given(COMMANDS.freeze), COMMANDS.ready)).toEqual({ why: "it is not bound to a project" });
    expect(outcome(given(COMMANDS.bind), COMMANDS.ready)).toEqual({ why: "its spec is not frozen" });
    expect(given(COMMANDS.bind, COMMANDS.freeze).when(COMMANDS.ready)).toEqual([
      { actor: ADA, event: { type: "READY", body: { spec: "s1" } } },
      { actor: ADA, event: { type: "QUEUED", body: { cause: "ready" } } },
    ]);
  });

  test("a claim needs an epoch after any before, also when it takes over", () => {
    expect(IN.queued.when(COMMANDS.claim)).toEqual([
      { actor: WORKER, event: { type: "CLAIMED", body: { worker: "w1", epoch: 1, takeover: false } } },
    ]);
    expect(outcome(IN.queued, give("claim", { worker: "w1", epoch: 0, met: [] }, WORKER))).toEqual({
      why: "epoch 0 is not after 0",
    });
    const taken = IN.running.and(give("claim", { worker: "w2", epoch: 2, met: [] }, WORKER));
    expect(taken.events.at(-1)?.event).toEqual(event("CLAIMED", { worker: "w2", epoch: 2, takeover: true }));
    expect(taken.task).toMatchObject({ status: "running", epoch: 2, deaths: 1, lease: { worker: "w2", epoch: 2 } });
  });

  test("in assisted mode a proposed plan waits; in autonomous mode the policy approves it, bound to the same hashes", () => {
    expect(STORIES.planning.and(proposal()).task).toMatchObject({
      status: "awaiting_approval",
      proposal: { kind: "plan", plan: "p1" },
      approval: null,
    });
    expect(STORIES.planning.when(proposal("autonomous"))).toEqual([
      { actor: WORKER, event: event("PLAN_PROPOSED") },
      { actor: POLICY, event: event("PLAN_APPROVED") },
      { actor: WORKER, event: event("QUEUED", { cause: "approved" }) },
    ]);
    expect(STORIES.planning.and(proposal("autonomous")).task).toMatchObject({
      status: "queued",
      approval: { plan: "p1", spec: "s1", bases: { app: "b1" }, by: "policy:default" },
    });
  });

  test("an approval names plan and spec as they are, and is a person's", () => {
    const waits = IN.awaiting_approval;
    expect(waits.when(COMMANDS.approve)).toEqual([
      { actor: ADA, event: event("PLAN_APPROVED") },
      { actor: ADA, event: event("QUEUED", { cause: "approved" }) },
    ]);
    expect(outcome(waits, give("approve", { item: null, plan: "p0", spec: "s1", reason: null }))).toEqual({
      why: "the plan is now p1, the approval names p0",
    });
    expect(outcome(waits, give("approve", { item: null, plan: "p1", spec: "s0", reason: null }))).toEqual({
      why: "the spec is now s1, the approval names s0",
    });
    expect(outcome(waits, { ...COMMANDS.approve, by: SLY })).toEqual({ why: "an agent may not approve" });
  });

  test("no agent answers for a person", () => {
    expect(outcome(IN.awaiting_approval, { ...COMMANDS.reject, by: SLY })).toEqual({ why: "only a person may answer" });
    expect(outcome(IN.running, { ...COMMANDS.pause, by: SLY })).toEqual({ why: "an agent may not pause its own task" });
    expect(outcome(IN.failed, { ...COMMANDS.accept, by: SLY })).toEqual({
      why: "only a person may accept what is not proven",
    });
    expect(outcome(IN.failed, { ...COMMANDS.accept, by: WORKER })).toEqual({
      why: "only a person may accept what is not proven",
    });
  });

  test("a request for changes goes back to planning with its words, and the approval is gone", () => {
    const back = IN.awaiting_approval.and(COMMANDS.request_changes).task;
    expect(back).toMatchObject({
      status: "queued",
      phase: "planning",
      approval: null,
      changeRequest: ref("request"),
      planVersion: 1,
    });
  });

  test("a rejected plan ends the task with that reason", () =>
    expect(IN.awaiting_approval.and(COMMANDS.reject).task).toMatchObject({
      status: "canceled",
      exitReason: "plan_rejected",
      openStep: null,
    }));

  test("a work item that is proposed waits for its own yes", () => {
    const asked = given(...[COMMANDS.bind, COMMANDS.freeze, COMMANDS.ready, COMMANDS.claim]);
    expect(outcome(asked, report({ type: "propose_item", item: "work" }))).toEqual({ why: "it has no plan" });
    const item = STORIES.approved
      .and(give("claim", { worker: "w1", epoch: 2, met: [] }, WORKER))
      .and(report({ type: "enter_phase", phase: "implementation" }, 2))
      .and(report({ type: "propose_item", item: "work" }, 2));
    expect(item.task).toMatchObject({
      status: "awaiting_approval",
      proposal: { kind: "work_item", item: "work", plan: "p1" },
      phase: "implementation",
    });
    const yes = give("approve", { item: "work", plan: "p1", spec: "s1", reason: null });
    expect(outcome(item, COMMANDS.approve)).toEqual({ why: "it asks for work item work, the approval names none" });
    expect(outcome(item, give("approve", { item: "other", plan: "p1", spec: "s1", reason: null }))).toEqual({
      why: "it asks for work item work, the approval names other",
    });
    expect(outcome(IN.awaiting_approval, yes)).toEqual({ why: "it asks for the plan, not for a work item" });
    expect(item.when(yes)).toEqual([
      { actor: ADA, event: event("WORK_ITEM_APPROVED") },
      { actor: ADA, event: event("QUEUED", { cause: "item_approved" }) },
    ]);
    expect(item.and(yes).task.items["work"]).toEqual({ status: "pending", approved: true });
  });

  test("revising voids everything that rested on the old spec, and keeps what counts on", () => {
    const draft = STORIES.verifying
      .and(report({ type: "block", reason: "gates_exhausted", detail: "red", step: null }, 2))
      .and(COMMANDS.revise).task;
    expect(draft).toMatchObject({
      status: "draft",
      phase: "intent",
      spec: null,
      plan: null,
      approval: null,
      bases: null,
      candidate: null,
      items: {},
      trees: {},
      verdicts: {},
      title: ref("title2"),
      draft: ref("draft2"),
      specVersion: 1,
      planVersion: 1,
      epoch: 2,
      attempt: 2,
      roundStart: 2,
      project: { id: "P1", repos: { app: "R1" } },
    });
  });
});

describe("what the lease holder may say", () => {
  const step = EXAMPLES.STEP_STARTED;
  const started = STORIES.working.and(report({ type: "start_step", step }, 2));

  test("nobody else speaks for it", () => {
    const said: WorkReport = { type: "release", cause: "worker_stopped" };
    expect(outcome(STORIES.working, report(said, 1))).toEqual({ why: "the lease is epoch 2's, not epoch 1's" });
    expect(outcome(STORIES.working, report(said, 2, "w2"))).toEqual({ why: "the lease is epoch 2's, not epoch 2's" });
    expect(outcome(STORIES.working, report(said, 2))).toBe("QUEUED");
  });

  test("phases follow each other and are never skipped, and none is begun without approval", () => {
    expect(outcome(IN.running, report({ type: "enter_phase", phase: "implementation" }))).toEqual({
      why: "implementation does not follow intent",
    });
    expect(outcome(IN.running, report({ type: "enter_phase", phase: "verification" }))).toEqual({
      why: "verification does not follow intent",
    });
    expect(outcome(STORIES.planning, report({ type: "enter_phase", phase: "planning" }))).toEqual({
      why: "planning does not follow planning",
    });
    expect(outcome(STORIES.planning, report({ type: "enter_phase", phase: "implementation" }))).toEqual({
      why: "the plan is not approved",
    });
    expect(outcome(STORIES.planning, report({ type: "start_item", item: "work" }))).toEqual({
      why: "the plan is not approved",
    });
    expect(outcome(STORIES.working, report({ type: "make_candidate", repos: {} }, 2))).toEqual({
      why: "it is not being verified",
    });
    expect(outcome(STORIES.working, proposal("assisted", 2))).toEqual({ why: "it is not planning" });
  });

  test("one step is open at a time, it is closed under its own name and run, and a finished one is not begun again", () => {
    expect(started.task.openStep).toEqual({
      step: "1.work.1",
      run: 1,
      item: "work",
      act: step.act,
      input: "i1",
      before: { app: "w0" },
      settled: null,
      warned: [],
      turnedBack: null,
      torn: null,
    });
    expect(outcome(started, report({ type: "start_step", step: { ...step, step: "1.work.2" } }, 2))).toEqual({
      why: "step 1.work.1 is open",
    });
    const other = { why: "step 1.work.1 is not open" };
    expect(
      outcome(started, report({ type: "complete_step", step: { ...EXAMPLES.STEP_COMPLETED, run: 2 } }, 2)),
    ).toEqual(other);
    expect(outcome(STORIES.working, report({ type: "fail_step", step: EXAMPLES.STEP_FAILED }, 2))).toEqual(other);
    expect(outcome(STORIES.working, report({ type: "lose_step", step: EXAMPLES.STEP_LOST }, 2))).toEqual(other);
    const done = started.and(
      report({ type: "complete_step", step: EXAMPLES.STEP_COMPLETED, followedBy: [event("CHECKPOINTED")] }, 2),
    );
    expect(done.task).toMatchObject({ openStep: null, trees: { app: "w1" }, deaths: 0 });
    expect(done.task.finished["1.work.1"]).toEqual({
      step: "1.work.1",
      input: "i1",
      seq: done.events.length - 1,
      result: ref("result"),
    });
    expect(outcome(done, report({ type: "start_step", step: { ...step, run: 2 } }, 2))).toEqual({
      why: "step 1.work.1 is finished",
    });
  });

  test("a lost step is begun again under the next run", () => {
    const lost = started.and(report({ type: "lose_step", step: EXAMPLES.STEP_LOST }, 2));
    expect([lost.task.openStep, lost.task.runs, lost.task.finished]).toEqual([null, { "1.work.1": 1 }, {}]);
    expect(outcome(lost, report({ type: "start_step", step: { ...step, run: 2 } }, 2))).toBe("STEP_STARTED");
  });

  test("a step that failed without a result may be tried again; one with a result is finished", () => {
    const fail = (result: typeof EXAMPLES.STEP_FAILED.result | ReturnType<typeof ref>) =>
      started.and(report({ type: "fail_step", step: { ...EXAMPLES.STEP_FAILED, result } }, 2)).task.finished;
    expect([Object.keys(fail(null)), Object.keys(fail(ref("told")))]).toEqual([[], ["1.work.1"]]);
  });

  const ENDS: readonly WorkReport[] = [
    { type: "complete_item", item: "work" },
    { type: "fail_item", item: "work", cause: "x", output: null },
    { type: "retry", restart: true, cause: "gates", failure: "x", output: null },
    { type: "succeed", gates: ["tests"], expectsChange: false },
    { type: "release", cause: "worker_stopped" },
    { type: "stop", why: "pause" },
    { type: "propose_item", item: "work" },
  ];
  test.each(ENDS)("while a step is open: not $type", (said) => {
    const { why } = outcome(started, report(said, 2)) as { why: string };
    expect(why).toMatch(/a step is open|step 1\.work\.1 is open|it has no plan/);
  });

  test("a wait may leave a step open, for the next claim to close; an end closes it", () => {
    const waits = started.and(report({ type: "block", reason: "storage_full", detail: "x", step: null }, 2));
    expect(waits.task).toMatchObject({ status: "blocked", openStep: { step: "1.work.1" } });
    expect(waits.and(COMMANDS.resume).task).toMatchObject({ status: "queued", openStep: { step: "1.work.1" } });
    const failed = started.and(report({ type: "fail", exitReason: "bug", detail: "x" }, 2));
    expect(failed.events.at(-2)?.event).toMatchObject({ type: "STEP_FAILED", body: { step: "1.work.1", run: 1 } });
    expect(failed.task).toMatchObject({ status: "failed", openStep: null });
  });

  test("outcome_unknown waits with its step open, and only a person's word settles it", () => {
    const unknown = started.and(
      report({ type: "block", reason: "outcome_unknown", detail: "curl was interrupted", step: "1.work.1" }, 2),
    );
    expect(unknown.task).toMatchObject({
      status: "blocked",
      reason: "outcome_unknown",
      openStep: { step: "1.work.1", settled: null },
    });
    expect(outcome(unknown, COMMANDS.resume)).toEqual({
      why: "say what became of the interrupted step: done, redo or abort",
    });
    expect(unknown.when(give("resume", { outcome: "done", reason: null, restart: true, moreMs: null }))).toEqual([
      { actor: ADA, event: event("OUTCOME_SETTLED", { outcome: "done" }) },
      { actor: ADA, event: event("RESUMED", { from: "outcome_unknown", reason: null }) },
      { actor: ADA, event: event("QUEUED", { cause: "answered" }) },
    ]);
    expect(
      unknown.and(give("resume", { outcome: "redo", reason: null, restart: true, moreMs: null })).task.openStep
        ?.settled,
    ).toBe("redo");
    expect(outcome(unknown, COMMANDS.accept)).toEqual({ why: "there is no candidate to accept" });
  });

  test.each([COMMANDS.cancel, COMMANDS.revise])(
    "no step stays open behind a task that waited for a word on it: $type closes it",
    (command) => {
      const unknown = started.and(
        report({ type: "block", reason: "outcome_unknown", detail: "curl was interrupted", step: "1.work.1" }, 2),
      );
      const after = unknown.and(command);
      expect(after.events.at(-2)?.event).toMatchObject({
        type: "STEP_FAILED",
        body: { step: "1.work.1", run: 1, result: null },
      });
      expect(after.task.openStep).toBeNull();
    },
  );

  test("an outcome is asked for only where it is unknown", () =>
    expect(outcome(IN.blocked, give("resume", { outcome: "done", reason: null, restart: true, moreMs: null }))).toEqual(
      {
        why: "nothing is unknown: it is blocked by no_model",
      },
    ));
});

describe("succeeding", () => {
  const succeed = (over: Partial<Extract<WorkReport, { type: "succeed" }>> = {}): Command =>
    report({ type: "succeed", gates: ["tests"], expectsChange: true, ...over }, 2);
  const judged = (
    over: Partial<typeof EXAMPLES.GATE_PASSED>,
    verdict: Extract<WorkReport, { type: "judge_gate" }>["verdict"],
  ) => STORIES.verifying.and(report({ type: "judge_gate", report: { ...EXAMPLES.GATE_PASSED, ...over }, verdict }, 2));

  test("with every gate passed on the candidate's tree it is done, and says on which gates", () => {
    expect(STORIES.green.when(succeed())).toEqual([{ actor: WORKER, event: event("COMPLETED") }]);
    expect(STORIES.green.and(succeed()).task).toMatchObject({
      status: "succeeded",
      exitReason: "done",
      openStep: null,
    });
  });

  test.each([
    ["a gate that did not run", STORIES.verifying, {}, "gate tests has not passed on the candidate"],
    ["a red gate", STORIES.red, {}, "gate tests has not passed on the candidate"],
    [
      "an unproven gate",
      judged({}, { verdict: "unproven", missing: ["x"] }),
      {},
      "gate tests has not passed on the candidate",
    ],
    [
      "a gate that passed on another tree",
      judged({ tree: "t9" } as never, { verdict: "pass", restsOn: ["s"] }),
      {},
      "gate tests has not passed on the candidate",
    ],
    [
      "a gate that passed on the base only",
      judged({ on: "base" } as never, { verdict: "pass", restsOn: ["s"] }),
      {},
      "gate tests has not passed on the candidate",
    ],
    [
      "a gate that passed on a merge only",
      judged({ on: "merge" } as never, { verdict: "pass", restsOn: ["s"] }),
      {},
      "gate tests has not passed on the candidate",
    ],
    ["one gate of two", STORIES.green, { gates: ["tests", "smoke"] }, "gate smoke has not passed on the candidate"],
    ["no gate at all", STORIES.green, { gates: [] }, "no gate was agreed on, so nothing is proven"],
    [
      "a name every object has",
      STORIES.green,
      { gates: ["constructor"] },
      "gate constructor has not passed on the candidate",
    ],
    ["no candidate", STORIES.working, {}, "there is no candidate"],
  ] as const)("%s is not enough", (_, history, over, why) => expect(outcome(history, succeed(over))).toEqual({ why }));

  test("a repo is compared with its own tree: what passed on one says nothing about another that has that tree by now", () => {
    const lib = { ...EXAMPLES.CANDIDATE_MADE.repos.app, base: "b2", commit: "c2", tree: "t2" };
    const passed = (repo: string, commit: string, tree: string, beside: GateReport["beside"] = {}) =>
      report(
        {
          type: "judge_gate",
          report: { ...EXAMPLES.GATE_PASSED, repo, commit, tree, beside },
          verdict: { verdict: "pass", restsOn: ["s"] },
        },
        2,
      );
    const both = STORIES.verifying.and(
      report({ type: "make_candidate", repos: { app: EXAMPLES.CANDIDATE_MADE.repos.app, lib } }, 2),
    );
    const no = { why: "gate tests has not passed on the candidate" };
    expect(outcome(both.and(passed("app", "c1", "t1")), succeed())).toBe("COMPLETED");
    expect(outcome(both.and(passed("app", "c2", "t2")), succeed())).toEqual(no);
    expect(outcome(both.and(passed("gone", "c1", "t1")), succeed())).toEqual(no);
    // With another repo beside it, the verdict is about both.
    const beside = (tree: string) => passed("app", "c1", "t1", { lib: { commit: "c2", tree } });
    expect(outcome(both.and(beside("t2")), succeed())).toBe("COMPLETED");
    expect(outcome(both.and(beside("t1")), succeed())).toEqual(no);
  });

  test("a change is needed where one is expected, and only there", () => {
    const same = STORIES.verifying
      .and(
        report(
          { type: "make_candidate", repos: { app: { ...EXAMPLES.CANDIDATE_MADE.repos.app, tree: "t0", changed: 0 } } },
          2,
        ),
      )
      .and(
        report(
          {
            type: "judge_gate",
            report: { ...EXAMPLES.GATE_PASSED, tree: "t0" },
            verdict: { verdict: "pass", restsOn: ["s"] },
          },
          2,
        ),
      );
    expect(outcome(same, succeed())).toEqual({ why: "the spec expects a change and there is none" });
    expect(outcome(same, succeed({ expectsChange: false }))).toBe("COMPLETED");
  });

  test("a new candidate makes what passed before count no more", () => {
    const again = STORIES.green.and(report({ type: "make_candidate", repos: EXAMPLES.CANDIDATE_MADE.repos }, 2));
    expect(outcome(again, succeed())).toEqual({ why: "gate tests has not passed on the candidate" });
  });

  test("accepting on record names the gates that did not pass, whatever they said", () => {
    const waits = STORIES.red.and(report({ type: "block", reason: "gates_exhausted", detail: "red", step: null }, 2));
    expect(allowedCommands(waits.task)).toEqual(["resume", "accept", "revise", "cancel"]);
    expect(waits.when(COMMANDS.accept)).toEqual([
      { actor: ADA, event: event("ACCEPTED_UNPROVEN") },
      { actor: ADA, event: event("COMPLETED", { exitReason: "accepted_unproven", gates: [] }) },
    ]);
    expect(waits.and(COMMANDS.accept).task).toMatchObject({
      status: "succeeded",
      exitReason: "accepted_unproven",
      acceptedUnproven: ["tests"],
    });
  });
});

describe("what is found about a candidate whose gates all passed", () => {
  const found = (policy: "blocks" | "asks" | "shown", kind: "tests_skipped" | "criterion_unproven" = "tests_skipped") =>
    STORIES.green.and(report({ type: "inspect", trees: { app: "t1" }, findings: [{ ...FOUND, kind, policy }] }, 2));
  const [FOUND] = EXAMPLES.CANDIDATE_INSPECTED.findings;
  const succeed = report({ type: "succeed", gates: ["tests"], expectsChange: true }, 2);
  const waits = (given: ReturnType<typeof found>) =>
    given.and(report({ type: "block", reason: "findings", detail: "x", step: null }, 2));

  test("is no obstacle where it is only shown", () => expect(outcome(found("shown"), succeed)).toBe("COMPLETED"));

  test.each(["asks", "blocks"] as const)("stands in the way where it %s", (policy) =>
    expect(outcome(found(policy), succeed)).toMatchObject({
      why: `something was found about the candidate: tests_skipped (${policy}): a.test.js is passed over: 1 more`,
    }),
  );

  test("is let pass by a person's yes to exactly this candidate; then the work is done, and says so", () => {
    const asked = waits(found("asks"));
    expect(asked.when(COMMANDS.accept)).toEqual([
      { actor: ADA, event: event("FINDINGS_ACCEPTED") },
      { actor: ADA, event: event("COMPLETED") },
    ]);
    expect(asked.and(COMMANDS.accept).task).toMatchObject({ exitReason: "done", findingsAccepted: true });
  });

  test("is let pass by nobody where it blocks, and nobody is told that they could", () => {
    const never = waits(found("blocks"));
    expect(outcome(never, COMMANDS.accept)).toEqual({
      why: "nobody can let this pass: tests_skipped (blocks): a.test.js is passed over: 1 more",
    });
    expect([allowedCommands(waits(found("asks")).task), allowedCommands(never.task)]).toEqual([
      ["resume", "accept", "revise", "cancel"],
      ["resume", "revise", "cancel"],
    ]);
    expect([waitingFor(waits(found("asks")).task)?.next, waitingFor(never.task)?.next]).toEqual([
      BLOCK_REASONS.findings.next.replaceAll("<id>", "T1"),
      "Read agentos task diff T1; then have it tried again (agentos task resume T1), or let the spec allow it (agentos task revise T1 --may-change …).",
    ]);
  });

  test("makes the work accepted, not proven, where it is a criterion that nothing proves", () =>
    expect(waits(found("asks", "criterion_unproven")).and(COMMANDS.accept).task).toMatchObject({
      exitReason: "accepted_unproven",
    }));

  test("is forgotten with its candidate: another attempt is told of it and is looked at anew", () => {
    const again = waits(found("asks")).and(COMMANDS.resume);
    expect(again.task).toMatchObject({ status: "queued", attempt: 2, findings: [], findingsAccepted: false });
  });
});

describe("what a person may not accept", () => {
  test("is a candidate that does not hold to its spec", () => {
    const out = { ...EXAMPLES.CANDIDATE_MADE.repos.app, leftOut: ["b.txt was changed outside the paths of the spec"] };
    const waits = STORIES.verifying
      .and(report({ type: "make_candidate", repos: { app: out } }, 2))
      .and(report({ type: "block", reason: "gates_exhausted", detail: "x", step: null }, 2));
    expect(outcome(waits, COMMANDS.accept)).toEqual({
      why: "the candidate does not hold to the spec: b.txt was changed outside the paths of the spec",
    });
    expect([allowedCommands(waits.task), isWaiting(waits.task) && answersTo(waits.task)]).toEqual([
      ["resume", "revise", "cancel"],
      ["retry"],
    ]);
    expect(waitingFor(waits.task)?.next).toBe(
      "Read agentos task evidence T1; then agentos task resume T1 for more attempts, agentos task revise T1 --gate NAME=COMMAND to have another command prove it, or agentos task cancel T1.",
    );
  });

  test("is a candidate that was put down before it was looked through, whatever its gates said", () => {
    const waits = STORIES.green.and(COMMANDS.pause).and(report({ type: "stop", why: "pause" }, 2));
    expect(outcome(waits, COMMANDS.accept)).toEqual({
      why: "what it changes was not looked through yet, which is done once it is resumed",
    });
    const failed = STORIES.green.and(report({ type: "fail", exitReason: "bug", detail: "x" }, 2));
    expect(outcome(failed, COMMANDS.accept)).toEqual({
      why: "what it changes was not looked through yet, which is done once it is retried",
    });
  });

  test("is no candidate that changes nothing: in it there is nothing to look through", () => {
    const same = { ...EXAMPLES.CANDIDATE_MADE.repos.app, tree: "t0", changed: 0 };
    const waits = STORIES.verifying
      .and(report({ type: "make_candidate", repos: { app: same } }, 2))
      .and(COMMANDS.pause)
      .and(report({ type: "stop", why: "pause" }, 2));
    expect(outcome(waits, COMMANDS.accept)).toBe("ACCEPTED_UNPROVEN COMPLETED");
  });

  test("is passed over in silence: gates that never ran are named too", () => {
    const waits = STORIES.green.and(report({ type: "block", reason: "gates_exhausted", detail: "x", step: null }, 2));
    const accepted = waits.and(give("accept", { gates: ["tests", "smoke"], reason: ref("reason") }));
    expect(accepted.task.acceptedUnproven).toEqual(["smoke"]);
    expect(accepted.events.at(-1)?.event).toEqual(
      event("COMPLETED", { exitReason: "accepted_unproven", gates: ["tests"] }),
    );
  });
});

describe("trying again", () => {
  const again: Command = report(
    { type: "retry", restart: true, cause: "gates", failure: "tests failed", output: ref("out") },
    2,
  );

  test("goes back to implementation with the failure in hand; items, verdicts and steps begin anew", () => {
    const { task } = STORIES.red.and(again);
    expect(task).toMatchObject({
      status: "running",
      phase: "implementation",
      attempt: 2,
      roundStart: 1,
      trees: { app: "w0" },
      candidate: null,
      verdicts: {},
      items: { work: { status: "pending", approved: false } },
      lastFailure: { text: "tests failed", output: ref("out") },
      failureRun: { fingerprint: "tests failed", times: 1 },
      finished: {},
      runs: {},
    });
    expect(task.approval).not.toBeNull();
  });

  test("counts the same failure in a row, and another one anew", () => {
    const twice = STORIES.red.and(again).and(again);
    expect(twice.task.failureRun).toEqual({ fingerprint: "tests failed", times: 2 });
    const other = twice.and(
      report({ type: "retry", restart: true, cause: "gates", failure: "smoke failed", output: null }, 2),
    );
    expect(other.task.failureRun).toEqual({ fingerprint: "smoke failed", times: 1 });
  });

  test("an agent that goes on keeps the workspace as the failed attempt left it", () => {
    const left = STORIES.working
      .and(report({ type: "start_step", step: EXAMPLES.STEP_STARTED }, 2))
      .and(report({ type: "complete_step", step: EXAMPLES.STEP_COMPLETED, followedBy: [event("CHECKPOINTED")] }, 2));
    const kept = left.and(report({ type: "retry", restart: false, cause: "work_item", failure: "x", output: null }, 2));
    const reset = left.and(report({ type: "retry", restart: true, cause: "work_item", failure: "x", output: null }, 2));
    expect([kept.task.trees, reset.task.trees]).toEqual([{ app: "w1" }, { app: "w0" }]);
  });

  test.each(["gates_exhausted", "agent_failed"] as const)("resuming %s is a new round by a person", (reason) => {
    const waits = STORIES.red.and(again).and(report({ type: "block", reason, detail: "red again", step: null }, 2));
    expect(waits.and(COMMANDS.resume).task).toMatchObject({
      status: "queued",
      phase: "implementation",
      attempt: 3,
      roundStart: 3,
      failureRun: null,
    });
  });

  test("retrying a failed task keeps its approval and begins in implementation", () =>
    expect(IN.failed.and(COMMANDS.retry).task).toMatchObject({
      status: "queued",
      phase: "implementation",
      attempt: 2,
      roundStart: 2,
      approval: { plan: "p1" },
    }));
});

describe("pause and cancel of a running task", () => {
  test("are requests that the lease holder answers once no step is open; asking again changes nothing", () => {
    const asked = STORIES.working.and(COMMANDS.cancel).and(COMMANDS.pause);
    expect(asked.task).toMatchObject({ status: "running", pauseRequested: true, cancelRequested: { reason: null } });
    expect([outcome(asked, COMMANDS.cancel), outcome(asked, COMMANDS.pause)]).toEqual(["", ""]);
    expect(outcome(asked, report({ type: "stop", why: "cancel" }, 2))).toBe("CANCELED");
    expect(outcome(asked, report({ type: "stop", why: "pause" }, 2))).toBe("BLOCKED");
  });

  test("nothing stops that nobody asked to stop", () => {
    expect(outcome(STORIES.working, report({ type: "stop", why: "cancel" }, 2))).toEqual({
      why: "nobody asked to cancel",
    });
    expect(outcome(STORIES.working, report({ type: "stop", why: "pause" }, 2))).toEqual({
      why: "nobody asked to pause",
    });
  });

  const PUT_DOWN: readonly (readonly [string, Given, WorkReport])[] = [
    ["a plan is proposed", STORIES.planning, (proposal() as Extract<Command, { type: "report" }>).report],
    ["a work item is proposed", STORIES.working, { type: "propose_item", item: "work" }],
    ["it is blocked", STORIES.red, { type: "block", reason: "gates_exhausted", detail: "red", step: null }],
    ["it fails", STORIES.red, { type: "fail", exitReason: "gates_failed", detail: "red" }],
    ["the worker stops", STORIES.working, { type: "release", cause: "worker_stopped" }],
  ];
  test.each(PUT_DOWN)(
    "a cancel that comes just before %s ends the task then, so that it waits for nobody",
    (_, history, said) => {
      const epoch = history.task.epoch;
      const ended = history.and(give("cancel", { reason: ref("enough") })).and(report(said, epoch));
      expect(ended.task).toMatchObject({ status: "canceled", exitReason: "canceled_by_person" });
      expect(ended.events.at(-1)?.event).toEqual(event("CANCELED", { reason: ref("enough") }));
    },
  );

  test("a task that is proven before it hears of the cancel has succeeded", () =>
    expect(
      STORIES.green.and(COMMANDS.cancel).and(report({ type: "succeed", gates: ["tests"], expectsChange: true }, 2)).task
        .status,
    ).toBe("succeeded"));

  test("a pause that another wait overtook is over with the resume", () => {
    const waits = STORIES.red
      .and(COMMANDS.pause)
      .and(report({ type: "block", reason: "gates_exhausted", detail: "red", step: null }, 2));
    expect([waits.task.pauseRequested, waits.and(COMMANDS.resume).task.pauseRequested]).toEqual([true, false]);
  });

  test("a pause is not over because the system goes on by itself after a full disk", () => {
    const waits = STORIES.working
      .and(COMMANDS.pause)
      .and(report({ type: "block", reason: "storage_full", detail: "the disk is full", step: null }, 2));
    const goesOn = waits.and({ ...COMMANDS.resume, by: SYSTEM });
    expect([waits.task.pauseRequested, goesOn.task.pauseRequested]).toEqual([true, true]);
    const claimed = goesOn.and(give("claim", { worker: "w1", epoch: 3, met: [] }, WORKER));
    expect(claimed.and(report({ type: "stop", why: "pause" }, 3)).task).toMatchObject({
      status: "blocked",
      reason: "paused",
      pauseRequested: false,
    });
  });

  test("a failed task that had been asked to pause goes on when it is retried", () => {
    const failed = STORIES.red
      .and(COMMANDS.pause)
      .and(report({ type: "fail", exitReason: "gates_failed", detail: "red" }, 2));
    expect(failed.and(COMMANDS.retry).task.pauseRequested).toBe(false);
  });
});

describe("a requested change", () => {
  test("while a work item is asked for voids the approval of the plan as well", () => {
    const asked = STORIES.approved
      .and(give("claim", { worker: "w1", epoch: 2, met: [] }, WORKER))
      .and(report({ type: "enter_phase", phase: "implementation" }, 2))
      .and(report({ type: "propose_item", item: "work" }, 2));
    expect(asked.task.approval).toMatchObject({ plan: "p1" });
    expect(asked.and(COMMANDS.request_changes).task).toMatchObject({
      status: "queued",
      phase: "planning",
      approval: null,
    });
  });
});

describe("deaths", () => {
  test("in a row are counted by takeovers, and a finished step ends the row", () => {
    const twice = STORIES.working
      .and(give("claim", { worker: "w2", epoch: 3, met: [] }, WORKER))
      .and(give("claim", { worker: "w3", epoch: 4, met: [] }, WORKER));
    expect(twice.task.deaths).toBe(2);
    const progress = twice
      .and(report({ type: "start_step", step: EXAMPLES.STEP_STARTED }, 4, "w3"))
      .and(report({ type: "complete_step", step: EXAMPLES.STEP_COMPLETED }, 4, "w3"));
    expect(progress.task.deaths).toBe(0);
  });

  test("are not forgotten because the step that was in flight is closed as lost", () => {
    const died = STORIES.working
      .and(report({ type: "start_step", step: EXAMPLES.STEP_STARTED }, 2))
      .and(give("claim", { worker: "w2", epoch: 3, met: [] }, WORKER))
      .and(report({ type: "lose_step", step: EXAMPLES.STEP_LOST }, 3, "w2"));
    expect([died.task.openStep, died.task.deaths]).toEqual([null, 1]);
  });

  test("are forgotten when a person resumes from a crash loop", () => {
    const loop = STORIES.working
      .and(give("claim", { worker: "w2", epoch: 3, met: [] }, WORKER))
      .and(report({ type: "block", reason: "crash_loop", detail: "x", step: null }, 3, "w2"));
    expect([loop.task.deaths, loop.and(COMMANDS.resume).task.deaths]).toEqual([1, 0]);
  });
});

describe("a task whose time is up", () => {
  const upTo = IN.running.and(
    report({ type: "block", reason: "budget_exhausted", detail: "its time is up", step: null }),
  );
  const resume = (moreMs: number | null) => give("resume", { outcome: null, reason: null, restart: true, moreMs });

  test("is resumed only with more of it", () => {
    expect(outcome(upTo, resume(null))).toEqual({ why: "what it may spend is used up; say how much more it gets" });
    expect(outcome(upTo, resume(60_000))).toBe("TIME_GRANTED RESUMED QUEUED");
    expect(upTo.and(resume(60_000)).task.worked.grantedMs).toBe(60_000);
  });

  test("is warned once, and again after it got more", () => {
    const warn = report({ type: "warn_time", warning: { spentMs: 8, limitMs: 10 } });
    const warned = IN.running.and(warn);
    expect(outcome(IN.running, warn)).toBe("TIME_WARNED");
    expect(outcome(warned, warn)).toBe("");
    const more = warned
      .and(report({ type: "block", reason: "budget_exhausted", detail: "its time is up", step: null }))
      .and(resume(60_000))
      .and(give("claim", { worker: "w1", epoch: 2, met: [] }, WORKER));
    expect(outcome(more, report({ type: "warn_time", warning: { spentMs: 8, limitMs: 10 } }, 2))).toBe("TIME_WARNED");
  });
});

describe("a changed run mode", () => {
  test("holds until the spec is revised; then what the new spec says holds", () => {
    const changed = IN.awaiting_approval.and(COMMANDS.change_mode);
    const revised = changed.and(COMMANDS.revise);
    expect([changed.task.runMode, revised.task.runMode]).toEqual(["interactive", undefined]);
  });
});

describe("a priority", () => {
  test("that it has already changes nothing; an agent has no say in it", () => {
    expect(outcome(IN.queued, give("prioritize", { priority: "normal" }))).toBe("");
    expect(outcome(IN.running, give("prioritize", { priority: "urgent" }, SLY))).toEqual({
      why: "an agent may not say how soon its task is wanted",
    });
  });
});
