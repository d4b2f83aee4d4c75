import { z } from "zod";
import { command, positional } from "../command.ts";
import { field } from "../escape.ts";

export const providerPull = command({
  args: z.strictObject({
    provider: positional(z.string().min(1), "PROVIDER", "its name"),
    model: positional(z.string().min(1), "MODEL", "what the provider calls the model"),
  }),
  examples: ["agentos provider pull ollama qwen3:4b"],
  async run({ provider, model }, { api, out }) {
    out.note(`${field(provider)} fetches ${field(model)}; that may take long`);
    const pulled = await api.pullModel(provider, { model });
    out.result(
      pulled,
      ({ said }) => [`${field(provider)} has ${field(model)} (${field(said)})`],
      () => [pulled.model],
    );
  },
});
