import type { BlobRef } from "./blob.ts";
import { add, NOTHING_SPENT, type Spent } from "./budget.ts";
import type { Dependency } from "./dependency.ts";
import type {
  Artifact,
  Base,
  CandidateOf,
  DeliveredTo,
  FrozenSpec,
  GateReport,
  Input,
  PlanFacts,
  Recorded,
  Review,
  TaskEvent,
  TaskEventBodies,
} from "./event.ts";
import type { Cost, Evidence } from "./evidence.ts";
import type { CancelReason, FailReason, SuccessReason } from "./exit-reason.ts";
import type { JudgedFinding } from "./finding.ts";
import type { Ground, Verdict } from "./gate.ts";
import type { SettledMatter } from "./matter.ts";
import type { Phase } from "./phase.ts";
import type { WorkItemStatus } from "./plan.ts";
import type { Priority } from "./priority.ts";
import type { PinnedNotes } from "./project-note.ts";
import type { RunMode } from "./spec.ts";
import { crashPolicy, type FinishedStep, type OpenStep } from "./step.ts";
import type { TestCounts } from "./test-counts.ts";
import type { BlockReason } from "./waiting.ts";

export const STATUSES = [
  "draft",
  "queued",
  "running",
  "awaiting_approval",
  "blocked",
  "succeeded",
  "failed",
  "canceled",
] as const;
export type Status = (typeof STATUSES)[number];

export interface Lease {
  readonly worker: string;
  readonly epoch: number;
}

/** The one thing a task can be waiting to have approved. */
export type Proposal =
  | { readonly kind: "plan"; readonly plan: string }
  | { readonly kind: "work_item"; readonly item: string; readonly plan: string };

export interface Approval {
  readonly plan: string;
  readonly spec: string;
  readonly bases: Readonly<Record<string, string>>;
  readonly by: string;
}

export interface ItemState {
  readonly status: WorkItemStatus;
  /** In interactive mode: a person said yes to this item of this plan. */
  readonly approved: boolean;
}

export interface RecordedVerdict extends Ground {
  readonly verdict: Verdict["verdict"];
  readonly step: string;
  readonly counts: TestCounts | null;
  readonly findings: readonly string[];
  readonly output: BlobRef | null;
  /** Where it was run more than once. */
  readonly runs?: number;
}

/** How the same failure repeats: three times in a row stops the retries. */
export interface FailureRun {
  readonly fingerprint: string;
  readonly times: number;
}

/**
 * Time in a worker's hands, waits not counted. It is counted from one of the worker's events to the next, so it is the same after any
 * restart, and the time in which a dead daemon was not there does not count.
 */
export interface Worked {
  readonly ms: number;
  /** What people gave it beyond its spec's limit. */
  readonly grantedMs: number;
  readonly warned: boolean;
}

