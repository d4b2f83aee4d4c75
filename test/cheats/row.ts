import type { Act, RepositoryName } from "./repositories.ts";

/** One row of LIST.md as a task: the plan of a script agent on one of the repositories. What stops it stands in the list. */
export interface Cheat {
  readonly id: string;
  readonly of: RepositoryName;
  readonly acts: readonly Act[];
  /** What the spec says beside the plan. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** What the spec allows stands in the list. */
export type Honest = Omit<Cheat, "spec">;
