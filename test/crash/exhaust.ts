import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DieAt } from "./boundaries.ts";
import { sentences } from "./checker/report.ts";
import { check } from "./checker.ts";
import { type Journey, openWorld } from "./driver.ts";

export interface Exhausted {
  /** Points at which a life was killed. */
  readonly points: number;
  readonly lives: number;
  readonly findings: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  /** What its tasks waited for on the way. */
  readonly blocked: readonly string[];
}

/** Where the deaths of the n-th journey lie, n = 1, 2, 3 …; `listed` has an end, and a journey that outlives one of them is a finding. */
export type Deaths = { readonly each: (n: number) => readonly DieAt[] } | Listed;

export interface Listed {
  readonly listed: readonly (readonly DieAt[])[];
}

export const atEachPoint: Deaths = { each: (n) => [{ count: n }] };
/** At one point of every `step`, from the `first` on. */
export const atSomePoints = (step: number, first: number): Deaths => ({
  each: (n) => [{ count: first + (n - 1) * step }],
});
/** First killed where the name says, then, in the life that deals with that, at point 1, 2, 3 … */
export const afterDeathAt = (name: string): Deaths => ({ each: (n) => [{ name }, { count: n }] });
/** Killed once in each journey, at the boundaries of these names. */
export const atNames = (...names: readonly string[]): Listed => ({ listed: names.map((name) => [{ name }]) });
/** Killed where the first name says, and again at each of the others. */
export const atNameThen = (name: string, ...names: readonly string[]): Listed => ({
  listed: names.map((second) => [{ name }, { name: second }]),
});

/**
 * The journey again and again, killed at point 1, 2, 3 … until one survives, by `chains` drivers that share the points and each have a
 * data directory of their own, in which every journey begins where the one before it left off. At the end, all of it is checked.
 */
export async function exhaust(
  directory: string,
  journey: Journey,
  {
    deaths = atEachPoint,
    chains = 2,
    watchDelivery = false,
  }: { readonly deaths?: Deaths; readonly chains?: number; readonly watchDelivery?: boolean } = {},
): Promise<Exhausted> {
  const findings: string[] = [];
  const told = new Set<string>();
  /** What one look finds, the next one finds again: told once, where it was seen first. */
  const anew = (sentences: readonly string[]): string[] => sentences.filter((one) => !told.has(one) && told.add(one));
  const counts: Record<string, number> = {};
  let next = 1;
  let survived = false;
  let points = 0;
  const blocked: string[] = [];
  const chain = async (number: number): Promise<void> => {
    const place = join(directory, `${journey.name.replaceAll(/\W+/g, "-")}-${number}`);
    mkdirSync(place, { recursive: true });
    const world = openWorld(place, {
      codeCache: join(directory, "code"),
      afterDeath: ({ directory: dead }) => anew(sentences(check(dead, { stopped: false }).findings)),
    });
    try {
      while (!survived) {
        const n = next;
        next += 1;
        const where = "each" in deaths ? deaths.each(n) : deaths.listed[n - 1];
        if (where === undefined) break;
        const label = `${journey.name.replaceAll(/\W+/g, "-")}-${n}`;
        const travelled = await world.travel(journey, label, where, watchDelivery);
        findings.push(...travelled.findings);
        blocked.push(...travelled.blocked);
        if (travelled.deaths < where.length) {
          if ("each" in deaths) survived = true;
          else findings.push(`${label}: never came to ${JSON.stringify(where[travelled.deaths])}`);
        }
        points += travelled.deaths;
      }
    } finally {
      await world.close();
    }
    const report = check(place, { stopped: true });
    findings.push(...anew(sentences(report.findings)));
    for (const [what, by] of Object.entries(report.counts)) counts[what] = (counts[what] ?? 0) + by;
  };
  await Promise.all(Array.from({ length: chains }, (_, number) => chain(number + 1)));
  return { points, lives: points + chains, findings, counts, blocked };
}
