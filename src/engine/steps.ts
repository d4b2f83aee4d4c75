import type { TaskEvent } from "../domain/event.ts";
import type { Evidence } from "../domain/evidence.ts";
import { Failure, type FailureCode, isFailure } from "../domain/failure.ts";
import type { PhaseModels } from "../domain/model-policy.ts";
import { type Act, crashPolicy } from "../domain/step.ts";
import type { Ask, Effect, Steps } from "../ports/broker.ts";
import { agreed, answerTo, permitted } from "./consult.ts";
import type { EngineDependencies } from "./deps.ts";
import { type Hold, OutcomeUnknown, PutDown } from "./hold.ts";
import { rest } from "./rest.ts";
import { requireAgreed } from "./tampered.ts";
import { requireBudget } from "./task-budget.ts";
import { undoOpenStep } from "./undo.ts";
import { excludedPaths } from "./workspace-value.ts";

/**
 * The durable bracket. For each ask, in this order: (1) a finished step answers from the journal, (2) a wish to stop is honoured, and
 * spec and plan must still be stored as they were agreed on, (3) STEP_STARTED is durable, (4) the effect runs, (5) the workspaces it touched have an id whose objects are durable, (6) STEP_COMPLETED with
 * its evidence and the new checkpoint are durable in one append, (7) the asker is told. A crash between (3) and (6) leaves an open step,
 * which the next claim deals with by its crash policy; a crash after (6) is answered by (1). Steps are numbered in the order they are
 * asked, which is why an agent must ask the same again for the same answers; another ask under a number is an integrity failure.
 */
export function durableSteps(
  deps: EngineDependencies,
  hold: Hold,
  scope: string,
  item: string | null,
  models: PhaseModels | null = null,
): Steps {
  let asked = 0;

  const perform = async (ask: Ask): Promise<unknown> => {
    asked += 1;
    const step = `${scope}.${asked}`;
    const finished = hold.task().finished[step];
    if (finished !== undefined) {
      if (finished.input !== ask.input)
        throw new Failure("store/corrupt", `step ${step} is recorded for another act than the agent asks for now`);
      if (finished.failed !== undefined) throw new Failure(finished.failed.code, finished.failed.sentence);
      if (finished.result === null) return null;
      const bytes = await deps.store.get(finished.result);
      if (bytes === null) throw new Failure("store/corrupt", `the result of step ${step} is gone from the store`);
      return JSON.parse(new TextDecoder().decode(bytes));
    }
    for (;;)
      try {
        return await runOnce(step, ask);
      } catch (error) {
        const waitMs = isFailure(error) && !hold.signal.aborted ? (ask.again?.(error) ?? null) : null;
        if (waitMs === null) throw error;
        await rest(waitMs, hold.signal);
      }
  };

  /** One run. */
  const runOnce = async (step: string, ask: Ask): Promise<unknown> => {
    hold.boundary();
    await requireAgreed(deps, hold);
    const before = hold.task();
    const run = (before.runs[step] ?? 0) + 1;
    const { act, blobs } = await agreed(deps, hold, { step, item, input: ask.input }, await ask.open());
    if (act.kind === "model" || act.kind === "turn") requireBudget(hold, models);
    const outputFile = await deps.outputFile(hold.id, step, run);
    await hold.report(
      { type: "start_step", step: { step, run, item, act, input: ask.input, before: before.trees } },
      blobs,
    );
    const noted: Promise<unknown>[] = [];
    let began = false;
    let effect: Effect;
    try {
      effect = await ask.effect({
        step,
        run,
        signal: hold.signal,
        outputFile,
        onStart: (mark) => {
          began = true;
          noted.push(
            deps.store.operations
              .markProcess(hold.id, step, mark)
              .catch((error: unknown) => deps.warn(`process of ${step} was not noted`, error)),
          );
        },
        onWarning: (warning) => {
          noted.push(
            hold
              .report({ type: "warn_step", warning: { step, run, ...warning } })
              .catch((error: unknown) => deps.warn(`a warning about ${step} was not noted`, error)),
          );
        },
      });
    } catch (error) {
      // A refusal is an answer: it comes before what was asked for is done, and says that it was not.
      const isRefused = isFailure(error, "act/denied");
      if (began && !isRefused && mayHaveReachedOut(hold, act)) throw new OutcomeUnknown(step, describe(act));
      if (!hold.signal.aborted) await failOpenStep(deps, hold, error);
      throw hold.signal.aborted ? await interrupted(deps, hold) : error;
    } finally {
      await Promise.all(noted);
    }
    if (hold.signal.aborted) {
      if (mayHaveReachedOut(hold, act)) throw new OutcomeUnknown(step, describe(act));
      throw await interrupted(deps, hold);
    }
    return record(deps, hold, step, run, effect);
  };

  return {
    perform,
    async consult(question) {
      asked += 1;
      return answerTo(deps, hold, { step: `${scope}.${asked}`, item }, question);
    },
    async permit(needed) {
      asked += 1;
      return permitted(deps, hold, { step: `${scope}.${asked}`, item }, needed);
    },
    deny: async (act, rule, reason) => {
      await hold.report({ type: "deny", denial: { act, rule, reason, item } });
    },
    act: async (acted, blobs) => {
      await hold.report({ type: "act_in_turn", acted }, blobs);
    },
  };
}

