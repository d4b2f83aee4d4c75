import type { Actor } from "../domain/actor.ts";
import type { BlobRef } from "../domain/blob.ts";
import type { JournalRow } from "../domain/chain.ts";
import type { Claimable } from "../domain/claim-order.ts";
import type { DependencyKind } from "../domain/dependency.ts";
import type { AnyEvent, Happened, ProjectEvent, Recorded, TaskEvent } from "../domain/event.ts";
import type { ExitReason } from "../domain/exit-reason.ts";
import type { Phase } from "../domain/phase.ts";
import type { Priority } from "../domain/priority.ts";
import type { Project } from "../domain/project.ts";
import type { Provider } from "../domain/provider.ts";
import type { DependencyNow } from "../domain/standing.ts";
import type { Status, Task, TaskOutline } from "../domain/task.ts";
import type { Direction, TaskOrder } from "../domain/task-list.ts";
import type { BlockReason } from "../domain/waiting.ts";
import type { ProcessMark } from "./sandbox.ts";

/** Content on its way into the store: named already, stored with the append that carries it (large content before that). */
export interface StagedBlob {
  readonly ref: BlobRef;
  readonly salt: Uint8Array;
  /** Null when the content is large and durable in a file already. */
  readonly inline: Uint8Array | null;
}

/** What happens to the task's lease in the transaction of the append. `hold` and `release` fail with `LeaseLost` when another epoch has it. */
export type LeaseChange =
  | {
      readonly kind: "acquire";
      readonly task: string;
      readonly worker: string;
      readonly epoch: number;
      readonly owner: ProcessMark;
    }
  | { readonly kind: "hold"; readonly task: string; readonly epoch: number }
  | { readonly kind: "release"; readonly task: string; readonly epoch: number };

/** The task is another worker's now: end your children, write nothing. */
export class LeaseLost extends Error {
  readonly task: string;
  constructor(task: string) {
    super(`the lease of task ${task} is another's`);
    this.name = "LeaseLost";
    this.task = task;
  }
}

/** Someone else appended to the stream first: reload, decide again, append again. */
export class StreamMoved extends Error {
  readonly stream: string;
  constructor(stream: string, expected: number) {
    super(`stream ${stream} is no longer at ${expected}`);
    this.name = "StreamMoved";
    this.stream = stream;
  }
}

export interface Append {
  readonly stream: string;
  /** Seq of the last event known; 0 for a new stream. */
  readonly expected: number;
  readonly events: readonly Happened[];
  readonly blobs: readonly StagedBlob[];
  readonly lease: LeaseChange | null;
}

export interface Positioned {
  readonly position: number;
  readonly stream: string;
  readonly recorded: Recorded;
}

/**
 * Contract.
 * - `append` is all or nothing: rows, order positions, projections, inline blobs and the lease change commit together, and the promise
 *   settles only after they are durable. Of several appends at the same `expected`, exactly one wins; the others reject with `StreamMoved`.
 * - A locked or busy database is waited for without blocking the event loop; past the bound: `Failure("store/busy")`. A full disk:
 *   `Failure("store/full")`. In both cases nothing of the append is there. After a failed sync nothing is acknowledged any more.
 * - Listeners are told after the commit, in order of position.
 */
export interface EventLog {
  append(append: Append): Promise<{ readonly seq: number; readonly position: number }>;
  read(stream: string, afterSeq: number, most: number): Promise<readonly Recorded[]>;
  since(position: number, most: number): Promise<readonly Positioned[]>;
  /** The last event of a stream, or the last of one of these types; null when there is none. */
  latest(stream: string, types?: readonly AnyEvent["type"][]): Promise<Recorded | null>;
  /** The newest position, 0 when empty. */
  position(): Promise<number>;
  onAppended(listener: (appended: Positioned) => void): () => void;
}

/** Contract: `stage` names content and, when it is above 64 KiB, has it durable in a file before it resolves. */
export interface Blobs {
  stage(bytes: Uint8Array): Promise<StagedBlob>;
  /** The content, its digest checked; null when it was erased. Wrong digest: `Failure("store/corrupt")`. */
  get(ref: BlobRef): Promise<Uint8Array | null>;
}

