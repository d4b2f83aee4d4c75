import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ACT_EXAMPLES,
  ADA,
  COMMANDS,
  EXAMPLES,
  event,
  exampleEvents,
  type Given,
  give,
  given,
  historyOf,
  IN,
  ref,
  replay,
  report,
  SLY,
  STORIES,
  WORKER,
} from "../../test/support/given-task.ts";
import type { Recorded, TaskEvent } from "./event.ts";
import type { Evidence } from "./evidence.ts";
import { EXIT_REASONS } from "./exit-reason.ts";
import { inTheWay } from "./finding.ts";
import { allowedCommands, type Command, isRefusal, type WorkReport } from "./lifecycle.ts";
import { PHASES } from "./phase.ts";
import { PRIORITIES } from "./priority.ts";
import { type Act, crashPolicy } from "./step.ts";
import { evolve, STATUSES, type Task } from "./task.ts";

const RUNS = 400;
const WALK = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 120, size: "max" });
const TERMINAL: ReadonlySet<string> = new Set(["succeeded", "failed", "canceled"]);

describe("after any sequence of commands", () => {
  it("every invariant of a task holds, and replaying its events gives the same task", () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(WALK, (choices) => {
        const history = choices.reduce((now, choice) => next(now, choice), given());
        expect(replay(history.events)).toEqual(history.task);
        // Projections keep a task as JSON: nothing of it may be lost there.
        expect(JSON.parse(JSON.stringify(history.task))).toStrictEqual(history.task);
        reached.add(history.task.status);
        if (history.task.status !== "draft") reached.add(history.task.phase);
        for (const { event: one } of history.events) reached.add(one.type);
      }),
      { numRuns: RUNS, seed: 2 },
    );
    // A walk that never gets anywhere would prove nothing. The seed is fixed, so that this is the same on every machine.
    // A fork is one from its creation on, by no command.
    const wanted = [...STATUSES, ...PHASES, ...Object.keys(EXAMPLES)].filter((one) => one !== "FORKED");
    expect(wanted.filter((one) => !reached.has(one))).toEqual([]);
  });

  it("a refused command changes nothing and names what is allowed", () => {
    fc.assert(
      fc.property(WALK, (choices) => {
        const { task } = choices.reduce((now, choice) => next(now, choice), given());
        const frozen = deepFreeze(structuredClone(task));
        const { usual, others } = asks(task);
        for (const command of [...usual, ...others]) {
          const decision = historyOf([], frozen).when(command);
          if (isRefusal(decision))
            expect(decision).toMatchObject({
              refused: command.type,
              status: task.status,
              allowed: allowedCommands(task),
            });
        }
      }),
      { numRuns: 60, seed: 7 },
    );
  });
});

/**
 * One more command. Mostly one of those the usual life goes on with, so that walks get far; now and then any, refused or not. The
 * invariants are checked over every step.
 */
function next(now: Given, choice: number): Given {
  const { usual, others } = asks(now.task);
  const going = usual.filter((command) => !isRefusal(now.when(command)));
  const commands = choice % 12 === 0 || going.length === 0 ? [...usual, ...others] : going;
  const command = commands[Math.floor(choice / 12) % commands.length];
  if (command === undefined) throw new Error("nothing to ask");
  deepFreeze(now.task);
  const decision = now.when(command);
  if (isRefusal(decision)) return now;
  const after = now.and(command);
  holds(now, command, after);
  return after;
}

/** Plain conditions instead of `expect`: they are asked some ten thousand times. */
const must = (holding: boolean, what: string): void => {
  if (!holding) throw new Error(`it does not hold that ${what}`);
};

