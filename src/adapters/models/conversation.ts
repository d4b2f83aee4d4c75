import { z } from "zod";
import type { ModelTarget } from "../../domain/model-policy.ts";
import type { ModelMessage, ModelRequest } from "../../ports/model.ts";
import type { CallOptions } from "./protocols.ts";

/** A request as the SDK takes it. */
export const callOptions = ({ parameters }: ModelTarget, request: ModelRequest): CallOptions => ({
  prompt: request.messages.map(messageOf),
  ...(parameters.temperature === undefined ? {} : { temperature: parameters.temperature }),
  ...(parameters.topP === undefined ? {} : { topP: parameters.topP }),
  ...(parameters.seed === undefined ? {} : { seed: parameters.seed }),
  ...(parameters.outputTokensMax === undefined ? {} : { maxOutputTokens: parameters.outputTokensMax }),
  ...(request.tools.length === 0
    ? {}
    : {
        tools: request.tools.map(({ name, description, parameters: inputSchema }) => ({
          type: "function" as const,
          name,
          description,
          inputSchema,
        })),
        toolChoice: { type: request.toolChoice },
      }),
  ...(request.output === null
    ? {}
    : { responseFormat: { type: "json" as const, name: request.output.name, schema: request.output.schema } }),
  includeRawChunks: true,
  // OpenAI keeps answers for its own pages unless it is told not to.
  providerOptions: { openai: { store: false } },
});

type SdkMessage = CallOptions["prompt"][number];

function messageOf(message: ModelMessage): SdkMessage {
  switch (message.role) {
    case "system":
      return { role: "system", content: message.text };
    case "user":
      return { role: "user", content: [{ type: "text", text: message.text }] };
    case "assistant":
      return {
        role: "assistant",
        content: [
          ...(message.text === "" ? [] : [{ type: "text" as const, text: message.text }]),
          ...message.calls.map((call) => ({
            type: "tool-call" as const,
            toolCallId: call.id,
            toolName: call.name,
            input: inputOf(call.arguments),
          })),
        ],
      };
    case "tool":
      return {
        role: "tool",
        content: [
          {
            type: "tool-result",
            toolCallId: message.call,
            toolName: message.name,
            output: { type: "text", value: message.text },
          },
        ],
      };
  }
}

const Input = z.record(z.string(), z.unknown());

/** No provider takes arguments back that are no object; the model is shown what it wrote, under a name that says so. */
function inputOf(written: string): Readonly<Record<string, unknown>> {
  try {
    const input = Input.safeParse(JSON.parse(written));
    if (input.success) return input.data;
  } catch {
    // Told below.
  }
  return { not_a_json_object: written };
}
