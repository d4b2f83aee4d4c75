import type { ModelPolicy, PhaseModels } from "../domain/model-policy.ts";
import type { Phase } from "../domain/phase.ts";
import type { LAYERS, ModelPolicyLayersView } from "./model-views.ts";
import { modelPolicyView, phaseModelsView } from "./model-wire.ts";

export const layersView = ({
  task,
  project,
  user,
  inForce,
}: {
  readonly task: ModelPolicy | null;
  readonly project: ModelPolicy | null;
  readonly user: ModelPolicy;
  readonly inForce: Readonly<Record<Phase, (PhaseModels & { readonly from: (typeof LAYERS)[number] }) | null>>;
}): ModelPolicyLayersView => {
  const of = (phase: Phase) => {
    const one = inForce[phase];
    return one === null ? null : { ...phaseModelsView(one), from: one.from };
  };
  return {
    task: task === null ? null : modelPolicyView(task),
    project: project === null ? null : modelPolicyView(project),
    user: modelPolicyView(user),
    in_force: {
      intent: of("intent"),
      planning: of("planning"),
      implementation: of("implementation"),
      verification: of("verification"),
    },
  };
};