function holds({ task: before, events: past }: Given, command: Command, { task, events }: Given): void {
  const happened = events.slice(past.length);
  const types = happened.map(({ event: one }) => one.type);
  must("lease" in task === (task.status === "running"), "a task has a lease exactly while it runs");
  must(task.status !== "running" || task.lease.epoch === task.epoch, "the lease is of the task's epoch");
  must(task.epoch >= before.epoch, "an epoch never goes back");
  must(!types.includes("CLAIMED") || task.epoch > before.epoch, "every claim has an epoch after any before");
  must(
    before.status === "running" || task.status !== "running" || types[0] === "CLAIMED",
    "only a claim leads to running",
  );
  must(
    before.status === "running" ||
      task.status !== "running" ||
      task.dependencies.every(({ on, kind }) => kind !== "requires" || task.inputs.some((one) => one.task === on)),
    "what is claimed knows what every required task left",
  );

  const ends = TERMINAL.has(task.status) && !TERMINAL.has(before.status);
  must(!ends || task.openStep === null, "no step is open when a task ends");
  const still: readonly string[] = ["draft", "awaiting_approval", "failed", "canceled"];
  must(!still.includes(task.status) || task.openStep === null, `no step is open in ${task.status}`);
  const leaves = TERMINAL.has(before.status) && task.status !== before.status;
  const ways: Readonly<Record<string, string>> = { retry: "queued", revise: "draft", accept: "succeeded" };
  const superseded = before.status === "succeeded" && before.delivered === null && types[0] === "SUPERSEDED";
  must(
    !leaves || superseded || (before.status === "failed" && ways[command.type] === task.status),
    "an end is left only from failed, by retry, revise or accept, or where another's work was taken",
  );

  if (task.status === "succeeded" || task.status === "failed" || task.status === "canceled")
    must(
      (EXIT_REASONS[task.status] as readonly string[]).includes(task.exitReason),
      "every end has one of its reasons",
    );
  if (task.status === "succeeded" && before.status !== "succeeded") {
    if (task.exitReason === "done") {
      const trees = Object.values(task.candidate ?? {}).map(({ tree }) => tree);
      const completed = happened.at(-1)?.event;
      const verdicts = (completed?.type === "COMPLETED" ? completed.body.gates : []).map((gate) => task.verdicts[gate]);
      must(verdicts.length > 0, "a task that is done rests on a gate");
      must(
        verdicts.every((one) => one?.verdict === "pass" && trees.includes(one.tree)),
        "a task that is done has every gate passed on its candidate's tree",
      );
      must(
        inTheWay(task.findings).length === 0 || types[0] === "FINDINGS_ACCEPTED",
        "what was found about a task that is done stands in nobody's way, or a person said yes",
      );
    } else
      must(
        types[0] === "ACCEPTED_UNPROVEN" && command.by.kind === "person",
        "what is not proven is accepted by a person, on record",
      );
  }

  const phase = PHASES.indexOf(task.phase) - PHASES.indexOf(before.phase);
  must(phase <= 1, "no phase is skipped");
  must(
    phase === 0 ||
      types.some((type) => type === "PHASE_ENTERED" || type === "CHANGES_REQUESTED" || type === "SPEC_REVISED"),
    "a phase changes by an event that says so",
  );
  if (task.phase === "implementation" || task.phase === "verification")
    must(
      task.plan !== null && task.approval?.plan === task.plan.hash && task.approval.spec === task.spec?.hash,
      "what is worked on is approved, plan and spec as they are",
    );
  must(
    task.status === "draft" || task.status === "canceled" || (task.spec !== null && task.project !== null),
    "what is in the queue or beyond is frozen and bound",
  );
  must(
    before.asked === null || task.asked !== null || task.status !== "queued" || types[0] === "ANSWERED",
    "a question is gone on from by an answer",
  );
  const forPeople: readonly string[] = [
    "ANSWERED",
    "PLAN_APPROVED",
    "PLAN_REJECTED",
    "ACCEPTED_UNPROVEN",
    "FINDINGS_ACCEPTED",
    "PAUSE_REQUESTED",
  ];
  must(command.by.kind !== "agent" || !types.some((type) => forPeople.includes(type)), "no agent answers for a person");
}

const EVIDENCE = EXAMPLES.CANDIDATE_MADE.repos.app;

