import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { localProviders } from "../../src/adapters/providers/providers.ts";
import { Failure } from "../../src/domain/failure.ts";
import { PLATFORMS, type PlatformName } from "../../src/domain/provider-platforms.ts";
import type { ModelEndpoints, Models } from "../../src/ports/model.ts";
import { type DaemonWanted, type TestDaemon, temporaryDirectory, withDaemon } from "../support/daemon.ts";

const FIXTURES = join(import.meta.dirname, "..", "fixtures", "providers");
export const fixture = (name: string): string => join(FIXTURES, name);

export interface Machine {
  /** The data directory. */
  readonly home: string;
  readonly personHome: string;
  /** A file that stands for a model; its name says how the server behaves. */
  model(name: string): string;
  /** A daemon on this machine; started again after it was stopped, it finds what was there. */
  daemon(more?: Pick<DaemonWanted, "child">): Promise<TestDaemon>;
}

/** A machine of a person's own: their home, their variables, and nothing of the machine the tests run on but its PATH. */
export function machine(
  wanted: { readonly platform?: PlatformName; readonly variables?: Readonly<Record<string, string>> } = {},
): Machine {
  const home = temporaryDirectory("home");
  const personHome = temporaryDirectory("person");
  const models = join(personHome, "models");
  mkdirSync(models);
  const environment = {
    PATH: `${join(import.meta.dirname, "..", "..", "node_modules", ".bin")}:${process.env["PATH"] ?? ""}`,
    HOME: personHome,
    ...wanted.variables,
  };
  const platform = PLATFORMS[wanted.platform ?? "linux"];
  return {
    home,
    personHome,
    model(name) {
      const path = join(models, `${name}.gguf`);
      writeFileSync(path, "GGUF");
      return path;
    },
    daemon: () =>
      withDaemon({
        home,
        adapters: { providers: localProviders({ home, personHome, platform, environment }), models: plainModels },
      }),
  };
}

/** A client of OpenAI's protocol, as small as it can be: whole answers, and the errors that a probe tells apart. */
const plainModels = (endpoints: ModelEndpoints): Models => ({
  contextTokens: async () => null,
  async call({ provider, model, parameters }, { messages, tools }, { signal, onText }) {
    const { baseUrl } = await endpoints.endpoint(provider);
    const response = await fetch(`${baseUrl}/v1/chat/completions`, {
      method: "POST",
      signal,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model,
        max_tokens: parameters.outputTokensMax,
        temperature: parameters.temperature,
        messages: messages.map((message) => {
          switch (message.role) {
            case "assistant":
              return {
                role: "assistant",
                content: message.text,
                tool_calls: message.calls.map(({ id, name, arguments: text }) => ({
                  id,
                  type: "function",
                  function: { name, arguments: text },
                })),
              };
            case "tool":
              return { role: "tool", tool_call_id: message.call, content: message.text };
            default:
              return { role: message.role, content: message.text };
          }
        }),
        ...(tools.length > 0 && { tools: tools.map((tool) => ({ type: "function", function: tool })) }),
      }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: another program's answer, in a test
    const answer = (await response.json()) as any;
    if (answer.error?.type === "exceed_context_size_error")
      throw new Failure("model/context-overflow", answer.error.message);
    if (!response.ok) throw new Failure("provider/failed", `HTTP ${response.status}`);
    const { message } = answer.choices[0];
    const text: string = message.content ?? "";
    if (text !== "") onText(text);
    return {
      text,
      calls: (message.tool_calls ?? []).map((call: { id: string; function: { name: string; arguments: string } }) => ({
        id: call.id,
        ...call.function,
      })),
      finish: message.tool_calls === undefined ? "stop" : "tool_calls",
      usage: {
        inputTokens: answer.usage.prompt_tokens,
        outputTokens: answer.usage.completion_tokens,
        estimated: false,
      },
      microdollars: null,
      model,
    };
  },
});

/** Whether a process is there at all. */
export const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