/** What is true of a task in every status. */
export interface TaskFacts {
  readonly id: string;
  readonly session: string;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly title: BlobRef;
  readonly draft: BlobRef;
  readonly metadata: BlobRef | null;
  readonly template: string | null;
  readonly priority: Priority;
  readonly project: { readonly id: string; readonly repos: Readonly<Record<string, string>> } | null;
  readonly spec: FrozenSpec | null;
  readonly specVersion: number;
  readonly phase: Phase;
  readonly attempt: number;
  /** The attempt that began the present round: a person's retry or resume grants a new round. */
  readonly roundStart: number;
  readonly bases: Readonly<Record<string, Base>> | null;
  readonly plan: PlanFacts | null;
  readonly planVersion: number;
  readonly changeRequest: BlobRef | null;
  readonly approval: Approval | null;
  readonly items: Readonly<Record<string, ItemState>>;
  readonly openStep: OpenStep | null;
  /** A command or a tool of this attempt was let reach outside: another attempt would reach there again, so only a person begins one. */
  readonly outside: boolean;
  /** How often each step that is not finished has been begun. */
  readonly runs: Readonly<Record<string, number>>;
  /** Finished steps that the open phase or work item may ask for again. */
  readonly finished: Readonly<Record<string, FinishedStep>>;
  /** Workspace id per repo as checked out from the base: where an attempt that starts over begins. */
  readonly baseTrees: Readonly<Record<string, string>>;
  /** Workspace id per repo at the last checkpoint. */
  readonly trees: Readonly<Record<string, string>>;
  /** Keys of prepared dependency layers, by `layerName`. */
  readonly layers: Readonly<Record<string, string>>;
  readonly candidate: Readonly<Record<string, CandidateOf>> | null;
  readonly baseline: Readonly<Record<string, RecordedVerdict>>;
  readonly verdicts: Readonly<Record<string, RecordedVerdict>>;
  /** A second opinion on the candidate, or on the one before it. */
  readonly review: Review | null;
  /** Verdicts on the candidate with the tests as they were; only where it changes them. */
  readonly keptTests: Readonly<Record<string, RecordedVerdict>>;
  /** What was found about the candidate beside its verdicts. */
  readonly findings: readonly JudgedFinding[];
  /** A person said yes to them. */
  readonly findingsAccepted: boolean;
  /** What the next attempt is told. */
  readonly lastFailure: { readonly text: string; readonly output: BlobRef | null } | null;
  readonly failureRun: FailureRun | null;
  readonly pauseRequested: boolean;
  readonly cancelRequested: { readonly reason: BlobRef | null } | null;
  readonly epoch: number;
  /** Unclean deaths in a row while it ran, without a finished step between them. */
  readonly deaths: number;
  readonly artifacts: readonly Artifact[];
  /** What comes before it; each other task once. */
  readonly dependencies: readonly Dependency[];
  readonly inputs: readonly Input[];
  /** Which task it was forked from, and where its work begins. */
  readonly fork: TaskEventBodies["FORKED"] | null;
  readonly supersededBy: string | null;
  readonly acceptedUnproven: readonly string[] | null;
  readonly delivered: Readonly<Record<string, DeliveredTo>> | null;
  readonly denials: number;
  readonly worked: Worked;
  /** What a person is asked just now. */
  readonly asked: TaskEventBodies["ASKED"] | null;
  /** Answers that the open phase or work item may ask for again, by the step that wanted to know. */
  readonly words: Readonly<Record<string, SettledMatter>>;
  /** What a person allowed for the rest of this spec, as patterns of commands. */
  readonly grants: readonly string[];
  readonly spent: Spending;
  /** What a person changed the frozen spec's mode to, until it is revised: then the new spec's holds. Not there: nobody did. */
  readonly runMode?: RunMode;
  /** The project notes it is told, pinned with its bases; not there: none. */
  readonly notes?: PinnedNotes;
  /** The last turn of a foreign agent that was completed; absent: there was none. */
  readonly turn?: LastTurn;
}

/** Where the next turn can go on: the agent's home and session, and the checkpoint they belong to. */
export interface LastTurn {
  readonly home: string;
  readonly session: string | null;
  /** What the session has cost up to there; absent: its agent did not say. */
  readonly sessionCost?: Cost;
  readonly trees: Readonly<Record<string, string>>;
}

/** What models and turns took, and time, in all and by phase; `granted` is what people let it spend beyond its budgets. */
export interface Spending {
  readonly total: Spent;
  readonly phases: Readonly<Partial<Record<Phase, Spent>>>;
  readonly granted: Spent;
}

/** A task at one moment. Each status carries the facts that exist only in it. */
export type Task = TaskFacts &
  (
    | { readonly status: "draft" }
    | { readonly status: "queued"; readonly sinceMs: number }
    /** `seenMs`: when its worker said something last. */
    | { readonly status: "running"; readonly lease: Lease; readonly seenMs: number }
    | { readonly status: "awaiting_approval"; readonly proposal: Proposal; readonly sinceMs: number }
    | {
        readonly status: "blocked";
        readonly reason: BlockReason;
        readonly detail: string;
        readonly step: string | null;
        readonly sinceMs: number;
      }
    | { readonly status: "succeeded"; readonly exitReason: SuccessReason; readonly endedAtMs: number }
    | {
        readonly status: "failed";
        readonly exitReason: FailReason;
        readonly detail: string;
        readonly endedAtMs: number;
      }
    | { readonly status: "canceled"; readonly exitReason: CancelReason; readonly endedAtMs: number }
  );

/** A task without what only its own worker asks for again. */
export type TaskOutline = Without<Task, "finished">;
/** Each case of a union without the member, so that a status still says which facts there are. */
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export type In<S extends Status> = Extract<Task, { readonly status: S }>;

