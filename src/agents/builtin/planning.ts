import { z } from "zod";
import { Failure, isFailure } from "../../domain/failure.ts";
import { checkPlan, type OpenPlan, type WorkItem } from "../../domain/plan.ts";
import { isPlainPath } from "../../domain/scope.ts";
import type { Spec } from "../../domain/spec.ts";
import type { PlanningCapabilities } from "../../ports/agent.ts";
import { instructionsOf } from "./instructions.ts";
import { converse } from "./loop.ts";
import { planningOpening } from "./prompts.ts";
import { serverTools } from "./server-tools.ts";
import { described, type Finish, planningTools, repoIn, withoutNulls, wrongIn } from "./tools.ts";

const TURNS_MAX = 60;
/** How often a plan that cannot be taken may be handed in again. */
const REPAIRS_MAX = 3;
const ITEMS_MAX = 40;

export type Drafted = Pick<OpenPlan, "items" | "notes">;

/** Looks around the read-only workspace and hands in a plan that fits the spec, or throws `plan/invalid` or `agent/failed`. */
export async function planWithModel(can: PlanningCapabilities): Promise<Drafted> {
  const opening = planningOpening(can.spec, can.changeRequest, can.notes, await instructionsOf(can));
  const tools = [...planningTools(can.spec), ...serverTools(can.tools)];
  const ended = await converse(can, opening, tools, submission(can.spec, can.bases), TURNS_MAX);
  if ("stuck" in ended) throw new Failure("agent/failed", `no plan was handed in: ${ended.stuck}`);
  return ended.handedIn;
}

/** The plan as the model hands it in. What is wrong with it is told in one sentence, a few times; then it is the task's failure. */
function submission(spec: Spec, bases: OpenPlan["bases"]): Finish<Drafted> {
  const input = planInput(spec);
  let repairs = 0;
  return {
    told: described("submit_plan", "Hand in the plan. A person reads it before anything is done.", input),
    take(args) {
      const drafted = draftFrom(input, args, spec, bases);
      if ("handedIn" in drafted) return drafted;
      if (repairs === REPAIRS_MAX)
        throw new Failure("plan/invalid", `the plan was still invalid after ${REPAIRS_MAX} repairs: ${drafted.wrong}`);
      repairs += 1;
      return { wrong: `The plan cannot be taken: ${drafted.wrong}. Hand it in again, whole.` };
    },
  };
}

const oneLine = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .regex(/^[^\r\n]*$/, "must be one line");

const planInput = (spec: Spec) =>
  z.strictObject({
    items: z
      .array(
        z.strictObject({
          id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be lower-case letters, digits and dashes"),
          title: oneLine(200),
          repo: repoIn(spec),
          paths: z
            .array(z.string().max(1_000).refine(isPattern, "must be a path or glob from the repo's top, without .."))
            .max(100)
            .describe("every file it will change, or directories as dir/"),
          commands: z
            .array(oneLine(2_000))
            .max(50)
            .describe("every command it will run, word for word; a last * stands for any further words"),
          risk: z.enum(["low", "elevated"]).describe("elevated: hard to undo, or far-reaching"),
          criterion: z.string().optional().describe("id of the acceptance criterion it serves"),
          depends_on: z.array(z.string()).max(ITEMS_MAX).default([]),
        }),
      )
      .min(1)
      .max(ITEMS_MAX),
    notes: z.array(oneLine(500)).max(20).default([]).describe("what the person should know before they agree"),
  });

/** As a path filter is written: a plain path, with stars, and a slash at its end for all that is below. */
const isPattern = (pattern: string): boolean => isPlainPath(pattern.replace(/\/$/, ""));

function draftFrom(
  input: ReturnType<typeof planInput>,
  args: unknown,
  spec: Spec,
  bases: OpenPlan["bases"],
): { readonly handedIn: Drafted } | { readonly wrong: string } {
  const parsed = input.safeParse(itemsWithoutNulls(args));
  if (!parsed.success) return { wrong: wrongIn(parsed.error) };
  const items = parsed.data.items.map(
    ({ depends_on, criterion, ...item }): WorkItem => ({
      ...item,
      criterion: criterion ?? null,
      dependsOn: depends_on,
    }),
  );
  const known = spec.criteria.map(({ id }) => id);
  const lost = items.find(({ criterion }) => criterion !== null && !known.includes(criterion));
  if (lost !== undefined)
    return {
      wrong: `work item ${lost.id} serves the criterion ${lost.criterion}, and the criteria are ${known.join(", ") || "none"}`,
    };
  const drafted: Drafted = { items, notes: parsed.data.notes };
  try {
    checkPlan({ format: 1, spec: "", bases, ...drafted }, spec);
    return { handedIn: drafted };
  } catch (error) {
    if (isFailure(error, "plan/invalid")) return { wrong: error.message };
    throw error;
  }
}

function itemsWithoutNulls(args: unknown): unknown {
  const plan = withoutNulls(args);
  if (typeof plan !== "object" || plan === null || !("items" in plan) || !Array.isArray(plan.items)) return plan;
  return { ...plan, items: plan.items.map(withoutNulls) };
}
