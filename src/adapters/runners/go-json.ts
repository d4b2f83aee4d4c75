import { z } from "zod";
import type { TestCounts } from "../../domain/test-counts.ts";

const Line = z.object({
  Action: z.string(),
  Package: z.string().optional(),
  Test: z.string().optional(),
});

const OUTCOMES: ReadonlyMap<string, "passed" | "failed" | "skipped"> = new Map([
  ["pass", "passed"],
  ["fail", "failed"],
  ["skip", "skipped"],
]);

/**
 * Counts of the events of `go test -json`: every test that go names, subtests and the tests around them, as `go test -v` lists them. A
 * test that began and has no end (its process died) failed; a package that failed although none of its tests did is one failure.
 * Null when it is none or is cut off: then a package that began has no end. Lines that are no event are go's own words about the build.
 */
export function readGoJson(text: string): TestCounts | null {
  const tests = new Map<string, "open" | "passed" | "failed" | "skipped">();
  const packages = new Map<string, { ended: string | null; failures: number }>();
  for (const line of text.split("\n")) {
    const event = eventOf(line);
    if (event?.Package === undefined) continue;
    const { Action: action, Package: name, Test: test } = event;
    const own = packages.get(name) ?? { ended: null, failures: 0 };
    packages.set(name, own);
    const outcome = OUTCOMES.get(action) ?? null;
    if (test !== undefined) {
      const key = `${name} ${test}`;
      if (outcome === "failed") own.failures += 1;
      if (outcome !== null) tests.set(key, outcome);
      else if (action === "run" && !tests.has(key)) tests.set(key, "open");
    } else if (outcome !== null) own.ended = outcome;
  }
  if (packages.size === 0) return null;
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  for (const outcome of tests.values()) counts[outcome === "open" ? "failed" : outcome] += 1;
  for (const { ended, failures } of packages.values()) {
    if (ended === null) return null;
    if (ended === "failed" && failures === 0) counts.failed += 1;
  }
  return counts;
}

function eventOf(line: string): z.infer<typeof Line> | null {
  if (!line.startsWith("{")) return null;
  try {
    const parsed = Line.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    return null; // Text of a build that happens to begin with a brace.
  }
}
