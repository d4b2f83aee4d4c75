import { z } from "zod";
import { command, flag, option, positional } from "../command.ts";
import { policyLines, readPolicyFile } from "../policy-text.ts";

export const policySet = command({
  args: z.strictObject({
    file: positional(z.string().min(1), "FILE", "policies in Cedar; an empty file takes away those before"),
    project: option(z.string().min(1).optional(), "PROJECT", "whose policies they are; without it they are your own"),
    grant: flag(z.boolean().default(false), "let what they permit count; it is recorded that you did"),
  }),
  examples: ["agentos policy set policy.cedar --project shop"],
  async run({ file, project, grant }, { api, out, workingDirectory }) {
    const text = await readPolicyFile(file, workingDirectory);
    const set = await api.setPolicy({ text, grant, ...(project !== undefined && { project }) });
    out.result(set, policyLines, ({ hash }) => [hash]);
  },
});
