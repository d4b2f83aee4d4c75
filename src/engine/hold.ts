import type { Actor } from "../domain/actor.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import type { WorkReport } from "../domain/lifecycle.ts";
import type { RunMode, Spec } from "../domain/spec.ts";
import type { Task } from "../domain/task.ts";
import type { LeaseChange, StagedBlob } from "../ports/store.ts";
import type { Loaded } from "../ports/task-log.ts";
import type { EngineDependencies } from "./deps.ts";

export type PutDownReason = "pause" | "cancel" | "time_up" | "shutdown" | "project_paused" | "daemon_paused";

/** Why a worker puts a task down although nothing failed. */
export class PutDown extends Error {
  readonly why: PutDownReason;
  constructor(why: PutDownReason) {
    super(`put down: ${why}`);
    this.name = "PutDown";
    this.why = why;
  }
}

/** A command or a tool that may have reached outside was interrupted: the step stays open until a person has said what became of it. */
export class OutcomeUnknown extends Error {
  readonly step: string;
  readonly doing: string;
  constructor(step: string, doing: string) {
    super(`nobody knows what became of step ${step}`);
    this.name = "OutcomeUnknown";
    this.step = step;
    this.doing = doing;
  }
}

/** What became due since the last append; set by the worker as the journal tells it, and by the task's own clock. */
export interface Wishes {
  pause: boolean;
  cancel: boolean;
  /** Nothing (of this project) is to run for now: back into the queue. */
  hold: "project_paused" | "daemon_paused" | null;
  timeUp: boolean;
  /** What a person changed the run mode to since the task was claimed. */
  runMode: RunMode | null;
}

export const noWishes = (): Wishes => ({ pause: false, cancel: false, hold: null, timeUp: false, runMode: null });

/** A claimed task in a worker's hands: its facts as of the last append, and the only way for the worker to say what happened. */
export interface Hold {
  readonly id: string;
  readonly epoch: number;
  /** The frozen spec; `store/corrupt` when what is stored is not what was frozen. */
  readonly spec: Spec;
  /** Aborted when a person cancels, when the task's time is up, when the worker stops, or when the lease is lost. */
  readonly signal: AbortSignal;
  /** As it is now: a change counts from the next step on. */
  runMode(): RunMode;
  task(): Task;
  report(report: WorkReport, blobs?: readonly StagedBlob[]): Promise<Task>;
  /** Whether a person asked to end the task. */
  canceled(): boolean;
  /** What an aborted signal means. */
  interruptedBy(): "cancel" | "time_up" | "shutdown";
  /** At a boundary, no effect being open: throws `PutDown` when someone asked to stop, `store/full` when the disk is. */
  boundary(): void;
}

/** Reports after which the task is nobody's: the lease goes back in the same transaction. */
const ENDS_THE_HOLD: ReadonlySet<WorkReport["type"]> = new Set<WorkReport["type"]>([
  "propose_plan",
  "propose_item",
  "ask",
  "block",
  "succeed",
  "fail",
  "stop",
  "release",
]);

export function holdTask(
  deps: EngineDependencies,
  claimed: Loaded,
  spec: Spec | null,
  epoch: number,
  signal: AbortSignal,
  wishes: Wishes,
): Hold {
  const { id } = claimed.task;
  let current = claimed;
  const by: Actor = { kind: "worker", name: deps.worker };
  const canceled = (): boolean => wishes.cancel || current.task.cancelRequested !== null;
  const interruptedBy = (): "cancel" | "time_up" | "shutdown" =>
    canceled() ? "cancel" : wishes.timeUp ? "time_up" : "shutdown";
  return {
    id,
    epoch,
    get spec() {
      if (spec === null)
        throw new Failure("store/corrupt", `the stored spec of task ${id} does not have the frozen hash`);
      return spec;
    },
    signal,
    runMode() {
      return wishes.runMode ?? current.task.runMode ?? this.spec.runMode;
    },
    task: () => current.task,
    async report(report, blobs = []) {
      const lease: LeaseChange = { kind: ENDS_THE_HOLD.has(report.type) ? "release" : "hold", task: id, epoch };
      const command = { type: "report", by, worker: deps.worker, epoch, report } as const;
      for (;;)
        try {
          const loaded = await deps.log.give(id, command, { blobs, lease, known: current });
          // Warnings are reported beside the work: the answer that was read last is not always the newest.
          if (loaded.seq >= current.seq) current = loaded;
          return loaded.task;
        } catch (error) {
          // Busy is nothing the task did: what happened is said again, after the store's own wait, until the worker is to stop.
          if (!isFailure(error, "store/busy") || (signal.aborted && !wishes.cancel && !wishes.timeUp)) throw error;
        }
    },
    canceled,
    interruptedBy,
    boundary() {
      if (canceled()) throw new PutDown("cancel");
      if (signal.aborted || wishes.timeUp) throw new PutDown(interruptedBy());
      if (wishes.hold !== null) throw new PutDown(wishes.hold);
      if (wishes.pause || current.task.pauseRequested) throw new PutDown("pause");
      if (deps.storage.scarce())
        throw new Failure("store/full", "there is no space left on the disk of the data directory");
    },
  };
}
