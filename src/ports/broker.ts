import type { BlobRef } from "../domain/blob.ts";
import type { GateOn, Input, TaskEventBodies } from "../domain/event.ts";
import type { Cost, Evidence } from "../domain/evidence.ts";
import type { Failure } from "../domain/failure.ts";
import type { GateDefinition, Ground, PinnedPart, PrepareDefinition } from "../domain/gate.ts";
import type { PhaseModels } from "../domain/model-policy.ts";
import type { Phase } from "../domain/phase.ts";
import type { WorkItem } from "../domain/plan.ts";
import type { RunMode, Spec } from "../domain/spec.ts";
import type { Act, StepWarning } from "../domain/step.ts";
import type { TestCounts } from "../domain/test-counts.ts";
import type { ToolServer } from "../domain/tool-server.ts";
import type { PlanningCapabilities, TalkCapabilities, WorkCapabilities } from "./agent.ts";
import type { ProcessMark } from "./sandbox.ts";
import type { StagedBlob } from "./store.ts";
import type { Candidate, Identity } from "./workspaces.ts";

/** What an effect gives back to the bracket that records it. */
export interface Effect {
  readonly evidence: readonly Evidence[];
  /** Repos whose workspace it may have changed: a snapshot is taken before it is recorded. */
  readonly touched: readonly string[];
  /** What the asker is told, kept so that it can be told again after a crash. */
  readonly result: unknown;
  /** Why it did not do what it should, or null. */
  readonly failed: string | null;
  readonly blobs: readonly StagedBlob[];
}

/** An act at the moment its step is to be begun: in full, with the content its record refers to; or why it will not be. */
export type Opened =
  | {
      readonly act: Act;
      readonly blobs: readonly StagedBlob[];
      /** A person's yes to exactly this is needed first. */
      readonly needs?: NeededPermission;
    }
  | { readonly refused: { readonly act: string; readonly rule: string; readonly reason: string } };

export interface NeededPermission {
  /** The act whole, for the person. */
  readonly text: string;
  /** What the yes is bound to, beside the frozen spec and the content of the workspaces. */
  readonly binds: unknown;
  readonly act: string;
  readonly rule: string;
  readonly reason: string;
  /** What could be granted so that the like of it is not asked again. */
  readonly grant: string | null;
}

export interface Ask {
  /** Called only when a run of the step has to be begun: a finished one is answered without looking at the world again. */
  readonly open: () => Promise<Opened>;
  /** Digest of what was asked for. */
  readonly input: string;
  readonly effect: (run: StepRun) => Promise<Effect>;
  /** After a run that failed: milliseconds until the next one, null: there is none. Not there: one failure is the end of it. */
  readonly again?: (failure: Failure) => number | null;
}

/** What an agent wants to know from a person. `choices`: what it may be answered with; none: anything. */
export interface Question {
  readonly text: string;
  readonly choices: readonly string[];
}

/** A step that has been recorded as begun. */
export interface StepRun {
  readonly step: string;
  readonly run: number;
  readonly signal: AbortSignal;
  /** Host file for its live output. */
  readonly outputFile: string;
  readonly onStart: (mark: ProcessMark) => void;
  /** It shows no sign of life, or most of its time is gone. */
  readonly onWarning: (warning: { readonly about: StepWarning; readonly ms: number; readonly limitMs: number }) => void;
}

/**
 * The durable bracket, given to the broker by the engine: started is durable before `effect` runs, completed is durable before the result is
 * returned, and a step that is finished already returns its recorded result without running.
 */
export interface Steps {
  perform(ask: Ask): Promise<unknown>;
  /** A person's answer. While there is none the task is put down, and asks again when it is taken up. */
  consult(question: Question): Promise<string>;
  /** A person's yes or no to what an agent wants; as `consult`, it waits as long as it takes. */
  permit(needed: NeededPermission): Promise<boolean>;
  /** A refusal inside of what a step does: recorded, and not the end of it. */
  deny(act: string, rule: string, reason: string): Promise<void>;
  /** What the agent of the open turn asked for, durable before it is answered. */
  act(acted: TaskEventBodies["TURN_ACTED"], blobs: readonly StagedBlob[]): Promise<void>;
}

