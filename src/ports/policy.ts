import type { Phase } from "../domain/phase.ts";
import type { RepoScope } from "../domain/spec.ts";
import type { Act } from "../domain/step.ts";

export interface PolicyQuestion {
  readonly phase: Phase;
  readonly act: Act;
  readonly scope: RepoScope | undefined;
  readonly repoWritable: boolean;
  /** Package hosts the frozen spec opens for prepare steps. */
  readonly packageHosts: readonly string[];
}

export type PolicyAnswer =
  | { readonly allow: true; readonly rule: string }
  | { readonly allow: false; readonly rule: string; readonly reason: string };

/** Contract: pure and total; a red line answers no whatever else says yes. */
export interface Policy {
  decide(question: PolicyQuestion): PolicyAnswer;
}
