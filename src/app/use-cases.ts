import type { Delivery } from "../ports/delivery.ts";
import { answers } from "./answer-task.ts";
import { bindTask } from "./bind-task.ts";
import { createTask } from "./create-task.ts";
import type { AppDependencies } from "./deps.ts";
import { detectGates, gatesOfProject } from "./detect-gates.ts";
import { freezeTask } from "./freeze-task.ts";
import { looks } from "./look.ts";
import {
  addRepo,
  changeProject,
  changeRepo,
  createProject,
  deleteProject,
  findRepo,
  projectOfPath,
  scanRepo,
} from "./projects.ts";
import { reviseTask } from "./revise-task.ts";

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
  createTask: given(deps, createTask),
  reviseTask: given(deps, reviseTask),
  bindTask: given(deps, bindTask),
  freezeTask: given(deps, freezeTask),
  answer: answers(deps),
  deliver: delivery.deliver,
  createProject: given(deps, createProject),
  changeProject: given(deps, changeProject),
  deleteProject: given(deps, deleteProject),
  projectOfPath: given(deps, projectOfPath),
  addRepo: given(deps, addRepo),
  changeRepo: given(deps, changeRepo),
  findRepo: given(deps, findRepo),
  scanRepo: given(deps, scanRepo),
  detectGates: given(deps, detectGates),
  gatesOfProject: given(deps, gatesOfProject),
  look: looks(deps),
});
