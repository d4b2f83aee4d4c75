import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";
import { parseWellFormed } from "../../domain/well-formed.ts";
import type { Talk } from "../../ports/tool-protocol.ts";

/** One message, and all of a conversation: a server that says more is ended. */
const MESSAGE_BYTES_MAX = 8 * 1024 ** 2;
const CONVERSATION_BYTES_MAX = 32 * 1024 ** 2;

/** Messages of the Model Context Protocol as lines of JSON over the streams of a process, with bounds on what the process may say. */
export function streamTransport({ input, output }: Talk): Transport {
  const writer = input.getWriter();
  const reader = output.getReader();
  const transport: Transport = {
    async start() {
      void listen().catch((error: unknown) => {
        transport.onerror?.(error instanceof Error ? error : new Error(String(error)));
        transport.onclose?.();
      });
    },
    send: (message) => writer.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`)),
    async close() {
      await reader.cancel().catch(() => undefined); // It is being ended: what it still says is of no interest.
      await writer.close().catch(() => undefined); // It may be gone already.
      transport.onclose?.();
    },
  };

  async function listen(): Promise<void> {
    const decoder = new TextDecoder();
    // Kept in parts until a line ends: joined at every chunk, a line without an end would be read over and over.
    let parts: string[] = [];
    let length = 0;
    let heard = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      heard += value.byteLength;
      if (heard > CONVERSATION_BYTES_MAX) throw new Error(`it said more than ${CONVERSATION_BYTES_MAX} bytes`);
      const [more = "", ...lines] = decoder.decode(value, { stream: true }).split("\n");
      parts.push(more);
      length += more.length;
      if (length > MESSAGE_BYTES_MAX) throw new Error(`it sent a message of more than ${MESSAGE_BYTES_MAX} bytes`);
      for (const next of lines) {
        hear(parts.join(""));
        parts = [next];
        length = next.length;
      }
    }
    transport.onclose?.();
  }

  /** What is no message is none of ours: servers are known to greet people on stdout. */
  function hear(line: string): void {
    if (line.trim() === "") return;
    const message = JSONRPCMessageSchema.safeParse(parsed(line));
    if (message.success) transport.onmessage?.(message.data);
  }

  return transport;
}

function parsed(line: string): unknown {
  try {
    return parseWellFormed(line);
  } catch {
    return null; // No JSON: the schema refuses it.
  }
}
