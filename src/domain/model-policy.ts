import type { Budget } from "./budget.ts";
import type { Phase } from "./phase.ts";

/** What a model is asked with. What is not said is left to the provider. */
export interface ModelParameters {
  readonly temperature?: number;
  readonly topP?: number;
  readonly seed?: number;
  /** Of one answer. */
  readonly outputTokensMax?: number;
  /** How much the conversation may take, where the provider does not say or says more than it keeps. */
  readonly contextTokens?: number;
  /** Of one call, until its answer is whole. */
  readonly timeoutMs?: number;
}

/** A model of a configured provider. `model` is the provider's own name of it. */
export interface ModelTarget {
  readonly provider: string;
  readonly model: string;
  readonly parameters: ModelParameters;
}

/** Whom to ask in one phase: the first, and if that one cannot answer the next, in this order. */
export interface PhaseModels {
  readonly use: readonly ModelTarget[];
  readonly budget: Budget;
}

/**
 * Which models do the work, per phase; `any` counts where a phase is not named. Task before project before user: a layer that names a
 * phase replaces what stands below it for that phase, whole.
 */
export type ModelPolicy = { readonly [P in Phase | "any"]?: PhaseModels };

export const NO_MODELS: ModelPolicy = {};

/** Who is asked in a phase, by the layers from the nearest to the farthest; null: nobody said. */
export function modelsFor(phase: Phase, layers: readonly ModelPolicy[]): PhaseModels | null {
  for (const layer of layers) {
    const found = layer[phase] ?? layer.any;
    if (found !== undefined && found.use.length > 0) return found;
  }
  return null;
}

/** `planning: ollama/qwen3, openai/gpt-5; any: …`, or that there are none. */
export function modelsText(policy: ModelPolicy): string {
  const phases = Object.entries(policy).filter(([, { use }]) => use.length > 0);
  if (phases.length === 0) return "none";
  return phases
    .map(([phase, { use }]) => `${phase}: ${use.map(({ provider, model }) => `${provider}/${model}`).join(", ")}`)
    .join("; ");
}
