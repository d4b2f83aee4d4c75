import type { Phase } from "../domain/phase.ts";
import type { WorkItem } from "../domain/plan.ts";
import type { RepoScope, RunMode } from "../domain/spec.ts";
import type { Act } from "../domain/step.ts";

export interface PolicyQuestion {
  readonly principal: { readonly kind: "person" | "agent" | "worker" | "chat"; readonly name: string };
  readonly phase: Phase;
  readonly runMode: RunMode;
  readonly act: Act;
  /** Whose policies count beside the shipped ones and the person's own; null: no project's. */
  readonly project: string | null;
  readonly scope: RepoScope | undefined;
  readonly repoWritable: boolean;
  /** Package hosts the frozen spec opens for prepare steps. */
  readonly packageHosts: readonly string[];
  /** The approved work item this belongs to; null outside of one. */
  readonly item: WorkItem | null;
  /** Patterns of commands that a person allowed for this task. */
  readonly grants: readonly string[];
  /** Patterns of commands that the frozen spec approves in advance. */
  readonly approvedCommands: readonly string[];
}

/** `ask`: allowed with a person's word to this very act, and not without. `policy` names the layer too; `set` is what all of them hash to. */
export interface PolicyAnswer {
  readonly verdict: "allow" | "ask" | "deny";
  readonly rule: string;
  readonly policy: string;
  readonly set: string;
  readonly reason: string;
}

/** Contract: changes nothing and has an answer to everything; a red line answers no whatever else says yes, and so does a set that cannot be read. */
export interface Policy {
  decide(question: PolicyQuestion): Promise<PolicyAnswer>;
}

/** Policies that stand below the shipped ones: a person's own, or those of one project. They forbid; a permit counts where a person granted it. */
export interface PolicyLayer {
  readonly name: "user" | "project";
  readonly text: string;
  readonly granted: boolean;
}

/** One policy as it stands in the set. */
export interface StandingPolicy {
  readonly id: string;
  readonly layer: "shipped" | PolicyLayer["name"];
  readonly effect: "permit" | "forbid";
  readonly reason: string;
  /** It speaks of commands, so what cannot be read is forbidden too. */
  readonly forbidsOpaque: boolean;
}

export interface PolicySetView {
  readonly hash: string;
  readonly layers: readonly { readonly name: string; readonly sha256: string; readonly problem: string | null }[];
  readonly policies: readonly StandingPolicy[];
}

/** The person's own policies as a file. `read` throws `policy/invalid` where it is there and not fit to be read. */
export interface UserPolicyFile {
  /** Changes whenever the file does; null: there is none. */
  stamp(): string | null;
  read(): string;
  /** Whole and durable, or not at all. */
  write(text: string): void;
}

/**
 * Contract: `check` throws `policy/invalid` with the line; `inForce` never throws: a layer that cannot be read is named with its problem, and
 * until it can be, every decision is no.
 */
export interface PolicyBook extends Policy {
  check(layer: PolicyLayer): PolicySetView;
  inForce(project: string | null): Promise<PolicySetView>;
}
