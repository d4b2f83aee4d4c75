import type { Actor } from "../domain/actor.ts";
import type { DeliveredTo } from "../domain/event.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import type { DeliveryEvent } from "../domain/lifecycle.ts";
import { type Spec, specFrom } from "../domain/spec.ts";
import type { StepKind } from "../domain/step.ts";
import { type In, layerName, type Task } from "../domain/task.ts";
import type { Ask, Desk, Effect, Steps } from "../ports/broker.ts";
import type { StagedBlob } from "../ports/store.ts";
import type { EngineDependencies } from "./deps.ts";
import { layersOf } from "./desk.ts";

/** Steps on a proven task: no lease, no workspace, the same bracket. They are numbered after the journal, so each delivery's are new. */
export async function deliveryDesk(
  deps: EngineDependencies,
  task: In<"succeeded">,
  spec: Spec,
  by: Actor,
  signal: AbortSignal,
): Promise<Desk> {
  const { seq } = await deps.log.load(task.id);
  const repos: Record<string, { writable: boolean; toolPath: readonly string[] }> = {};
  for (const scope of spec.scopes) {
    const { writable, toolPath } = await sourceOf(deps, task, scope.repo);
    repos[scope.repo] = { writable, toolPath };
  }
  let asked = 0;
  const steps: Steps = {
    async perform(ask: Ask) {
      const opened = await ask.open();
      if ("refused" in opened) {
        const { act, rule, reason } = opened.refused;
        await steps.deny(act, rule, reason);
        throw new Failure("act/denied", `${act}: ${reason}`, { facts: { rule } });
      }
      const { act, blobs } = opened;
      if (signal.aborted) throw stopped(task.id);
      asked += 1;
      const step = `deliver-${seq}.${asked}`;
      const run = 1;
      const outputFile = await deps.outputFile(task.id, step, run);
      await record(
        deps,
        task.id,
        by,
        [{ type: "STEP_STARTED", body: { step, run, item: null, act, input: ask.input, before: {} } }],
        blobs,
      );
      // A branch that moves is not stopped half-way; what only gathers is ended, and its step is lost.
      const isLost = (): boolean => signal.aborted && !MOVES_BRANCHES.has(act.kind);
      const lose = async (): Promise<Failure> => {
        await record(deps, task.id, by, [
          { type: "STEP_LOST", body: { step, run, cause: "worker_died", rescued: {}, partialOutput: null } },
        ]);
        return stopped(task.id);
      };
      let effect: Effect;
      try {
        effect = await ask.effect({
          step,
          run,
          signal,
          outputFile,
          onStart: () => undefined,
          onWarning: () => undefined,
        });
      } catch (error) {
        if (isLost()) throw await lose();
        // Of several branches some may have moved: whatever is not the word that none has leaves the step open, to be finished.
        if (act.kind === "deliver_together" && !isFailure(error, "delivery/refused")) throw error;
        const cause = isFailure(error) ? error.message : "AgentOS failed inside this step";
        await record(deps, task.id, by, [
          { type: "STEP_FAILED", body: { step, run, evidence: [], after: {}, cause, result: null } },
        ]);
        throw error;
      }
      if (isLost()) throw await lose();
      const { evidence, failed } = effect;
      if (failed !== null) {
        const body = { step, run, evidence, after: {}, cause: failed, result: null };
        await record(deps, task.id, by, [{ type: "STEP_FAILED", body }], effect.blobs);
        return effect.result;
      }
      // That a branch moved and that this was a delivery are one fact: a crash must not leave the one without the other.
      const completed: DeliveryEvent = {
        type: "STEP_COMPLETED",
        body: { step, run, evidence, after: {}, result: null },
      };
      const events = act.kind === "deliver" || act.kind === "deliver_together" ? (effect.result as Arrived).events : [];
      await record(deps, task.id, by, [completed, ...events], effect.blobs);
      return effect.result;
    },
    consult: async ({ text }) => {
      throw new Error(`a delivery asks a question: ${text}`);
    },
    permit: async ({ act }) => {
      throw new Error(`a delivery asks for a permission: ${act}`);
    },
    deny: async (act, rule, reason) => {
      await record(deps, task.id, by, [{ type: "DENIED", body: { act, rule, reason, item: null } }]);
    },
    act: async () => {
      throw new Error("no agent has a turn while its task is delivered");
    },
  };
  return {
    task: task.id,
    epoch: task.epoch,
    phase: "verification",
    attempt: task.attempt,
    spec,
    runMode: task.runMode ?? spec.runMode,
    project: task.project?.id ?? null,
    bases: Object.fromEntries(Object.entries(task.bases ?? {}).map(([repo, base]) => [repo, base.commit])),
    repos,
    changeRequest: null,
    lastFailure: null,
    item: null,
    models: null,
    toolServers: [],
    grants: task.grants,
    notes: [],
    proposeNote: async () => {
      throw new Failure("act/denied", "no notes are proposed while work is delivered");
    },
    layers: layersOf(
      spec,
      ({ repo, id }) => task.layers[layerName(repo, id, "candidate")] ?? task.layers[layerName(repo, id, "base")],
    ),
    inputs: task.inputs,
    steps,
    lastTurn: () => null,
  };
}

/** What has arrived, with the events that say so. */
export interface Arrived {
  readonly repos: Readonly<Record<string, DeliveredTo>>;
  readonly events: readonly DeliveryEvent[];
  readonly blobs: readonly StagedBlob[];
}

const MOVES_BRANCHES: ReadonlySet<StepKind> = new Set<StepKind>(["deliver", "deliver_together"]);

export const record = (
  deps: EngineDependencies,
  id: string,
  by: Actor,
  events: readonly DeliveryEvent[],
  blobs: readonly StagedBlob[] = [],
) => deps.log.give(id, { type: "record_delivery", by, events }, { blobs });

export async function specOf(deps: EngineDependencies, task: In<"succeeded">): Promise<Spec> {
  const stored = task.spec === null ? null : await deps.store.tasks.spec(task.id, task.spec.version);
  if (stored === null || deps.digest(new TextEncoder().encode(stored.text)) !== task.spec?.hash)
    throw new Failure("store/corrupt", `the stored spec of task ${task.id} does not have the frozen hash`);
  return specFrom(stored.text);
}

export async function sourceOf(deps: EngineDependencies, task: Task, repo: string) {
  const project = task.project === null ? null : await deps.store.projects.project(task.project.id);
  const facts = project?.project.repos.find(({ name }) => name === repo);
  if (facts === undefined)
    throw new Failure("repo/not-found", `the project of task ${task.id} has no repo ${repo} any more`);
  return facts;
}

/** A delivery that the end of the daemon cut short, or did not let begin. */
export const stopped = (task: string): Failure =>
  new Failure("delivery/refused", `the daemon stopped before task ${task} was delivered`, {
    next: `agentos task deliver ${task} does it once the daemon runs again.`,
  });
