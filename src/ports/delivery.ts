import type { Actor } from "../domain/actor.ts";
import type { DeliveredTo } from "../domain/event.ts";
import type { DeliveryWay } from "./workspaces.ts";

export interface DeliveryRequest {
  readonly task: string;
  readonly way: DeliveryWay;
  /** Target branch; null: for `merge` the branch the task started on, for `branch` a new one named after the task. */
  readonly branch: string | null;
  /** Branch of a remote repository to push to. Left out: nothing is pushed, and a task with work for a remote one is refused. */
  readonly push?: string;
  readonly by: Actor;
  /** Instead of delivering: leave the branches of a delivery that stands half-way as they are, and call it failed. */
  readonly leave?: boolean;
}

export interface Delivered {
  readonly repos: Readonly<Record<string, DeliveredTo>>;
  /** Plain sentences: what was done instead and why, what to do next. */
  readonly notes: readonly string[];
}

/**
 * Contract: only a verified tree is delivered; a branch moves by compare-and-set or not at all, a remote one too; of several repos all
 * branches move or none does, across crashes; where a person's own act (or a push, which is never taken back) makes both impossible
 * the task says where each branch is; repeating it is safe.
 */
export interface Delivery {
  deliver(request: DeliveryRequest): Promise<Delivered>;
  /** Goes on with a delivery that stands half-way, and with no other. `Failure("delivery/torn")`: it still cannot. */
  finish(task: string): Promise<void>;
  /** Finishes or gives back what a dead daemon left in the middle; pushes go on behind it. What cannot be finished now is warned of and stays open; never throws for it. */
  recover(): Promise<void>;
  /** Does something that no delivery of this task may run into. One under way: `Failure("task/refused")`. */
  alone<T>(task: string, work: () => Promise<T>): Promise<T>;
  /** Ends what is being delivered and takes no more; resolves when nothing is under way. A branch that is being moved is moved to the end. */
  stop(): Promise<void>;
}
