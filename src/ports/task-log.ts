import type { Command } from "../domain/lifecycle.ts";
import type { Task } from "../domain/task.ts";
import type { LeaseChange, StagedBlob } from "./store.ts";

export interface Loaded {
  readonly task: Task;
  readonly seq: number;
}

export interface Extra {
  readonly blobs?: readonly StagedBlob[];
  readonly lease?: LeaseChange | null;
  /** The state the person saw; another one by now: `task/changed`. */
  readonly expectedSeq?: number | null;
  /** The task as the asker last saw it: decided on first, without looking. Only an append says whether it is so still. */
  readonly known?: Loaded;
}

/**
 * The only way a task changes: load, decide, append; when someone else spoke in between, again. A refused command is
 * `Failure("task/refused")` whose facts name the status and what is allowed. An unknown task is `task/not-found`.
 */
export interface TaskLog {
  load(id: string): Promise<Loaded>;
  give(id: string, command: Command, extra?: Extra): Promise<Loaded>;
}
