import type { Actor } from "./actor.ts";
import type { BlobRef } from "./blob.ts";
import type { Spent } from "./budget.ts";
import type { Standing } from "./delivery.ts";
import type { Dependency } from "./dependency.ts";
import type { Evidence, OfKind } from "./evidence.ts";
import type { CancelReason, FailReason, SuccessReason } from "./exit-reason.ts";
import type { FailureCode } from "./failure.ts";
import type { JudgedFinding } from "./finding.ts";
import type { AgentGrants, NamedForeign } from "./foreign-agent.ts";
import type { FlakyPolicy, Ground, PinnedPart } from "./gate.ts";
import type { Matter, Word } from "./matter.ts";
import type { ModelPolicy } from "./model-policy.ts";
import type { Phase } from "./phase.ts";
import type { Priority } from "./priority.ts";
import type { PinnedNotes } from "./project-note.ts";
import type { ProbeResult, ProviderFacts, ProviderStatus, ServerStarted } from "./provider-facts.ts";
import type { Act, StepWarning } from "./step.ts";
import type { TestCounts } from "./test-counts.ts";
import type { ToolServer } from "./tool-server.ts";
import type { TurnAct, TurnDecision } from "./turn.ts";
import type { BlockReason } from "./waiting.ts";

/** A commit a repo's work starts from. */
export interface Base {
  readonly commit: string;
  readonly branch: string | null;
  /** The person's uncommitted files at that moment: named, and part of the base only when `included`. */
  readonly dirty: readonly string[];
  readonly included: boolean;
}

export interface PlannedItem {
  readonly id: string;
  readonly repo: string;
  readonly criterion: string | null;
  readonly risk: "low" | "elevated";
  readonly dependsOn: readonly string[];
}

export interface CandidateOf {
  readonly base: string;
  readonly commit: string;
  readonly tree: string;
  readonly baseTree: string;
  readonly changed: number;
  readonly leftOut: readonly string[];
}

/** `kept-tests`: the candidate, with what lies among its tests as it was on the base. */
export type GateOn = "base" | "candidate" | "kept-tests" | "merge";

export interface GateReport extends Ground {
  readonly gate: string;
  readonly on: GateOn;
  readonly step: string;
  readonly counts: TestCounts | null;
  /** What of the definition was found in that tree. */
  readonly found: readonly PinnedPart[];
  /** Combined tail of its output, for the next attempt and the person. */
  readonly output: BlobRef | null;
  /** How often it was run, where that was more than once: then a pass is a flaky one. */
  readonly runs?: number;
}

export interface DeliveredTo {
  readonly way: "merge" | "branch" | "patch" | "push";
  readonly branch: string | null;
  readonly from: string | null;
  readonly to: string;
  readonly tree: string;
  readonly checkoutFollowed: boolean;
}

export interface PlanFacts {
  readonly version: number;
  readonly hash: string;
  readonly text: BlobRef;
  readonly items: readonly PlannedItem[];
}

export interface FrozenSpec {
  readonly version: number;
  readonly hash: string;
  readonly text: BlobRef;
}

/** What a task left, by name. */
export interface Artifact {
  readonly name: string;
  readonly mediaType: string;
  readonly content: BlobRef;
}

/** What a required task had left when this one was claimed: what its steps and gates are shown, now and in every replay. */
export interface Input {
  readonly task: string;
  readonly artifacts: readonly Artifact[];
}

/** What a model found when it looked over a candidate: one line each. */
export interface Review {
  readonly by: string;
  readonly count: number;
  readonly findings: BlobRef;
  readonly failed: string | null;
}

type Trees = Readonly<Record<string, string>>;

/**
 * Everything that can happen to a task: type → content. Person-written or long text is a BlobRef. A new type needs a case in
 * `evolve`, a sentence and a schema row, or it does not compile.
 */
