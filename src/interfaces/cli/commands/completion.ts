import { z } from "zod";
import { command, positional } from "../command.ts";
import { completionFor, SHELLS } from "../completion.ts";

export const completion = command({
  args: z.strictObject({ shell: positional(z.enum(SHELLS), "SHELL", "bash, zsh or fish") }),
  examples: [
    'eval "$(agentos completion bash)"',
    'eval "$(agentos completion zsh)"',
    "agentos completion fish > ~/.config/fish/completions/agentos.fish",
  ],
  async run({ shell }, { out }) {
    const script = await completionFor(shell);
    out.result({ shell, script }, () => script.split("\n"));
  },
});