/** What could be asked now: what the usual life goes on with, and everything else. */
function asks(task: Task): { readonly usual: readonly Command[]; readonly others: readonly Command[] } {
  const lease = task.status === "running" ? task.lease : { worker: "w1", epoch: task.epoch };
  const say = (said: WorkReport): Command => report(said, lease.epoch, lease.worker);
  const open = task.openStep;
  const step = `${task.attempt}.${task.phase}.${Object.keys(task.finished).length + 1}`;
  const run = (task.runs[step] ?? 0) + 1;
  const commandAct = EXAMPLES.STEP_STARTED.act;
  const act =
    task.denials % 2 === 0
      ? commandAct
      : ({ kind: "prepare", repo: "app", on: "base", key: "k1", argv: ["npm", "ci"], hosts: [] } as const);
  const closed = { step: open?.step ?? "none", run: open?.run ?? 1, evidence: [], after: {} };
  const usual: Command[] = [
    ...(task.project === null ? [COMMANDS.bind] : []),
    ...(task.spec === null
      ? [give("freeze", { draft: task.draft.digest, spec: ref("spec"), hash: `s${task.specVersion + 1}` })]
      : []),
    COMMANDS.ready,
    give("claim", { worker: "w1", epoch: task.epoch + 1, met: EXAMPLES.INPUTS_PINNED.inputs }, WORKER),
    give("approve", {
      item: task.status === "awaiting_approval" && task.proposal.kind === "work_item" ? task.proposal.item : null,
      plan: task.plan?.hash ?? "",
      spec: task.spec?.hash ?? "",
      reason: null,
    }),
    give("resume", {
      outcome: task.status === "blocked" && task.reason === "outcome_unknown" ? "redo" : null,
      reason: null,
      restart: true,
      moreMs: task.denials % 2 === 0 ? null : 60_000,
      ...(task.denials % 3 === 1 && { more: EXAMPLES.BUDGET_GRANTED.more }),
    }),
    ...(task.asked === null
      ? []
      : [give("answer", { step: task.asked.step, decision: "answered", text: ref("a"), grant: null })]),
    ...(task.status === "blocked" && (task.reason === "gates_exhausted" || task.reason === "findings")
      ? [COMMANDS.accept]
      : []),
  ];
  const working: WorkReport[] =
    open === null
      ? [
          { type: "enter_phase", phase: PHASES[PHASES.indexOf(task.phase) + 1] ?? "verification" },
          { type: "pin_bases", ...EXAMPLES.BASES_PINNED },
          {
            type: "propose_plan",
            plan: planOf(task),
            witness: [],
            runMode: task.attempt % 2 === 0 ? "autonomous" : "assisted",
            bases: { app: "b1" },
          },
          { type: "start_item", item: "work" },
          { type: "start_step", step: { step, run, item: "work", act, input: "i1", before: task.trees } },
          { type: "complete_item", item: "work" },
          ...(task.finished[step] === undefined && task.words[step] === undefined
            ? [{ type: "ask", step, item: "work", matter: EXAMPLES.ASKED.matter, detail: "it has a question" } as const]
            : []),
          { type: "make_candidate", repos: { app: EVIDENCE } },
          {
            type: "judge_gate",
            report: { ...EXAMPLES.GATE_PASSED, step },
            verdict: { verdict: "pass", restsOn: [step] },
          },
          { type: "succeed", gates: ["tests"], expectsChange: true },
          ...(task.candidate === null || task.review !== null
            ? []
            : [{ type: "review", review: EXAMPLES.REVIEWED } as const]),
          ...(task.verdicts["tests"]?.verdict === "pass"
            ? [
                task.findings.length === 0
                  ? ({ type: "inspect", ...EXAMPLES.CANDIDATE_INSPECTED } as const)
                  : ({ type: "block", reason: "findings", detail: "x", step: null } as const),
              ]
            : []),
          ...(task.candidate === null
            ? []
            : [{ type: "block", reason: "gates_exhausted", detail: "red", step: null } as const]),
        ]
      : [
          {
            type: "complete_step",
            step: { ...closed, result: ref("told") },
            followedBy: [{ type: "CHECKPOINTED", body: { step: open.step, trees: { app: `after ${step}` } } }],
          },
          { type: "fail_step", step: { ...closed, cause: "x", result: null } },
          { type: "lose_step", step: { ...closed, cause: "worker_died", rescued: {}, partialOutput: null } },
          { type: "block", reason: "outcome_unknown", detail: "unknown", step: open.step },
        ];
  const rare: WorkReport[] = [
    { type: "enter_phase", phase: "verification" },
    { type: "propose_item", item: "work" },
    { type: "fail_item", item: "work", cause: "x", output: null },
    {
      type: "judge_gate",
      report: { ...EXAMPLES.GATE_FAILED, on: "base" },
      verdict: { verdict: "fail", findings: ["x"] },
    },
    { type: "judge_gate", report: EXAMPLES.GATE_FAILED, verdict: { verdict: "fail", findings: ["x"] } },
    {
      type: "judge_gate",
      report: { ...EXAMPLES.GATE_UNPROVEN, tree: "t9" },
      verdict: { verdict: "unproven", missing: ["x"] },
    },
    {
      type: "judge_gate",
      report: { ...EXAMPLES.GATE_PASSED, tree: "t9" },
      verdict: { verdict: "pass", restsOn: ["s"] },
    },
    { type: "store_artifact", artifact: EXAMPLES.ARTIFACT_STORED },
    { type: "deny", denial: EXAMPLES.DENIED },
    { type: "retry", restart: true, cause: "gates", failure: "tests failed", output: null },
    { type: "block", reason: "gates_exhausted", detail: "red", step: null },
    { type: "block", reason: "crash_loop", detail: "died", step: null },
    { type: "succeed", gates: [], expectsChange: false },
    { type: "fail", exitReason: "gates_failed", detail: "red" },
    { type: "release", cause: "worker_stopped" },
    { type: "stop", why: "pause" },
    { type: "stop", why: "cancel" },
    { type: "warn_time", warning: EXAMPLES.TIME_WARNED },
    { type: "warn_step", warning: { ...EXAMPLES.STEP_WARNED, step: closed.step, run: closed.run } },
    { type: "act_in_turn", acted: { ...EXAMPLES.TURN_ACTED, step: closed.step, run: closed.run } },
  ];
  const delivering: Command[] = [
    give(
      "record_delivery",
      { events: [event("STEP_STARTED", { step: `deliver-${task.delivered === null ? 1 : 2}`, before: {} }) as never] },
      ADA,
    ),
    give(
      "record_delivery",
      { events: [event("STEP_COMPLETED", { ...closed, result: null }) as never, event("DELIVERED") as never] },
      ADA,
    ),
    give("record_delivery", { events: [event("DELIVERY_TURNED_BACK") as never, event("DELIVERY_TORN") as never] }, ADA),
  ];
  const people: Command[] = [
    task.attempt % 2 === 0
      ? give("change_mode", { mode: task.denials % 2 === 0 ? "interactive" : "autonomous" })
      : give("prioritize", { priority: PRIORITIES[task.denials % PRIORITIES.length] ?? "low" }),
    { ...COMMANDS.revise, title: ref(`title ${task.specVersion}`) } as Command,
    COMMANDS.bind,
    COMMANDS.freeze,
    COMMANDS.request_changes,
    COMMANDS.reject,
    COMMANDS.pause,
    task.attempt % 2 === 0 ? COMMANDS.supersede : COMMANDS.cancel,
    COMMANDS.retry,
    COMMANDS.accept,
    COMMANDS.deny,
    COMMANDS.approve,
    COMMANDS.resume,
    task.dependencies.length === 0 ? COMMANDS.add_dependency : COMMANDS.remove_dependency,
    { ...COMMANDS.approve, by: SLY },
    { ...COMMANDS.accept, by: SLY },
    { ...COMMANDS.answer, by: SLY },
    COMMANDS.answer,
    { ...COMMANDS.pause, by: SLY },
    give("claim", { worker: "w2", epoch: task.epoch, met: [] }, WORKER),
    report({ type: "release", cause: "worker_stopped" }, task.epoch - 1),
  ];
  return { usual: [...usual, ...working.map(say)], others: [...delivering, ...rare.map(say), ...people] };
}

