import { z } from "zod";
import { command, positional } from "../command.ts";
import { SHELLS } from "../shells.ts";

export const completion = command({
  args: z.strictObject({ shell: positional(z.enum(SHELLS), "SHELL", "bash, zsh or fish") }),
  examples: [
    'eval "$(agentos completion bash)"',
    'eval "$(agentos completion zsh)"',
    "agentos completion fish > ~/.config/fish/completions/agentos.fish",
  ],
  async run({ shell }, { completion: scriptFor, out }) {
    const script = await scriptFor(shell);
    out.result({ shell, script }, () => script.split("\n"));
  },
});
