import { z } from "zod";
import { command, option } from "../command.ts";
import { policyLines } from "../policy-text.ts";

export const policyShow = command({
  args: z.strictObject({
    project: option(z.string().min(1).optional(), "PROJECT", "with the policies of this project"),
  }),
  examples: ["agentos policy show", "agentos policy show --project shop"],
  async run({ project }, { api, out }) {
    out.result(await api.policy(project), policyLines, ({ policies }) =>
      policies.map(({ layer, id }) => `${layer}:${id}`),
    );
  },
});