/** Everything that is not null must hold. */
export interface TaskFilter {
  readonly status: readonly Status[] | null;
  readonly project: string | null;
  readonly session: string | null;
  readonly createdBy: string | null;
  readonly blockReason: readonly BlockReason[] | null;
  readonly exitReason: readonly ExitReason[] | null;
  /** Created at this moment or later. */
  readonly createdFromMs: number | null;
  /** Created before this moment. */
  readonly createdBeforeMs: number | null;
  /** Substring of the title, case-insensitive. */
  readonly text: string | null;
  /** Words of title, intent, criteria, id or project name; each may be the beginning of one, and "…" must occur as it stands. */
  readonly search: string | null;
  readonly order: TaskOrder;
  readonly direction: Direction;
  /** `next` of the page before, which must have had the same order and direction. */
  readonly after: string | null;
  readonly most: number;
}

/** Narrows by nothing; newest first. */
export const EVERY_TASK = {
  status: null,
  project: null,
  session: null,
  createdBy: null,
  blockReason: null,
  exitReason: null,
  createdFromMs: null,
  createdBeforeMs: null,
  text: null,
  search: null,
  order: "created",
  direction: "desc",
} as const satisfies Omit<TaskFilter, "after" | "most">;

export interface TaskRow {
  readonly id: string;
  readonly title: string;
  readonly session: string;
  readonly status: Status;
  readonly phase: Phase;
  readonly attempt: number;
  readonly blockReason: BlockReason | null;
  readonly blockDetail: string | null;
  readonly exitReason: string | null;
  readonly priority: Priority;
  readonly project: { readonly id: string; readonly name: string } | null;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly seq: number;
}

/** `state` only where the task may be waiting or stalled, so that the list can say so. */
export interface ListedTask {
  readonly row: TaskRow;
  readonly state: TaskOutline | null;
}

/** A dependency between two tasks as it stands in the later one's stream. */
export interface DependencyRow {
  readonly task: string;
  readonly kind: DependencyKind;
  readonly on: string;
}

/** Around one task, both ways and through all between; or with an end in a project or session (null: in any). */
export type DependenciesOf =
  | { readonly around: string }
  | { readonly project: string | null; readonly session: string | null };

export interface StepRow {
  readonly task: string;
  readonly step: string;
  readonly run: number;
  readonly item: string | null;
  readonly kind: string;
  readonly status: "open" | "completed" | "failed" | "lost";
  readonly startedSeq: number;
  readonly endedSeq: number | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}

/** Projections: derived from the journal in the appending transaction, and only read here. */
export interface TaskReads {
  task(id: string): Promise<{ readonly task: Task; readonly seq: number } | null>;
  /**
   * A page, and `next` as the cursor of the following one. The cursor names the place in the order where the page ended: tasks that come, go
   * or move meanwhile never make one that stays where it is come twice or not at all. Another text than such a cursor: `input/invalid`.
   */
  tasks(filter: TaskFilter): Promise<{ readonly rows: readonly ListedTask[]; readonly next: string | null }>;
  taskRow(id: string): Promise<TaskRow | null>;
  counts(): Promise<Readonly<Record<Status, number>>>;
  steps(task: string): Promise<readonly StepRow[]>;
  /** What each of these tasks depends on, with what the others are now; a task without any is not named. */
  before(tasks: readonly string[]): Promise<Readonly<Record<string, readonly DependencyNow[]>>>;
  /** The tasks that were forked from this one or from its forks, in the order of their ids. */
  forks(root: string): Promise<readonly string[]>;
  /** The tasks that require it. */
  requiredBy(task: string): Promise<readonly string[]>;
  /** At most `most` dependencies, by task and other. */
  dependencies(of: DependenciesOf, most: number): Promise<readonly DependencyRow[]>;
  /** Canonical text of a frozen spec or proposed plan. */
  spec(task: string, version: number): Promise<{ readonly text: string; readonly hash: string } | null>;
  plan(task: string, version: number): Promise<{ readonly text: string; readonly hash: string } | null>;
  events(task: string, afterSeq: number, most: number): Promise<readonly Recorded<TaskEvent>[]>;
  /** What of this task was changed behind AgentOS's back, as far as its journal shows it; null when all agrees. */
  tampered(id: string): Promise<Tampered | null>;
}

/** Somebody edited what is stored of a task. */
export interface Tampered {
  /** What about the task, as the end of a sentence. */
  readonly problem: string;
  /** Where the task stands by its journal; null when that gives no state. */
  readonly status: Status | null;
}

