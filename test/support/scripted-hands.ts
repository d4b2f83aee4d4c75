import { Failure } from "../../src/domain/failure.ts";
import type { Spec } from "../../src/domain/spec.ts";
import type { CommandResult, ModelReply, PlanningCapabilities, WorkCapabilities } from "../../src/ports/agent.ts";
import type { ModelMessage, ModelRequest } from "../../src/ports/model.ts";
import { itemGiven, specGiven } from "./given-spec.ts";

/** What a scripted model says next: an answer, or a failure it answers with. */
export type Said = ModelReply | Failure;

export const reply = (more: Partial<ModelReply> = {}): ModelReply => ({
  text: "",
  calls: [],
  finish: (more.calls ?? []).length > 0 ? "tool_calls" : "stop",
  usage: { inputTokens: 10, outputTokens: 5, estimated: true },
  microdollars: null,
  model: "scripted",
  provider: "test",
  contextTokens: null,
  ...more,
});

/** Tool calls; a string is sent as it is. */
export const calling = (...wanted: readonly (readonly [name: string, args: unknown])[]): ModelReply =>
  reply({
    calls: wanted.map(([name, args], at) => ({
      id: `call-${at + 1}`,
      name,
      arguments: typeof args === "string" ? args : JSON.stringify(args),
    })),
  });

export const SPEC = specGiven({
  title: "Make it green",
  intent: "The sum is wrong.",
  criteria: [{ id: "c1", text: "the tests pass", gate: "tests" }],
  constraints: ["no new dependency"],
  pinnedOn: { app: "b1" },
  agent: { kind: "builtin" },
});

export const ITEM = itemGiven({
  id: "sum",
  title: "Mend the sum",
  paths: ["src/"],
  commands: ["npm test"],
  criterion: "c1",
});

export interface Hands {
  readonly planning: PlanningCapabilities;
  readonly working: WorkCapabilities;
  readonly files: Map<string, string>;
  /** Every ask but those of the model, as it was asked. */
  readonly asked: readonly (readonly unknown[])[];
  readonly requests: readonly ModelRequest[];
  /** What the model was told last. */
  last(): ModelMessage | undefined;
}

/** Capabilities, to plan as to work, of an agent that is to ask for nothing: whatever it asks is refused in these words. */
export function noHands(why: string): Omit<PlanningCapabilities & WorkCapabilities, "spec"> {
  const refused = () => Promise.reject(new Error(why));
  return {
    bases: {},
    changeRequest: null,
    attempt: 1,
    lastFailure: null,
    tools: [],
    notes: [],
    callTool: refused,
    proposeNote: refused,
    model: refused,
    ask: refused,
    turn: refused,
    permission: refused,
    read: refused,
    list: refused,
    search: refused,
    inspect: refused,
    write: refused,
    remove: refused,
    keep: refused,
    run: refused,
  };
}

/** Capabilities over files in memory, and a model that says what is scripted; out of words it is an error of the test. */
export function hands(
  says: readonly Said[] | ((request: ModelRequest, at: number) => Said),
  {
    spec = SPEC,
    files = {},
    result = {},
    lastFailure = null,
    denies = [],
  }: {
    readonly spec?: Spec;
    readonly files?: Readonly<Record<string, string>>;
    readonly result?: Partial<CommandResult>;
    readonly lastFailure?: string | null;
    /** Paths nobody may write. */
    readonly denies?: readonly string[];
  } = {},
): Hands {
  const kept = new Map(Object.entries(files));
  const asked: (readonly unknown[])[] = [];
  const requests: ModelRequest[] = [];
  const ran: CommandResult = { exitCode: 0, endedBy: "itself", stdout: "", stderr: "", ...result };
  const refuse = (path: string): void => {
    if (denies.includes(path)) throw new Failure("act/denied", `write ${path} in app: not agreed on`);
  };
  const both = {
    spec,
    model: async (request: ModelRequest): Promise<ModelReply> => {
      const at = requests.push(request) - 1;
      const said = typeof says === "function" ? says(request, at) : says[at];
      if (said === undefined) throw new Error("the scripted model has nothing more to say");
      if (said instanceof Failure) throw said;
      return said;
    },
    notes: [],
    proposeNote: async (text: string, repo: string | null) => void asked.push(["proposeNote", text, repo]),
    tools: [],
    callTool: () => Promise.reject(new Error("a tool was called")),
    turn: () => Promise.reject(new Error("a foreign agent was given its turn")),
    permission: () => Promise.reject(new Error("permission was asked for")),
    ask: async (...words: [string, readonly string[]]) => {
      asked.push(["ask", ...words]);
      return "as you like";
    },
    read: async (repo: string, path: string) => {
      asked.push(["read", repo, path]);
      return kept.get(path) ?? null;
    },
    list: async (repo: string, prefix: string) => {
      asked.push(["list", repo, prefix]);
      return [...kept.keys()].filter((path) => path.startsWith(prefix)).sort();
    },
    search: async (repo: string, text: string, prefix: string) => {
      asked.push(["search", repo, text, prefix]);
      return {
        lines: [...kept].flatMap(([path, all]) => (all.includes(text) ? [`${path}:1:${text}`] : [])),
        more: false,
      };
    },
  };
  return {
    planning: {
      ...both,
      bases: spec.pinnedOn,
      changeRequest: null,
      inspect: async (repo, argv) => {
        asked.push(["inspect", repo, argv]);
        return ran;
      },
    },
    working: {
      ...both,
      attempt: 1,
      lastFailure,
      write: async (repo, path, content, executable) => {
        asked.push(["write", repo, path, content, executable]);
        refuse(path);
        kept.set(path, content);
      },
      remove: async (repo, path) => {
        asked.push(["remove", repo, path]);
        kept.delete(path);
      },
      keep: async () => false,
      run: async (repo, command) => {
        asked.push(["run", repo, command]);
        return ran;
      },
    },
    files: kept,
    asked,
    requests,
    last: () => requests.at(-1)?.messages.at(-1),
  };
}
