import type { z } from "zod";
import type { Budget, Spent } from "../domain/budget.ts";
import type { ModelParameters, ModelPolicy, ModelTarget, PhaseModels } from "../domain/model-policy.ts";
import { PHASES } from "../domain/phase.ts";
import type { Spending } from "../domain/task.ts";
import type { BudgetInput, ModelPolicyInput, ModelTargetInput } from "./model-inputs.ts";
import type { BudgetView, ModelPolicyView, PhaseModelsView, SpentView } from "./model-views.ts";

/* Models and budgets between the wire and the inside: one place knows both names of a thing. */

type Target = z.infer<typeof ModelTargetInput>;
type Policy = z.infer<typeof ModelPolicyInput>;

const MICRODOLLARS = 1_000_000;

export const budgetFrom = ({ tokens, usd, turns, time_ms }: z.infer<typeof BudgetInput>): Budget => ({
  ...(tokens !== undefined && { tokens }),
  ...(usd !== undefined && { microdollars: Math.round(usd * MICRODOLLARS) }),
  ...(turns !== undefined && { turns }),
  ...(time_ms !== undefined && { ms: time_ms }),
});

export const budgetView = ({ tokens, microdollars, turns, ms }: Budget): BudgetView => ({
  ...(tokens !== undefined && { tokens }),
  ...(microdollars !== undefined && { usd: microdollars / MICRODOLLARS }),
  ...(turns !== undefined && { turns }),
  ...(ms !== undefined && { time_ms: ms }),
});

const spent = ({ tokens, microdollars, turns, ms }: Spent): SpentView["total"] => ({
  tokens,
  usd: microdollars / MICRODOLLARS,
  turns,
  time_ms: ms,
});

export const spentView = ({ total, phases, granted }: Spending): SpentView => ({
  total: spent(total),
  phases: Object.fromEntries(Object.entries(phases).map(([phase, one]) => [phase, spent(one)])),
  granted: spent(granted),
});

const parametersFrom = (input: Target["parameters"]): ModelParameters => ({
  ...(input.temperature !== undefined && { temperature: input.temperature }),
  ...(input.top_p !== undefined && { topP: input.top_p }),
  ...(input.seed !== undefined && { seed: input.seed }),
  ...(input.output_tokens_max !== undefined && { outputTokensMax: input.output_tokens_max }),
  ...(input.context_tokens !== undefined && { contextTokens: input.context_tokens }),
  ...(input.timeout_ms !== undefined && { timeoutMs: input.timeout_ms }),
});

const parametersView = (parameters: ModelParameters): PhaseModelsView["use"][number]["parameters"] => ({
  ...(parameters.temperature !== undefined && { temperature: parameters.temperature }),
  ...(parameters.topP !== undefined && { top_p: parameters.topP }),
  ...(parameters.seed !== undefined && { seed: parameters.seed }),
  ...(parameters.outputTokensMax !== undefined && { output_tokens_max: parameters.outputTokensMax }),
  ...(parameters.contextTokens !== undefined && { context_tokens: parameters.contextTokens }),
  ...(parameters.timeoutMs !== undefined && { timeout_ms: parameters.timeoutMs }),
});

const targetFrom = ({ provider, model, parameters }: Target): ModelTarget => ({
  provider,
  model,
  parameters: parametersFrom(parameters),
});

export const phaseModelsView = ({ use, budget }: PhaseModels): PhaseModelsView => ({
  use: use.map(({ provider, model, parameters }) => ({ provider, model, parameters: parametersView(parameters) })),
  budget: budgetView(budget),
});

const NAMES = ["any", ...PHASES] as const;

export const modelPolicyFrom = (input: Policy): ModelPolicy =>
  Object.fromEntries(
    NAMES.flatMap((name) => {
      const one = input[name];
      return one === undefined ? [] : [[name, { use: one.use.map(targetFrom), budget: budgetFrom(one.budget) }]];
    }),
  );

export const modelPolicyView = (policy: ModelPolicy): ModelPolicyView =>
  Object.fromEntries(
    NAMES.flatMap((name) => {
      const one = policy[name];
      return one === undefined ? [] : [[name, phaseModelsView(one)]];
    }),
  );
