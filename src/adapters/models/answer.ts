import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import type { ModelTarget } from "../../domain/model-policy.ts";
import type { ModelAnswer, ModelEndpoint, ModelRequest, ModelUsage, ToolCall } from "../../ports/model.ts";
import { ANSWER_CHARACTERS_MAX } from "./limits.ts";
import type { StreamPart } from "./protocols.ts";
import { type Asked, troubleInside } from "./trouble.ts";

export interface Wanted {
  readonly endpoint: ModelEndpoint;
  readonly target: ModelTarget;
  readonly request: ModelRequest;
  readonly asked: Asked;
  readonly onText: (delta: string) => void;
}

/** Google's word for what answered, which the SDK does not pass on. */
const Versioned = z.object({ modelVersion: z.string() });

type Finished = Extract<StreamPart, { readonly type: "finish" }>;

/** The whole answer out of its parts; what is not whole is a failure. */
export async function answerOf(parts: AsyncIterable<StreamPart>, wanted: Wanted): Promise<ModelAnswer> {
  const { asked, onText } = wanted;
  let text = "";
  let model = wanted.target.model;
  let finished: Finished | null = null;
  const calls: ToolCall[] = [];
  let characters = 0;
  const grow = (by: number): void => {
    characters += by;
    if (characters > ANSWER_CHARACTERS_MAX)
      throw new Failure(
        "model/endless",
        `${asked.model} of ${asked.provider} said more than ${ANSWER_CHARACTERS_MAX} characters`,
      );
  };

  for await (const part of parts) {
    switch (part.type) {
      case "text-delta":
        grow(part.delta.length);
        text += part.delta;
        onText(part.delta);
        break;
      case "reasoning-delta":
      case "tool-input-delta":
        grow(part.delta.length);
        break;
      case "tool-call":
        grow(part.toolName.length);
        calls.push({ id: part.toolCallId, name: part.toolName, arguments: part.input });
        break;
      case "response-metadata":
        model = part.modelId ?? model;
        break;
      case "raw":
        model = Versioned.safeParse(part.rawValue).data?.modelVersion ?? model;
        break;
      case "error":
        throw troubleInside(asked, part.error);
      case "finish":
        finished = part;
        break;
      default:
        break; // Beginnings and ends of blocks, sources and files: nothing of it is part of an answer here.
    }
  }

  const finish = finished === null ? null : finishOf(finished.finishReason, calls);
  if (finished === null || finish === null)
    throw new Failure("model/bad-answer", `${asked.provider} ended its answer without saying that it is whole`);
  const usage = usageOf(finished.usage, wanted.request, text, calls);
  return {
    text: text.toWellFormed(),
    calls: calls.map((call) => ({
      id: call.id.toWellFormed(),
      name: call.name.toWellFormed(),
      arguments: call.arguments.toWellFormed(),
    })),
    finish,
    usage,
    microdollars: costOf(usage, wanted),
    model: model.toWellFormed(),
  };
}

/** null: it never finished. Some servers say `stop` where they call a tool. */
function finishOf({ unified }: Finished["finishReason"], calls: readonly ToolCall[]): ModelAnswer["finish"] | null {
  switch (unified) {
    case "stop":
      return calls.length > 0 ? "tool_calls" : "stop";
    case "tool-calls":
      return "tool_calls";
    case "content-filter":
      return "content_filter";
    case "length":
      return "length";
    case "other":
      return "other";
    default:
      return null;
  }
}

const CHARACTERS_A_TOKEN = 4;

/** What the provider counted, else an estimate of what it did not. Nothing was ever asked with no tokens: 0 is not a count. */
function usageOf(
  told: Finished["usage"],
  { messages, tools }: ModelRequest,
  text: string,
  calls: readonly ToolCall[],
): ModelUsage {
  const input = told.inputTokens.total ?? 0;
  const output = told.outputTokens.total ?? 0;
  if (input > 0 && (output > 0 || (text === "" && calls.length === 0)))
    return { inputTokens: input, outputTokens: output, estimated: false };
  const said = messages.reduce(
    (sum, { text: each, ...rest }) => sum + each.length + ("calls" in rest ? lengthOf(rest.calls) : 0),
    0,
  );
  return {
    inputTokens: input > 0 ? input : tokensOf(said + lengthOf(tools)),
    outputTokens: output > 0 ? output : tokensOf(text.length + lengthOf(calls)),
    estimated: true,
  };
}

const lengthOf = (list: readonly unknown[]): number => (list.length === 0 ? 0 : JSON.stringify(list).length);
const tokensOf = (characters: number): number => Math.ceil(characters / CHARACTERS_A_TOKEN);

const MILLION = 1_000_000;

/** Rounded up: what is spent is never told as less. */
function costOf({ inputTokens, outputTokens }: ModelUsage, { endpoint, target }: Wanted): number | null {
  const price = endpoint.prices[target.model];
  return price === undefined ? null : Math.ceil((inputTokens * price.input + outputTokens * price.output) / MILLION);
}
