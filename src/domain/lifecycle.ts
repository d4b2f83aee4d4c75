import { unacceptable } from "./acceptable.ts";
import { type Actor, POLICY } from "./actor.ts";
import { type Approving, mayNotApprove } from "./approver.ts";
import type { BlobRef } from "./blob.ts";
import { BUDGET_UNITS, type Spent } from "./budget.ts";
import type { Dependency } from "./dependency.ts";
import type {
  Base,
  CandidateOf,
  GateReport,
  Input,
  PlanFacts,
  TaskEvent,
  TaskEventBodies,
  TaskEventOf,
} from "./event.ts";
import type { FailReason } from "./exit-reason.ts";
import { findingText, inTheWay, type JudgedFinding } from "./finding.ts";
import { standsOn, type Verdict } from "./gate.ts";
import { inputsAfter } from "./inputs.ts";
import type { Matter, Word } from "./matter.ts";
import type { Phase } from "./phase.ts";
import type { Priority } from "./priority.ts";
import type { PinnedNotes } from "./project-note.ts";
import type { RunMode } from "./spec.ts";
import type { In, Status, Task } from "./task.ts";
import type { BlockReason } from "./waiting.ts";

type Trees = Readonly<Record<string, string>>;

/** What people, workers and the system can ask of a task. Imperative; refused unless the task's status has a rule for it. */
export interface CommandBodies {
  revise: { readonly title: BlobRef; readonly draft: BlobRef };
  freeze: { readonly draft: string; readonly spec: BlobRef; readonly hash: string };
  bind: { readonly project: string; readonly repos: Readonly<Record<string, string>> };
  ready: Readonly<Record<never, never>>;
  /** `met`: the tasks before it that hold it no longer, with what the required ones left. */
  claim: { readonly worker: string; readonly epoch: number; readonly met: readonly Input[] };
  add_dependency: { readonly dependency: Dependency };
  remove_dependency: { readonly dependency: Dependency };
  /** A required task ended otherwise than by success, or what it left cannot be handed over. */
  miss_dependency: { readonly on: string; readonly detail: string };
  /** A person took another attempt's work instead. */
  supersede: { readonly with: string };
  approve: {
    /** The work item that was shown, null when it was the plan. */
    readonly item: string | null;
    readonly plan: string;
    readonly spec: string;
    readonly reason: BlobRef | null;
    /** Not there: whoever may speak may approve. */
    readonly approving?: Approving;
  };
  request_changes: { readonly request: BlobRef };
  reject: { readonly reason: BlobRef | null };
  pause: { readonly reason: BlobRef | null };
  resume: {
    readonly outcome: "done" | "redo" | "abort" | null;
    readonly reason: BlobRef | null;
    readonly restart: boolean;
    /** Time the task gets beyond its limit; null: none. */
    readonly moreMs: number | null;
    /** What it may spend beyond its budgets. */
    readonly more?: Partial<Spent>;
  };
  /** A person's word on what the task asks; `grant`: and on the like of it. */
  answer: Word & { readonly step: string; readonly grant: string | null; readonly approving?: Approving };
  prioritize: { readonly priority: Priority };
  change_mode: { readonly mode: RunMode };
  cancel: { readonly reason: BlobRef | null };
  retry: { readonly restart: boolean };
  /** `gates`: every gate the spec names. */
  accept: { readonly gates: readonly string[]; readonly reason: BlobRef };
  /** What the holder of the lease reports. Refused when the lease is another's. */
  report: { readonly worker: string; readonly epoch: number; readonly report: WorkReport };
  /** What happened while a proven task was delivered. */
  record_delivery: { readonly events: readonly DeliveryEvent[] };
  deny: TaskEventBodies["DENIED"];
}

