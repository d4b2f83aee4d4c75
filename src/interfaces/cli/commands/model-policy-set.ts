import { z } from "zod";
import type { ModelPolicyInput } from "../../../contract/model-inputs.ts";
import type { Client } from "../../client/client.ts";
import { trouble } from "../../client/trouble.ts";
import { command, flag, option, positional } from "../command.ts";
import { budget, MODEL_PHASES, target } from "../model-options.ts";
import { policyLines } from "../model-text.ts";

type Policy = z.input<typeof ModelPolicyInput>;

export const modelPolicySet = command({
  args: z.strictObject({
    phase: positional(z.enum(MODEL_PHASES), "PHASE", "any, intent, planning, implementation or verification"),
    targets: positional(
      z.array(z.string()).default([]),
      "PROVIDER/MODEL",
      "whom to ask, and who is asked where the one before cannot answer",
    ),
    budget: option(
      z.array(z.string()).optional(),
      "UNIT=N,…",
      "what a task may spend in this phase before it waits and asks: tokens=200000,turns=50,usd=1.50,time=2h",
    ),
    temperature: option(amount(10), "N", "how freely they answer"),
    topP: option(amount(1), "N", "from how much of what is likely they choose"),
    seed: option(whole(), "N", "where their chance begins"),
    outputTokens: option(whole(), "N", "how long one answer may be"),
    contextTokens: option(whole(), "N", "how long a conversation may be, where the provider does not say"),
    project: option(z.string().optional(), "PROJECT", "for tasks of this project, instead of your own"),
    clear: flag(z.boolean().default(false), "name nobody for this phase any more"),
  }),
  examples: [
    "agentos model policy set any ollama/qwen3:8b",
    "agentos model policy set planning openai/gpt-5 ollama/qwen3:8b --budget usd=0.50",
    "agentos model policy set planning --clear",
  ],
  async run({ phase, targets, budget: spend, project, clear, ...given }, { api, out }) {
    if (clear !== (targets.length === 0))
      throw trouble(
        "input/invalid",
        clear ? "models were named, and that there are to be none" : `nobody was named for ${phase}`,
        { next: "Name PROVIDER/MODEL; or nobody, with --clear." },
      );
    const parameters = {
      ...(given.temperature !== undefined && { temperature: given.temperature }),
      ...(given.topP !== undefined && { top_p: given.topP }),
      ...(given.seed !== undefined && { seed: given.seed }),
      ...(given.outputTokens !== undefined && { output_tokens_max: given.outputTokens }),
      ...(given.contextTokens !== undefined && { context_tokens: given.contextTokens }),
    };
    const { [phase]: _before, ...others } = await before(api, project);
    const policy: Policy = clear
      ? others
      : {
          ...others,
          [phase]: {
            use: targets.map((text) => ({ ...target(text), parameters })),
            ...(spend !== undefined && { budget: budget(spend) }),
          },
        };
    if (project === undefined) await api.setModelPolicy(policy);
    else await api.changeProject(project, { settings: { models: policy } });
    const layers = await api.modelPolicy({ ...(project !== undefined && { project }) });
    out.result(layers, policyLines);
    if (!clear) out.note("whether they can be asked: agentos model policy check");
  },
});

async function before(api: Client, project: string | undefined): Promise<Policy> {
  const layers = await api.modelPolicy({ ...(project !== undefined && { project }) });
  return (project === undefined ? layers.user : layers.project) ?? {};
}

function amount(most: number) {
  return z
    .string()
    .regex(/^\d{1,2}(\.\d{1,4})?$/, `must be a number from 0 to ${most}`)
    .transform(Number)
    .refine((n) => n <= most, `must be a number from 0 to ${most}`)
    .optional();
}

function whole() {
  return z
    .string()
    .regex(/^\d{1,9}$/, "must be a whole number")
    .transform(Number)
    .optional();
}
