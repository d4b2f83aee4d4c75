import type { Dependency, DependencyKind } from "./dependency.ts";
import type { Status } from "./task.ts";

/** A dependency with what the other task is at this moment. */
export interface DependencyNow extends Dependency {
  readonly title: string;
  readonly status: Status;
  readonly exitReason: string | null;
}

/** `holds`: the later task may not be claimed yet. `failed`: it never may, unless a person changes something. */
export type Standing = "met" | "holds" | "failed";

const NEVER_HOLDS = {
  draft: "met",
  queued: "met",
  running: "met",
  awaiting_approval: "met",
  blocked: "met",
  succeeded: "met",
  failed: "met",
  canceled: "met",
} as const satisfies Record<Status, Standing>;

/** What the other task's status means. It counts at every claim, so what a person changes there counts from then on. */
export const STANDING: Readonly<Record<DependencyKind, Readonly<Record<Status, Standing>>>> = {
  requires: {
    draft: "holds",
    queued: "holds",
    running: "holds",
    awaiting_approval: "holds",
    blocked: "holds",
    succeeded: "met",
    failed: "failed",
    canceled: "failed",
  },
  blocks: {
    draft: "holds",
    queued: "holds",
    running: "holds",
    awaiting_approval: "holds",
    blocked: "holds",
    succeeded: "met",
    failed: "met",
    canceled: "met",
  },
  suggests: NEVER_HOLDS,
};

export const standing = ({ kind, status }: Pick<DependencyNow, "kind" | "status">): Standing => STANDING[kind][status];
