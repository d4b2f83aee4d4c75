import { durationText } from "./duration.ts";

/** What may be spent; a field that is not there is no limit. */
export interface Budget {
  /** Into and out of models, together. */
  readonly tokens?: number;
  /** Millionths of a US dollar. */
  readonly microdollars?: number;
  /** Calls of a model, or turns of a foreign agent. */
  readonly turns?: number;
  /** Time in a worker's hands. */
  readonly ms?: number;
}

export const BUDGET_UNITS = ["tokens", "microdollars", "turns", "ms"] as const satisfies readonly (keyof Budget)[];
export type BudgetUnit = (typeof BUDGET_UNITS)[number];
export type Spent = Readonly<Record<BudgetUnit, number>>;

export const NOTHING_SPENT: Spent = { microdollars: 0, ms: 0, tokens: 0, turns: 0 };

export const add = (one: Spent, other: Partial<Spent>): Spent => ({
  microdollars: one.microdollars + (other.microdollars ?? 0),
  ms: one.ms + (other.ms ?? 0),
  tokens: one.tokens + (other.tokens ?? 0),
  turns: one.turns + (other.turns ?? 0),
});

export const moneyText = (microdollars: number): string => `${(microdollars / 1_000_000).toFixed(4)} USD`;

const UNIT_TEXT = {
  tokens: (n) => `${n} tokens`,
  microdollars: moneyText,
  turns: (n) => `${n} turns`,
  ms: durationText,
} as const satisfies Record<BudgetUnit, (n: number) => string>;

/** `20000 tokens, 3 turns`: what is there of it. */
export const spentText = (spent: Partial<Spent>): string =>
  BUDGET_UNITS.flatMap((unit) => {
    const n = spent[unit];
    return n === undefined ? [] : [UNIT_TEXT[unit](n)];
  }).join(", ");

/** The first unit of which all is spent that the budget and what was granted beyond it allow; null: there is something left. */
export function exhausted(
  budget: Budget,
  granted: Spent,
  spent: Spent,
): { readonly unit: BudgetUnit; readonly spent: number; readonly most: number } | null {
  for (const unit of BUDGET_UNITS) {
    const most = budget[unit];
    if (most !== undefined && spent[unit] >= most + granted[unit])
      return { unit, spent: spent[unit], most: most + granted[unit] };
  }
  return null;
}
