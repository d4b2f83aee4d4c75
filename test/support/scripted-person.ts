import { PassThrough } from "node:stream";
import type * as clack from "@clack/prompts";

/*
 * A person at a terminal of this process. The prompts are the real ones, drawn on this terminal instead of the process's own:
 *
 *   vi.mock("@clack/prompts", async (original) => onScriptedTerminal(await original()));
 */

export const ENTER = "\r";
export const DOWN = "\u001b[B";
export const UP = "\u001b[A";
/** Ctrl-C. */
export const LEAVE = "\u0003";

/** What a person waits to see, and the keys they press then. */
export type Told = readonly [sees: string, presses: string];

export interface ScriptedPerson {
  /** All that was drawn, without the terminal's control sequences. */
  screen(): string;
  /** What they have not seen yet. */
  waitsFor(): readonly string[];
}

let input = new PassThrough();
let output = new PassThrough();

/** The prompts that ask this person. */
export const onScriptedTerminal = (real: typeof clack): typeof clack => ({
  ...real,
  select: (options) => real.select({ ...options, ...terminalOf(options) }),
  text: (options) => real.text({ ...options, ...terminalOf(options) }),
});

/** Where nothing is said, a question is drawn on stdout, which is for data. */
function terminalOf(said: { readonly output?: unknown }) {
  if (said.output === undefined) throw new Error("a question is drawn where data go");
  return { input, output };
}

/** A new person at a new terminal: they see one text after the other, each only after the one before, and press the keys of each. */
export function scriptedPerson(...told: readonly Told[]): ScriptedPerson {
  const left = [...told];
  let drawn = "";
  let from = 0;
  input = new PassThrough();
  output = new PassThrough();
  const [keyboard, terminal] = [input, output];
  terminal.on("data", (part) => {
    drawn += part;
    const [next] = left;
    if (next === undefined) return;
    const at = plain(drawn).indexOf(next[0], from);
    if (at < 0) return;
    from = at + next[0].length;
    left.shift();
    setImmediate(() => keyboard.write(next[1]));
  });
  return { screen: () => plain(drawn), waitsFor: () => left.map(([sees]) => sees) };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences begin with one
const plain = (text: string): string => text.replace(/\u001b\[[0-9;?]*[A-Za-z]|\r/g, "");
