import type { Place } from "./place.ts";

/** How much is done: `usual` for figures, `tiny` to see that it works. */
export type Size = "usual" | "tiny";

/** One thing that was measured, a value per round. */
export interface Figure {
  readonly name: string;
  readonly unit: "/s" | "ms" | "MiB";
  readonly values: readonly number[];
}

/** One figure against another of the same rounds, pair by pair: what the machine did meanwhile happened to both. */
export interface Ratio {
  readonly name: string;
  readonly values: readonly number[];
  /** What the median has to be at least, or at most; null: it is only told. */
  readonly wanted: { readonly least: number } | { readonly most: number } | null;
}

export interface Result {
  readonly figures: readonly Figure[];
  readonly ratios: readonly Ratio[];
}

/** Contract: bounded and self-stopping; leaves no process; writes only below `place`. */
export interface Bench {
  readonly name: string;
  readonly about: string;
  run(size: Size, place: Place): Promise<Result>;
}

export const ratio = (
  name: string,
  one: readonly number[],
  other: readonly number[],
  wanted: Ratio["wanted"] = null,
): Ratio => ({ name, values: one.map((value, round) => value / (other[round] ?? Number.NaN)), wanted });

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Whether the median is what was wanted; null when nothing was. */
export function holds({ values, wanted }: Ratio): boolean | null {
  if (wanted === null) return null;
  return "least" in wanted ? median(values) >= wanted.least : median(values) <= wanted.most;
}

/** Milliseconds from here until `work` is done. */
export async function took(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

export const rounds = (count: number): readonly number[] => Array.from({ length: count }, (_, round) => round);
