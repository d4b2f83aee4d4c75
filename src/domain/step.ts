import type { BlobRef } from "./blob.ts";
import type { Move, Standing } from "./delivery.ts";
import type { FailureCode } from "./failure.ts";
import type { Ground } from "./gate.ts";

/** What a step does, as recorded before it happens. Enough to say what was in flight, to redo it and to re-check it. */
export type Act =
  /** A file, a listing, or a command on read-only mounts; `target` is the path, the prefix or the argv. */
  | {
      readonly kind: "read";
      readonly repo: string;
      readonly what: "file" | "list" | "command" | "mounts";
      readonly target: readonly string[];
    }
  | {
      readonly kind: "edit";
      readonly repo: string;
      readonly path: string;
      /** SHA-256 of the file before and after; null where there is none. */
      readonly before: string | null;
      readonly after: string | null;
      readonly content: BlobRef | null;
      /** Null: an existing file keeps its mode. */
      readonly executable: boolean | null;
    }
  | {
      readonly kind: "command";
      readonly repo: string;
      readonly argv: readonly string[];
      readonly cwd: string;
      readonly timeoutMs: number;
      readonly network: readonly string[];
    }
  | {
      readonly kind: "prepare";
      readonly repo: string;
      /** Which of the repo's preparations; absent in steps of an AgentOS that knew one per repo. */
      readonly id?: string;
      readonly on: string;
      readonly key: string;
      readonly argv: readonly string[];
      readonly hosts: readonly string[];
    }
  | {
      readonly kind: "gate";
      readonly gate: string;
      readonly repo: string;
      readonly on: "base" | "candidate" | "kept-tests" | "merge";
      readonly commit: string;
      readonly tree: string;
      /** Commits of the other repos checked out beside it; not there: none is. */
      readonly beside?: Ground["beside"];
      readonly argv: readonly string[];
    }
  | { readonly kind: "candidate"; readonly repo: string; readonly base: string }
  | {
      readonly kind: "deliver";
      readonly repo: string;
      readonly way: "merge" | "branch" | "patch" | "push";
      readonly branch: string;
      readonly from: string | null;
      readonly to: string;
      readonly tree: string;
    }
  /** Several repos as one: recorded before the first branch moves, so that any next daemon knows what all of them are to become. */
  | { readonly kind: "deliver_together"; readonly moves: readonly Move[] }
  /** One call of a tool of a configured server; `digest`: of what a person agreed on. */
  | {
      readonly kind: "tool";
      readonly repo: string;
      readonly server: string;
      readonly tool: string;
      readonly digest: string;
      readonly argv: readonly string[];
      readonly input: BlobRef;
      readonly network: readonly string[];
      readonly timeoutMs: number;
    }
  | { readonly kind: "model"; readonly provider: string; readonly model: string; readonly request: BlobRef }
  | { readonly kind: "turn"; readonly agent: string; readonly prompt: BlobRef };

export type StepKind = Act["kind"];

/**
 * What a crash in the middle of a step means. `outside` decides for commands: one that may reach outside the sandbox is
 * never blindly repeated.
 */
export type CrashPolicy =
  | "run_again"
  | "call_again"
  | "restore_then_run_again"
  | "discard_layer_then_run_again"
  | "ask_a_person"
  | "fresh_checkout_then_run_again"
  | "ask_git_then_finish"
  | "ask_git_then_all_or_none"
  | "rescue_restore_then_new_session";

export const CRASH_POLICY = {
  read: () => "run_again",
  model: () => "call_again",
  edit: () => "restore_then_run_again",
  command: (act) => (act.network.length > 0 ? "ask_a_person" : "restore_then_run_again"),
  tool: (act) => (act.network.length > 0 ? "ask_a_person" : "restore_then_run_again"),
  prepare: () => "discard_layer_then_run_again",
  turn: () => "rescue_restore_then_new_session",
  gate: () => "fresh_checkout_then_run_again",
  candidate: () => "run_again",
  deliver: () => "ask_git_then_finish",
  deliver_together: () => "ask_git_then_all_or_none",
} as const satisfies { readonly [K in StepKind]: (act: Extract<Act, { kind: K }>) => CrashPolicy };

export function crashPolicy(act: Act): CrashPolicy {
  const policy: (act: never) => CrashPolicy = CRASH_POLICY[act.kind];
  return policy(act as never);
}

/** What a running step is warned of: it shows no sign of life, or most of its time is gone. */
export type StepWarning = "stall" | "time";

/** One run of a step that has begun and not ended. */
export interface OpenStep {
  readonly step: string;
  readonly run: number;
  readonly item: string | null;
  readonly act: Act;
  /** Digest of what was asked for: the same ask finds its finished step again, another ask in its place is a bug. */
  readonly input: string;
  /** Workspace ids per repo before it; what a dead run is undone to. Empty for acts that change no workspace. */
  readonly before: Readonly<Record<string, string>>;
  /** A person's word on what became of it, when nobody else can know. */
  readonly settled: "done" | "redo" | "abort" | null;
  readonly warned: readonly StepWarning[];
  /** Of a delivery of several repos: that it goes back, why, and what had moved by then. From then on it never goes forward again. */
  readonly turnedBack: { readonly because: string; readonly repos: readonly string[] } | null;
  /** Of a delivery of several repos: where its branches were found when it could go neither forward nor back. */
  readonly torn: readonly Standing[] | null;
  /** Of a turn: how much its agent has asked its client for; absent: nothing. */
  readonly acted?: number;
}

/** A finished step as the rest of the task needs it again. `result` names the blob with what the agent was told. */
export interface FinishedStep {
  readonly step: string;
  readonly input: string;
  readonly seq: number;
  readonly result: BlobRef | null;
  /** It ended in a failure that its asker was told: that is told again. Not there: in a result. */
  readonly failed?: { readonly code: FailureCode; readonly sentence: string };
}
