import type { TurnClient, TurnReport, TurnWanted } from "../ports/foreign.ts";
import type { SandboxSession } from "../ports/sandbox.ts";

const MESSAGE_MAX = 64 * 1024;
/** What a program without a protocol has no words for. */
const NOTHING_SAID: Omit<TurnReport, "stop" | "message"> = {
  agent: null,
  version: null,
  session: null,
  resumed: false,
  usage: { inputTokens: null, outputTokens: null, totalTokens: null, cost: null },
  toolCalls: 0,
  invalidMessages: 0,
  trouble: null,
};

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
  const pieces = client.pieces();
  let message = "";
  const heard = (part: string): boolean => {
    if (part === "") return true;
    message = (message + part).slice(-MESSAGE_MAX);
    client.hear("agent", part, null);
    return client.tell(part);
  };
  for await (const chunk of session.output) {
    if (heard(pieces.add(decoder.decode(chunk, { stream: true })))) continue;
    // Whoever called ends it. Left alone it would put out more until its time is over.
    return { ...NOTHING_SAID, stop: "output", message: message.toWellFormed().trim() };
  }
  heard(pieces.add(decoder.decode()) + pieces.rest());
  const outcome = await session.outcome;
  await saying;
  const ended = outcome.exitCode === null ? (outcome.signal ?? "a signal") : `exit code ${outcome.exitCode}`;
  return {
    ...NOTHING_SAID,
    stop: outcome.exitCode === 0 ? "end_turn" : "error",
    message: message.toWellFormed().trim(),
    trouble: outcome.exitCode === 0 ? null : `it ended with ${ended}`,
  };
}