/** Everything the lease holder can say happened. One table of these is the engine's whole vocabulary. */
export type WorkReport =
  | { readonly type: "enter_phase"; readonly phase: Phase }
  | {
      readonly type: "pin_bases";
      readonly bases: Readonly<Record<string, Base>>;
      readonly trees: Trees;
      readonly notes?: PinnedNotes;
    }
  | {
      readonly type: "propose_plan";
      readonly plan: PlanFacts;
      readonly witness: TaskEventBodies["PLAN_PROPOSED"]["witness"];
      readonly runMode: RunMode;
      readonly bases: Trees;
    }
  | { readonly type: "propose_item"; readonly item: string }
  | { readonly type: "start_item"; readonly item: string }
  | { readonly type: "complete_item"; readonly item: string }
  | { readonly type: "fail_item"; readonly item: string; readonly cause: string; readonly output: BlobRef | null }
  | { readonly type: "start_step"; readonly step: TaskEventBodies["STEP_STARTED"] }
  | {
      readonly type: "complete_step";
      readonly step: TaskEventBodies["STEP_COMPLETED"];
      readonly followedBy?: readonly TaskEvent[];
    }
  | {
      readonly type: "fail_step";
      readonly step: TaskEventBodies["STEP_FAILED"];
      readonly followedBy?: readonly TaskEvent[];
    }
  | { readonly type: "warn_step"; readonly warning: TaskEventBodies["STEP_WARNED"] }
  | { readonly type: "act_in_turn"; readonly acted: TaskEventBodies["TURN_ACTED"] }
  | { readonly type: "warn_time"; readonly warning: TaskEventBodies["TIME_WARNED"] }
  | { readonly type: "lose_step"; readonly step: TaskEventBodies["STEP_LOST"] }
  | { readonly type: "make_candidate"; readonly repos: Readonly<Record<string, CandidateOf>> }
  | { readonly type: "judge_gate"; readonly report: GateReport; readonly verdict: Verdict }
  | { readonly type: "review"; readonly review: TaskEventBodies["REVIEWED"] }
  | { readonly type: "inspect"; readonly trees: Trees; readonly findings: readonly JudgedFinding[] }
  | { readonly type: "store_artifact"; readonly artifact: TaskEventBodies["ARTIFACT_STORED"] }
  | { readonly type: "deny"; readonly denial: TaskEventBodies["DENIED"] }
  | {
      readonly type: "retry";
      readonly restart: boolean;
      readonly cause: "gates" | "work_item";
      readonly failure: string;
      readonly output: BlobRef | null;
    }
  | { readonly type: "block"; readonly reason: BlockReason; readonly detail: string; readonly step: string | null }
  /** A person's word is needed before the step of that name. */
  | {
      readonly type: "ask";
      readonly step: string;
      readonly item: string | null;
      readonly matter: Matter;
      readonly detail: string;
    }
  | { readonly type: "succeed"; readonly gates: readonly string[]; readonly expectsChange: boolean }
  | { readonly type: "fail"; readonly exitReason: FailReason; readonly detail: string }
  /** The worker is being stopped in good order, or nothing is to run for now; another claim goes on. */
  | { readonly type: "release"; readonly cause: "worker_stopped" | "project_paused" | "daemon_paused" }
  | { readonly type: "stop"; readonly why: "pause" | "cancel" };

export type DeliveryEvent = TaskEventOf<
  | "STEP_STARTED"
  | "STEP_COMPLETED"
  | "STEP_FAILED"
  | "STEP_LOST"
  | "GATE_PASSED"
  | "GATE_FAILED"
  | "GATE_UNPROVEN"
  | "ARTIFACT_STORED"
  | "OUTCOME_SETTLED"
  | "DELIVERY_TURNED_BACK"
  | "DELIVERY_TORN"
  | "DELIVERED"
  | "DENIED"
>;

export type CommandType = keyof CommandBodies;
export type Command<C extends CommandType = CommandType> = {
  readonly [T in C]: { readonly type: T; readonly by: Actor } & CommandBodies[T];
}[C];

/** No, with what would be allowed. `why` adds the fact that stands against it. */
export interface Refusal {
  readonly refused: CommandType;
  readonly status: Status;
  readonly why: string | null;
  readonly allowed: readonly CommandType[];
}

/** Events to append, some of them by another actor than the one who asked (the policy approves, the person did not). */
export interface Decided {
  readonly event: TaskEvent;
  readonly actor: Actor;
}

export type Decision = readonly Decided[] | Refusal;

/** A refusal as one sentence. */
export function refusalText(id: string, { refused, status, why, allowed }: Refusal): string {
  const takes = allowed.length === 0 ? "nothing" : allowed.join(", ");
  return `task ${id} is ${status} and refuses ${refused}${why === null ? "" : `: ${why}`}. It takes ${takes}.`;
}

export const isRefusal = (decision: Decision): decision is Refusal => "refused" in decision;