export interface TaskEventBodies {
  CREATED: {
    readonly session: string;
    readonly createdBy: string;
    readonly title: BlobRef;
    readonly draft: BlobRef;
    readonly metadata: BlobRef | null;
    /** Name of the shipped template it came from. */
    readonly template: string | null;
  };
  SPEC_REVISED: { readonly title: BlobRef; readonly draft: BlobRef };
  SPEC_FROZEN: FrozenSpec;
  BOUND: { readonly project: string; readonly repos: Readonly<Record<string, string>> };
  READY: { readonly spec: string };
  QUEUED: {
    readonly cause:
      | "ready"
      | "approved"
      | "item_approved"
      | "changes_requested"
      | "resumed"
      | "retried"
      | "answered"
      | "worker_stopped"
      | "project_paused"
      | "daemon_paused";
  };
  /** How much a person is involved from the next step on, whatever the frozen spec said. */
  RUN_MODE_CHANGED: { readonly mode: "interactive" | "assisted" | "autonomous" };
  /** How soon it is wanted from now on; `from` is what it was before. */
  PRIORITIZED: { readonly priority: Priority; readonly from: Priority };
  CLAIMED: { readonly worker: string; readonly epoch: number; readonly takeover: boolean };
  DEPENDENCY_ADDED: Dependency;
  DEPENDENCY_REMOVED: Dependency;
  /** Pinned by digest at the claim that first finds a required task done; what that task stores later is not seen. */
  INPUTS_PINNED: { readonly inputs: readonly Input[] };
  /** Made from the frozen spec of another task, to be worked on at its bases. `root`: the first of all that were made so. */
  FORKED: { readonly origin: string; readonly root: string; readonly bases: Readonly<Record<string, Base>> };
  /** Another task's work was taken instead. */
  SUPERSEDED: { readonly by: string };
  PHASE_ENTERED: { readonly phase: Phase; readonly from: Phase };
  /** `notes`: the project notes it is told; not there: none. */
  BASES_PINNED: {
    readonly bases: Readonly<Record<string, Base>>;
    readonly trees: Trees;
    readonly notes?: PinnedNotes;
  };
  PLAN_PROPOSED: PlanFacts & {
    readonly witness: readonly {
      readonly repo: string;
      readonly before: string;
      readonly after: string;
      readonly mount: string;
    }[];
  };
  PLAN_APPROVED: {
    readonly plan: string;
    readonly spec: string;
    readonly bases: Trees;
    readonly reason: BlobRef | null;
  };
  PLAN_REJECTED: { readonly plan: string; readonly reason: BlobRef | null };
  CHANGES_REQUESTED: { readonly plan: string; readonly request: BlobRef };
  WORK_ITEM_PROPOSED: { readonly item: string; readonly plan: string };
  WORK_ITEM_APPROVED: {
    readonly item: string;
    readonly plan: string;
    readonly spec: string;
    readonly reason: BlobRef | null;
  };
  WORK_ITEM_STARTED: { readonly item: string; readonly attempt: number };
  WORK_ITEM_COMPLETED: { readonly item: string; readonly attempt: number };
  WORK_ITEM_FAILED: {
    readonly item: string;
    readonly attempt: number;
    readonly cause: string;
    readonly output: BlobRef | null;
  };
  STEP_STARTED: {
    readonly step: string;
    readonly run: number;
    readonly item: string | null;
    readonly act: Act;
    readonly input: string;
    readonly before: Trees;
  };
  STEP_COMPLETED: {
    readonly step: string;
    readonly run: number;
    readonly evidence: readonly Evidence[];
    readonly after: Trees;
    readonly result: BlobRef | null;
  };
  /** It ran and did not do what it should; the evidence says how far it got. */
  STEP_FAILED: {
    readonly step: string;
    readonly run: number;
    readonly evidence: readonly Evidence[];
    readonly after: Trees;
    readonly cause: string;
    readonly result: BlobRef | null;
    /** It is over and its asker was told this failure, with `cause` as its words; not there: it may be begun again. */
    readonly told?: FailureCode;
  };
  /** Once per run and kind: it shows no sign of life for `ms`, or `ms` of its time are gone. `limitMs` is the limit that is meant. */
  STEP_WARNED: {
    readonly step: string;
    readonly run: number;
    readonly about: StepWarning;
    readonly ms: number;
    readonly limitMs: number;
  };
  /**
   * What the agent of an open turn asked its client for, and what was answered; durable before it was. It is the turn's own: undone with it,
   * never repeated by itself. `n` counts within the run.
   */
  TURN_ACTED: {
    readonly step: string;
    readonly run: number;
    readonly n: number;
    readonly act: TurnAct;
    readonly decision: TurnDecision;
    readonly rule: string;
    readonly evidence: readonly Evidence[];
    /** Why it was denied or did not work; null: it worked. */
    readonly cause: string | null;
  };
  /** It died with its worker, was ended by a person, or the task's time was up; what it left was undone (kept under `rescued`). */
  STEP_LOST: {
    readonly step: string;
    readonly run: number;
    readonly cause: "worker_died" | "canceled" | "time_up";
    readonly rescued: Trees;
    readonly partialOutput: BlobRef | null;
  };
  CHECKPOINTED: { readonly step: string; readonly trees: Trees };
  CANDIDATE_MADE: { readonly repos: Readonly<Record<string, CandidateOf>> };
  GATE_PASSED: GateReport & { readonly restsOn: readonly string[] };
  GATE_FAILED: GateReport & { readonly findings: readonly string[] };
  GATE_UNPROVEN: GateReport & { readonly missing: readonly string[] };
  /** A second opinion on the candidate, by `provider/model`; no verdict depends on it. `failed`: why there is none. */
  REVIEWED: Review;
  /** What was found about the candidate beside its gates' verdicts. Not there: nothing was. `trees` are those it is about. */
  CANDIDATE_INSPECTED: { readonly trees: Trees; readonly findings: readonly JudgedFinding[] };
  /** `restart`: the attempt begins at the base again; else it goes on with the workspace as it is. */
  RETRIED: {
    readonly attempt: number;
    readonly restart: boolean;
    readonly cause: "gates" | "work_item" | "person";
    readonly failure: string;
    readonly output: BlobRef | null;
  };
  /** Most of the task's time is gone: `spentMs` of work, waits not counted, of `limitMs`. */
  TIME_WARNED: { readonly spentMs: number; readonly limitMs: number };
  /** A person gave the task more time than its spec has. */
  TIME_GRANTED: { readonly ms: number };
  /** A person let more be spent than its budgets say. */
  BUDGET_GRANTED: { readonly more: Partial<Spent> };
  /** A person is asked, under the name of the step that wants to know. */
  ASKED: { readonly step: string; readonly item: string | null; readonly matter: Matter };
  /** `grant`: the like of it is not asked again in this task. */
  ANSWERED: Word & { readonly step: string; readonly grant: string | null };
  PAUSE_REQUESTED: { readonly reason: BlobRef | null };
  CANCEL_REQUESTED: { readonly reason: BlobRef | null };
  BLOCKED: { readonly reason: BlockReason; readonly detail: string; readonly step: string | null };
  RESUMED: { readonly from: BlockReason; readonly reason: BlobRef | null };
  OUTCOME_SETTLED: {
    readonly step: string;
    readonly outcome: "done" | "redo" | "abort";
    readonly reason: BlobRef | null;
  };
  ARTIFACT_STORED: {
    readonly name: string;
    readonly mediaType: string;
    readonly content: BlobRef;
    readonly step: string | null;
  };
  /** `step`: what was asked for under this name and is over by this refusal; not there where it was a part of what a step did. */
  DENIED: {
    readonly act: string;
    readonly rule: string;
    readonly reason: string;
    readonly item: string | null;
    readonly step?: string;
    readonly input?: string;
  };
  /** A person's word for what no gate proved: exactly this candidate, with every gate that did not pass or never ran. */
  ACCEPTED_UNPROVEN: {
    readonly candidate: Readonly<Record<string, { readonly commit: string; readonly tree: string }>>;
    readonly gates: readonly string[];
    readonly reason: BlobRef;
  };
  /** A person's yes to what was found about exactly this candidate, all of whose gates passed. */
  FINDINGS_ACCEPTED: {
    readonly candidate: Readonly<Record<string, { readonly commit: string; readonly tree: string }>>;
    readonly findings: readonly JudgedFinding[];
    readonly reason: BlobRef;
  };
  COMPLETED: { readonly exitReason: SuccessReason; readonly gates: readonly string[] };
  FAILED: { readonly exitReason: FailReason; readonly detail: string };
  CANCELED: { readonly exitReason: CancelReason; readonly reason: BlobRef | null };
  /** Not all branches of a delivery could move: those that did return to where they were. */
  DELIVERY_TURNED_BACK: { readonly step: string; readonly because: string; readonly found: readonly Standing[] };
  /** Some branches of a delivery moved, some did not, and both ways are closed: a person decides. */
  DELIVERY_TORN: { readonly step: string; readonly because: string; readonly found: readonly Standing[] };
  DELIVERED: { readonly repos: Readonly<Record<string, DeliveredTo>> };
}

