import type { Seal } from "../domain/seal.ts";
import type { Agents, Reviewer } from "../ports/agent.ts";
import type { Broker } from "../ports/broker.ts";
import type { Clock } from "../ports/clock.ts";
import type { BytesDigest } from "../ports/digest.ts";
import type { Layers } from "../ports/layers.ts";
import type { ProcessMark, Sandbox } from "../ports/sandbox.ts";
import type { Store } from "../ports/store.ts";
import type { TaskLog } from "../ports/task-log.ts";
import type { Workspaces } from "../ports/workspaces.ts";
import type { StorageWait } from "./storage-wait.ts";

/** Everything the engine works with. */
export interface EngineDependencies {
  readonly store: Store;
  readonly log: TaskLog;
  readonly workspaces: Workspaces;
  readonly sandbox: Sandbox;
  readonly broker: Broker;
  readonly layers: Layers;
  readonly agents: Agents;
  readonly reviewer: Reviewer;
  readonly seal: Seal;
  readonly digest: BytesDigest;
  readonly clock: Clock;
  /** This worker's own process, for the lease. */
  readonly self: ProcessMark;
  readonly worker: string;
  /** Host file for a step run's live output; its directory is made. */
  readonly outputFile: (task: string, step: string, run: number) => Promise<string>;
  /** What a dead run's output file holds, at most `bytesMax` of its end; null when there is none. */
  readonly partialOutput: (task: string, step: string, run: number, bytesMax: number) => Promise<Uint8Array | null>;
  readonly storage: StorageWait;
  /** What was written may not be there: nothing can be recorded any more, the process is to end. */
  readonly fatal: (error: unknown) => void;
  /** Tells of trouble nobody awaits. */
  readonly warn: (sentence: string, error: unknown) => void;
}