type Answer = readonly (TaskEvent | Decided)[] | string;
type Rule<S extends Status, C extends CommandType> = (task: In<S>, command: Command<C>) => Answer;
type Lifecycle = { readonly [S in Status]: { readonly [C in CommandType]?: Rule<S, C> } };

/*
 * The machine. A command absent from a row is refused; a status without a row does not compile.
 *
 *   draft ─ready→ queued ─claim→ running ─propose_plan→ awaiting_approval ─approve→ queued
 *                   ▲               │ block                    │ request_changes → queued, phase planning
 *                   └─ resume ── blocked                       └ reject → canceled
 *   running ─succeed→ succeeded   running ─fail→ failed ─retry→ queued   any living one ─cancel→ canceled
 *   any living or undelivered succeeded one ─supersede→ canceled
 *
 * Only a claim leads to `running`; every wait gives the lease back; every answer leads to `queued` with its phase kept. A
 * person's pause or cancel of a running task is a request: the lease holder ends the open step first and then reports
 * `stop`, so that no effect is open when the terminal event stands.
 */
const LIFECYCLE: Lifecycle = {
  draft: {
    revise,
    freeze,
    bind,
    ready,
    prioritize,
    add_dependency: addDependency,
    remove_dependency: removeDependency,
    supersede,
    cancel: cancelNow,
    deny,
  },
  queued: {
    claim,
    revise,
    prioritize,
    change_mode: changeMode,
    add_dependency: addDependency,
    remove_dependency: removeDependency,
    miss_dependency: missDependency,
    supersede,
    cancel: cancelNow,
    deny,
  },
  running: {
    claim: (task, { worker, epoch }) =>
      epoch <= task.epoch
        ? `epoch ${epoch} is not after ${task.epoch}`
        : [e("CLAIMED", { worker, epoch, takeover: true })],
    report,
    prioritize,
    change_mode: changeMode,
    pause: (task, { reason, by }) =>
      by.kind === "agent"
        ? "an agent may not pause its own task"
        : task.pauseRequested
          ? []
          : [e("PAUSE_REQUESTED", { reason })],
    supersede: (task, { with: by, by: actor }) =>
      actor.kind === "agent"
        ? AGENT_SUPERSEDES
        : [
            e("SUPERSEDED", { by }),
            ...(task.cancelRequested === null ? [e("CANCEL_REQUESTED", { reason: null })] : []),
          ],
    cancel: (task, { reason }) => (task.cancelRequested === null ? [e("CANCEL_REQUESTED", { reason })] : []),
    deny,
  },
  awaiting_approval: {
    approve,
    request_changes: (task, { request }) =>
      task.plan === null
        ? "it has no plan"
        : [e("CHANGES_REQUESTED", { plan: task.plan.hash, request }), e("QUEUED", { cause: "changes_requested" })],
    reject: (task, { reason, by }) =>
      by.kind === "agent" || task.plan === null
        ? "only a person may answer"
        : [
            e("PLAN_REJECTED", { plan: task.plan.hash, reason }),
            e("CANCELED", { exitReason: "plan_rejected", reason }),
          ],
    revise,
    prioritize,
    change_mode: changeMode,
    add_dependency: addDependency,
    remove_dependency: removeDependency,
    supersede,
    cancel: cancelNow,
    deny,
  },
  blocked: {
    resume,
    answer,
    accept,
    revise,
    prioritize,
    change_mode: changeMode,
    add_dependency: addDependency,
    remove_dependency: removeDependency,
    supersede,
    cancel: cancelNow,
    deny,
  },
  succeeded: {
    record_delivery: recordDelivery,
    supersede: (task, command) =>
      task.delivered !== null
        ? "it was delivered itself"
        : task.openStep !== null
          ? `step ${task.openStep.step} is open`
          : supersede(task, command),
    deny,
  },
  failed: {
    retry: retryAgain,
    revise,
    accept,
    prioritize,
    add_dependency: addDependency,
    remove_dependency: removeDependency,
    deny,
  },
  canceled: { deny },
};

/**
 * The commands that a task in this status has a rule for and that lead somewhere: the buttons on screen. `report`, `deny` and deliveries are
 * the system's; a priority and a dependency change nothing about where the task stands.
 */
export const allowedCommands = (task: Task): readonly CommandType[] =>
  commandsOf(LIFECYCLE[task.status]).filter(
    (command) =>
      command !== (task.asked === null ? "answer" : "resume") && (command !== "accept" || unacceptable(task) === null),
  );