export type TaskEventType = keyof TaskEventBodies;
export type TaskEvent = {
  readonly [T in TaskEventType]: { readonly type: T; readonly body: TaskEventBodies[T] };
}[TaskEventType];
export type TaskEventOf<T extends TaskEventType> = Extract<TaskEvent, { readonly type: T }>;

export interface ProjectEventBodies {
  PROJECT_CREATED: { readonly name: string; readonly settings: ProjectSettings };
  PROJECT_CHANGED: { readonly name: string; readonly settings: ProjectSettings };
  PROJECT_DELETED: Record<string, never>;
  /** None of its tasks is taken up until it is resumed; what runs is put back into the queue at its next boundary. */
  PROJECT_PAUSED: { readonly reason: BlobRef | null };
  PROJECT_RESUMED: { readonly reason: BlobRef | null };
  REPO_ADDED: RepoFacts;
  REPO_CHANGED: RepoFacts;
  /** `task`: whose agent proposed it; null: a person wrote it. */
  NOTE_PROPOSED: {
    readonly note: string;
    readonly text: BlobRef;
    readonly repo: string | null;
    readonly task: string | null;
  };
  /** From now on tasks that begin to plan are told it. */
  NOTE_APPROVED: { readonly note: string };
  NOTE_RETIRED: { readonly note: string };
}