export interface ProjectReads {
  project(id: string): Promise<{ readonly project: Project; readonly seq: number } | null>;
  projectNamed(name: string): Promise<{ readonly project: Project; readonly seq: number } | null>;
  projects(): Promise<readonly Project[]>;
  /** The project one of whose repos lies at this real path. */
  projectOfPath(path: string): Promise<Project | null>;
  repo(id: string): Promise<{ readonly project: string; readonly repo: Project["repos"][number] } | null>;
  events(project: string, afterSeq: number, most: number): Promise<readonly Recorded<ProjectEvent>[]>;
  /** Tasks of the project that have not ended. */
  livingTasks(project: string): Promise<number>;
}

export interface ProviderReads {
  /** Also one that was removed. */
  provider(id: string): Promise<{ readonly provider: Provider; readonly seq: number } | null>;
  /** Those that were added and not removed, the oldest first. */
  providers(): Promise<readonly Provider[]>;
}

/** Facts outside the truth: who works now, what was answered to a repeated request, how often a client asked. */
export interface Operations {
  /** Queued tasks that nothing forbids to take up, no task before them among it; of each project and priority the `most` that have waited longest. */
  claimable(most: number): Promise<readonly Claimable[]>;
  /** Queued tasks that require one that ended without success, each with that one. */
  missed(most: number): Promise<
    readonly {
      readonly task: string;
      readonly on: string;
      readonly status: string;
      readonly exitReason: string | null;
    }[]
  >;
  /** Tasks of projects that are not paused, `running` in the journal (after a start: those a dead owner left). */
  running(): Promise<readonly { readonly id: string; readonly project: string }[]>;
  /** Tasks that wait for this reason, oldest wait first. */
  blockedBy(reason: BlockReason): Promise<readonly string[]>;
  succeededWithOpenStep(): Promise<readonly string[]>;
  /** The epoch the next claim must use: one more than any before. */
  nextEpoch(task: string): Promise<number>;
  markProcess(task: string, step: string, mark: ProcessMark): Promise<void>;
  processes(): Promise<readonly { readonly task: string; readonly step: string; readonly mark: ProcessMark }[]>;
  /** Forgets leases and processes of a dead daemon; called once at start, under the daemon lock. */
  forgetDeadLeases(): Promise<void>;
  /** Remembers the answer to a keyed request; the first one wins and is returned. */
  idempotent(
    key: string,
    requestDigest: string,
  ): Promise<{ readonly requestDigest: string; readonly status: number; readonly body: string } | null>;
  /**
   * Gives the request with this key the id of what it is about to make, before it makes it: sent again after a crash it gets the same id, and
   * so finds what it made. A reserved key has status 0 until its answer is remembered.
   */
  reserve(key: string, requestDigest: string, id: string, atMs: number): Promise<string>;
  rememberAnswer(key: string, requestDigest: string, status: number, body: string, atMs: number): Promise<void>;
  /** Counts `points` for the key in each window; null when all have room, else milliseconds to wait (and nothing counted). */
  take(
    key: string,
    points: readonly { readonly windowMs: number; readonly most: number; readonly points: number }[],
    atMs: number,
  ): Promise<number | null>;
}

export interface Store extends EventLog, Blobs {
  readonly tasks: TaskReads;
  readonly projects: ProjectReads;
  readonly providers: ProviderReads;
  readonly operations: Operations;
  /** All rows of the journal, by stream and seq: for verification. */
  journal(stream: string | null): AsyncIterable<JournalRow>;
  close(): Promise<void>;
}

export interface AuditFinding {
  readonly stream: string;
  readonly seq: number | null;
  readonly problem: string;
}

/** Every check of the journal that needs nothing but the database: chains, order positions, references, triggers, projections = replay, blobs. */
export interface AuditReport {
  readonly streams: number;
  readonly events: number;
  readonly blobs: number;
  /** Content that was erased on purpose: no finding. */
  readonly erased: number;
  readonly findings: readonly AuditFinding[];
  /** Events that say an earlier time than the one before them in their stream, by more than a second: a clock was set back. No finding. */
  readonly backwards: readonly { readonly stream: string; readonly seq: number; readonly ms: number }[];
}

export type AppendedBy = { readonly actor: Actor; readonly event: AnyEvent };