/** Of a candidate that has just been made, or is none yet. */
const NOTHING_JUDGED = {
  verdicts: {},
  keptTests: {},
  findings: [],
  findingsAccepted: false,
} as const satisfies Partial<TaskFacts>;

const NOTHING_DONE = {
  roundStart: 1,
  bases: null,
  baseTrees: {},
  plan: null,
  changeRequest: null,
  approval: null,
  items: {},
  openStep: null,
  outside: false,
  runs: {},
  finished: {},
  trees: {},
  layers: {},
  candidate: null,
  baseline: {},
  ...NOTHING_JUDGED,
  review: null,
  lastFailure: null,
  failureRun: null,
  pauseRequested: false,
  cancelRequested: null,
  acceptedUnproven: null,
  delivered: null,
  worked: { ms: 0, grantedMs: 0, warned: false },
  inputs: [],
  asked: null,
  words: {},
  grants: [],
  spent: { granted: NOTHING_SPENT, phases: {}, total: NOTHING_SPENT },
} as const satisfies Partial<TaskFacts>;

/** The task after its first event. */
export function born(id: string, recorded: Recorded<TaskEvent>): Task {
  const { event, atMs } = recorded;
  if (event.type !== "CREATED") throw new Error(`task ${id} begins with ${event.type}`);
  return {
    ...NOTHING_DONE,
    ...event.body,
    id,
    createdAtMs: atMs,
    priority: "normal",
    project: null,
    spec: null,
    specVersion: 0,
    phase: "intent",
    attempt: 1,
    planVersion: 0,
    epoch: 0,
    deaths: 0,
    artifacts: [],
    dependencies: [],
    fork: null,
    supersededBy: null,
    denials: 0,
    status: "draft",
  };
}

/** The task after one more event. */
export function evolve(task: Task, recorded: Recorded<TaskEvent>): Task {
  const next = after(task, recorded);
  // A takeover ends the silence of a dead worker, which was no work; what people say meanwhile is none either.
  if (task.status !== "running" || recorded.event.type === "CLAIMED" || recorded.actor.kind !== "worker") return next;
  const ms = Math.max(0, recorded.atMs - task.seenMs);
  const worked = { ...next.worked, ms: next.worked.ms + ms };
  const timed = ms === 0 ? next : { ...next, spent: spending(next.spent, task.phase, { ms }) };
  return timed.status === "running" ? { ...timed, worked, seenMs: recorded.atMs } : { ...timed, worked };
}

