import { z } from "zod";
import { trouble } from "../../client/trouble.ts";
import { command, flag, positional } from "../command.ts";
import { field } from "../escape.ts";

/** A key is never a word of a command line, where the shell's history and every process list would have it. */
export const providerKey = command({
  args: z.strictObject({
    provider: positional(z.string().min(1), "PROVIDER", "its name"),
    forget: flag(z.boolean().default(false), "forget the key that is stored"),
  }),
  examples: ["agentos provider key anthropic", 'printf %s "$KEY" | agentos provider key team'],
  async run({ provider, forget }, { api, out, prompt, stdin }) {
    if (forget) {
      out.result(
        await api.forgetKey(provider),
        () => [`the stored key of ${field(provider)} is forgotten`],
        ({ provider: id }) => [id],
      );
      return;
    }
    const said = prompt === null ? await stdin() : await prompt.secret(`The key of ${provider} (not shown)`);
    const key = (said ?? "").trim();
    if (key === "")
      throw trouble("input/invalid", "No key was given.", {
        next: `Type it when asked, or pipe it in: printf %s "$KEY" | agentos provider key ${provider}`,
      });
    const kept = await api.storeKey(provider, { key });
    out.result(
      kept,
      ({ place }) => [`the key of ${field(provider)} is stored in ${PLACES[place]}`],
      ({ provider: id }) => [id],
    );
    if (kept.hidden_by !== null)
      out.note(`the variable ${field(kept.hidden_by)} is set where the daemon runs, and comes before what is stored`);
  },
});

const PLACES = {
  keychain: "the system's keychain",
  file: "a file of the data directory, for its owner alone",
} as const;