const NO_BUTTON: ReadonlySet<CommandType> = new Set<CommandType>([
  "claim",
  "report",
  "deny",
  "record_delivery",
  "prioritize",
  "change_mode",
  "add_dependency",
  "remove_dependency",
  "miss_dependency",
  "supersede",
]);
const commandsOf = (row: Lifecycle[Status]): readonly CommandType[] =>
  (Object.keys(row) as CommandType[]).filter((command) => !NO_BUTTON.has(command));

/** Events, or a refusal that names what is allowed now. Pure: time and ids are in the command or added by the caller. */
export function decide(task: Task, command: Command): Decision {
  const rule = LIFECYCLE[task.status][command.type] as ((task: Task, command: Command) => Answer) | undefined;
  const refuse = (why: string | null): Refusal => ({
    refused: command.type,
    status: task.status,
    why,
    allowed: allowedCommands(task),
  });
  if (rule === undefined) return refuse(null);
  const answer = rule(task, command);
  if (typeof answer === "string") return refuse(answer);
  return answer.map((one) => ("event" in one ? one : { event: one, actor: command.by }));
}

const e = <T extends TaskEvent["type"]>(type: T, body: TaskEventBodies[T]): TaskEvent => ({ type, body }) as TaskEvent;

function deny(_task: Task, { type: _type, by: _by, ...denial }: Command<"deny">): Answer {
  return [e("DENIED", denial)];
}

function revise(task: Task, { title, draft }: Command<"revise">): Answer {
  return task.openStep !== null && task.status !== "blocked"
    ? "a step is open"
    : [...closing(task, "revised"), e("SPEC_REVISED", { title, draft })];
}

/** A step that waited for a person's word is closed before what ends or restarts the task: nothing stays open behind it. */
const closing = (task: Task, why: "canceled" | "revised" | "failed"): TaskEvent[] =>
  task.openStep === null
    ? []
    : [
        e("STEP_FAILED", {
          step: task.openStep.step,
          run: task.openStep.run,
          evidence: [],
          after: {},
          cause: `nobody said what became of it before the task was ${why}`,
          result: null,
        }),
      ];

function freeze(task: In<"draft">, command: Command<"freeze">): Answer {
  if (command.draft !== task.draft.digest) return "the draft changed meanwhile";
  if (task.spec !== null) return `it is frozen already, as ${task.spec.hash}`;
  return [e("SPEC_FROZEN", { version: task.specVersion + 1, hash: command.hash, text: command.spec })];
}

function bind(task: In<"draft">, { project, repos }: Command<"bind">): Answer {
  if (task.project?.id === project) return "it is bound to that project already";
  return [e("BOUND", { project, repos })];
}

function ready(task: In<"draft">): Answer {
  if (task.project === null) return "it is not bound to a project";
  if (task.spec === null) return "its spec is not frozen";
  return [e("READY", { spec: task.spec.hash }), e("QUEUED", { cause: "ready" })];
}

/**
 * What must come before is settled here and not only where tasks are chosen: one that was added since the choice is not among `met`.
 * What a required task left is pinned once; a later claim sees what the first one saw.
 */
function claim(task: In<"queued">, { worker, epoch, met }: Command<"claim">): Answer {
  if (epoch <= task.epoch) return `epoch ${epoch} is not after ${task.epoch}`;
  const claimed = e("CLAIMED", { worker, epoch, takeover: false });
  const unmet = task.dependencies.find(({ on, kind }) => kind !== "suggests" && !met.some((one) => one.task === on));
  if (unmet !== undefined) return `it waits for task ${unmet.on}`;
  const inputs = inputsAfter(task.dependencies, task.inputs, met);
  const same = inputs.length === task.inputs.length && inputs.every((one) => task.inputs.includes(one));
  return same ? [claimed] : [claimed, e("INPUTS_PINNED", { inputs })];
}

function addDependency(task: Task, { dependency: { on, kind }, by }: Command<"add_dependency">): Answer {
  if (by.kind === "agent") return "an agent may not change what comes before its task";
  if (on === task.id) return "a task cannot depend on itself";
  const there = task.dependencies.find((one) => one.on === on);
  if (there === undefined) return [e("DEPENDENCY_ADDED", { on, kind })];
  return there.kind === kind ? [] : `it depends on task ${on} already, by ${there.kind}`;
}

