/*
 * What would take too long at each change is run in part: a part that a seed chooses, the same on every machine. The whole runs by a
 * command of its own (docs/testing.md), and what it said last stands under docs/guarantees.
 */

export const FULL = process.env["AGENTOS_TESTS"] === "full";
/** `AGENTOS_SEED=2` is another part. */
const SEED = Number(process.env["AGENTOS_SEED"] ?? 1);

/** `most` of them in their order; all of them at full size. */
export function sampled<T>(all: readonly T[], most: number): readonly T[] {
  if (FULL) return all;
  const next = seeded(SEED);
  const chosen = new Set(
    all
      .map((_, at) => ({ at, by: next() }))
      .sort((one, other) => one.by - other.by)
      .slice(0, most)
      .map(({ at }) => at),
  );
  return all.filter((_, at) => chosen.has(at));
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