const planOf = (task: Task) => ({
  ...EXAMPLES.PLAN_PROPOSED,
  version: task.planVersion + 1,
  hash: `p${task.planVersion + 1}`,
});

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

describe("evolve", () => {
  const taskEvents = exampleEvents().filter(({ type }) => Object.hasOwn(EXAMPLES, type)) as readonly TaskEvent[];

  it.each(STATUSES)("is total in %s: every event gives a task, and none changes the task it was given", (status) => {
    const task = deepFreeze(structuredClone(IN[status].task));
    for (const one of taskEvents) {
      const told: Recorded<TaskEvent> = deepFreeze({ seq: 99, atMs: 99_000, actor: ADA, event: one });
      if (one.type === "CREATED") expect(() => evolve(task, told)).toThrow("was created twice");
      else expect(STATUSES).toContain(evolve(task, told).status);
    }
  });

  it("leaves no fact of one status behind in the next", () => {
    const only = {
      queued: ["sinceMs"],
      running: ["lease", "seenMs"],
      blocked: ["reason", "detail", "step", "sinceMs"],
      succeeded: ["exitReason", "endedAtMs"],
      failed: ["exitReason", "detail", "endedAtMs"],
      canceled: ["exitReason", "endedAtMs"],
      awaiting_approval: ["proposal", "sinceMs"],
      draft: [],
    } as const;
    const common = Object.keys(IN.draft.task);
    for (const status of STATUSES)
      expect(Object.keys(IN[status].task).sort()).toEqual([...common, ...only[status]].sort());
  });

  it("begins only with CREATED", () =>
    expect(() => replay([{ seq: 1, atMs: 1, actor: ADA, event: event("QUEUED") }])).toThrow(
      "task T1 begins with QUEUED",
    ));

  it("keeps the newest of artifacts with the same name", () => {
    const store = (text: string): Command =>
      report({ type: "store_artifact", artifact: { ...EXAMPLES.ARTIFACT_STORED, content: ref(text) } });
    const { artifacts } = IN.running.and(store("one")).and(store("two")).task;
    expect(artifacts).toEqual([{ name: "report.md", mediaType: "text/markdown", content: ref("two") }]);
  });

  it.each(Object.values(ACT_EXAMPLES))(
    "remembers that a $kind was let reach outside where nobody but a person may repeat it, but not from planning, which no attempt repeats",
    (example) => {
      const act = { ...example, network: ["host.example:443"] } as Act;
      const outside = ({ task }: Given): boolean =>
        evolve(task, { seq: 99, atMs: 1, actor: WORKER, event: event("STEP_STARTED", { act }) }).outside;
      expect([outside(STORIES.planning), outside(STORIES.working)]).toEqual([
        false,
        crashPolicy(act) === "ask_a_person",
      ]);
    },
  );

  it("forgets the candidate's dependency layer with the candidate, and keeps the base's", () => {
    const act = (on: string) => ({
      ...EXAMPLES.STEP_STARTED,
      step: on,
      act: { kind: "prepare", repo: "app", on, key: `key-${on}`, argv: ["npm", "ci"], hosts: [] } as const,
    });
    const closed = (on: string) => ({ ...EXAMPLES.STEP_COMPLETED, step: on });
    const both = ["base", "candidate"].reduce(
      (history, on) =>
        history
          .and(report({ type: "start_step", step: act(on) }, 1))
          .and(report({ type: "complete_step", step: closed(on) }, 1)),
      IN.running,
    );
    expect(both.task.layers).toEqual({ "app@base": "key-base", "app@candidate": "key-candidate" });
    const again = evolve(both.task, { seq: 99, atMs: 1, actor: WORKER, event: event("CANDIDATE_MADE") });
    expect(again.layers).toEqual({ "app@base": "key-base" });
  });
});

