import type { SeenMessage, SeenRequest } from "../model-server.ts";
import type { ScriptedAnswer } from "../scripted-model.ts";
import { type Dialect, json, type Line, line, list, object, textOf } from "./dialect.ts";

/** Google's generateContent. Arguments of calls are objects there, so they come whole, and broken ones cannot be said. */
export const GOOGLE: Dialect = {
  read: (body, path) => ({
    dialect: "google",
    model: decodeURIComponent(/\/models\/([^/]+):/.exec(path)?.[1] ?? ""),
    streamed: path.endsWith(":streamGenerateContent"),
    tools: list(body["tools"]).flatMap((tool) =>
      list(tool["functionDeclarations"]).map((declared) => String(declared["name"])),
    ),
    messages: [
      ...(body["systemInstruction"] === undefined
        ? []
        : [{ role: "system" as const, text: textOf(object(body["systemInstruction"])["parts"]), calls: [] }]),
      ...list(body["contents"]).flatMap(messagesOf),
    ],
  }),
  stream: (request, answer) => [
    [chunk(request, answer, [])],
    ...answer.text.map((text) => [chunk(request, answer, [{ text }])]),
    ...answer.calls.map((call) => [chunk(request, answer, [callPart(call)])]),
    [
      line({
        ...headOf(request, answer),
        candidates: [{ index: 0, finishReason: finishOf(answer) }],
        ...usageOf(answer),
      }),
    ],
  ],
  delta: (request, text) => [chunk(request, { model: null }, [{ text }])],
  whole: (request, answer) => ({
    ...headOf(request, answer),
    candidates: [
      {
        index: 0,
        finishReason: finishOf(answer),
        content: {
          role: "model",
          parts: [...answer.text.map((text) => ({ text })), ...answer.calls.map(callPart)],
        },
      },
    ],
    ...usageOf(answer),
  }),
  error: (status, _, message) => ({ error: { code: status, message, status: STATUSES[status] ?? "UNKNOWN" } }),
  troubleInside: (_, message) => [line({ error: { code: 500, message, status: "INTERNAL" } })],
};

const STATUSES: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
};

function messagesOf(content: Readonly<Record<string, unknown>>): readonly SeenMessage[] {
  const parts = list(content["parts"]);
  const results = parts.filter((part) => part["functionResponse"] !== undefined);
  const text = textOf(parts);
  if (content["role"] === "model") {
    const calls = parts
      .filter((part) => part["functionCall"] !== undefined)
      .map((part) => object(part["functionCall"]))
      .map((call) => ({ name: String(call["name"]), arguments: JSON.stringify(call["args"]) }));
    return [{ role: "assistant", text, calls }];
  }
  return [
    ...results.map((part): SeenMessage => {
      const { response } = object(part["functionResponse"]);
      return { role: "tool", text: String(object(response)["content"] ?? JSON.stringify(response)), calls: [] };
    }),
    ...(text === "" && results.length > 0 ? [] : [{ role: "user" as const, text, calls: [] }]),
  ];
}

const callPart = (call: ScriptedAnswer["calls"][number]) => ({
  functionCall: { name: call.name, args: json(call.arguments) },
});

const chunk = (request: SeenRequest, answer: Pick<ScriptedAnswer, "model">, parts: readonly unknown[]): Line =>
  line({ ...headOf(request, answer), candidates: [{ index: 0, content: { role: "model", parts } }] });

const headOf = (request: SeenRequest, answer: Pick<ScriptedAnswer, "model">) => ({
  responseId: `response-${request.index}`,
  modelVersion: answer.model ?? request.model,
});

const FINISHES = { stop: "STOP", tool_calls: "STOP", length: "MAX_TOKENS", content_filter: "SAFETY" } as const;

const finishOf = (answer: ScriptedAnswer): string => FINISHES[answer.finish ?? "stop"];

const usageOf = ({ usage }: ScriptedAnswer) =>
  usage === null
    ? {}
    : {
        usageMetadata: {
          promptTokenCount: usage.input,
          candidatesTokenCount: usage.output,
          totalTokenCount: usage.input + usage.output,
        },
      };
