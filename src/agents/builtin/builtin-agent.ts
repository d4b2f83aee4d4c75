import { z } from "zod";
import type { WorkItem } from "../../domain/plan.ts";
import type { Agent, WorkCapabilities, WorkOutcome } from "../../ports/agent.ts";
import { instructionsOf } from "./instructions.ts";
import { converse } from "./loop.ts";
import { planWithModel } from "./planning.ts";
import { workOpening } from "./prompts.ts";
import { serverTools } from "./server-tools.ts";
import { described, type Finish, withoutNulls, workTools, wrongIn } from "./tools.ts";

const TURNS_MAX = 120;

const FinishInput = z.strictObject({ summary: z.string().max(4_000).default("") });

/** What the model says of its work ends the item and is kept in the step's record; it decides nothing. */
const finish: Finish<string> = {
  told: described("finish_item", "Say that this work item is done.", FinishInput),
  take(args) {
    const parsed = FinishInput.safeParse(withoutNulls(args));
    return parsed.success ? { handedIn: parsed.data.summary } : { wrong: wrongIn(parsed.error) };
  },
};

/** A loop between the phase's model and the capabilities of the phase. It goes on where the attempt before it left off, knowing what failed. */
export const builtinAgent: Agent = {
  kind: "builtin",
  retry: "continue",
  retries: true,

  plan: planWithModel,

  async work(item: WorkItem, can: WorkCapabilities): Promise<WorkOutcome> {
    const opening = workOpening(can.spec, item, can.lastFailure, can.notes, await instructionsOf(can));
    const tools = [...workTools(can.spec), ...serverTools(can.tools)];
    const ended = await converse(can, opening, tools, finish, TURNS_MAX);
    return "stuck" in ended ? { done: false, cause: ended.stuck } : { done: true };
  },

  conclude: async () => undefined,
};
