import type { TurnClient, TurnReport, TurnWanted } from "../ports/foreign.ts";
import type { SandboxSession } from "../ports/sandbox.ts";

const MESSAGE_MAX = 64 * 1024;

/** A turn of a program without a protocol: the prompt goes in by stdin, what it puts out is its answer, its end is the end of the turn. */
export async function plainTurn(
  session: SandboxSession,
  { prompt, background, notice }: TurnWanted,
  client: TurnClient,
): Promise<TurnReport> {
  const text = [background, notice, prompt].filter((part) => part !== "").join("\n\n");
  client.hear("client", text, null);
  const writer = session.input.getWriter();
  // A program that does not read its stdin is none the worse for it.
  const saying = writer
    .write(new TextEncoder().encode(`${text}\n`))
    .then(() => writer.close())
    .catch(() => undefined);
  const decoder = new TextDecoder();
  let message = "";
  for await (const chunk of session.output) {
    const part = decoder.decode(chunk, { stream: true });
    message = (message + part).slice(-MESSAGE_MAX);
    client.hear("agent", part, null);
    client.tell(part);
  }
  const outcome = await session.outcome;
  await saying;
  const ended = outcome.exitCode === null ? (outcome.signal ?? "a signal") : `exit code ${outcome.exitCode}`;
  return {
    stop: outcome.exitCode === 0 ? "end_turn" : "error",
    agent: null,
    version: null,
    session: null,
    resumed: false,
    message: message.toWellFormed().trim(),
    usage: { inputTokens: null, outputTokens: null, totalTokens: null, cost: null },
    toolCalls: 0,
    invalidMessages: 0,
    trouble: outcome.exitCode === 0 ? null : `it ended with ${ended}`,
  };
}
