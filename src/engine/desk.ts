import type { RepoFacts } from "../domain/event.ts";
import { Failure } from "../domain/failure.ts";
import type { PrepareDefinition } from "../domain/gate.ts";
import { modelsFor, NO_MODELS, type PhaseModels } from "../domain/model-policy.ts";
import type { Phase } from "../domain/phase.ts";
import type { WorkItem } from "../domain/plan.ts";
import type { Spec } from "../domain/spec.ts";
import { MODEL_POLICY_STREAM } from "../domain/stream.ts";
import { layerName } from "../domain/task.ts";
import { type Desk, type LayerMount, mountOf } from "../ports/broker.ts";
import type { EngineDependencies } from "./deps.ts";
import type { Hold } from "./hold.ts";
import { pinnedNotes, proposeNote } from "./project-notes.ts";
import { durableSteps } from "./steps.ts";

/** The repos of the task's project by name. A project or repo that is gone makes the task wait. */
export async function reposOf(deps: EngineDependencies, hold: Hold): Promise<Readonly<Record<string, RepoFacts>>> {
  const id = hold.task().project?.id;
  const found = id === undefined ? null : await deps.store.projects.project(id);
  if (found === null || found.project.deleted)
    throw new Failure("project/not-found", `the project of task ${hold.id} is gone`);
  const repos: Record<string, RepoFacts> = {};
  for (const scope of hold.spec.scopes) {
    const repo = found.project.repos.find(({ name }) => name === scope.repo);
    if (repo === undefined)
      throw new Failure("repo/not-found", `the project ${found.project.name} has no repo ${scope.repo} any more`);
    repos[scope.repo] = repo;
  }
  return repos;
}

/** Sets the desk for one stretch of work: what the broker needs to know, with steps numbered under `scope`. */
export async function setDesk(
  deps: EngineDependencies,
  hold: Hold,
  phase: Phase,
  scope: string,
  item: WorkItem | null,
  layersOn: "base" | "candidate",
): Promise<Desk> {
  const task = hold.task();
  const repos = await reposOf(deps, hold);
  const models = await modelsInForce(deps, hold, phase);
  return {
    task: hold.id,
    epoch: hold.epoch,
    phase,
    attempt: task.attempt,
    spec: hold.spec,
    get runMode() {
      return hold.runMode();
    },
    project: task.project?.id ?? null,
    bases: Object.fromEntries(Object.entries(task.bases ?? {}).map(([repo, base]) => [repo, base.commit])),
    repos: Object.fromEntries(
      Object.entries(repos).map(([name, { writable, toolPath }]) => [name, { writable, toolPath }]),
    ),
    changeRequest: await textOf(deps, task.changeRequest),
    lastFailure:
      task.lastFailure === null
        ? null
        : [
            task.lastFailure.text,
            (await textOf(deps, task.lastFailure.output)) ?? "",
            task.review === null ? "" : `A reviewer found:\n${(await textOf(deps, task.review.findings)) ?? ""}`,
          ]
            .join("\n\n")
            .trim(),
    item,
    models,
    toolServers: hold.spec.toolServers ?? [],
    grants: task.grants,
    notes: await pinnedNotes(deps, hold),
    proposeNote: (text, repo) => proposeNote(deps, hold, text, repo),
    layers: layersIn(hold, layersOn),
    inputs: task.inputs,
    steps: durableSteps(deps, hold, scope, item?.id ?? null, models),
    lastTurn: () => {
      const { turn, trees } = hold.task();
      if (turn === undefined) return null;
      const isSame = Object.entries(trees).every(([repo, tree]) => turn.trees[repo] === tree);
      return { home: turn.home, session: isSame ? turn.session : null, sessionCost: turn.sessionCost ?? null };
    },
  };
}

/** Whom the task asks in this phase: its own spec says, else its project, else the person. Looked up anew at each stretch of work. */
export async function modelsInForce(deps: EngineDependencies, hold: Hold, phase: Phase): Promise<PhaseModels | null> {
  const project = hold.task().project;
  const found = project === null ? null : await deps.store.projects.project(project.id);
  const set = await deps.store.latest(MODEL_POLICY_STREAM, ["MODEL_POLICY_SET"]);
  const own = set?.event.type === "MODEL_POLICY_SET" ? set.event.body.policy : NO_MODELS;
  return modelsFor(phase, [hold.spec.models ?? NO_MODELS, found?.project.settings.models ?? NO_MODELS, own]);
}

/** Layers prepared so far for base or candidate, as mounts. */
export const layersIn = (hold: Hold, on: "base" | "candidate"): Desk["layers"] =>
  layersOf(hold.spec, ({ repo, id }) => hold.task().layers[layerName(repo, id, on)]);

/** The layers of every repo that `keyOf` knows a key for, in the order of the spec. */
export function layersOf(spec: Spec, keyOf: (definition: PrepareDefinition) => string | undefined): Desk["layers"] {
  const layers: Record<string, LayerMount[]> = {};
  for (const definition of spec.prepare) {
    const key = keyOf(definition);
    if (key !== undefined) layers[definition.repo] = [...(layers[definition.repo] ?? []), mountOf(key, definition)];
  }
  return layers;
}

async function textOf(
  deps: EngineDependencies,
  ref: { readonly digest: string; readonly bytes: number } | null,
): Promise<string | null> {
  if (ref === null) return null;
  const bytes = await deps.store.get(ref);
  return bytes === null ? null : new TextDecoder().decode(bytes);
}
