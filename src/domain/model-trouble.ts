import type { FailureCode } from "./failure.ts";
import type { PhaseModels } from "./model-policy.ts";

export type ModelTroubleCode = Extract<FailureCode, `model/${string}`>;

/** How often the same model is asked again after this, and after how long at first; then it is the next one's turn. */
const TROUBLE = {
  "model/none": { again: 0, waitMs: 0 },
  "model/unavailable": { again: 2, waitMs: 500 },
  "model/rate-limited": { again: 3, waitMs: 1_000 },
  "model/timeout": { again: 1, waitMs: 0 },
  "model/refused": { again: 0, waitMs: 0 },
  "model/not-found": { again: 0, waitMs: 0 },
  "model/context-overflow": { again: 0, waitMs: 0 },
  "model/bad-answer": { again: 2, waitMs: 0 },
  "model/endless": { again: 0, waitMs: 0 },
  "model/invalid": { again: 0, waitMs: 0 },
} as const satisfies Record<ModelTroubleCode, { readonly again: number; readonly waitMs: number }>;

export const isModelTrouble = (code: FailureCode): code is ModelTroubleCode => Object.hasOwn(TROUBLE, code);

/** A provider that wants more patience than this is left for the next one. */
const PATIENCE_MS = 60_000;

export interface Trouble {
  readonly code: ModelTroubleCode;
  /** What the provider asked for; null: nothing. */
  readonly retryAfterMs: number | null;
}

/** Which of the models is asked next after these failures, and after how long; null: all of them had their turn. */
export function nextTry(
  models: PhaseModels,
  failures: readonly Trouble[],
): { readonly at: number; readonly waitMs: number } | null {
  let at = 0;
  let times = 0;
  let waitMs = 0;
  for (const { code, retryAfterMs } of failures) {
    const { again, waitMs: first } = TROUBLE[code];
    const wanted = retryAfterMs ?? first * 2 ** times;
    if (times < again && wanted <= PATIENCE_MS) {
      times += 1;
      waitMs = wanted;
    } else {
      at += 1;
      times = 0;
      waitMs = 0;
    }
  }
  return at < models.use.length ? { at, waitMs } : null;
}