/** Total: every event has its case, none reads anything but its arguments. */
function after(task: Task, { seq, event, atMs, actor }: Recorded<TaskEvent>): Task {
  switch (event.type) {
    case "CREATED":
      throw new Error(`task ${task.id} was created twice`);
    case "SPEC_REVISED": {
      const { turn: _turn, runMode: _mode, ...rest } = facts(task);
      return {
        ...rest,
        ...NOTHING_DONE,
        ...event.body,
        spec: null,
        phase: "intent",
        // What it left was made by another spec.
        artifacts: [],
        // Counted on, never begun again: steps are named by their attempt, and no two steps of a task may share a name.
        attempt: task.attempt + 1,
        roundStart: task.attempt + 1,
        status: "draft",
      };
    }
    case "SPEC_FROZEN":
      return { ...task, spec: event.body, specVersion: event.body.version };
    case "BOUND":
      // A spec frozen before had its gates pinned on no repository or on others: it is not this project's spec.
      return { ...task, project: { id: event.body.project, repos: event.body.repos }, spec: null };
    case "RESUMED":
      return {
        ...task,
        // A person's going on answers an earlier pause too, when another wait overtook it; the system's own answers nobody.
        pauseRequested: actor.kind === "system" && task.pauseRequested,
        deaths: event.body.from === "crash_loop" ? 0 : task.deaths,
      };
    case "READY":
    case "PLAN_REJECTED":
      return task;
    case "QUEUED":
      return { ...facts(task), status: "queued", sinceMs: atMs };
    case "CLAIMED":
      return {
        ...facts(task),
        epoch: event.body.epoch,
        deaths: event.body.takeover ? task.deaths + 1 : task.deaths,
        status: "running",
        lease: { worker: event.body.worker, epoch: event.body.epoch },
        seenMs: atMs,
      };
    case "PRIORITIZED":
      return { ...task, priority: event.body.priority };
    case "DEPENDENCY_ADDED":
      return { ...task, dependencies: [...task.dependencies, event.body] };
    case "DEPENDENCY_REMOVED":
      return { ...task, dependencies: task.dependencies.filter(({ on }) => on !== event.body.on) };
    case "INPUTS_PINNED":
      return { ...task, inputs: event.body.inputs };
    case "FORKED":
      return { ...task, fork: event.body };
    case "RUN_MODE_CHANGED":
      return { ...task, runMode: event.body.mode };
    case "SUPERSEDED":
      return { ...task, supersededBy: event.body.by };
    case "PHASE_ENTERED":
      return { ...task, phase: event.body.phase, ...ASKED_NOTHING };
    case "BASES_PINNED":
      return {
        ...withoutNotes(task),
        bases: event.body.bases,
        baseTrees: event.body.trees,
        trees: event.body.trees,
        ...(event.body.notes !== undefined && { notes: event.body.notes }),
      };
    case "PLAN_PROPOSED":
      return {
        ...facts(task),
        plan: { version: event.body.version, hash: event.body.hash, text: event.body.text, items: event.body.items },
        planVersion: event.body.version,
        changeRequest: null,
        approval: null,
        items: Object.fromEntries(event.body.items.map((item) => [item.id, { status: "pending", approved: false }])),
        status: "awaiting_approval",
        proposal: { kind: "plan", plan: event.body.hash },
        sinceMs: atMs,
      };
    case "PLAN_APPROVED":
      return {
        ...task,
        approval: {
          plan: event.body.plan,
          spec: event.body.spec,
          bases: event.body.bases,
          by: `${actor.kind}:${actor.name}`,
        },
      };
    case "CHANGES_REQUESTED":
      // Another plan begins where every plan begins: at the base, whatever was done of the one before.
      return {
        ...task,
        approval: null,
        changeRequest: event.body.request,
        phase: "planning",
        attempt: task.attempt + 1,
        roundStart: task.attempt + 1,
        trees: task.baseTrees,
        candidate: null,
        ...NOTHING_JUDGED,
        outside: false,
        ...ASKED_NOTHING,
      };
    case "WORK_ITEM_PROPOSED":
      return {
        ...facts(task),
        status: "awaiting_approval",
        proposal: { kind: "work_item", item: event.body.item, plan: event.body.plan },
        sinceMs: atMs,
      };
    case "WORK_ITEM_APPROVED":
      return {
        ...task,
        items: { ...task.items, [event.body.item]: { ...itemOf(task, event.body.item), approved: true } },
      };
    case "WORK_ITEM_STARTED":
      return { ...task, items: withItem(task, event.body.item, "running"), ...ASKED_NOTHING };
    case "WORK_ITEM_COMPLETED":
      return { ...task, items: withItem(task, event.body.item, "completed"), ...ASKED_NOTHING };
    case "WORK_ITEM_FAILED":
      return {
        ...task,
        items: withItem(task, event.body.item, "failed"),
        ...ASKED_NOTHING,
        lastFailure: { text: `work item ${event.body.item}: ${event.body.cause}`, output: event.body.output },
      };
    case "STEP_STARTED":
      return {
        ...task,
        openStep: {
          step: event.body.step,
          run: event.body.run,
          item: event.body.item,
          act: event.body.act,
          input: event.body.input,
          before: event.body.before,
          settled: null,
          warned: [],
          turnedBack: null,
          torn: null,
        },
        outside: task.outside || (task.phase !== "planning" && crashPolicy(event.body.act) === "ask_a_person"),
        runs: { ...task.runs, [event.body.step]: event.body.run },
      };
    case "STEP_COMPLETED":
      return {
        ...task,
        layers:
          task.openStep?.act.kind === "prepare"
            ? {
                ...task.layers,
                [layerName(task.openStep.act.repo, task.openStep.act.id, task.openStep.act.on)]: task.openStep.act.key,
              }
            : task.layers,
        openStep: null,
        deaths: 0,
        ...finishing(task, seq, event.body.step, event.body.result),
        spent: spendingOf(task, event.body.evidence),
        ...lastTurn(task, event.body),
      };
    case "STEP_FAILED": {
      const over = {
        ...task,
        openStep: null,
        deaths: 0,
        spent: spendingOf(task, event.body.evidence),
        ...lastTurn(task, event.body),
      };
      const { step, result, told, cause } = event.body;
      if (told !== undefined) return { ...over, ...finishing(task, seq, step, null, { code: told, sentence: cause }) };
      return result === null ? over : { ...over, ...finishing(task, seq, step, result) };
    }
    case "TURN_ACTED":
      return task.openStep === null
        ? task
        : { ...task, openStep: { ...task.openStep, acted: (task.openStep.acted ?? 0) + 1 } };
    case "STEP_WARNED":
      return task.openStep === null
        ? task
        : { ...task, openStep: { ...task.openStep, warned: [...task.openStep.warned, event.body.about] } };
    case "STEP_LOST":
      return { ...task, openStep: null };
    case "CHECKPOINTED":
      return { ...task, trees: { ...task.trees, ...event.body.trees } };
    case "CANDIDATE_MADE":
      return {
        ...task,
        candidate: event.body.repos,
        ...NOTHING_JUDGED,
        review: null,
        layers: Object.fromEntries(Object.entries(task.layers).filter(([name]) => !name.endsWith("@candidate"))),
      };
    case "GATE_PASSED":
      return withVerdict(task, event.body, { verdict: "pass", findings: [] });
    case "GATE_FAILED":
      return withVerdict(task, event.body, { verdict: "fail", findings: event.body.findings });
    case "GATE_UNPROVEN":
      return withVerdict(task, event.body, { verdict: "unproven", findings: event.body.missing });
    case "REVIEWED":
      return { ...task, review: event.body };
    case "CANDIDATE_INSPECTED":
      return { ...task, findings: event.body.findings };
    case "RETRIED":
      return {
        ...task,
        attempt: event.body.attempt,
        pauseRequested: event.body.cause === "person" ? false : task.pauseRequested,
        roundStart: event.body.cause === "person" ? event.body.attempt : task.roundStart,
        trees: event.body.restart ? task.baseTrees : task.trees,
        candidate: null,
        ...NOTHING_JUDGED,
        items: Object.fromEntries(
          Object.keys(task.items).map((id) => [id, { status: "pending", approved: task.items[id]?.approved ?? false }]),
        ),
        lastFailure: { text: event.body.failure, output: event.body.output },
        failureRun:
          event.body.cause === "person"
            ? null
            : {
                fingerprint: event.body.failure,
                times: task.failureRun?.fingerprint === event.body.failure ? task.failureRun.times + 1 : 1,
              },
        outside: false,
        ...ASKED_NOTHING,
      };
    case "TIME_WARNED":
      return { ...task, worked: { ...task.worked, warned: true } };
    case "TIME_GRANTED":
      return { ...task, worked: { ...task.worked, grantedMs: task.worked.grantedMs + event.body.ms, warned: false } };
    case "BUDGET_GRANTED":
      return { ...task, spent: { ...task.spent, granted: add(task.spent.granted, event.body.more) } };
    case "ASKED":
      return { ...task, asked: event.body };
    case "ANSWERED": {
      const { step, decision, text, grant } = event.body;
      const matter = task.asked?.matter;
      return {
        ...task,
        asked: null,
        words:
          matter === undefined
            ? task.words
            : {
                ...task.words,
                [step]: {
                  kind: matter.kind,
                  digest: matter.kind === "permission" ? matter.digest : null,
                  decision,
                  text,
                },
              },
        grants: grant === null || task.grants.includes(grant) ? task.grants : [...task.grants, grant],
      };
    }
    case "PAUSE_REQUESTED":
      return { ...task, pauseRequested: true };
    case "CANCEL_REQUESTED":
      return { ...task, cancelRequested: { reason: event.body.reason } };
    case "BLOCKED":
      return {
        ...facts(task),
        pauseRequested: event.body.reason === "paused" ? false : task.pauseRequested,
        finished: endedByRefusal(event.body) ? withoutLastRefusal(task.finished) : task.finished,
        status: "blocked",
        reason: event.body.reason,
        detail: event.body.detail,
        step: event.body.step,
        sinceMs: atMs,
      };
    case "OUTCOME_SETTLED":
      return { ...task, openStep: task.openStep === null ? null : { ...task.openStep, settled: event.body.outcome } };
    case "ARTIFACT_STORED":
      return {
        ...task,
        artifacts: [
          ...task.artifacts.filter((artifact) => artifact.name !== event.body.name),
          { name: event.body.name, mediaType: event.body.mediaType, content: event.body.content },
        ],
      };
    case "DENIED": {
      const { act, reason, step, input } = event.body;
      const denied = { ...task, denials: task.denials + 1 };
      if (step === undefined || input === undefined) return denied;
      const failed = { code: "act/denied", sentence: `${act}: ${reason}` } as const;
      return { ...denied, finished: { ...task.finished, [step]: { step, input, seq, result: null, failed } } };
    }
    case "ACCEPTED_UNPROVEN":
      return { ...task, acceptedUnproven: event.body.gates };
    case "FINDINGS_ACCEPTED":
      return { ...task, findingsAccepted: true };
    case "COMPLETED":
      return { ...facts(task), status: "succeeded", exitReason: event.body.exitReason, endedAtMs: atMs };
    case "FAILED":
      return {
        ...facts(task),
        status: "failed",
        exitReason: event.body.exitReason,
        detail: event.body.detail,
        endedAtMs: atMs,
      };
    case "CANCELED":
      return { ...facts(task), status: "canceled", exitReason: event.body.exitReason, endedAtMs: atMs };
    case "DELIVERY_TURNED_BACK":
      return {
        ...task,
        openStep:
          task.openStep === null
            ? null
            : {
                ...task.openStep,
                turnedBack: {
                  because: event.body.because,
                  repos: event.body.found.flatMap(({ repo, is }) => (is === "arrived" ? [repo] : [])),
                },
              },
      };
    case "DELIVERY_TORN":
      return { ...task, openStep: task.openStep === null ? null : { ...task.openStep, torn: event.body.found } };
    case "DELIVERED":
      return { ...task, delivered: { ...task.delivered, ...event.body.repos } };
  }
}

