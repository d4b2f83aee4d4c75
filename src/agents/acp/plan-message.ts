import { z } from "zod";
import { Failure, isFailure } from "../../domain/failure.ts";
import { checkPlan, type OpenPlan } from "../../domain/plan.ts";
import { parseWellFormed } from "../../domain/well-formed.ts";
import type { PlanningCapabilities } from "../../ports/agent.ts";

const line = z.string().min(1).max(500);
/** As the prompt describes it. What an agent adds to it is not read. */
const Message = z.object({
  items: z
    .array(
      z.object({
        id: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,40}$/, "must be a short lower-case name"),
        title: line,
        repo: z.string().optional(),
        paths: z.array(line).max(200).default([]),
        commands: z.array(line).max(50).default([]),
        risk: z.enum(["low", "elevated"]).default("low"),
        criterion: z.string().nullable().default(null),
        depends_on: z.array(z.string()).max(50).default([]),
      }),
    )
    .min(1)
    .max(50),
  notes: z.array(line).max(20).default([]),
});

type Read = { readonly plan: Pick<OpenPlan, "items" | "notes"> } | { readonly why: Failure };

/** The plan in an agent's last message: the last JSON object in it, checked like any plan. */
export function planFromMessage(message: string, { spec, bases }: Pick<PlanningCapabilities, "spec" | "bases">): Read {
  const invalid = (sentence: string): Read => ({ why: new Failure("plan/invalid", sentence) });
  const found = lastObject(message);
  if (found === null) return invalid("the agent's last message holds no JSON object with a plan");
  const parsed = Message.safeParse(found);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    return invalid(`the agent's plan is not as asked: ${first?.path.join(".")}: ${first?.message}`);
  }
  const only = spec.scopes.length === 1 ? spec.scopes[0]?.repo : undefined;
  const items = parsed.data.items.map(({ depends_on, repo, ...item }) => ({
    ...item,
    repo: repo ?? only ?? "",
    dependsOn: depends_on,
  }));
  const plan = { items, notes: parsed.data.notes };
  try {
    checkPlan({ format: 1, spec: "", bases, ...plan }, spec);
  } catch (error) {
    if (isFailure(error)) return { why: new Failure("plan/invalid", error.message) };
    throw error;
  }
  return { plan };
}

/** A message of nothing but braces has more pairs than anybody waits for. */
const TRIES_MAX = 5_000;

/** Agents put it in a fence or amid words: the last text from a brace to its partner that is JSON. */
function lastObject(text: string): unknown {
  let tries = 0;
  for (let end = text.lastIndexOf("}"); end >= 0; end = text.lastIndexOf("}", end - 1)) {
    for (let start = text.indexOf("{"); start >= 0 && start < end; start = text.indexOf("{", start + 1)) {
      if (start > 0 && !/[\s`:]/.test(text[start - 1] ?? "")) continue;
      tries += 1;
      if (tries > TRIES_MAX) return null;
      try {
        return parseWellFormed(text.slice(start, end + 1));
      } catch {
        // Not from here to there: the next pair is tried.
      }
    }
    if (end === 0) return null;
  }
  return null;
}
