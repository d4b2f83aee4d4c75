import { type Budget, exhausted, NOTHING_SPENT, spentText } from "../domain/budget.ts";
import { Failure } from "../domain/failure.ts";
import type { PhaseModels } from "../domain/model-policy.ts";
import type { Hold } from "./hold.ts";

/** Before a model is called or a foreign agent gets its turn: throws `budget/exhausted` when nothing is left of what the task or its phase may spend. */
export function requireBudget(hold: Hold, models: PhaseModels | null): void {
  const { spent, phase } = hold.task();
  const check = (of: string, budget: Budget | undefined, used = NOTHING_SPENT): void => {
    const over = budget === undefined ? null : exhausted(budget, spent.granted, used);
    if (over !== null)
      throw new Failure(
        "budget/exhausted",
        `the budget of the ${of} is ${spentText({ [over.unit]: over.most })}, and it has spent ${spentText({ [over.unit]: over.spent })}`,
      );
  };
  check("task", hold.spec.budget, spent.total);
  check(`phase ${phase}`, models?.budget, spent.phases[phase]);
}
