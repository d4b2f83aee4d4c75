import { z } from "zod";
import { Slug } from "../../../contract/inputs.ts";
import { NewProviderInput } from "../../../contract/provider-inputs.ts";
import { command, option, positional } from "../command.ts";
import { PROVIDER_OPTIONS, saidOf } from "../provider-options.ts";
import { providerLines } from "../provider-text.ts";

export const providerAdd = command({
  args: z.strictObject({
    provider: positional(Slug, "PROVIDER", "the name it is to have"),
    kind: option(NewProviderInput.shape.kind, "KIND", "what it speaks"),
    ...PROVIDER_OPTIONS,
  }),
  examples: [
    "agentos provider add llama-2 --kind llamacpp --port 8081 --model-file ~/models/coder.gguf --context 32768",
    "agentos provider add team --kind openai-compatible --url https://models.example.com/v1 --key-name TEAM_API_KEY",
  ],
  async run({ provider, kind, ...given }, { api, workingDirectory, out }) {
    const added = await api.addProvider({ id: provider, kind, ...saidOf(given, workingDirectory) });
    out.result(added, providerLines, ({ id }) => [id]);
  },
});
