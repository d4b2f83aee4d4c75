import type { Actor } from "../domain/actor.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import type { ProbeResult } from "../domain/provider-facts.ts";
import { judgeProbe, type Tried } from "../domain/provider-probe.ts";
import type { ModelAnswer, ModelMessage, ModelRequest, Models, ModelTool } from "../ports/model.ts";
import type { ProviderModel } from "../ports/providers.ts";
import { type ProviderLog, recordProvider } from "./provider-log.ts";
import { knownProvider, type ProviderLooking, placeOf } from "./provider-places.ts";

/** A machine without a graphics card reads ten thousand tokens in minutes. */
const CALL_MS = 10 * 60_000;

const READ_FILE: ModelTool = {
  name: "read_file",
  description: "Reads a file and returns its text.",
  parameters: {
    type: "object",
    properties: { path: { type: "string", description: "Path of the file" } },
    required: ["path"],
    additionalProperties: false,
  },
};
const WANTED = "notes.txt";
const ASK: ModelMessage = { role: "user", text: `Read ${WANTED}` };
const CONTENT = "The meeting is on Tuesday at ten.";

/** Text takes four to six characters a token in the languages models are made for; six is the most generous. */
const CHARACTERS_PER_TOKEN_MOST = 6;
const OTHER_TOOLS = 60;

/**
 * Tries with a real conversation whether a model of the provider can be worked with: a tool call and its result, the same among many tools,
 * the context it keeps, and how fast it speaks. What was found is recorded.
 */
export async function probeProvider(
  deps: ProviderLooking & ProviderLog & { readonly models: Models },
  by: Actor,
  id: string,
  wanted: string | null,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { provider } = await knownProvider(deps, id);
  const place = await placeOf(deps, provider);
  const model = wanted ?? fittest(id, await deps.providers.models(place));
  const tries = trying(deps.models, id, model, signal);
  const plain = await tries.roundTrip();
  const padded = plain.is === "called" ? await tries.amongMany() : null;
  const tokensPerSecond = plain.is === "failed" ? null : await tries.speed();
  // Now, because a server that loads a model when it is asked has it loaded now.
  const window = await deps.providers.window(place, model).catch((error: unknown) => {
    if (isFailure(error)) return { tokens: null, most: null };
    throw error;
  });
  const result = judgeProbe(id, provider.facts.kind, {
    model,
    plain,
    padded,
    paddedTokens: PADDED_TOKENS,
    contextTokens: window.tokens,
    contextTokensMax: window.most,
    tokensPerSecond,
  });
  await recordProvider(deps, by, id, () => [{ type: "PROVIDER_PROBED", body: result }]);
  return result;
}

/** One that is loaded, and says that it can call tools, before one that does not. */
function fittest(id: string, models: readonly ProviderModel[]): string {
  const rank = ({ loaded, tools }: ProviderModel): number =>
    (tools === false ? 4 : tools === null ? 1 : 0) + (loaded === false ? 2 : 0);
  const [best] = models.filter(({ where }) => where === "server").sort((one, other) => rank(one) - rank(other));
  if (best === undefined)
    throw new Failure("model/not-found", `${id} has no model yet`, {
      next: `agentos provider pull ${id} MODEL fetches one, where the provider can.`,
    });
  return best.id;
}

