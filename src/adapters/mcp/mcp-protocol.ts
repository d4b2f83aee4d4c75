import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { Failure, isFailure } from "../../domain/failure.ts";
import type { OfferedTool } from "../../domain/tool-server.ts";
import type { Talk, ToolProtocol, ToolResult } from "../../ports/tool-protocol.ts";
import { streamTransport } from "./stream-transport.ts";

const HELLO_MS = 60_000;
/** A timer for longer than this would end at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;
const TOOLS_MOST = 200;
/** So much of a result is told; a model's context is not for more. */
const TEXT_MAX = 64 * 1024;
const DESCRIPTION_MAX = 4_000;

/**
 * The client's side of the Model Context Protocol. It declares no capabilities of its own: a server that asks for a model, a person's answer
 * or a list of roots gets "method not found".
 */
export const mcpProtocol = (): ToolProtocol => ({
  offered: (talk, signal) => conversation(talk, signal, asItIs, (client) => toolsOf(client, signal)),
  call: (talk, { tool, input, agreed, timeoutMs, redact }, signal) =>
    conversation(talk, signal, redact, async (client) => {
      const offered = await toolsOf(client, signal);
      agreed(offered.find(({ name }) => name === tool) ?? null);
      const timeout = Math.min(timeoutMs, TIMER_MS_MAX);
      const result = await client.callTool({ name: tool, arguments: { ...input } }, undefined, { signal, timeout });
      return resultOf(result, redact);
    }),
});

/** Asked by a person what it offers, it has nothing of a task to tell. */
const asItIs = (text: string): string => text;

async function conversation<T>(
  talk: Talk,
  signal: AbortSignal,
  redact: (text: string) => string,
  hold: (client: Client) => Promise<T>,
): Promise<T> {
  // Loaded when a server is first talked to: it brings a validator of JSON Schema that most daemons never need.
  const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
  const client = new Client({ name: "agentos", version: "1" }, { capabilities: {} });
  const trouble: string[] = [];
  client.onerror = ({ message }) => void trouble.push(message);
  try {
    await client.connect(streamTransport(talk), { signal, timeout: HELLO_MS });
    return await hold(client);
  } catch (error) {
    signal.throwIfAborted();
    if (isFailure(error)) throw error;
    const said = redact([error instanceof Error ? error.message : String(error), ...trouble].join("; ")).slice(0, 500);
    throw new Failure("agent/failed", `the tool server did not do what the protocol says: ${said}`, { cause: error });
  } finally {
    await client.close();
  }
}

async function toolsOf(client: Client, signal: AbortSignal): Promise<readonly OfferedTool[]> {
  const found: OfferedTool[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listTools(cursor === undefined ? {} : { cursor }, { signal, timeout: HELLO_MS });
    for (const { name, description = "", inputSchema } of page.tools)
      found.push({
        name,
        description: description.slice(0, DESCRIPTION_MAX).toWellFormed(),
        schema: { ...inputSchema },
      });
    cursor = page.nextCursor;
    if (found.length > TOOLS_MOST)
      throw new Failure("agent/failed", `the tool server offers more than ${TOOLS_MOST} tools`);
  } while (cursor !== undefined);
  return found;
}

function resultOf(result: Awaited<ReturnType<Client["callTool"]>>, redact: (text: string) => string): ToolResult {
  const parts = Array.isArray(result.content) ? result.content : [];
  const whole = parts
    .map((part: unknown) => {
      if (typeof part !== "object" || part === null || !("type" in part)) return "[something that is no content]";
      if (part.type === "text" && "text" in part && typeof part.text === "string") return part.text;
      return `[${String(part.type)}, left out]`;
    })
    .join("\n");
  const text = redact(whole);
  const cut =
    text.length > TEXT_MAX
      ? `${text.slice(0, TEXT_MAX).toWellFormed()}\n[cut: ${text.length - TEXT_MAX} characters more]`
      : text;
  return { text: cut, isError: result.isError === true };
}