export const REPO_ROLES = ["code", "docs", "infra", "monorepo-subdir"] as const;

export interface RepoFacts {
  readonly id: string;
  readonly name: string;
  /** Absolute path of a local repository, or the url of a remote one (`remote.ts`). */
  readonly path: string;
  /** Where its tasks begin and what they are delivered to; null: whatever is checked out when a task begins. */
  readonly defaultBranch: string | null;
  readonly role: (typeof REPO_ROLES)[number];
  readonly writable: boolean;
  /** Where tasks may change anything at all; none: everywhere. */
  readonly pathFilters: readonly string[];
  /** The part of the repository that is meant, of a role `monorepo-subdir`. Not there: all of it. */
  readonly directory?: string;
  /** The person's PATH when it was added: where commands of its tasks are looked up. */
  readonly toolPath: readonly string[];
}

export interface ProjectSettings {
  /** Agent of a task that names none. */
  readonly agent: "gates" | "builtin" | NamedForeign | null;
  readonly runMode: "interactive" | "assisted" | "autonomous" | null;
  /** Package hosts (`host:port`) a person allows prepare steps to reach, beside those of the machine's own clients. */
  readonly packageHosts: readonly string[];
  /** What its foreign agents are let have; absent: nothing. */
  readonly agentGrants?: AgentGrants;
  /** Of a task that names none; absent in projects of an AgentOS that knew none. */
  readonly flaky?: FlakyPolicy | null;
  /** Who may say yes; absent: everyone may, at any time. */
  readonly approvals?: {
    readonly approverNotCreator: boolean;
    readonly expiresMs: number | null;
    readonly delegates: readonly string[];
  };
  /** How many of its tasks run at the same time; null: as many as the daemon has room for. */
  readonly tasksMax: number | null;
  /** Models of its tasks, before the person's own; absent in projects of an AgentOS that knew none. */
  readonly models?: ModelPolicy;
  /** Programs with tools for the built-in agent; absent: none. */
  readonly toolServers?: readonly ToolServer[];
}

export type ProjectEventType = keyof ProjectEventBodies;
export type ProjectEvent = {
  readonly [T in ProjectEventType]: { readonly type: T; readonly body: ProjectEventBodies[T] };
}[ProjectEventType];

