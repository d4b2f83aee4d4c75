import type { SeenMessage, SeenRequest } from "../model-server.ts";
import type { ScriptedAnswer } from "../scripted-model.ts";
import { type Dialect, fragments, type Line, line, list, textOf } from "./dialect.ts";

/** OpenAI's responses. */
export const RESPONSES: Dialect = {
  read: (body) => ({
    dialect: "responses",
    model: String(body["model"]),
    streamed: body["stream"] === true,
    tools: list(body["tools"]).flatMap((tool) => (typeof tool["name"] === "string" ? [tool["name"]] : [])),
    messages: [
      ...(typeof body["instructions"] === "string"
        ? [{ role: "system" as const, text: body["instructions"], calls: [] }]
        : []),
      ...(typeof body["input"] === "string"
        ? [{ role: "user" as const, text: body["input"], calls: [] }]
        : list(body["input"]).flatMap(messageOf)),
    ],
  }),
  stream: (request, answer) => {
    const text = answer.text.join("");
    const at = answer.text.length === 0 ? 0 : 1;
    const message = { item_id: `msg_${request.index}`, output_index: 0, content_index: 0 };
    return [
      [
        named({ type: "response.created", response: responseOf(request, answer, "in_progress") }),
        named({ type: "response.in_progress", response: responseOf(request, answer, "in_progress") }),
        ...(answer.text.length === 0
          ? []
          : [
              named({
                type: "response.output_item.added",
                output_index: 0,
                item: { ...messageItem(request, ""), status: "in_progress", content: [] },
              }),
              named({ type: "response.content_part.added", ...message, part: part("") }),
            ]),
      ],
      ...answer.text.map((delta) => [named({ type: "response.output_text.delta", ...message, delta, logprobs: [] })]),
      ...(answer.text.length === 0
        ? []
        : [
            [
              named({ type: "response.output_text.done", ...message, text, logprobs: [] }),
              named({ type: "response.content_part.done", ...message, part: part(text) }),
              named({ type: "response.output_item.done", output_index: 0, item: messageItem(request, text) }),
            ],
          ]),
      ...answer.calls.flatMap((call, index) => {
        const output_index = at + index;
        const item = callItem(call);
        return [
          [
            named({
              type: "response.output_item.added",
              output_index,
              item: { ...item, status: "in_progress", arguments: "" },
            }),
          ],
          ...fragments(call.arguments).map((delta) => [
            named({ type: "response.function_call_arguments.delta", item_id: item.id, output_index, delta }),
          ]),
          [
            named({
              type: "response.function_call_arguments.done",
              item_id: item.id,
              output_index,
              arguments: call.arguments,
            }),
            named({ type: "response.output_item.done", output_index, item }),
          ],
        ];
      }),
      [
        isCut(answer)
          ? named({ type: "response.incomplete", response: responseOf(request, answer, "incomplete") })
          : named({ type: "response.completed", response: responseOf(request, answer, "completed") }),
      ],
    ].map(numbered());
  },
  delta: (request, delta) =>
    [
      named({
        type: "response.output_text.delta",
        item_id: `msg_${request.index}`,
        output_index: 0,
        content_index: 0,
        delta,
        logprobs: [],
      }),
    ].map(({ event, data }) => ({ event, data: JSON.stringify(data) })),
  whole: (request, answer) => responseOf(request, answer, isCut(answer) ? "incomplete" : "completed"),
  error: (_, type, message) => ({ error: { message, type, param: null, code: null } }),
  troubleInside: (type, message) => [
    line({ type: "error", code: type, message, param: null, sequence_number: 9 }, "error"),
  ],
};

const CUTS = { stop: null, tool_calls: null, length: "max_output_tokens", content_filter: "content_filter" } as const;

const isCut = ({ finish }: ScriptedAnswer): boolean => CUTS[finish ?? "stop"] !== null;

interface Named {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const named = (data: { readonly type: string } & Readonly<Record<string, unknown>>): Named => ({
  event: data.type,
  data,
});

/** Each event carries its place in the stream. */
function numbered(): (events: readonly Named[]) => readonly Line[] {
  let sequence = 0;
  return (events) =>
    events.map(({ event, data }) => {
      sequence += 1;
      return line({ ...data, sequence_number: sequence - 1 }, event);
    });
}

function messageOf(item: Readonly<Record<string, unknown>>): readonly SeenMessage[] {
  if (item["type"] === "function_call")
    return [
      { role: "assistant", text: "", calls: [{ name: String(item["name"]), arguments: String(item["arguments"]) }] },
    ];
  if (item["type"] === "function_call_output") return [{ role: "tool", text: textOf(item["output"]), calls: [] }];
  const role = item["role"];
  if (typeof role !== "string") return []; // Reasoning and the like, which is nobody's message.
  return [
    {
      role: role === "assistant" || role === "user" ? role : "system",
      text: textOf(item["content"]),
      calls: [],
    },
  ];
}

const responseOf = (
  request: SeenRequest,
  answer: ScriptedAnswer,
  status: "in_progress" | "completed" | "incomplete",
) => ({
  id: `resp_${request.index}`,
  object: "response",
  created_at: 1,
  status,
  error: null,
  incomplete_details: status === "incomplete" ? { reason: CUTS[answer.finish ?? "stop"] } : null,
  instructions: null,
  model: answer.model ?? request.model,
  output:
    status === "in_progress"
      ? []
      : [
          ...(answer.text.length === 0 ? [] : [messageItem(request, answer.text.join(""))]),
          ...answer.calls.map(callItem),
        ],
  parallel_tool_calls: true,
  tool_choice: "auto",
  tools: [],
  usage: status === "in_progress" || answer.usage === null ? null : usageOf(answer.usage),
});

const messageItem = (request: SeenRequest, text: string) => ({
  id: `msg_${request.index}`,
  type: "message",
  status: "completed",
  role: "assistant",
  content: [part(text)],
});

const part = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] });

const callItem = (call: ScriptedAnswer["calls"][number]) => ({
  id: `fc_${call.id}`,
  type: "function_call",
  status: "completed",
  call_id: call.id,
  name: call.name,
  arguments: call.arguments,
});

const usageOf = ({ input, output }: { readonly input: number; readonly output: number }) => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: input + output,
});
