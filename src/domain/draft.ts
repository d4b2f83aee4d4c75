import type { Budget } from "./budget.ts";
import type { MayChange } from "./finding.ts";
import type { NamedForeign } from "./foreign-agent.ts";
import type { FlakyPolicy, Judgement, ReportFormat } from "./gate.ts";
import type { ModelPolicy } from "./model-policy.ts";
import type { ScriptPlan } from "./script-plan.ts";
import type { RepoScope, RunMode, SpecLimits } from "./spec.ts";

/** A gate a person names. It replaces a detected one of the same id. */
export interface NamedGate {
  readonly id: string;
  /** Null: the project's only repo; with others beside it, the task's first one. */
  readonly repo: string | null;
  /** Repos whose checkouts stand beside it while it runs; not there: none. */
  readonly beside?: readonly string[] | "all";
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly judgement: Judgement;
  readonly report: ReportFormat | null;
  /** Files whose content decides what the gate means. */
  readonly definition: readonly string[];
  readonly timeoutMs: number | null;
}

/** A preparation a person names; an empty argv says that the repo needs none. */
export interface NamedPrepare {
  readonly repo: string | null;
  readonly argv: readonly string[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly hosts: readonly string[];
}

/** What a person asked for, before it is completed from the project and frozen. Null means: decide at freezing. */
export interface Draft {
  readonly title: string;
  readonly intent: string;
  /** `gate` null: the suite's gate proves it, where there is one. */
  readonly criteria: readonly { readonly text: string; readonly gate: string | null }[];
  readonly constraints: readonly string[];
  readonly scopes: readonly RepoScope[] | null;
  /** Branch per repo where the work begins and what it is delivered to, instead of the project's. */
  readonly branches?: Readonly<Record<string, string>>;
  readonly gates: readonly NamedGate[];
  readonly prepare: readonly NamedPrepare[];
  readonly agent: "builtin" | "script" | "gates" | NamedForeign | null;
  readonly plan: ScriptPlan | null;
  readonly runMode: RunMode | null;
  /** Patterns of commands that are approved in advance; not there: none. */
  readonly approvedCommands?: readonly string[];
  readonly expectsChange: boolean | null;
  readonly includeDirty: boolean;
  /** Absent in drafts of an AgentOS that knew none. */
  readonly mayChange?: readonly MayChange[];
  readonly attempts: number | null;
  /** Absent in drafts of an AgentOS that knew none. */
  readonly flaky?: FlakyPolicy | null;
  readonly limits: Partial<SpecLimits>;
  /** Absent in drafts of an AgentOS that knew no models. */
  readonly models?: ModelPolicy;
  readonly budget?: Budget;
  /** Absent in drafts of an AgentOS that knew no second opinion. */
  readonly review?: boolean;
}
