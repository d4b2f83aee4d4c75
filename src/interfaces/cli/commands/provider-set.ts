import { z } from "zod";
import { trouble } from "../../client/trouble.ts";
import { command, option, positional } from "../command.ts";
import { PROVIDER_OPTIONS, saidOf } from "../provider-options.ts";
import { providerLines } from "../provider-text.ts";

const FORGOTTEN = {
  url: "base_url",
  "key-name": "key_name",
  executable: "executable",
  "models-directory": "models_directory",
  "model-file": "model_file",
  context: "context_tokens",
} as const;
type Forgotten = keyof typeof FORGOTTEN;

export const providerSet = command({
  args: z.strictObject({
    provider: positional(z.string().min(1), "PROVIDER", "its name"),
    ...PROVIDER_OPTIONS,
    forget: option(
      z.array(z.enum(Object.keys(FORGOTTEN) as [Forgotten, ...Forgotten[]])).optional(),
      "WHAT",
      `take back what was said, so that what is usual counts: ${Object.keys(FORGOTTEN).join(" | ")}`,
    ),
  }),
  examples: ["agentos provider set llama-2 --context 32768", "agentos provider set ollama --forget executable"],
  async run({ provider, forget = [], ...given }, { api, workingDirectory, out }) {
    const change = {
      ...saidOf(given, workingDirectory),
      ...Object.fromEntries(forget.map((what) => [FORGOTTEN[what], null])),
    };
    if (Object.keys(change).length === 0)
      throw trouble("input/invalid", "It is not said what to change.", {
        next: "agentos provider set --help shows what can be set.",
      });
    const changed = await api.changeProvider(provider, change);
    out.result(changed, providerLines, ({ id }) => [id]);
    if (changed.started?.alive === true)
      out.note(`it runs as it was started; agentos provider restart ${changed.id} takes it up`);
  },
});
