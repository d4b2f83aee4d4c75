import type { Actor } from "../domain/actor.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import type { WorkReport } from "../domain/lifecycle.ts";
import type { Spec } from "../domain/spec.ts";
import type { Task } from "../domain/task.ts";
import type { LeaseChange, StagedBlob } from "../ports/store.ts";
import type { Loaded } from "../ports/task-log.ts";
import type { EngineDependencies } from "./deps.ts";

/** Why a worker puts a task down although nothing failed. */
export class PutDown extends Error {
  readonly why: "pause" | "cancel" | "shutdown";
  constructor(why: "pause" | "cancel" | "shutdown") {
    super(`put down: ${why}`);
    this.name = "PutDown";
    this.why = why;
  }
}

/** A command that may have reached outside was interrupted: the step stays open until a person has said what became of it. */
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

/** What people asked for since the last append; set by the worker as the journal tells it. */
export interface Wishes {
  pause: boolean;
  cancel: boolean;
}

/** A claimed task in a worker's hands: its facts as of the last append, and the only way for the worker to say what happened. */
export interface Hold {
  readonly id: string;
  readonly epoch: number;
  /** The frozen spec; `store/corrupt` when what is stored is not what was frozen. */
  readonly spec: Spec;
  /** Aborted when a person cancels, when the worker stops, or when the lease is lost. */
  readonly signal: AbortSignal;
  task(): Task;
  report(report: WorkReport, blobs?: readonly StagedBlob[]): Promise<Task>;
  /** Whether a person asked to end the task. */
  canceled(): boolean;
  /** At a boundary, no effect being open: throws `PutDown` when someone asked to stop, `store/full` when the disk is. */
  boundary(): void;
}

/** Reports after which the task is nobody's: the lease goes back in the same transaction. */
const ENDS_THE_HOLD: ReadonlySet<WorkReport["type"]> = new Set<WorkReport["type"]>([
  "propose_plan",
  "propose_item",
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
  return {
    id,
    epoch,
    get spec() {
      if (spec === null)
        throw new Failure("store/corrupt", `the stored spec of task ${id} does not have the frozen hash`);
      return spec;
    },
    signal,
    task: () => current.task,
    async report(report, blobs = []) {
      const lease: LeaseChange = { kind: ENDS_THE_HOLD.has(report.type) ? "release" : "hold", task: id, epoch };
      const command = { type: "report", by, worker: deps.worker, epoch, report } as const;
      for (;;)
        try {
          current = await deps.log.give(id, command, { blobs, lease, known: current });
          return current.task;
        } catch (error) {
          // Busy is nothing the task did: what happened is said again, after the store's own wait, until the worker is to stop.
          if (!isFailure(error, "store/busy") || (signal.aborted && !wishes.cancel)) throw error;
        }
    },
    canceled: () => wishes.cancel || current.task.cancelRequested !== null,
    boundary() {
      if (wishes.cancel || current.task.cancelRequested !== null) throw new PutDown("cancel");
      if (signal.aborted) throw new PutDown("shutdown");
      if (wishes.pause || current.task.pauseRequested) throw new PutDown("pause");
      if (deps.storage.scarce())
        throw new Failure("store/full", "there is no space left on the disk of the data directory");
    },
  };
}
