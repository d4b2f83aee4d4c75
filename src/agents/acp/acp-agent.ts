import { Failure } from "../../domain/failure.ts";
import type { OpenPlan, WorkItem } from "../../domain/plan.ts";
import type {
  Agent,
  PersonsWord,
  PlanningCapabilities,
  TurnCapabilities,
  TurnTold,
  WorkCapabilities,
  WorkOutcome,
} from "../../ports/agent.ts";
import { planFromMessage } from "./plan-message.ts";
import { goOnPrompt, planPrompt, repairPrompt, wordPrompt, workPrompt } from "./prompts.ts";

/** A plan that cannot be read is asked for again, so often. */
const REPAIRS_MAX = 2;
/** Of one work item: the first turn, and those after a person's words. */
const TURNS_MAX = 25;

/** Whatever speaks the Agent Client Protocol: one turn plans, and each work item is one turn, and more where it asked for permissions. */
export const acpAgent: Agent = {
  kind: "acp",
  retry: "continue",
  retries: true,

  async plan(can: PlanningCapabilities): Promise<Pick<OpenPlan, "items" | "notes">> {
    let prompt = planPrompt(can);
    for (let repairs = 0; ; repairs += 1) {
      const told = await untilDone(can, prompt);
      if (told.stop !== "end_turn") throw failed(told);
      const read = planFromMessage(told.message, can);
      if ("plan" in read) return read.plan;
      if (repairs === REPAIRS_MAX) throw read.why;
      prompt = repairPrompt(read.why.message);
    }
  },

  async work(item: WorkItem, can: WorkCapabilities): Promise<WorkOutcome> {
    const told = await untilDone(can, workPrompt(item, can));
    return told.stop === "end_turn" ? { done: true } : { done: false, cause: failed(told).message };
  },

  conclude: async () => undefined,
};

/** One prompt until the agent is done with it: where it needs a person's word, the turn ends, the word is waited for, and another begins. */
async function untilDone(can: TurnCapabilities, prompt: string): Promise<TurnTold> {
  const words: Record<string, PersonsWord> = {};
  let next = prompt;
  let goesOn = false;
  for (let turns = 1; ; turns += 1) {
    const told = await can.turn({ prompt: next, words: { ...words } });
    // Some agents drop all that they were doing when they hear a no. It was about one act, so they are asked to go on, once.
    if (told.stop === "cancelled" && !goesOn && Object.values(words).includes("deny") && turns < TURNS_MAX) {
      goesOn = true;
      next = goOnPrompt(prompt);
      continue;
    }
    if (told.stop !== "permission" || told.asked === null || turns === TURNS_MAX) return told;
    const word = await can.permission(told.asked);
    words[told.asked.digest] = word;
    if (word === "allow") for (const covered of told.asked.covers ?? []) words[covered] = word;
    next = wordPrompt(told.asked, word, prompt);
  }
}

const failed = ({ stop, trouble }: TurnTold): Failure =>
  new Failure("agent/failed", trouble ?? `the agent stopped: ${stop.replaceAll("_", " ")}`);
