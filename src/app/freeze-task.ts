import type { Actor } from "../domain/actor.ts";
import type { Draft, NamedGate } from "../domain/draft.ts";
import { Failure } from "../domain/failure.ts";
import { NO_GRANTS } from "../domain/foreign-agent.ts";
import { type GateDefinition, NO_RERUN, type PrepareDefinition } from "../domain/gate.ts";
import type { Project } from "../domain/project.ts";
import { narrowed } from "../domain/scope.ts";
import type { ScriptPlan } from "../domain/script-plan.ts";
import {
  type AgentChoice,
  type Criterion,
  checkSpec,
  DEFAULT_ATTEMPTS,
  DEFAULT_LIMITS,
  freezeSpec,
  type RepoScope,
  type RunMode,
  type Spec,
  type SpecRepo,
} from "../domain/spec.ts";
import { templateNamed } from "../domain/template.ts";
import type { Loaded } from "../ports/task-log.ts";
import type { AppDependencies } from "./deps.ts";
import { draftOf } from "./draft-of.ts";
import { GATE_TIMEOUT_MS, pinRepo } from "./pin-repo.ts";

/** Completes the draft from its project (scopes, gates pinned on the present commit, dependencies), and freezes it under its hash. */
export async function freezeTask(deps: AppDependencies, by: Actor, id: string): Promise<Loaded> {
  const loaded = await deps.log.load(id);
  const draft = await draftOf(deps, loaded);
  const found = loaded.task.project === null ? null : await deps.store.projects.project(loaded.task.project.id);
  const spec = await specFrom(deps, draft, found?.project ?? null);
  checkSpec(spec);
  const { text, hash } = freezeSpec(deps.seal, spec);
  const blob = await deps.store.stage(new TextEncoder().encode(text));
  return deps.log.give(
    id,
    { type: "freeze", by, draft: loaded.task.draft.digest, spec: blob.ref, hash },
    { blobs: [blob] },
  );
}

async function specFrom(deps: AppDependencies, draft: Draft, project: Project | null): Promise<Spec> {
  const template = draft.agent === null ? templateNamed(draft.title) : null;
  const agent = agentOf(draft, project);
  const scopes =
    draft.scopes ??
    (project?.repos ?? []).map(
      (repo): RepoScope => ({ repo: repo.name, access: repo.writable ? "full" : "read_only" }),
    );
  const named = namedGates(
    draft,
    scopes.map(({ repo }) => repo),
  );
  const gates: GateDefinition[] = [];
  const prepare: PrepareDefinition[] = [];
  const pinnedOn: Record<string, string> = {};
  const agreed: RepoScope[] = [];
  const repos: Record<string, SpecRepo> = {};
  // What is for a repo that the task does not have would otherwise be left out without a word, a gate among it.
  const elsewhere = [
    ...Object.keys(draft.branches ?? {}).map((repo) => ({ repo, what: "a branch is named for" })),
    ...named.map(({ id, repo }) => ({ repo, what: `gate ${id} names` })),
    ...draft.prepare.map(({ repo }) => ({ repo, what: "a preparation names" })),
  ].find(({ repo: name }) => name !== null && !scopes.some(({ repo }) => repo === name));
  if (project !== null && elsewhere !== undefined)
    throw new Failure(
      "spec/invalid",
      `${elsewhere.what} the repo ${elsewhere.repo}, which is not in the task's scopes`,
    );
  for (const scope of scopes) {
    const repo = project?.repos.find(({ name }) => name === scope.repo);
    if (repo === undefined) {
      if (project === null) {
        agreed.push(scope);
        continue;
      }
      throw new Failure(
        "spec/invalid",
        `the project ${project.name} has no repo ${scope.repo}; it has ${project.repos.map(({ name }) => name).join(", ")}`,
      );
    }
    const only = scopes.length === 1;
    const branch = draft.branches?.[repo.name] ?? repo.defaultBranch;
    agreed.push(narrowed(scope, repo));
    repos[repo.name] = { role: repo.role, branch, directory: repo.directory ?? null };
    const pins = await pinRepo(
      deps,
      repo,
      branch,
      named.filter((gate) => gate.repo === repo.name),
      draft,
      only,
    );
    pinnedOn[repo.name] = pins.commit;
    // With several repos the gate's id carries the repo, so that each stays one gate.
    gates.push(
      ...pins.gates.map((gate) =>
        only || gate.source === "named" ? gate : { ...gate, id: `${repo.name}-${gate.id}` },
      ),
    );
    for (const one of pins.prepare)
      prepare.push({ ...one, hosts: [...new Set([...one.hosts, ...(project?.settings.packageHosts ?? [])])].sort() });
  }
  if (project !== null && !gates.some(provesWork) && scopes[0] !== undefined) gates.push(nothingToRun(scopes[0].repo));
  return {
    format: 1,
    nonce: deps.ids.nonce(),
    title: draft.title,
    intent: draft.intent !== "" ? draft.intent : (template?.intent ?? draft.title),
    criteria: criteriaOf(draft, gates),
    constraints: draft.constraints,
    scopes: agreed,
    gates,
    prepare,
    ...(project !== null && { repos }),
    pinnedOn,
    agent,
    runMode: draft.runMode ?? project?.settings.runMode ?? ("assisted" satisfies RunMode),
    expectsChange: draft.expectsChange ?? agent.kind !== "gates",
    includeDirty: draft.includeDirty,
    ...(draft.mayChange !== undefined &&
      draft.mayChange.length > 0 && { mayChange: [...new Set(draft.mayChange)].sort() }),
    attempts: draft.attempts ?? DEFAULT_ATTEMPTS,
    flaky: draft.flaky ?? project?.settings.flaky ?? NO_RERUN,
    limits: { ...DEFAULT_LIMITS, ...draft.limits },
    ...(agent.kind === "builtin" &&
      (project?.settings.toolServers ?? []).length > 0 && { toolServers: project?.settings.toolServers ?? [] }),
    ...(draft.approvedCommands !== undefined && { approvedCommands: draft.approvedCommands }),
    ...(draft.models !== undefined && { models: draft.models }),
    ...(draft.budget !== undefined && { budget: draft.budget }),
    ...(draft.review === true && { review: true }),
  };
}