/** Without what failed it goes on; should another one have failed too, it waits for that one next. */
function removeDependency(task: Task, { dependency: { on, kind }, by }: Command<"remove_dependency">): Answer {
  if (by.kind === "agent") return "an agent may not change what comes before its task";
  if (!task.dependencies.some((one) => one.on === on && one.kind === kind))
    return `it does not depend on task ${on} by ${kind}`;
  const removed = e("DEPENDENCY_REMOVED", { on, kind });
  return task.status === "blocked" && task.reason === "dependency_failed" && kind === "requires"
    ? [removed, e("RESUMED", { from: task.reason, reason: null }), e("QUEUED", { cause: "resumed" })]
    : [removed];
}

function missDependency(task: In<"queued">, { on, detail }: Command<"miss_dependency">): Answer {
  return task.dependencies.some((one) => one.on === on && one.kind === "requires")
    ? [e("BLOCKED", { reason: "dependency_failed", detail, step: null })]
    : `it does not require task ${on}`;
}

function approve(
  task: In<"awaiting_approval">,
  { item, plan, spec, reason, approving, by }: Command<"approve">,
): Answer {
  if (by.kind === "agent") return "an agent may not approve";
  const why = approving === undefined ? null : mayNotApprove(by, task.sinceMs, approving);
  if (why !== null) return why;
  if (task.plan === null || task.spec === null || task.bases === null) return "it has no plan";
  if (plan !== task.plan.hash) return `the plan is now ${task.plan.hash}, the approval names ${plan}`;
  if (spec !== task.spec.hash) return `the spec is now ${task.spec.hash}, the approval names ${spec}`;
  const asked = task.proposal.kind === "work_item" ? task.proposal.item : null;
  if (item !== asked)
    return asked === null
      ? "it asks for the plan, not for a work item"
      : `it asks for work item ${asked}, the approval names ${item ?? "none"}`;
  if (asked !== null)
    return [e("WORK_ITEM_APPROVED", { item: asked, plan, spec, reason }), e("QUEUED", { cause: "item_approved" })];
  const bases = Object.fromEntries(Object.entries(task.bases).map(([repo, base]) => [repo, base.commit]));
  return [e("PLAN_APPROVED", { plan, spec, bases, reason }), e("QUEUED", { cause: "approved" })];
}

const AGENT_SUPERSEDES = "an agent may not say whose work is taken";

function supersede(task: Task, { with: by, by: actor }: Command<"supersede">): Answer {
  if (actor.kind === "agent") return AGENT_SUPERSEDES;
  return [
    e("SUPERSEDED", { by }),
    ...closing(task, "canceled"),
    e("CANCELED", { exitReason: "superseded", reason: null }),
  ];
}

/** Why a task ends that was asked to while a worker had it in hand. */
const canceled = (task: Task): TaskEvent =>
  e("CANCELED", {
    exitReason: task.supersededBy === null ? "canceled_by_person" : "superseded",
    reason: task.cancelRequested?.reason ?? null,
  });

function cancelNow(task: Task, { reason }: Command<"cancel">): Answer {
  return [...closing(task, "canceled"), e("CANCELED", { exitReason: "canceled_by_person", reason })];
}

function prioritize(task: Task, { priority, by }: Command<"prioritize">): Answer {
  if (by.kind === "agent") return "an agent may not say how soon its task is wanted";
  return priority === task.priority ? [] : [e("PRIORITIZED", { priority, from: task.priority })];
}

/** From the next boundary on. What waits for an answer already still waits for it. */
function changeMode(task: Task, { mode, by }: Command<"change_mode">): Answer {
  if (by.kind !== "person") return "only a person may change how much they are asked";
  return task.runMode === mode ? [] : [e("RUN_MODE_CHANGED", { mode })];
}

function resume(task: In<"blocked">, command: Command<"resume">): Answer {
  const { moreMs, more = {} } = command;
  if (task.asked !== null) return "it asks something, and goes on when that is answered";
  const lets = BUDGET_UNITS.some((unit) => more[unit] !== undefined);
  if (task.reason === "budget_exhausted" && moreMs === null && !lets)
    return "what it may spend is used up; say how much more it gets";
  const answer = goOn(task, command);
  if (typeof answer === "string") return answer;
  return [
    ...(moreMs === null ? [] : [e("TIME_GRANTED", { ms: moreMs })]),
    ...(lets ? [e("BUDGET_GRANTED", { more })] : []),
    ...answer,
  ];
}

