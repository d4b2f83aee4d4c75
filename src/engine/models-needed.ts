import type { Phase } from "../domain/phase.ts";
import type { EngineDependencies } from "./deps.ts";
import { modelsInForce } from "./desk.ts";
import type { Hold } from "./hold.ts";

/** The first phase ahead of the task in which a model is needed and nobody said which; null: there is none such. Looked up before anything is done. */
export async function phaseWithoutModel(deps: EngineDependencies, hold: Hold): Promise<Phase | null> {
  const { agent, review = false } = hold.spec;
  const worked: readonly Phase[] = agent.kind === "builtin" ? AHEAD[hold.task().phase] : [];
  const ahead: readonly Phase[] = review ? [...worked, "verification"] : worked;
  for (const phase of ahead) {
    if ((await modelsInForce(deps, hold, phase)) === null) return phase;
  }
  return null;
}

/** From verification back to the work is another claim's matter: what only has to be proven needs no model. */
const AHEAD = {
  intent: ["planning", "implementation"],
  planning: ["planning", "implementation"],
  implementation: ["implementation"],
  verification: [],
} as const satisfies Readonly<Record<Phase, readonly Phase[]>>;