/** Only what is true in every status. Spelled out, so that a new fact that is forgotten here does not compile. */
const facts = (task: Task): TaskFacts => ({
  id: task.id,
  session: task.session,
  createdBy: task.createdBy,
  createdAtMs: task.createdAtMs,
  title: task.title,
  draft: task.draft,
  metadata: task.metadata,
  template: task.template,
  priority: task.priority,
  project: task.project,
  spec: task.spec,
  specVersion: task.specVersion,
  phase: task.phase,
  attempt: task.attempt,
  roundStart: task.roundStart,
  bases: task.bases,
  plan: task.plan,
  planVersion: task.planVersion,
  changeRequest: task.changeRequest,
  approval: task.approval,
  items: task.items,
  openStep: task.openStep,
  outside: task.outside,
  runs: task.runs,
  finished: task.finished,
  baseTrees: task.baseTrees,
  trees: task.trees,
  layers: task.layers,
  candidate: task.candidate,
  baseline: task.baseline,
  verdicts: task.verdicts,
  review: task.review,
  keptTests: task.keptTests,
  findings: task.findings,
  findingsAccepted: task.findingsAccepted,
  lastFailure: task.lastFailure,
  failureRun: task.failureRun,
  pauseRequested: task.pauseRequested,
  cancelRequested: task.cancelRequested,
  epoch: task.epoch,
  deaths: task.deaths,
  artifacts: task.artifacts,
  dependencies: task.dependencies,
  inputs: task.inputs,
  fork: task.fork,
  supersededBy: task.supersededBy,
  acceptedUnproven: task.acceptedUnproven,
  delivered: task.delivered,
  denials: task.denials,
  worked: task.worked,
  ...(task.turn !== undefined && { turn: task.turn }),
  asked: task.asked,
  words: task.words,
  grants: task.grants,
  spent: task.spent,
  ...(task.runMode !== undefined && { runMode: task.runMode }),
  ...(task.notes !== undefined && { notes: task.notes }),
});