function answer(task: In<"blocked">, { step, decision, text, grant, approving, by }: Command<"answer">): Answer {
  if (by.kind !== "person") return "only a person may answer";
  if (task.asked === null) return `it asks nothing: it is blocked by ${task.reason}`;
  if (task.asked.step !== step) return `it asks at step ${task.asked.step} now, the answer is for ${step}`;
  const { matter } = task.asked;
  if (matter.kind === "question" && decision !== "answered") return "it asks a question, which is answered in words";
  if (matter.kind === "question" && text === null) return "the answer has no words";
  if (matter.kind === "permission" && decision === "answered") return "it asks for permission: allow it or deny it";
  const why = approving === undefined || decision !== "allowed" ? null : mayNotApprove(by, task.sinceMs, approving);
  if (why !== null) return why;
  if (grant !== null && (matter.kind !== "permission" || decision !== "allowed" || matter.grant !== grant))
    return `${grant} cannot be granted here`;
  return [
    e("ANSWERED", { step, decision, text, grant }),
    e("RESUMED", { from: task.reason, reason: null }),
    e("QUEUED", { cause: "answered" }),
  ];
}

function goOn(task: In<"blocked">, { outcome, reason, restart }: Command<"resume">): Answer {
  const resumed = e("RESUMED", { from: task.reason, reason });
  const queued = e("QUEUED", { cause: "resumed" });
  if (task.reason === "outcome_unknown") {
    if (task.openStep === null || outcome === null)
      return "say what became of the interrupted step: done, redo or abort";
    return [
      e("OUTCOME_SETTLED", { step: task.openStep.step, outcome, reason }),
      resumed,
      e("QUEUED", { cause: "answered" }),
    ];
  }
  if (outcome !== null) return `nothing is unknown: it is blocked by ${task.reason}`;
  if (task.reason === "gates_exhausted" || task.reason === "agent_failed" || task.reason === "findings")
    return [
      resumed,
      e("RETRIED", {
        attempt: task.attempt + 1,
        restart,
        cause: "person",
        failure: task.detail,
        output: task.lastFailure?.output ?? null,
      }),
      phase(task, "implementation"),
      queued,
    ].flat();
  return [resumed, queued];
}

function accept(task: In<"blocked"> | In<"failed">, { gates, reason, by }: Command<"accept">): Answer {
  if (by.kind !== "person") return "only a person may accept what is not proven";
  const never = unacceptable(task);
  if (never !== null) return never;
  const candidate = Object.fromEntries(
    Object.entries(task.candidate ?? {}).map(([repo, { commit, tree }]) => [repo, { commit, tree }]),
  );
  const unproven = gates.filter((gate) => !hasPassed(task, gate, candidate));
  const asked = inTheWay(task.findings);
  // Everything is proven, and what was found is a person's to judge: with the yes to it the work is done.
  if (unproven.length === 0 && gates.length > 0 && asked.length > 0 && !asked.some(isUnproven))
    return [
      e("FINDINGS_ACCEPTED", { candidate, findings: asked, reason }),
      e("COMPLETED", { exitReason: "done", gates }),
    ];
  return [
    e("ACCEPTED_UNPROVEN", { candidate, gates: unproven, reason }),
    e("COMPLETED", { exitReason: "accepted_unproven", gates: gates.filter((gate) => !unproven.includes(gate)) }),
  ];
}

const isUnproven = ({ kind }: JudgedFinding): boolean => kind === "criterion_unproven";

function retryAgain(task: In<"failed">, { restart }: Command<"retry">): Answer {
  const attempt = task.attempt + 1;
  return [
    e("RETRIED", { attempt, restart, cause: "person", failure: task.detail, output: task.lastFailure?.output ?? null }),
    phase(task, "implementation"),
    e("QUEUED", { cause: "retried" }),
  ].flat();
}

/** Going back is an explicit event; a task that never left the phase (or has no plan yet) stays where it is. */
const phase = (task: Task, to: Phase): TaskEvent[] =>
  task.phase === to || task.approval === null ? [] : [e("PHASE_ENTERED", { phase: to, from: task.phase })];