async function record(
  deps: EngineDependencies,
  hold: Hold,
  step: string,
  run: number,
  effect: Effect,
): Promise<unknown> {
  const trees = hold.task().trees;
  const after: Record<string, string> = {};
  const evidence: Evidence[] = [...effect.evidence];
  for (const repo of effect.touched) {
    const tree = await deps.workspaces.snapshot(
      { task: hold.id, epoch: hold.epoch, repo },
      excludedPaths(hold.spec, repo),
    );
    after[repo] = tree;
    evidence.push({ kind: "tree", repo, before: trees[repo] ?? "", after: tree });
  }
  const result =
    effect.result === null ? null : await deps.store.stage(new TextEncoder().encode(JSON.stringify(effect.result)));
  const blobs = result === null ? effect.blobs : [...effect.blobs, result];
  const followedBy: TaskEvent[] =
    effect.touched.length === 0 ? [] : [{ type: "CHECKPOINTED", body: { step, trees: after } }];
  for (const one of effect.evidence)
    if (one.kind === "artifact") {
      const { name, mediaType, content } = one;
      followedBy.push({ type: "ARTIFACT_STORED", body: { name, mediaType, content, step } });
    }
  const body = { step, run, evidence, after, result: result?.ref ?? null };
  await (effect.failed === null
    ? hold.report({ type: "complete_step", step: body, followedBy }, blobs)
    : hold.report({ type: "fail_step", step: { ...body, cause: effect.failed }, followedBy }, blobs));
  return effect.result;
}

/** Interrupted in the middle, with nobody able to say whether it took effect: unless its person has canceled the whole task anyway. */
const mayHaveReachedOut = (hold: Hold, act: Act): boolean => crashPolicy(act) === "ask_a_person" && !hold.canceled();

const describe = (act: Act): string =>
  act.kind === "command" ? act.argv.join(" ").slice(0, 300).toWellFormed() : act.kind;

/** The effect could not be tried or was refused half-way: what it left is undone, and the step says why it failed. */
async function failOpenStep(deps: EngineDependencies, hold: Hold, error: unknown): Promise<void> {
  const open = hold.task().openStep;
  if (open === null) return;
  await undoOpenStep(deps, hold, open);
  const cause = isFailure(error) ? error.message : "AgentOS failed inside this step";
  const told = isFailure(error) && ANSWERS.has(error.code) ? { told: error.code } : {};
  await hold.report({
    type: "fail_step",
    step: { step: open.step, run: open.run, evidence: [], after: {}, cause, result: null, ...told },
  });
}

/** Failures that answer what was asked for: the asker may go on from there, so they are told again and never tried again. */
const ANSWERS: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "act/denied",
  "agent/failed",
  "input/invalid",
  "model/context-overflow",
]);

const LOST_BY = { cancel: "canceled", time_up: "time_up", shutdown: "worker_died" } as const;

/** A person canceled, the task's time is up, or the worker is stopping: the open effect was ended, what it left is undone, the step is lost. */
async function interrupted(deps: EngineDependencies, hold: Hold): Promise<PutDown> {
  const { task } = await deps.log.load(hold.id);
  const why = task.cancelRequested === null ? hold.interruptedBy() : "cancel";
  const open = task.openStep;
  if (open !== null) {
    const rescued = await undoOpenStep(deps, hold, open);
    await hold.report({
      type: "lose_step",
      step: {
        step: open.step,
        run: open.run,
        cause: LOST_BY[why],
        rescued,
        partialOutput: null,
      },
    });
  }
  return new PutDown(why);
}
