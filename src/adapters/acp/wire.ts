import type { AnyMessage, Stream } from "@agentclientprotocol/sdk";
import { z } from "zod";
import { parseWellFormed } from "../../domain/well-formed.ts";

/** One message of the agent; a longer one ends the conversation. */
const MESSAGE_BYTES_MAX = 16 * 1024 ** 2;
/** Lines that are no message: some agents log to stdout. More than these are no conversation. */
const INVALID_MAX = 1_000;
const INVALID_PARAMS = -32_602;

const Message = z.union([
  z.looseObject({
    jsonrpc: z.literal("2.0"),
    method: z.string(),
    id: z.union([z.string(), z.number(), z.null()]).optional(),
  }),
  z
    .looseObject({ jsonrpc: z.literal("2.0"), id: z.union([z.string(), z.number(), z.null()]) })
    .refine((message) => "result" in message || "error" in message),
]);

export interface Wire {
  readonly stream: Stream;
  /** How many messages were not what the protocol says. */
  invalid(): number;
  /** Settles when the agent says nothing more; with a sentence when that is because it does not speak the protocol. */
  readonly ended: Promise<string | null>;
}

type Hear = (from: "agent" | "client", message: unknown, invalid: string | null) => void;

/**
 * Lines of JSON-RPC over two streams of bytes. Only whole messages get through; everything that passes is heard, nonsense too. Updates go to
 * `onUpdate` as they come; other notifications concern nobody here.
 */
export function wire(
  input: WritableStream<Uint8Array>,
  output: ReadableStream<Uint8Array>,
  hear: Hear,
  onUpdate: (params: unknown) => boolean,
): Wire {
  const writer = input.getWriter();
  const asked = new Set<unknown>();
  let invalid = 0;
  let end: (trouble: string | null) => void = () => {};
  const ended = new Promise<string | null>((resolve) => {
    end = resolve;
  });

  const writable = new WritableStream<AnyMessage>({
    async write(message) {
      if ("method" in message && "id" in message) asked.add(message.id);
      if ("error" in message && message.error?.code === INVALID_PARAMS) invalid += 1;
      hear("client", message, null);
      // A process that is gone hears nothing: that it is gone is told by the other stream.
      await writer.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`)).catch(() => undefined);
    },
  });

  const meant = (line: string): AnyMessage | null => {
    const [message, why] = parsed(line, asked);
    const update = why === null ? updateIn(message) : null;
    const odd = update !== null && !onUpdate(update.params) ? "no update of a session" : why;
    hear("agent", message ?? line, odd);
    if (odd !== null) invalid += 1;
    return odd === null && !isNotification(message) ? (message as AnyMessage) : null;
  };

  const readable = new ReadableStream<AnyMessage>({
    async start(controller) {
      let trouble: string | null = null;
      try {
        for await (const line of lines(output)) {
          const message = meant(line);
          if (message !== null) controller.enqueue(message);
          if (invalid > INVALID_MAX) {
            trouble = `it said ${invalid} things that are no messages of the protocol`;
            break;
          }
        }
      } catch (error) {
        trouble = error instanceof Error ? error.message : String(error);
      }
      end(trouble);
      controller.close();
    },
  });

  return {
    stream: { readable, writable },
    invalid: () => invalid,
    ended,
  };
}

const Notification = z.object({ method: z.string(), id: z.undefined().optional(), params: z.unknown().optional() });

const isNotification = (message: unknown): boolean => Notification.safeParse(message).success;

function updateIn(message: unknown): { readonly params: unknown } | null {
  const notification = Notification.safeParse(message);
  return notification.success && notification.data.method === "session/update"
    ? { params: notification.data.params }
    : null;
}

function parsed(line: string, asked: Set<unknown>): readonly [unknown, string | null] {
  let value: unknown;
  try {
    value = parseWellFormed(line);
  } catch {
    return [null, "no JSON"];
  }
  const message = Message.safeParse(value);
  if (!message.success) return [value, "no JSON-RPC message"];
  if (!("method" in message.data) && !asked.delete(message.data.id)) return [value, "an answer nobody asked for"];
  return [value, null];
}

async function* lines(output: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let size = 0;
  for await (const chunk of output) {
    const pieces = decoder.decode(chunk, { stream: true }).split("\n");
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) {
        const line = parts.join("").trim();
        parts = [];
        size = 0;
        if (line !== "") yield line;
      }
      size += piece.length;
      if (size > MESSAGE_BYTES_MAX) throw new Error(`it sent a message of more than ${MESSAGE_BYTES_MAX} bytes`);
      parts.push(piece);
    }
  }
  const last = parts.join("").trim();
  if (last !== "") yield last;
}
