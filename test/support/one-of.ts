import { test } from "vitest";
import { FULL, SEED } from "./sample.ts";

/**
 * `test` for tests that each run a whole task: of `every` that follow one another in their file one is run, which one by the seed, and all of
 * them at full size. Those that are not run are not there; none depends on another.
 */
export function oneOf(every: number): (name: string, run: () => unknown, timeoutMs?: number) => void {
  let count = 0;
  return (name, run, timeoutMs) => {
    count += 1;
    if (FULL || count % every === SEED % every) test(name, run, timeoutMs);
  };
}