function recordDelivery(task: In<"succeeded">, { events }: Command<"record_delivery">): Answer {
  const first = events[0];
  if (first?.type === "STEP_STARTED" && task.openStep !== null) return `step ${task.openStep.step} is open`;
  // That all of them moved is one fact: no record says it of some.
  const act = task.openStep?.act;
  if (act?.kind === "deliver_together") {
    const delivered = events.flatMap((one) => (one.type === "DELIVERED" ? Object.keys(one.body.repos) : []));
    const completes = events.some(({ type }) => type === "STEP_COMPLETED");
    const lacking = act.moves.find(({ repo }) => delivered.includes(repo) !== completes);
    if (lacking !== undefined) return `${lacking.repo} is delivered with all repos of this delivery, or not at all`;
  }
  return events;
}

const PHASE_AFTER: Readonly<Record<Phase, Phase | null>> = {
  intent: "planning",
  planning: "implementation",
  implementation: "verification",
  verification: null,
};

/** A cancel that came after the last boundary: the lease is given back here in any case, so the task ends instead of waiting. */
const PUTS_DOWN: ReadonlySet<WorkReport["type"]> = new Set<WorkReport["type"]>([
  "propose_plan",
  "propose_item",
  "ask",
  "block",
  "fail",
  "release",
]);

/** What the lease holder says happened. The invariants of a running task are checked here, whoever calls. */
function report(task: In<"running">, { worker, epoch, report: said }: Command<"report">): Answer {
  if (task.lease.epoch !== epoch || task.lease.worker !== worker)
    return `the lease is epoch ${task.lease.epoch}'s, not epoch ${epoch}'s`;
  if (task.cancelRequested !== null && task.openStep === null && PUTS_DOWN.has(said.type)) return [canceled(task)];
  switch (said.type) {
    case "enter_phase":
      if (PHASE_AFTER[task.phase] !== said.phase) return `${said.phase} does not follow ${task.phase}`;
      if (said.phase === "implementation" && task.approval === null) return "the plan is not approved";
      return [e("PHASE_ENTERED", { phase: said.phase, from: task.phase })];
    case "pin_bases":
      return [
        e("BASES_PINNED", {
          bases: said.bases,
          trees: said.trees,
          ...(said.notes !== undefined && { notes: said.notes }),
        }),
      ];
    case "propose_plan": {
      if (task.phase !== "planning" || task.spec === null || task.openStep !== null) return "it is not planning";
      const proposed = e("PLAN_PROPOSED", { ...said.plan, witness: said.witness });
      if (said.runMode !== "autonomous") return [proposed];
      return [
        proposed,
        {
          event: e("PLAN_APPROVED", { plan: said.plan.hash, spec: task.spec.hash, bases: said.bases, reason: null }),
          actor: POLICY,
        },
        e("QUEUED", { cause: "approved" }),
      ];
    }
    case "propose_item":
      return task.plan === null || task.openStep !== null
        ? "it has no plan"
        : [e("WORK_ITEM_PROPOSED", { item: said.item, plan: task.plan.hash })];
    case "start_item":
      if (task.approval === null || task.phase !== "implementation") return "the plan is not approved";
      return [e("WORK_ITEM_STARTED", { item: said.item, attempt: task.attempt })];
    case "complete_item":
      return task.openStep === null
        ? [e("WORK_ITEM_COMPLETED", { item: said.item, attempt: task.attempt })]
        : "a step is open";
    case "fail_item":
      return task.openStep === null
        ? [e("WORK_ITEM_FAILED", { item: said.item, attempt: task.attempt, cause: said.cause, output: said.output })]
        : "a step is open";
    case "start_step":
      if (task.openStep !== null) return `step ${task.openStep.step} is open`;
      if (task.finished[said.step.step] !== undefined) return `step ${said.step.step} is finished`;
      return [e("STEP_STARTED", said.step)];
    case "complete_step":
      return isOpen(task, said.step)
        ? [e("STEP_COMPLETED", said.step), ...(said.followedBy ?? [])]
        : `step ${said.step.step} is not open`;
    case "fail_step":
      return isOpen(task, said.step)
        ? [e("STEP_FAILED", said.step), ...(said.followedBy ?? [])]
        : `step ${said.step.step} is not open`;
    case "warn_step":
      return isOpen(task, said.warning) && task.openStep?.warned.includes(said.warning.about) === false
        ? [e("STEP_WARNED", said.warning)]
        : [];
    case "act_in_turn":
      return isOpen(task, said.acted) ? [e("TURN_ACTED", said.acted)] : `step ${said.acted.step} is not open`;
    case "warn_time":
      return task.worked.warned ? [] : [e("TIME_WARNED", said.warning)];
    case "lose_step":
      return isOpen(task, said.step) ? [e("STEP_LOST", said.step)] : `step ${said.step.step} is not open`;
    case "make_candidate":
      return task.phase === "verification" ? [e("CANDIDATE_MADE", { repos: said.repos })] : "it is not being verified";
    case "judge_gate":
      return [gateEvent(said.report, said.verdict)];
    case "review":
      return task.phase === "verification" && task.candidate !== null && task.openStep === null
        ? [e("REVIEWED", said.review)]
        : "there is no candidate to have an opinion on";
    case "inspect":
      return task.candidate === null
        ? "there is no candidate"
        : [e("CANDIDATE_INSPECTED", { trees: said.trees, findings: said.findings })];
    case "store_artifact":
      return [e("ARTIFACT_STORED", said.artifact)];
    case "deny":
      return [e("DENIED", said.denial)];
    case "retry":
      return task.openStep !== null
        ? "a step is open"
        : [
            e("RETRIED", {
              attempt: task.attempt + 1,
              restart: said.restart,
              cause: said.cause,
              failure: said.failure,
              output: said.output,
            }),
            ...phase(task, "implementation"),
          ];
    case "block":
      // A step may stay open behind a wait: the next claim closes it by its crash policy before anything else.
      return [e("BLOCKED", { reason: said.reason, detail: said.detail, step: said.step })];
    case "ask":
      return task.openStep === null
        ? [
            e("ASKED", { step: said.step, item: said.item, matter: said.matter }),
            e("BLOCKED", {
              reason: said.matter.kind === "question" ? "question" : "approval_needed",
              detail: said.detail,
              step: said.step,
            }),
          ]
        : `step ${task.openStep.step} is open`;
    case "succeed":
      return succeed(task, said.gates, said.expectsChange);
    case "fail":
      return [...closing(task, "failed"), e("FAILED", { exitReason: said.exitReason, detail: said.detail })];
    case "release":
      return task.openStep === null ? [e("QUEUED", { cause: said.cause })] : `step ${task.openStep.step} is open`;
    case "stop":
      if (task.openStep !== null) return `step ${task.openStep.step} is open`;
      if (said.why === "cancel") return task.cancelRequested === null ? "nobody asked to cancel" : [canceled(task)];
      return task.pauseRequested
        ? [e("BLOCKED", { reason: "paused", detail: "paused by a person", step: null })]
        : "nobody asked to pause";
  }
}

