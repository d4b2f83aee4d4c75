import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";
import { isCancel, password } from "@clack/prompts";
import { line } from "./escape.ts";

/** A person who can be asked. */
export interface Prompt {
  /** Where a question with its own way of answering is drawn: beside the data, wherever those go. */
  readonly on: { readonly input: Readable; readonly output: Writable };
  /** No unless they say yes in words. */
  confirm(question: string): Promise<boolean>;
  /** What they type is not shown; null: they would not say. */
  secret(question: string): Promise<string | null>;
}

/** Asks on the terminal, beside the data: questions go where talk goes. */
export function terminalPrompt(input: Readable, output: Writable, signal: AbortSignal): Prompt {
  return {
    on: { input, output },

    async confirm(question) {
      const lines = createInterface({ input, output });
      // At the end of input nothing is answered any more, and nothing is not a yes.
      const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
      try {
        const answer = await Promise.race([lines.question(`${line(question)} [y/N] `, { signal }), ended]);
        return /^\s*(y|yes)\s*$/i.test(answer);
      } finally {
        lines.close();
      }
    },

    async secret(question) {
      const said = await password({ message: line(question), input, output, signal });
      return isCancel(said) || said === "" ? null : said;
    },
  };
}
