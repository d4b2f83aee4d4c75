import type { Budget } from "./budget.ts";
import type { RepoFacts } from "./event.ts";
import { Failure } from "./failure.ts";
import type { MayChange } from "./finding.ts";
import type { ForeignChoice } from "./foreign-agent.ts";
import { type FlakyPolicy, type GateDefinition, NO_RERUN, type PrepareDefinition } from "./gate.ts";
import type { ModelPolicy } from "./model-policy.ts";
import { artifactName, type ScriptPlan } from "./script-plan.ts";
import type { Seal } from "./seal.ts";
import type { ToolServer } from "./tool-server.ts";

export const RUN_MODES = ["interactive", "assisted", "autonomous"] as const;
/** How much a person is involved: asked before every work item, asked at the plan, or never asked. */
export type RunMode = (typeof RUN_MODES)[number];

/** What of a repo the task may change. Patterns are git-ignore-like globs relative to the repo's top. */
export type RepoScope =
  | { readonly repo: string; readonly access: "full" }
  | {
      readonly repo: string;
      readonly access: "paths";
      readonly paths: readonly string[];
      /** Further lists of patterns, of each of which one has to match too: what the project lets any task change. */
      readonly within?: readonly (readonly string[])[];
    }
  | { readonly repo: string; readonly access: "read_only" };

export interface SpecRepo {
  readonly role: RepoFacts["role"];
  /** Where the work begins and what it is delivered to; null: what is checked out when it begins. */
  readonly branch: string | null;
  /** The part that is meant: commands and gates run in it, and nothing outside it is changed. Null: all of it. */
  readonly directory: string | null;
}

export interface Criterion {
  readonly id: string;
  readonly text: string;
  /** The gate whose pass proves it, or null: nothing proves it yet. */
  readonly gate: string | null;
}

export const AGENT_KINDS = ["builtin", "script", "gates", "acp", "command"] as const;
export type AgentKind = (typeof AGENT_KINDS)[number];

/** Which agent does the work. `none` stands in specs of an AgentOS that had no agent for models: such a task waits as `blocked/no_model`. */
export type AgentChoice =
  | { readonly kind: "builtin" }
  | { readonly kind: "script"; readonly plan: ScriptPlan }
  | { readonly kind: "gates" }
  | ForeignChoice
  | { readonly kind: "none" };

/**
 * What is to be done, in the form that is frozen and hashed. `nonce` makes the hash of a short spec unguessable, so that
 * the hash in the journal gives nothing away once the text is erased.
 */
export interface Spec {
  readonly format: 1;
  readonly nonce: string;
  readonly title: string;
  readonly intent: string;
  readonly criteria: readonly Criterion[];
  readonly constraints: readonly string[];
  readonly scopes: readonly RepoScope[];
  readonly gates: readonly GateDefinition[];
  readonly prepare: readonly PrepareDefinition[];
  /** What each repo is for this task. Not there in a spec frozen without a project, or before this was recorded. */
  readonly repos?: Readonly<Record<string, SpecRepo>>;
  /** Commit per repo that gates were pinned on. */
  readonly pinnedOn: Readonly<Record<string, string>>;
  readonly agent: AgentChoice;
  /** The task's own choice of models, before its project's and the person's. Not there: none. */
  readonly models?: ModelPolicy;
  /** Servers of tools as the project had them when this was frozen. Not there: none. */
  readonly toolServers?: readonly ToolServer[];
  /** What the whole task may spend. Not there: no limit. */
  readonly budget?: Budget;
  /** A model looks over the change once no gate failed. Not there: none does. */
  readonly review?: boolean;
  readonly runMode: RunMode;
  /** Patterns of commands that the person who freezes it approves in advance. Not there: none. */
  readonly approvedCommands?: readonly string[];
  /** False where the work is to look, not to change: then an empty change is no failure. */
  readonly expectsChange: boolean;
  readonly includeDirty: boolean;
  /** What the work may change beside the product, so that a finding about it is only shown. Not there: nothing. */
  readonly mayChange?: readonly MayChange[];
  readonly attempts: number;
  readonly flaky: FlakyPolicy;
  /** Of one command, where they do not say otherwise. */
  readonly limits: SpecLimits;
}

