import { z } from "zod";

/* Models and budgets as they come in: of a task, a project, the person's own policy. */

const ProviderId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "must be lower-case letters, digits, dot, dash or underscore, 64 at most");
const ModelName = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => !/\p{Cc}/u.test(text) && text.isWellFormed() && text.trim() === text, "is no name of a model");

/** What may be spent, or is given on top of it; what is not named is no limit. */
export const BudgetInput = z.strictObject({
  tokens: z.int().min(1).max(1_000_000_000_000).optional(),
  /** US dollars. */
  usd: z.number().min(0.000_001).max(1_000_000).optional(),
  turns: z.int().min(1).max(1_000_000).optional(),
  time_ms: z
    .int()
    .min(1_000)
    .max(365 * 86_400_000)
    .optional(),
});

export const ModelTargetInput = z.strictObject({
  provider: ProviderId,
  /** The provider's own name of it. */
  model: ModelName,
  parameters: z
    .strictObject({
      temperature: z.number().min(0).max(10).optional(),
      top_p: z.number().min(0).max(1).optional(),
      seed: z.int().min(0).optional(),
      output_tokens_max: z.int().min(1).max(10_000_000).optional(),
      context_tokens: z.int().min(256).max(100_000_000).optional(),
      timeout_ms: z.int().min(1_000).max(86_400_000).optional(),
    })
    .default({}),
});

/** Whom to ask: the first, then its fallbacks in this order. */
const PhaseModelsInput = z.strictObject({
  use: z.array(ModelTargetInput).min(1).max(10),
  budget: BudgetInput.default({}),
});

/** By phase; `any` counts where a phase is not named. */
export const ModelPolicyInput = z
  .strictObject({
    any: PhaseModelsInput,
    intent: PhaseModelsInput,
    planning: PhaseModelsInput,
    implementation: PhaseModelsInput,
    verification: PhaseModelsInput,
  })
  .partial();

/** Of which task or project the layers are wanted; neither: only the person's own. */
export const ModelPolicyQuery = z.strictObject({
  task: z.string().max(26).optional(),
  project: z.string().min(1).max(200).optional(),
});
