import type { Digest } from "../domain/pin.ts";
import type { Retention } from "../domain/retention.ts";
import type { Seal } from "../domain/seal.ts";
import type { Clock, Ids } from "../ports/clock.ts";
import type { AgentHomes, TranscriptText } from "../ports/foreign.ts";
import type { Layers } from "../ports/layers.ts";
import type { Models } from "../ports/model.ts";
import type { ModelCheck } from "../ports/model-check.ts";
import type { PolicyBook, UserPolicyFile } from "../ports/policy.ts";
import type { Programs } from "../ports/programs.ts";
import type { Providers } from "../ports/providers.ts";
import type { Runners } from "../ports/runners.ts";
import type { Secrets } from "../ports/secrets.ts";
import type { Store } from "../ports/store.ts";
import type { TaskLog } from "../ports/task-log.ts";
import type { ToolServers } from "../ports/tool-protocol.ts";
import type { Workspaces } from "../ports/workspaces.ts";
import type { AgentCasesDependencies } from "./agents.ts";
import type { ChatReading } from "./chat/access.ts";

/** What the use cases work with. No broker and no sandbox: nothing here runs anything but the servers of providers that a person starts. */
export interface AppDependencies {
  readonly agents: AgentCasesDependencies;
  readonly store: Store;
  readonly log: TaskLog;
  readonly workspaces: Workspaces;
  readonly runners: Runners;
  readonly programs: Programs;
  readonly seal: Seal;
  readonly digest: Digest;
  readonly clock: Clock;
  readonly ids: Ids;
  /** What the open (or lost) run of a step has put out so far: at most `bytesMax` of its end; null when there is nothing. */
  readonly liveOutput: (task: string, step: string, run: number, bytesMax: number) => Promise<Uint8Array | null>;
  /** At most `bytesMax` bytes from `offset` on of what a run has put out, and how much there is in all. */
  readonly outputFrom: (
    task: string,
    step: string,
    run: number,
    offset: number,
    bytesMax: number,
  ) => Promise<{ readonly bytes: Uint8Array; readonly size: number }>;
  /** Removes the live output of all of a task's steps. */
  readonly dropOutput: (task: string) => Promise<void>;
  /** What the live output of each task takes, in bytes on disk. */
  readonly outputUse: () => Promise<readonly { readonly task: string; readonly bytes: number }[]>;
  readonly transcriptText: TranscriptText;
  readonly agentHomes: Pick<AgentHomes, "drop" | "use">;
  readonly toolServers: ToolServers;
  readonly policies: PolicyBook;
  readonly userPolicy: UserPolicyFile;
  readonly layers: Layers;
  readonly modelCheck: ModelCheck;
  /** Reads what a model in a chat writes for its tools. */
  readonly chatReading: ChatReading;
  readonly providers: Providers;
  readonly models: Models;
  readonly secrets: Secrets;
  readonly retention: Retention;
  /** The daemon's own login PATH, for repos that were added without one. */
  readonly toolPath: readonly string[];
}