/** Named, else the template of that title, else the project's default, else the built-in one. */
function agentOf(draft: Draft, project: Project | null): AgentChoice {
  const kind: NonNullable<Draft["agent"]> =
    draft.agent ??
    (draft.plan !== null ? "script" : null) ??
    templateNamed(draft.title)?.agent ??
    project?.settings.agent ??
    "builtin";
  if (typeof kind === "object") return { ...kind, grants: project?.settings.agentGrants ?? NO_GRANTS };
  if (kind !== "script") return { kind };
  if (draft.plan === null)
    throw new Failure("spec/invalid", "the script agent needs a plan file", {
      next: "agentos task revise <id> --plan FILE",
    });
  return scripted(draft.plan, project);
}

/** The script agent with a plan file whose items all name their repo: where there is only one it need not be said. */
export function scripted(plan: ScriptPlan, project: Project | null): AgentChoice {
  const repos = project?.repos.map(({ name }) => name) ?? [];
  const only = repos.length === 1 ? repos[0] : undefined;
  const placed = <T extends { readonly repo: string }>(one: T): T =>
    one.repo === "" && only !== undefined ? { ...one, repo: only } : one;
  return { kind: "script", plan: { explore: plan.explore.map(placed), items: plan.items.map(placed) } };
}

/** Looking whether the workspace can be worked on or builds proves nothing of the work. */
const provesWork = (gate: GateDefinition): boolean =>
  gate.judgement === "tests" || gate.source === "named" || gate.runner !== null;

const nothingToRun = (repo: string): GateDefinition => ({
  id: "tests",
  repo,
  argv: [],
  cwd: ".",
  judgement: "tests",
  runner: null,
  report: null,
  definition: [],
  program: null,
  timeoutMs: GATE_TIMEOUT_MS,
  environment: {},
  source: "detected",
});

/** Where a criterion names this gate, no machine can tell: it is unproven until a person takes the work on record. */
const NOBODY = "none";

function criteriaOf(draft: Draft, gates: readonly GateDefinition[]): readonly Criterion[] {
  if (draft.criteria.length === 0)
    return gates.map((gate) => ({
      id: gate.id,
      text: gate.argv.length === 0 ? "The work is tested." : `The gate ${gate.id} passes: ${gate.argv.join(" ")}`,
      gate: gate.id,
    }));
  const usual =
    gates.find((gate) => gate.judgement === "tests") ?? gates.find((gate) => gate.source === "named") ?? null;
  return draft.criteria.map(({ text, gate }, index) => ({
    id: `c${index + 1}`,
    text,
    gate: gate === NOBODY && !gates.some(({ id }) => id === NOBODY) ? null : (gate ?? usual?.id ?? null),
  }));
}

/** Each named gate with the repo it runs in and those beside it, by name. */
function namedGates(draft: Draft, repos: readonly string[]): readonly NamedGate[] {
  const [first] = repos;
  return draft.gates.map((gate) => {
    const repo = gate.repo ?? (gate.beside !== undefined || repos.length === 1 ? (first ?? null) : null);
    if (repo === null && repos.length > 1)
      throw new Failure("spec/invalid", `gate ${gate.id} names no repo, and the task has ${repos.join(", ")}`, {
        next: `For example: --gate ${gate.id}@${first}=COMMAND, or --gate ${gate.id}@*=COMMAND to run it beside all.`,
      });
    if (gate.beside === undefined) return { ...gate, repo };
    return { ...gate, repo, beside: gate.beside === "all" ? repos.filter((one) => one !== repo) : gate.beside };
  });
}
