import type { SeenMessage, SeenRequest } from "../model-server.ts";
import type { ScriptedAnswer } from "../scripted-model.ts";
import { type Dialect, fragments, json, type Line, line, list, textOf } from "./dialect.ts";

/** Anthropic's messages. */
export const MESSAGES: Dialect = {
  read: (body) => ({
    dialect: "messages",
    model: String(body["model"]),
    streamed: body["stream"] === true,
    tools: list(body["tools"]).map((tool) => String(tool["name"])),
    messages: [
      ...(body["system"] === undefined ? [] : [{ role: "system" as const, text: textOf(body["system"]), calls: [] }]),
      ...list(body["messages"]).flatMap(messagesOf),
    ],
  }),
  stream: (request, answer) => [
    [
      named({
        type: "message_start",
        message: {
          ...headOf(request, answer),
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: answer.usage?.input ?? 0, output_tokens: 0 },
        },
      }),
      ...(answer.text.length === 0
        ? []
        : [named({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } })]),
    ],
    ...answer.text.map((text) => [textDelta(text)]),
    ...(answer.text.length === 0 || answer.calls.length === 0
      ? []
      : [[named({ type: "content_block_stop", index: 0 })]]),
    ...answer.calls.flatMap(({ id, name, arguments: args }, at) => {
      const index = at + (answer.text.length === 0 ? 0 : 1);
      return [
        [named({ type: "content_block_start", index, content_block: { type: "tool_use", id, name, input: {} } })],
        ...fragments(args).map((partial_json) => [
          named({ type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json } }),
        ]),
        [named({ type: "content_block_stop", index })],
      ];
    }),
    end(answer),
  ],
  delta: (_, text) => [textDelta(text)],
  whole: (request, answer) => ({
    ...headOf(request, answer),
    content: [
      ...(answer.text.length === 0 ? [] : [{ type: "text", text: answer.text.join("") }]),
      ...answer.calls.map(({ id, name, arguments: args }) => ({ type: "tool_use", id, name, input: json(args) })),
    ],
    stop_reason: stopOf(answer),
    stop_sequence: null,
    usage: { input_tokens: answer.usage?.input ?? 0, output_tokens: answer.usage?.output ?? 0 },
  }),
  error: (_, type, message) => ({ type: "error", error: { type, message } }),
  troubleInside: (type, message) => [named({ type: "error", error: { type, message } })],
};

/** Results of tools stand in a user's message, each beside the others. */
function messagesOf(message: Readonly<Record<string, unknown>>): readonly SeenMessage[] {
  const parts = list(message["content"]);
  const results = parts.filter((part) => part["type"] === "tool_result");
  const text = textOf(message["content"]);
  if (message["role"] === "assistant")
    return [
      {
        role: "assistant",
        text,
        calls: parts
          .filter((part) => part["type"] === "tool_use")
          .map((part) => ({ name: String(part["name"]), arguments: JSON.stringify(part["input"]) })),
      },
    ];
  return [
    ...results.map((part): SeenMessage => ({ role: "tool", text: textOf(part["content"]), calls: [] })),
    ...(text === "" && results.length > 0 ? [] : [{ role: "user" as const, text, calls: [] }]),
  ];
}

const end = (answer: ScriptedAnswer): readonly Line[] => [
  ...(answer.calls.length === 0 && answer.text.length > 0 ? [named({ type: "content_block_stop", index: 0 })] : []),
  named({
    type: "message_delta",
    delta: { stop_reason: stopOf(answer), stop_sequence: null },
    usage: { output_tokens: answer.usage?.output ?? 0 },
  }),
  named({ type: "message_stop" }),
];

const textDelta = (text: string): Line =>
  named({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });

const named = (data: { readonly type: string } & Readonly<Record<string, unknown>>): Line => line(data, data.type);

const headOf = (request: SeenRequest, answer: ScriptedAnswer) => ({
  id: `msg_${request.index}`,
  type: "message",
  role: "assistant",
  model: answer.model ?? request.model,
});

const STOPS = { stop: "end_turn", tool_calls: "tool_use", length: "max_tokens", content_filter: "refusal" } as const;

const stopOf = (answer: ScriptedAnswer): string =>
  STOPS[answer.finish ?? (answer.calls.length > 0 ? "tool_calls" : "stop")];