/** One task at work, as the broker needs to know it. */
export interface Desk {
  readonly task: string;
  readonly epoch: number;
  readonly phase: Phase;
  readonly attempt: number;
  readonly spec: Spec;
  /** The spec's, or what a person changed it to since. */
  readonly runMode: RunMode;
  /** Whose policies count; null: the task has none any more. */
  readonly project: string | null;
  readonly bases: Readonly<Record<string, string>>;
  readonly repos: Readonly<Record<string, { readonly writable: boolean; readonly toolPath: readonly string[] }>>;
  readonly changeRequest: string | null;
  readonly lastFailure: string | null;
  /** The work item in hand; null outside of one. */
  readonly item: WorkItem | null;
  /** Whom to ask in this phase; null: nobody said. */
  readonly models: PhaseModels | null;
  /** Patterns of commands that a person allowed for this task. */
  readonly grants: readonly string[];
  /** Notes of the project that a person approved, as pinned when planning began. */
  readonly notes: readonly string[];
  /** Proposes a note; told again it is there already. What is no note, or too many: `act/denied`. */
  readonly proposeNote: (text: string, repo: string | null) => Promise<void>;
  /** By repo. */
  readonly layers: Readonly<Record<string, readonly LayerMount[]>>;
  /** What required tasks left, as pinned when this one was claimed. */
  readonly inputs: readonly Input[];
  readonly steps: Steps;
  /** Programs with tools that the project has, as a person agreed to them. */
  readonly toolServers: readonly ToolServer[];
  /** Where the next turn of a foreign agent goes on: a home, the session in it where it is of this very checkpoint, and what that has cost. */
  readonly lastTurn: () => {
    readonly home: string;
    readonly session: string | null;
    readonly sessionCost: Cost | null;
  } | null;
}

/** A dependency layer as mounted for one repo. */
export interface LayerMount {
  readonly key: string;
  readonly outputs: readonly string[];
  readonly stores: readonly string[];
  /** Variables for commands in `cwd` and below. */
  readonly provides: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** A prepared layer as it is mounted. */
export const mountOf = (key: string, { outputs, stores, provides, cwd }: Omit<LayerMount, "key">): LayerMount => ({
  key,
  outputs,
  stores,
  provides,
  cwd,
});

export interface GateOutcome {
  readonly step: string;
  readonly evidence: readonly Evidence[];
  readonly found: readonly PinnedPart[];
  readonly program: string | null;
  readonly counts: TestCounts | null;
  readonly output: BlobRef | null;
}

/** The one choke point: capabilities by phase. What was not handed over cannot be called. */
export interface Broker {
  planning(desk: Desk): PlanningCapabilities;
  /** For the desk's work item. */
  working(desk: Desk): WorkCapabilities;
  /** A model to ask for a second opinion. */
  reviewing(desk: Desk): Pick<TalkCapabilities, "model">;
  /** Runs the preparation of one repo at a commit (or finds its layer); null: it needs none. */
  prepare(desk: Desk, definition: PrepareDefinition, commit: string, on: string): Promise<LayerMount>;
  /** What git would commit of one repo's workspace on top of its base. */
  candidate(
    desk: Desk,
    repo: string,
    message: string,
    author: Identity,
    exclude: readonly string[],
  ): Promise<Candidate & { readonly baseTree: string }>;
  gate(desk: Desk, gate: GateDefinition, ground: Ground, on: GateOn): Promise<GateOutcome>;
  /**
   * The mount table's line for each repo as planning sees it, or (`by-scope`) for each repo that the task may not change, as its
   * commands see it. A mount that is not read-only there is `sandbox/missing`.
   */
  witness(desk: Desk, seen: "planning" | "by-scope"): Promise<Readonly<Record<string, string>>>;
}
