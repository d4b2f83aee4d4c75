import { z } from "zod";
import type { Pieces, TurnClient, TurnReport } from "../../ports/foreign.ts";

/** An agent's last words of a turn, as far as anybody is told of them. */
const MESSAGE_MAX = 64 * 1024;

const Content = z.object({ type: z.string(), text: z.string().optional() });
const ToolCall = z.object({
  toolCallId: z.string(),
  title: z.string().nullish(),
  kind: z.string().nullish(),
  status: z.string().nullish(),
  rawInput: z.unknown().optional(),
  locations: z.array(z.object({ path: z.string() })).nullish(),
});
const Update = z.object({
  sessionId: z.string(),
  update: z.discriminatedUnion("sessionUpdate", [
    z.object({ sessionUpdate: z.literal("agent_message_chunk"), content: Content }),
    z.object({ sessionUpdate: z.literal("agent_thought_chunk"), content: Content }),
    z.object({ sessionUpdate: z.literal("user_message_chunk"), content: Content }),
    ToolCall.extend({ sessionUpdate: z.literal("tool_call") }),
    ToolCall.extend({ sessionUpdate: z.literal("tool_call_update") }),
    z.object({
      sessionUpdate: z.literal("plan"),
      entries: z.array(z.object({ content: z.string(), status: z.string() })),
    }),
    z.object({
      sessionUpdate: z.literal("usage_update"),
      used: z.number(),
      cost: z.object({ amount: z.number(), currency: z.string() }).nullish(),
    }),
    z.object({ sessionUpdate: z.literal("available_commands_update") }),
    z.object({ sessionUpdate: z.literal("current_mode_update") }),
    z.object({ sessionUpdate: z.literal("config_option_update") }),
    z.object({ sessionUpdate: z.literal("session_info_update") }),
    z.object({ sessionUpdate: z.literal("notice") }),
    z.object({ sessionUpdate: z.literal("compaction_update") }),
    z.object({ sessionUpdate: z.literal("compaction_summary_chunk") }),
  ]),
});

type KnownCall = z.infer<typeof ToolCall>;

/** What an agent has said so far, gathered from its updates. */
export interface Said {
  /** False: it is no update of a session. */
  update(params: unknown): boolean;
  is(agent: string | null, version: string | null): void;
  inSession(session: string, resumed: boolean): void;
  /** From now on it is about this prompt: what a loaded session repeats does not count. */
  begin(): void;
  used(
    usage: {
      inputTokens?: number | null | undefined;
      outputTokens?: number | null | undefined;
      totalTokens?: number | null | undefined;
    } | null,
  ): void;
  toolCall(id: string): KnownCall | undefined;
  soFar(): Omit<TurnReport, "stop" | "invalidMessages" | "trouble">;
}

const NOTHING_USED: TurnReport["usage"] = { inputTokens: null, outputTokens: null, totalTokens: null, cost: null };

/** Of a text that holds nothing to be taken out. */
export const plainPieces = (): Pieces => ({ add: (piece) => piece, rest: () => "" });

export function saidBy({ tell, pieces }: Pick<TurnClient, "tell" | "pieces">): Said {
  const calls = new Map<string, KnownCall>();
  let begun = false;
  let agent: string | null = null;
  let version: string | null = null;
  let session: string | null = null;
  let resumed = false;
  let message = "";
  let words = pieces();
  const say = (part: string): void => {
    if (part === "") return;
    message = (message + part).slice(-MESSAGE_MAX);
    tell(part);
  };
  let toolCalls = 0;
  let contextTokens: number | null = null;
  let counted = false;
  let usage = NOTHING_USED;

  const call = (update: KnownCall): void => {
    const before = calls.get(update.toolCallId);
    if (before === undefined) toolCalls += 1;
    calls.set(update.toolCallId, {
      toolCallId: update.toolCallId,
      title: update.title ?? before?.title,
      kind: update.kind ?? before?.kind,
      status: update.status ?? before?.status,
      rawInput: update.rawInput ?? before?.rawInput,
      locations: update.locations ?? before?.locations,
    });
    // What it says after it used a tool is another message: the last one is the answer.
    if (before === undefined) {
      say(words.rest());
      message = "";
      tell(`\n[${update.kind ?? "tool"}] ${update.title ?? update.toolCallId}\n`);
    }
  };

  const take = (update: z.infer<typeof Update>["update"]): void => {
    switch (update.sessionUpdate) {
      case "agent_message_chunk":
        say(words.add(update.content.text ?? ""));
        return;
      case "tool_call":
      case "tool_call_update":
        call(update);
        return;
      case "plan":
        tell(`\n${update.entries.map((entry) => `- ${entry.content} (${entry.status})`).join("\n")}\n`);
        return;
      case "usage_update":
        // It is what its context holds, which shrinks when that is made smaller: the most it held is the least it used.
        contextTokens = Math.max(contextTokens ?? 0, update.used);
        usage = { ...usage, cost: update.cost ?? usage.cost };
        return;
      default:
        return;
    }
  };

  return {
    is: (name, its) => {
      agent = name;
      version = its;
    },
    inSession: (id, goesOn) => {
      session = id;
      resumed = goesOn;
    },
    begin: () => {
      begun = true;
      message = "";
      words = pieces();
      toolCalls = 0;
      contextTokens = null;
      usage = NOTHING_USED;
      calls.clear();
    },
    used: (told) => {
      if (told === null) return;
      counted = true;
      usage = {
        ...usage,
        inputTokens: told.inputTokens ?? null,
        outputTokens: told.outputTokens ?? null,
        totalTokens: told.totalTokens ?? null,
      };
    },
    toolCall: (id) => calls.get(id),
    update(params) {
      const parsed = Update.safeParse(params);
      if (parsed.success && begun) take(parsed.data.update);
      return parsed.success;
    },
    soFar() {
      say(words.rest());
      return {
        agent,
        version,
        session,
        resumed,
        message: message.toWellFormed().trim(),
        usage: counted ? usage : { ...usage, totalTokens: contextTokens },
        toolCalls,
      };
    },
  };
}
