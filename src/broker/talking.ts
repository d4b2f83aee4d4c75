import { Failure, isFailure } from "../domain/failure.ts";
import type { ModelTarget } from "../domain/model-policy.ts";
import { isModelTrouble, nextTry, type Trouble } from "../domain/model-trouble.ts";
import type { ModelReply, TalkCapabilities } from "../ports/agent.ts";
import type { Desk, Effect, Opened, StepRun } from "../ports/broker.ts";
import type { ModelRequest } from "../ports/model.ts";
import type { StagedBlob } from "../ports/store.ts";
import type { BrokerDependencies, Pass } from "./deps.ts";

/**
 * Asking models and people. One call of a model is one step; each try of it is a run of that step, with whoever has the turn by the model
 * policy. What is asked for is the conversation, not the model: a policy that changed meanwhile changes nothing about what is finished.
 */
export function talkCapabilities(deps: BrokerDependencies, desk: Desk, pass: Pass): TalkCapabilities {
  const remembered = conversation();
  return {
    notes: desk.notes,
    proposeNote: desk.proposeNote,
    ask: (text, choices) => desk.steps.consult({ text, choices }),
    async model(request) {
      const failures: Trouble[] = [];
      const target = (): ModelTarget => {
        const models = desk.models;
        const next = models === null ? null : nextTry(models, failures);
        const one = next === null ? undefined : models?.use[next.at];
        if (one === undefined)
          throw new Failure("model/none", `no model is configured for the phase ${desk.phase} of this task`);
        return one;
      };
      let asked: { readonly target: ModelTarget; readonly request: StagedBlob } | null = null;
      const open = async () => {
        const one = target();
        const staged = await deps.blobs.stage(encode(remembered.told(request, one)));
        asked = { target: one, request: staged };
        const act = { kind: "model", provider: one.provider, model: one.model, request: staged.ref } as const;
        return { act, blobs: [staged] } satisfies Opened;
      };
      const effect = async (run: StepRun): Promise<Effect> => {
        if (asked === null) throw new Error(`step ${run.step} was begun without having been opened`);
        remembered.keep(request, asked.request);
        return callModel(deps, asked.target, request, asked.request, run);
      };
      return (await pass({ model: request }, open, effect, (failure) => {
        if (desk.models === null || !isFailure(failure) || !isModelTrouble(failure.code)) return null;
        const { retryAfterMs } = failure.facts;
        failures.push({ code: failure.code, retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : null });
        return nextTry(desk.models, failures)?.waitMs ?? null;
      })) as ModelReply;
    },
  };
}

async function callModel(
  deps: BrokerDependencies,
  target: ModelTarget,
  request: ModelRequest,
  told: StagedBlob,
  run: StepRun,
): Promise<Effect> {
  const beganMs = deps.clock.nowMs();
  const answer = await deps.models.call(target, request, {
    signal: run.signal,
    onText: (delta) => deps.appendOutput(run.outputFile, delta),
  });
  const response = await deps.blobs.stage(encode(answer));
  const reply: ModelReply = {
    ...answer,
    provider: target.provider,
    contextTokens: target.parameters.contextTokens ?? (await deps.models.contextTokens(target)),
  };
  return {
    evidence: [
      {
        kind: "model",
        provider: target.provider,
        model: target.model,
        answeredBy: answer.model,
        request: told.ref,
        response: response.ref,
        ...answer.usage,
        microdollars: answer.microdollars,
        durationMs: deps.clock.nowMs() - beganMs,
      },
    ],
    touched: [],
    result: reply,
    failed: null,
    blobs: [response],
  };
}

/**
 * What a call's record holds: the whole request, or, where it goes on from the one before, that one by its digest and what came after. A
 * conversation of many calls is then kept once.
 */
function conversation() {
  let before: { readonly request: ModelRequest; readonly digest: string } | null = null;
  return {
    told(request: ModelRequest, { provider, model, parameters }: ModelTarget): unknown {
      const { messages, ...rest } = request;
      return before !== null && goesOn(request, before.request)
        ? {
            provider,
            model,
            parameters,
            after: before.digest,
            messages: messages.slice(before.request.messages.length),
          }
        : { provider, model, parameters, ...rest, messages };
    },
    keep(request: ModelRequest, staged: StagedBlob): void {
      before = { request: { ...request, messages: [...request.messages] }, digest: staged.ref.digest };
    },
  };
}

/** The same messages and more, and nothing else changed. By identity: whoever builds a conversation only adds to it. */
const goesOn = (now: ModelRequest, before: ModelRequest): boolean =>
  now.tools === before.tools &&
  now.toolChoice === before.toolChoice &&
  now.output === before.output &&
  before.messages.length <= now.messages.length &&
  before.messages.every((message, at) => message === now.messages[at]);

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
