import { z } from "zod";
import { plainPieces, saidBy } from "./said.ts";

const Line = z.union([
  z.object({ from: z.enum(["agent", "client"]), message: z.unknown(), invalid: z.string().optional() }),
  z.object({ left_out: z.number() }),
]);
const Call = z.object({ method: z.string(), params: z.unknown() });
const Refused = z.object({ error: z.object({ message: z.string() }) });
const Terminal = z.object({ command: z.string(), args: z.array(z.string()).nullish() });
const Write = z.object({ path: z.string() });

/**
 * What an agent said and asked for in a turn, read from the record of its messages. Lines that were no messages are part of it: a program
 * that does not start says there what it lacks.
 */
export function transcriptText(transcript: Uint8Array): string {
  const told: string[] = [];
  const tell = (text: string): boolean => told.push(text) > 0;
  const said = saidBy({ tell, pieces: plainPieces });
  for (const line of new TextDecoder().decode(transcript).split("\n")) {
    const one = lineOf(line);
    if (one === null) continue;
    if ("left_out" in one) told.push(`\n[${one.left_out} messages were not kept]\n`);
    else if (one.from === "client") {
      // A loaded session repeats what was said before: that is no part of this turn.
      if (Call.safeParse(one.message).data?.method === "session/prompt") said.begin();
    } else if (typeof one.message === "string") told.push(one.invalid === undefined ? one.message : `${one.message}\n`);
    else {
      const call = Call.safeParse(one.message).data;
      if (call?.method === "session/update") said.update(call.params);
      else told.push(askedFor(call) ?? refusedIn(one.message));
    }
  }
  return told.join("");
}

/** What an agent wants its client to do, as far as it changes anything; null: it is no such message. */
function askedFor(call: z.infer<typeof Call> | undefined): string | null {
  const terminal = call?.method === "terminal/create" ? Terminal.safeParse(call.params).data : undefined;
  if (terminal !== undefined) return `\n$ ${[terminal.command, ...(terminal.args ?? [])].join(" ")}\n`;
  const write = call?.method === "fs/write_text_file" ? Write.safeParse(call.params).data : undefined;
  return write === undefined ? null : `\n[write] ${write.path}\n`;
}

function refusedIn(message: unknown): string {
  const refused = Refused.safeParse(message).data;
  return refused === undefined ? "" : `\n[error] ${refused.error.message}\n`;
}

/** Null: no line of a record, the torn end of one for example. */
function lineOf(text: string): z.infer<typeof Line> | null {
  if (text === "") return null;
  try {
    return Line.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null; // What is no JSON has nothing to tell.
  }
}
