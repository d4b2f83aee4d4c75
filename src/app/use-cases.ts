import { modelsFor } from "../domain/model-policy.ts";
import type { Delivery } from "../ports/delivery.ts";
import { agentCases } from "./agents.ts";
import { answerMany } from "./answer-many.ts";
import { answers } from "./answer-task.ts";
import { bindTask } from "./bind-task.ts";
import { chat } from "./chat/chat.ts";
import { chatTools } from "./chat-tools.ts";
import { compareTasks } from "./compare-tasks.ts";
import { createTask } from "./create-task.ts";
import { dependencies } from "./dependencies.ts";
import type { AppDependencies } from "./deps.ts";
import { detectGates, gatesOfProject } from "./detect-gates.ts";
import { attemptsOf, forkTask, supersedeOthers } from "./fork-task.ts";
import { freezeTask } from "./freeze-task.ts";
import { garbageCollection } from "./gc.ts";
import { inbox } from "./inbox.ts";
import { looks } from "./look.ts";
import { modelPolicies, userPolicy } from "./model-policy.ts";
import { pauseAll, resumeAll } from "./pause-all.ts";
import { policies } from "./policies.ts";
import { projectNotes } from "./project-notes.ts";
import {
  addRepo,
  changeProject,
  changeRepo,
  createProject,
  deleteProject,
  findRepo,
  pauseProject,
  probeRepo,
  projectOfPath,
  resumeProject,
  scanRepo,
} from "./projects.ts";
import { providerCases } from "./providers.ts";
import { reviseTask } from "./revise-task.ts";
import { addToolServer, pinTools, probeToolServer, removeToolServer, toolServersOf } from "./tool-servers.ts";

/** A use case with its dependencies given. */
type Given<F> = F extends (deps: AppDependencies, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;

const given = <F extends (deps: AppDependencies, ...rest: never[]) => unknown>(
  deps: AppDependencies,
  useCase: F,
): Given<F> => ((...rest: never[]) => useCase(deps, ...rest)) as Given<F>;

export type UseCases = ReturnType<typeof useCases>;

/** Everything the surfaces can ask for. HTTP, CLI and whatever comes next present these and nothing else. */
export const useCases = (deps: AppDependencies, delivery: Delivery) => ({
  agents: agentCases(deps.agents),
  createTask: given(deps, createTask),
  reviseTask: given(deps, reviseTask),
  bindTask: given(deps, bindTask),
  freezeTask: given(deps, freezeTask),
  answer: answers(deps),
  answerMany: given(deps, answerMany),
  pauseAll: given(deps, pauseAll),
  resumeAll: given(deps, resumeAll),
  deliver: delivery.deliver,
  dependencies: dependencies(deps),
  forkTask: given(deps, forkTask),
  attemptsOf: given(deps, attemptsOf),
  compareTasks: given(deps, compareTasks),
  supersedeOthers: given(deps, supersedeOthers),
  createProject: given(deps, createProject),
  changeProject: given(deps, changeProject),
  pauseProject: given(deps, pauseProject),
  resumeProject: given(deps, resumeProject),
  deleteProject: given(deps, deleteProject),
  projectOfPath: given(deps, projectOfPath),
  addRepo: given(deps, addRepo),
  changeRepo: given(deps, changeRepo),
  findRepo: given(deps, findRepo),
  scanRepo: given(deps, scanRepo),
  detectGates: given(deps, detectGates),
  gatesOfProject: given(deps, gatesOfProject),
  probeRepo: given(deps, probeRepo),
  toolServersOf: given(deps, toolServersOf),
  addToolServer: given(deps, addToolServer),
  probeToolServer: given(deps, probeToolServer),
  pinTools: given(deps, pinTools),
  removeToolServer: given(deps, removeToolServer),
  models: modelPolicies(deps),
  inbox: inbox(deps, delivery),
  chat: chatOf(deps),
  notes: projectNotes(deps),
  providers: providerCases(deps),
  look: looksBesideDelivery(deps, delivery),
  policies: policies(deps),
  gc: garbageCollection(deps, looksBesideDelivery(deps, delivery).clean),
});

/** A chat gets what it may use, and nothing that could do more. */
const chatOf = (deps: AppDependencies) =>
  chat({
    store: deps.store,
    models: deps.models,
    clock: deps.clock,
    modelsInForce: async () => modelsFor("intent", [await userPolicy(deps)]),
    tools: chatTools(deps, deps.chatReading),
  });

/** Between two steps of a delivery nothing is open, and it still needs the clone that cleaning up would remove. */
function looksBesideDelivery(deps: AppDependencies, delivery: Delivery) {
  const { clean, ...look } = looks(deps);
  return { ...look, clean: (id: string, undelivered = false) => delivery.alone(id, () => clean(id, undelivered)) };
}