describe("what turns of a foreign agent cost", () => {
  const usd = (amount: number) => ({ amount, currency: "USD" });
  const turn = (step: string, cost: number, sessionCost?: number): readonly WorkReport[] => {
    const evidence = {
      kind: "turn",
      usage: { inputTokens: null, outputTokens: null, totalTokens: 10, cost: usd(cost) },
      session: "s1",
      home: step,
      ...(sessionCost !== undefined && { sessionCost: usd(sessionCost) }),
    } as unknown as Evidence;
    return [
      { type: "start_step", step: { ...EXAMPLES.STEP_STARTED, step, act: ACT_EXAMPLES.turn } },
      { type: "complete_step", step: { ...EXAMPLES.STEP_COMPLETED, step, evidence: [evidence], after: {} } },
    ];
  };
  const having = (...told: readonly (readonly WorkReport[])[]) =>
    told.flat().reduce((history, one) => history.and(report(one, 1)), IN.running).task;

  it("is what each added to its session, and the next one knows what that has cost so far", () => {
    const task = having(turn("1", 0.5, 0.5), turn("2", 0.3, 0.8));
    expect([task.spent.total, task.turn]).toEqual([
      expect.objectContaining({ tokens: 20, microdollars: 800_000, turns: 2 }),
      { home: "2", session: "s1", sessionCost: usd(0.8), trees: task.trees },
    ]);
  });

  it("is in a journal from before sessions were told apart what it was then", () => {
    const task = having(turn("1", 0.5), turn("2", 0.8));
    expect([task.spent.total.microdollars, task.turn]).toEqual([
      1_300_000,
      { home: "2", session: "s1", trees: task.trees },
    ]);
  });
});

