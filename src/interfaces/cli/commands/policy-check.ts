import { z } from "zod";
import { command, flag, positional } from "../command.ts";
import { policyLines, readPolicyFile } from "../policy-text.ts";

export const policyCheck = command({
  args: z.strictObject({
    file: positional(z.string().min(1), "FILE", "policies in Cedar"),
    user: flag(z.boolean().default(false), "as your own policies, not a project's"),
    grant: flag(z.boolean().default(false), "as if what they permit were granted"),
  }),
  examples: ["agentos policy check policy.cedar"],
  async run({ file, user, grant }, { api, out, workingDirectory }) {
    const text = await readPolicyFile(file, workingDirectory);
    out.result(await api.checkPolicy({ text, layer: user ? "user" : "project", grant }), policyLines, ({ hash }) => [
      hash,
    ]);
  },
});