const isOpen = (task: Task, step: { readonly step: string; readonly run: number }): boolean =>
  task.openStep !== null && task.openStep.step === step.step && task.openStep.run === step.run;

function gateEvent(report: GateReport, verdict: Verdict): TaskEvent {
  switch (verdict.verdict) {
    case "pass":
      return e("GATE_PASSED", { ...report, restsOn: verdict.restsOn });
    case "fail":
      return e("GATE_FAILED", { ...report, findings: verdict.findings });
    case "unproven":
      return e("GATE_UNPROVEN", { ...report, missing: verdict.missing });
  }
}

const hasPassed = (task: Task, gate: string, now: Readonly<Record<string, { readonly tree: string }>>): boolean => {
  const verdict = task.verdicts[gate];
  return verdict !== undefined && verdict.verdict === "pass" && standsOn(verdict, now);
};

/** `succeeded` needs every gate of the frozen spec passed on the candidate's tree of its own repo (and of those beside it), a change where one is expected, nothing found that stands in the way, and no open step. */
function succeed(task: In<"running">, gates: readonly string[], expectsChange: boolean): Answer {
  if (task.openStep !== null) return `step ${task.openStep.step} is open`;
  if (task.candidate === null || task.phase !== "verification") return "there is no candidate";
  if (gates.length === 0) return "no gate was agreed on, so nothing is proven";
  for (const gate of gates) {
    if (!hasPassed(task, gate, task.candidate)) return `gate ${gate} has not passed on the candidate`;
  }
  if (expectsChange && Object.values(task.candidate).every((candidate) => candidate.tree === candidate.baseTree))
    return "the spec expects a change and there is none";
  const [against] = inTheWay(task.findings);
  if (against !== undefined) return `something was found about the candidate: ${findingText(against)}`;
  return [e("COMPLETED", { exitReason: "done", gates })];
}