/** What was pinned for the plan before. */
function withoutNotes(task: Task): Task {
  const { notes: _before, ...others } = task;
  return others;
}

/** What of a finished step the next turn goes on from: the home that this one left, at the checkpoint it made. */
function lastTurn(
  task: Task,
  { evidence, after }: Pick<TaskEventBodies["STEP_COMPLETED"], "evidence" | "after">,
): { readonly turn?: LastTurn } {
  const turn = evidence.find((one) => one.kind === "turn");
  if (turn === undefined) return {};
  const { home, session, sessionCost } = turn;
  return {
    turn: { home, session, ...(sessionCost !== undefined && { sessionCost }), trees: { ...task.trees, ...after } },
  };
}

/** Under which name a task keeps the key of a layer: repo, preparation, and the commit it was made for. */
export const layerName = (repo: string, id: string | undefined, on: string): string =>
  id === undefined ? `${repo}@${on}` : `${repo}/${id}@${on}`;

const itemOf = (task: Task, item: string): ItemState => task.items[item] ?? { status: "pending", approved: false };

const withItem = (task: Task, item: string, status: WorkItemStatus): TaskFacts["items"] => ({
  ...task.items,
  [item]: { ...itemOf(task, item), status },
});

function withVerdict(
  task: Task,
  report: GateReport,
  judged: { readonly verdict: Verdict["verdict"]; readonly findings: readonly string[] },
): Task {
  const recorded: RecordedVerdict = {
    ...judged,
    repo: report.repo,
    commit: report.commit,
    tree: report.tree,
    beside: report.beside,
    step: report.step,
    counts: report.counts,
    output: report.output,
    ...(report.runs !== undefined && { runs: report.runs }),
  };
  switch (report.on) {
    case "base":
      return { ...task, baseline: { ...task.baseline, [report.gate]: recorded } };
    case "candidate":
      return { ...task, verdicts: { ...task.verdicts, [report.gate]: recorded } };
    case "kept-tests":
      return { ...task, keptTests: { ...task.keptTests, [report.gate]: recorded } };
    case "merge":
      return task;
  }
}

