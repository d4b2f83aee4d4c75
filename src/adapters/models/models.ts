import { Failure } from "../../domain/failure.ts";
import type { ModelTarget } from "../../domain/model-policy.ts";
import type { ModelEndpoint, ModelEndpoints, ModelRequest, Models } from "../../ports/model.ts";
import { answerOf } from "./answer.ts";
import { contextTokens } from "./context-tokens.ts";
import { callOptions } from "./conversation.ts";
import { LIMITS, type Limits, limitsFor } from "./limits.ts";
import { type OneRequest, oneRequest } from "./one-request.ts";
import { PROTOCOLS, type StreamPart } from "./protocols.ts";
import { type Asked, tellable, troubleOf } from "./trouble.ts";

/** The models of configured providers, over their own protocols. See the port for the contract. */
export function models(endpoints: ModelEndpoints, limits: Limits = LIMITS): Models {
  return {
    async call(target, request, { signal, onText }) {
      signal.throwIfAborted();
      const endpoint = await endpoints.endpoint(target.provider);
      const asked = { provider: target.provider, model: target.model, key: await endpoint.key() };
      const once = open(endpoint, asked, limitsFor(limits, target.parameters), signal);
      try {
        const parts = partsOf(endpoint, target, request, asked, once);
        return await Promise.race([once.ended, answerOf(parts, { endpoint, target, request, asked, onText })]);
      } catch (error) {
        // What ended the request counts before what was made of it above.
        throw once.end === null ? error : once.end.reason;
      } finally {
        once.close();
      }
    },
    async contextTokens(target) {
      const endpoint = await endpoints.endpoint(target.provider);
      const key = await endpoint.key();
      const given = target.parameters.contextTokens ?? null;
      const told = await contextTokens(endpoint, target.model, async (path, body) => {
        const once = open(endpoint, { provider: target.provider, model: target.model, key }, LOOKING, NEVER);
        try {
          return await lookedUp(once, `${endpoint.baseUrl}${path}`, body);
        } catch {
          return null; // Nobody knows then; a call will say what is wrong.
        } finally {
          once.close();
        }
      });
      return told === null || given === null ? (told ?? given) : Math.min(told, given);
    },
  };
}

/** For a question that a server answers out of its head. */
const LOOKING: Limits = { connectMs: 2_000, firstByteMs: 5_000, silenceMs: 5_000, wholeMs: 10_000 };
const NEVER = new AbortController().signal;

const open = (endpoint: ModelEndpoint, asked: Asked, limits: Limits, signal: AbortSignal): OneRequest =>
  oneRequest({
    provider: asked.provider,
    key: asked.key,
    keyHeader: PROTOCOLS[endpoint.kind].keyHeader,
    limits,
    signal,
    troubleOf: (status, headers, body) => troubleOf(asked, status, headers, body),
  });

async function lookedUp(once: OneRequest, url: string, body: unknown): Promise<unknown> {
  const asking = once.fetch(url, body === null ? {} : { method: "POST", body: JSON.stringify(body) });
  return (await asking).json();
}

/** The parts of the answer as they come. What the SDK throws is translated here; what the caller's own code throws is not. */
async function* partsOf(
  endpoint: ModelEndpoint,
  target: ModelTarget,
  request: ModelRequest,
  asked: Asked,
  once: OneRequest,
): AsyncGenerator<StreamPart> {
  try {
    const { baseUrl } = endpoint;
    const model = await PROTOCOLS[endpoint.kind].open({ baseUrl, model: target.model, fetch: once.fetch });
    const { stream } = await model.doStream(callOptions(target, request));
    yield* stream;
  } catch (error) {
    if (error instanceof Failure || once.end !== null) throw error;
    const words = tellable(error instanceof Error ? error.message : String(error), asked);
    throw once.sent
      ? new Failure("model/bad-answer", `${target.provider} does not answer as its protocol says: ${words}`)
      : new Failure("model/invalid", `the request cannot be said to ${target.provider}: ${words}`);
  }
}
