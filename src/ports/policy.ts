import type { Phase } from "../domain/phase.ts";
import type { WorkItem } from "../domain/plan.ts";
import type { RepoScope } from "../domain/spec.ts";
import type { Act } from "../domain/step.ts";

export interface PolicyQuestion {
  readonly phase: Phase;
  readonly act: Act;
  readonly scope: RepoScope | undefined;
  readonly repoWritable: boolean;
  /** Package hosts the frozen spec opens for prepare steps. */
  readonly packageHosts: readonly string[];
  /** The approved work item this belongs to; null outside of one. */
  readonly item: WorkItem | null;
  /** Patterns of commands that a person allowed for this task. */
  readonly grants: readonly string[];
}

/** `rule` names what decided. `ask`: a person's yes to exactly this act is needed. */
export type PolicyAnswer =
  | { readonly verdict: "allow"; readonly rule: string }
  | { readonly verdict: "ask" | "deny"; readonly rule: string; readonly reason: string };

/** Contract: pure and total; a red line denies whatever else says yes, and nobody can be asked about it. */
export interface Policy {
  decide(question: PolicyQuestion): PolicyAnswer;
}