describe("the time a task has worked", () => {
  const at = (seq: number, atMs: number, one: TaskEvent, actor = WORKER): Recorded<TaskEvent> => ({
    seq,
    atMs,
    actor,
    event: one,
  });
  const worked = (...events: readonly Recorded<TaskEvent>[]) => events.reduce(evolve, IN.queued.task).worked.ms;
  const claim = (takeover = false) => event("CLAIMED", { takeover });

  it("is what lies between a claim and the wait after it", () =>
    expect(
      worked(at(9, 1_000, claim()), at(10, 4_000, event("PHASE_ENTERED")), at(11, 5_000, event("PLAN_PROPOSED"))),
    ).toBe(4_000));

  it("does not grow while the task waits or is queued", () =>
    expect(
      worked(
        at(9, 1_000, claim()),
        at(10, 2_000, event("BLOCKED")),
        at(11, 90_000, event("QUEUED"), ADA),
        at(12, 100_000, claim()),
        at(13, 100_500, event("BLOCKED")),
      ),
    ).toBe(1_500));

  it("does not count the time after its worker died, whatever people say meanwhile", () =>
    expect(
      worked(
        at(9, 1_000, claim()),
        at(10, 3_000, event("STEP_STARTED")),
        at(11, 50_000, event("PAUSE_REQUESTED"), ADA),
        at(12, 90_000, claim(true)),
        at(13, 91_000, event("BLOCKED")),
      ),
    ).toBe(3_000));

  it("is never less for a clock that was set back", () =>
    expect(worked(at(9, 9_000, claim()), at(10, 1_000, event("PHASE_ENTERED")), at(11, 2_000, event("BLOCKED")))).toBe(
      1_000,
    ));

  it("begins anew with a revised spec", () =>
    expect(
      worked(at(9, 1_000, claim()), at(10, 9_000, event("BLOCKED")), at(11, 9_500, event("SPEC_REVISED"), ADA)),
    ).toBe(0));
});