function trying(models: Models, provider: string, model: string, signal: AbortSignal) {
  const target = (outputTokensMax: number) => ({
    provider,
    model,
    parameters: { temperature: 0, outputTokensMax, timeoutMs: CALL_MS },
  });
  const call = (request: Pick<ModelRequest, "messages" | "tools">, onText: () => void = () => {}, most = 512) =>
    models.call(
      target(most),
      { ...request, toolChoice: request.tools.length === 0 ? "none" : "auto", output: null },
      { signal, onText },
    );

  return {
    async roundTrip(): Promise<Tried> {
      return tried(async () => {
        const answer = await call({ messages: [ASK], tools: [READ_FILE] });
        const first = judgeAnswer(answer);
        const [made] = answer.calls;
        if (first.is !== "called" || made === undefined) return first;
        await call({
          messages: [
            ASK,
            { role: "assistant", text: answer.text, calls: [made] },
            { role: "tool", call: made.id, name: made.name, text: CONTENT },
          ],
          tools: [READ_FILE],
        });
        return first;
      });
    },

    amongMany: (): Promise<Tried> => tried(async () => judgeAnswer(await call({ messages: [ASK], tools: MANY_TOOLS }))),

    /** Tokens a second from the first word on; null where it says too little to tell. */
    async speed(): Promise<number | null> {
      let firstMs: number | null = null;
      try {
        const { usage } = await call(
          { messages: [{ role: "user", text: "Count from one to sixty in words, and say nothing else." }], tools: [] },
          () => {
            firstMs ??= performance.now();
          },
          160,
        );
        const seconds = firstMs === null ? 0 : (performance.now() - firstMs) / 1_000;
        return seconds < SECONDS_MIN || usage.outputTokens < TOKENS_MIN
          ? null
          : Math.round((usage.outputTokens / seconds) * 10) / 10;
      } catch (error) {
        // How fast it is was only nice to know; what failed here fails in the calls that count, too.
        if (isFailure(error)) return null;
        throw error;
      }
    },
  };
}

const SECONDS_MIN = 0.001;
const TOKENS_MIN = 4;

async function tried(work: () => Promise<Tried>): Promise<Tried> {
  try {
    return await work();
  } catch (error) {
    if (!isFailure(error)) throw error;
    if (error.code === "model/context-overflow") return { is: "overflow" };
    if (error.code === "model/none" || error.code === "provider/not-found") throw error;
    return { is: "failed", why: error.message };
  }
}

function judgeAnswer({ calls, usage }: ModelAnswer): Tried {
  const inputTokens = usage.estimated ? null : usage.inputTokens;
  const [first] = calls;
  if (first === undefined) return { is: "no_call", inputTokens };
  if (first.name !== READ_FILE.name) return { is: "wrong_call", inputTokens, what: `it called ${first.name}` };
  return asksForTheFile(first.arguments)
    ? { is: "called", inputTokens }
    : { is: "wrong_call", inputTokens, what: `its arguments were ${first.arguments.slice(0, 100)}` };
}

function asksForTheFile(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return (
      typeof value === "object" &&
      value !== null &&
      "path" in value &&
      typeof value.path === "string" &&
      value.path.includes(WANTED)
    );
  } catch {
    return false; // Arguments that are no JSON are a wrong call.
  }
}

const WORDS =
  "archive ledger window harbour copper meadow lantern signal border timber valley engine mirror ribbon saddle quarry orchard pepper velvet granite".split(
    " ",
  );

/** Tools nobody needs here, each described at length in words that are not all the same; the one that is needed stands among them. */
function manyTools(): readonly ModelTool[] {
  const other = (n: number): ModelTool => {
    const word = (k: number): string => WORDS[(n * 7 + k * 3) % WORDS.length] ?? "thing";
    return {
      name: `${word(0)}_${word(1)}_${n}`,
      description: Array.from(
        { length: 12 },
        (_, k) => `Looks up the ${word(k)} of the ${word(k + 1)} near the ${word(k + 2)}.`,
      ).join(" "),
      parameters: {
        type: "object",
        properties: { [word(2)]: { type: "string", description: `Which ${word(3)} is meant` } },
        required: [word(2)],
        additionalProperties: false,
      },
    };
  };
  const half = OTHER_TOOLS / 2;
  return [
    ...Array.from({ length: half }, (_, n) => other(n)),
    READ_FILE,
    ...Array.from({ length: half }, (_, n) => other(n + half)),
  ];
}

const MANY_TOOLS = manyTools();
export const PADDED_TOKENS = Math.floor(
  MANY_TOOLS.reduce((sum, { description }) => sum + description.length, 0) / CHARACTERS_PER_TOKEN_MOST,
);
