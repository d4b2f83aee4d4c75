import { z } from "zod";
import { PHASES } from "../domain/phase.ts";

/* Models, budgets and what was spent, as they go out. */

export const BudgetView = z.object({
  tokens: z.number().optional(),
  usd: z.number().optional(),
  turns: z.number().optional(),
  time_ms: z.number().optional(),
});
export type BudgetView = z.infer<typeof BudgetView>;

const Spent = z.object({ tokens: z.number(), usd: z.number(), turns: z.number(), time_ms: z.number() });
export const SpentView = z.object({
  total: Spent,
  phases: z.partialRecord(z.enum(PHASES), Spent),
  /** What people let it spend beyond its budgets. */
  granted: Spent,
});
export type SpentView = z.infer<typeof SpentView>;

const PhaseModelsView = z.object({
  use: z.array(
    z.object({
      provider: z.string(),
      model: z.string(),
      parameters: z.object({
        temperature: z.number().optional(),
        top_p: z.number().optional(),
        seed: z.number().optional(),
        output_tokens_max: z.number().optional(),
        context_tokens: z.number().optional(),
        timeout_ms: z.number().optional(),
      }),
    }),
  ),
  budget: BudgetView,
});
export type PhaseModelsView = z.infer<typeof PhaseModelsView>;

export const ModelPolicyView = z.object({
  any: PhaseModelsView.optional(),
  intent: PhaseModelsView.optional(),
  planning: PhaseModelsView.optional(),
  implementation: PhaseModelsView.optional(),
  verification: PhaseModelsView.optional(),
});
export type ModelPolicyView = z.infer<typeof ModelPolicyView>;

export const LAYERS = ["task", "project", "user"] as const;
export const ModelPolicyLayersView = z.object({
  /** What each layer says; null: it was not asked for. */
  task: ModelPolicyView.nullable(),
  project: ModelPolicyView.nullable(),
  user: ModelPolicyView,
  /** Who is asked in each phase, and which layer says so; null: nobody said. */
  in_force: z.record(z.enum(PHASES), PhaseModelsView.extend({ from: z.enum(LAYERS) }).nullable()),
});
export type ModelPolicyLayersView = z.infer<typeof ModelPolicyLayersView>;

export const ModelCheckView = z.object({
  items: z.array(
    z.object({
      provider: z.string(),
      model: z.string(),
      /** Where it is named: `user any`, `project planning`. */
      named_by: z.array(z.string()),
      /** False: it cannot be used as it is. Null: nobody could say. */
      ok: z.boolean().nullable(),
      says: z.string(),
      next: z.string().nullable(),
    }),
  ),
  /** Phases for which no model is named anywhere. */
  unnamed: z.array(z.enum(PHASES)),
});
export type ModelCheckView = z.infer<typeof ModelCheckView>;