/** A finished step is known by what it gave; how often it was begun no longer matters. */
function finishing(
  task: Task,
  seq: number,
  step: string,
  result: BlobRef | null,
  failed?: FinishedStep["failed"],
): Pick<TaskFacts, "finished" | "runs"> {
  const { [step]: _, ...runs } = task.runs;
  const one = { step, input: task.openStep?.input ?? "", seq, result, ...(failed !== undefined && { failed }) };
  return { finished: { ...task.finished, [step]: one }, runs };
}

/** A refusal that nobody dealt with put the task down: once a person has changed what stood against it, the same is asked again. */
const endedByRefusal = ({ reason, step }: TaskEventBodies["BLOCKED"]): boolean =>
  reason === "approval_needed" && step === null;

function withoutLastRefusal(finished: TaskFacts["finished"]): TaskFacts["finished"] {
  const last = Object.values(finished).reduce<FinishedStep | null>(
    (newest, one) => (newest === null || one.seq > newest.seq ? one : newest),
    null,
  );
  if (last?.failed?.code !== "act/denied") return finished;
  return Object.fromEntries(Object.entries(finished).filter(([step]) => step !== last.step));
}

/** What a phase or work item that is over cannot ask for again. */
const ASKED_NOTHING = { finished: {}, runs: {}, words: {} } as const satisfies Partial<TaskFacts>;

const spending = (before: Spending, phase: Phase, more: Partial<Spent>): Spending => ({
  ...before,
  total: add(before.total, more),
  phases: { ...before.phases, [phase]: add(before.phases[phase] ?? NOTHING_SPENT, more) },
});

/** What a step took: its model's own count, whoever paid for it. */
function spendingOf(task: Task, evidence: readonly Evidence[]): Spending {
  const turn = evidence.find((one) => one.kind === "turn");
  // As the agent itself says: nobody else counts what it and its model tell each other.
  if (turn !== undefined)
    return spending(task.spent, task.phase, {
      tokens: turn.usage.totalTokens ?? (turn.usage.inputTokens ?? 0) + (turn.usage.outputTokens ?? 0),
      microdollars: turn.usage.cost?.currency === "USD" ? Math.round(turn.usage.cost.amount * 1_000_000) : 0,
      turns: 1,
    });
  const calls = evidence.flatMap((one) => (one.kind === "model" ? [one] : []));
  if (calls.length === 0) return task.spent;
  return spending(task.spent, task.phase, {
    tokens: calls.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0),
    microdollars: calls.reduce((sum, { microdollars }) => sum + (microdollars ?? 0), 0),
    turns: calls.length,
  });
}