export interface ProviderEventBodies {
  /** Of a provider that is known without being added, the first event is this one too, with what was usual for it then. */
  PROVIDER_ADDED: ProviderFacts;
  PROVIDER_CHANGED: ProviderFacts;
  PROVIDER_REMOVED: Record<string, never>;
  /** Recorded before the server may begin: what runs under that mark is AgentOS's own, in this daemon and in any later one. */
  PROVIDER_STARTED: ServerStarted;
  /** What AgentOS started is gone; `because` says by whom or why. */
  PROVIDER_STOPPED: { readonly because: string };
  PROVIDER_STATUS_CHANGED: {
    readonly status: ProviderStatus;
    readonly from: ProviderStatus;
    readonly detail: string | null;
  };
  PROVIDER_PROBED: ProbeResult;
  /** A person gave its key; where it lies now. The key itself is nowhere in the journal. */
  PROVIDER_KEY_STORED: { readonly place: "keychain" | "file" };
  PROVIDER_KEY_FORGOTTEN: Record<string, never>;
}
export type ProviderEventType = keyof ProviderEventBodies;
export type ProviderEvent = {
  readonly [T in ProviderEventType]: { readonly type: T; readonly body: ProviderEventBodies[T] };
}[ProviderEventType];

export interface SystemEventBodies {
  STORE_CREATED: { readonly schema: number };
  DAEMON_STARTED: { readonly version: string; readonly boot: string; readonly sandbox: string };
  DAEMON_STOPPED: Record<string, never>;
  /** No task is taken up until it is resumed, whatever daemon runs; what runs is put back into the queue at its next boundary. */
  SYSTEM_PAUSED: { readonly reason: BlobRef | null };
  SYSTEM_RESUMED: { readonly reason: BlobRef | null };
  /** What a clean-up took away and what it left, in bytes on disk. */
  SPACE_RECLAIMED: {
    readonly workspaces: number;
    readonly layers: number;
    readonly mirrors: number;
    readonly bytes: number;
    readonly keptBytes: number;
    /** States that were captured before a workspace went. */
    readonly rescued: number;
    /** What should have gone and did not. */
    readonly failed: number;
  };
}
export type SystemEventType = keyof SystemEventBodies;
export type SystemEvent = {
  readonly [T in SystemEventType]: { readonly type: T; readonly body: SystemEventBodies[T] };
}[SystemEventType];

/** What holds for everything this AgentOS does, as a person set it. */
export interface PolicyEventBodies {
  /** The models of whoever names none; it replaces what was set before. */
  MODEL_POLICY_SET: { readonly policy: ModelPolicy };
  /** The policies of one project, or a person's own; they replace those before. `granted`: what in them permits, counts. */
  POLICY_SET: { readonly text: BlobRef; readonly sha256: string; readonly granted: boolean };
}
export type PolicyEventType = keyof PolicyEventBodies;
export type PolicyEvent = {
  readonly [T in PolicyEventType]: { readonly type: T; readonly body: PolicyEventBodies[T] };
}[PolicyEventType];

/** What was said in a chat. A chat can look, and leave drafts; nothing else comes of it. */
export interface ChatEventBodies {
  CHAT_MESSAGE: { readonly role: "person" | "model"; readonly text: BlobRef };
  /** One call of a model while it made its answer. `refused`: how many tools it asked for that there are not, or asked for wrongly. */
  CHAT_CALLED: Omit<OfKind<"model">, "kind"> & { readonly tools: readonly string[]; readonly refused: number };
  /** The model left a draft. Nothing runs until a person freezes it and lets it run. */
  CHAT_DRAFTED: { readonly task: string };
  /** There is no answer to the last message. */
  CHAT_FAILED: { readonly code: FailureCode | "canceled"; readonly detail: string };
}
export type ChatEventType = keyof ChatEventBodies;
export type ChatEvent = {
  readonly [T in ChatEventType]: { readonly type: T; readonly body: ChatEventBodies[T] };
}[ChatEventType];

export type AnyEvent = TaskEvent | ProjectEvent | ProviderEvent | SystemEvent | PolicyEvent | ChatEvent;

/** An event as it stands in its stream. */
export interface Recorded<E extends AnyEvent = AnyEvent> {
  readonly seq: number;
  readonly atMs: number;
  readonly actor: Actor;
  readonly event: E;
}

/** An event about to be appended. */
export interface Happened<E extends AnyEvent = AnyEvent> {
  readonly actor: Actor;
  readonly atMs: number;
  readonly event: E;
}
