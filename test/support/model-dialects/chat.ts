import type { SeenMessage, SeenRequest } from "../model-server.ts";
import type { ScriptedAnswer } from "../scripted-model.ts";
import { type Dialect, fragments, type Line, line, list, object, textOf } from "./dialect.ts";

/** OpenAI's chat completions, which Ollama, llama-server and LM Studio speak as well. */
export const CHAT: Dialect = {
  read: (body) => ({
    dialect: "chat",
    model: String(body["model"]),
    streamed: body["stream"] === true,
    tools: list(body["tools"]).map((tool) => String(object(tool["function"])["name"])),
    messages: list(body["messages"]).map(messageOf),
  }),
  stream: (request, answer) => [
    [chunk(request, answer, { role: "assistant", content: answer.calls.length > 0 ? null : "" })],
    ...answer.text.map((content) => [chunk(request, answer, { content })]),
    ...answer.calls.flatMap((call, index) => [
      [
        chunk(request, answer, {
          tool_calls: [{ index, id: call.id, type: "function", function: { name: call.name, arguments: "" } }],
        }),
      ],
      ...fragments(call.arguments).map((part) => [
        chunk(request, answer, { tool_calls: [{ index, function: { arguments: part } }] }),
      ]),
    ]),
    end(request, answer),
  ],
  delta: (request, text) => [chunk(request, { model: null }, { content: text })],
  whole: (request, answer) => ({
    ...headOf(request, answer, "chat.completion"),
    choices: [
      {
        index: 0,
        finish_reason: finishOf(answer),
        message: {
          role: "assistant",
          content: answer.text.join(""),
          ...(answer.calls.length === 0
            ? {}
            : {
                tool_calls: answer.calls.map(({ id, name, arguments: args }) => ({
                  id,
                  type: "function",
                  function: { name, arguments: args },
                })),
              }),
        },
      },
    ],
    ...(answer.usage === null ? {} : { usage: usageOf(answer.usage) }),
  }),
  error: (_, type, message) => ({ error: { message, type, param: null, code: null } }),
  troubleInside: (type, message) => [line({ error: { message, type, param: null, code: null } })],
};

function messageOf(message: Readonly<Record<string, unknown>>): SeenMessage {
  const role = message["role"];
  return {
    role: role === "assistant" || role === "tool" || role === "user" ? role : "system",
    text: textOf(message["content"]),
    calls: list(message["tool_calls"]).map((call) => ({
      name: String(object(call["function"])["name"]),
      arguments: String(object(call["function"])["arguments"]),
    })),
  };
}

function end(request: SeenRequest, answer: ScriptedAnswer): readonly Line[] {
  const asked = object(request.body["stream_options"])["include_usage"] === true;
  return [
    line({
      ...headOf(request, answer, "chat.completion.chunk"),
      choices: [{ index: 0, delta: {}, finish_reason: finishOf(answer) }],
    }),
    ...(answer.usage === null || !asked
      ? []
      : [line({ ...headOf(request, answer, "chat.completion.chunk"), choices: [], usage: usageOf(answer.usage) })]),
    { event: null, data: "[DONE]" },
  ];
}

const chunk = (request: SeenRequest, answer: Pick<ScriptedAnswer, "model">, delta: unknown): Line =>
  line({ ...headOf(request, answer, "chat.completion.chunk"), choices: [{ index: 0, delta, finish_reason: null }] });

const headOf = (request: SeenRequest, answer: Pick<ScriptedAnswer, "model">, kind: string) => ({
  id: `chatcmpl-${request.index}`,
  object: kind,
  created: 1,
  model: answer.model ?? request.model,
});

const finishOf = (answer: ScriptedAnswer): string => answer.finish ?? (answer.calls.length > 0 ? "tool_calls" : "stop");

const usageOf = ({ input, output }: { readonly input: number; readonly output: number }) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
});