export interface SpecLimits {
  readonly stepMs: number;
  readonly memoryBytes: number;
  readonly processes: number;
  readonly outputBytes: number;
  /** Work of the whole task, its waits not counted; null: no limit. */
  readonly taskMs: number | null;
  /** A command that shows no sign of life for so long has stalled: that is recorded, and ends it where `stallEnds`. */
  readonly stallMs: number;
  readonly stallEnds: boolean;
}

export const DEFAULT_LIMITS: SpecLimits = {
  stepMs: 10 * 60_000,
  memoryBytes: 2 * 1024 ** 3,
  processes: 512,
  outputBytes: 16 * 1024 ** 2,
  taskMs: null,
  stallMs: 5 * 60_000,
  stallEnds: false,
};

export const DEFAULT_ATTEMPTS = 3;

export interface Frozen {
  readonly text: string;
  readonly hash: string;
}

/** Canonical text and hash of a spec. The same spec gives the same hash on every machine. */
export function freezeSpec(seal: Seal, spec: Spec): Frozen {
  const { text, sha256 } = seal(spec);
  return { text, hash: sha256 };
}

/** Reads a frozen spec back. The text was checked against its hash; another format is another AgentOS's. */
export function specFrom(text: string): Spec {
  const spec = JSON.parse(text) as Spec;
  if (spec.format !== 1) throw new Error(`a spec of format ${String(spec.format)} is not known here`);
  // A spec that an older AgentOS froze does not name what came later; it meant none of it.
  return {
    ...spec,
    flaky: (spec as Partial<Spec>).flaky ?? NO_RERUN,
    limits: { ...DEFAULT_LIMITS, ...spec.limits },
    gates: spec.gates.map((gate) => ({ ...LATER_IN_GATES, ...gate })),
    prepare: spec.prepare.map((one) => ({ ...LATER_IN_PREPARE, ...one })),
  };
}

const LATER_IN_GATES = { environment: {} };
const LATER_IN_PREPARE = { id: "dependencies", stores: [], provides: {} };

/** What makes a spec impossible to work on, before it is frozen. Throws `spec/invalid` naming the field. */
export function checkSpec(spec: Spec): void {
  const repos = new Set(spec.scopes.map((scope) => scope.repo));
  const invalid = (sentence: string): never => {
    throw new Failure("spec/invalid", sentence);
  };
  for (const gate of spec.gates)
    if (!repos.has(gate.repo))
      invalid(`gate ${gate.id} names the repo ${gate.repo}, which is not in the task's scopes`);
  for (const gate of spec.gates)
    for (const other of gate.beside ?? []) {
      if (!repos.has(other))
        invalid(`gate ${gate.id} runs beside the repo ${other}, which is not in the task's scopes`);
      if (other === gate.repo) invalid(`gate ${gate.id} runs in ${other}, so ${other} cannot stand beside it too`);
    }
  const gateIds = new Set<string>();
  for (const gate of spec.gates) {
    if (gateIds.has(gate.id)) invalid(`two gates are called ${gate.id}`);
    gateIds.add(gate.id);
  }
  const criterionIds = new Set<string>();
  for (const criterion of spec.criteria) {
    if (criterionIds.has(criterion.id)) invalid(`two acceptance criteria have the id ${criterion.id}`);
    criterionIds.add(criterion.id);
    if (criterion.gate !== null && !gateIds.has(criterion.gate))
      invalid(`criterion ${criterion.id} names the gate ${criterion.gate}, which the spec does not have`);
  }
  const artifacts = new Set<string>();
  if (spec.agent.kind === "script")
    for (const item of spec.agent.plan.items) {
      for (const name of (item.artifacts ?? []).map(artifactName)) {
        if (artifacts.has(name)) invalid(`two artifacts of the plan are called ${name}`);
        artifacts.add(name);
      }
      if (!repos.has(item.repo))
        invalid(`work item ${item.id} names the repo ${item.repo}, which is not in the task's scopes`);
      if (item.criterion !== null && !criterionIds.has(item.criterion))
        invalid(`work item ${item.id} serves criterion ${item.criterion}, which the spec does not have`);
    }
}

/** A directory of a repo as the task says it, from the repo's top. */
export function placeIn(spec: Spec, repo: string, cwd: string): string {
  const directory = spec.repos?.[repo]?.directory ?? null;
  return directory === null ? cwd : cwd === "." ? directory : `${directory}/${cwd}`;
}

export const scopeOf = (spec: Spec, repo: string): RepoScope | undefined =>
  spec.scopes.find((scope) => scope.repo === repo);
