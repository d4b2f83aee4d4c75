import type { z } from "zod";
import type { NewTaskInput } from "../../contract/inputs.ts";
import type { ProjectView, SpecView, TaskView } from "../../contract/views.ts";
import { problemOf, Trouble, trouble } from "../client/trouble.ts";
import { count, some } from "./columns.ts";
import type { Context } from "./context.ts";
import { field } from "./escape.ts";
import { findRepository } from "./find-repository.ts";

const FILES_SHOWN = 8;

/** The project a task of this directory belongs to: the named one, else the one of the repository around it, made if need be. Null outside of any. */
export async function projectHere(
  { api, out, settings, workingDirectory }: Context,
  named: string | undefined,
): Promise<ProjectView | null> {
  if (named !== undefined) return api.project(named);
  const root = await findRepository(workingDirectory);
  if (root === null) return null;
  const { project, made } = await api.projectOfPath({ path: root, tool_path: [...settings.toolPath] });
  if (made) out.note(`the project ${field(project.name)} was created for ${field(root)}`);
  return project;
}

/** @param instead what else the command could be told */
export const noRepository = (directory: string, instead: readonly string[]) =>
  trouble("repo/refused", `there is no git repository at or above ${directory}`, {
    next: `${["Change into a repository", ...instead].join(", or ")}.`,
  });
export const NAME_PROJECT = "name a project (--project NAME)";

export interface Started {
  readonly task: TaskView;
  readonly spec: SpecView;
}

/** Creates, freezes and readies. What was created stays when a later part is refused; the failure then names it. */
export async function startTask(
  context: Context,
  input: z.input<typeof NewTaskInput>,
  project: ProjectView,
): Promise<Started> {
  const { api } = context;
  await tellUncommitted(context, project, input.include_changes === true);
  const draft = await api.createTask({ ...input, project: project.id });
  try {
    await api.freezeTask(draft.id);
    const task = await api.readyTask(draft.id);
    return { task, spec: await api.spec(draft.id) };
  } catch (error) {
    const problem = problemOf(error);
    if (problem === null) throw error;
    throw new Trouble(
      {
        ...problem,
        detail: `${problem.detail} (task ${draft.id} stays a draft)`,
        next: `${problem.next} The draft is changed with agentos task revise ${draft.id} and goes on with agentos task freeze ${draft.id}, then agentos task ready ${draft.id}; agentos task cancel ${draft.id} drops it.`,
        facts: { ...problem.facts, task: draft.id },
      },
      error,
    );
  }
}

/** A person who has not committed yet would otherwise wonder where their work went. */
async function tellUncommitted({ api, out }: Context, project: ProjectView, included: boolean): Promise<void> {
  for (const repo of project.repos) {
    const { dirty } = await api.scanRepo(repo.id);
    if (dirty.length > 0)
      out.note(
        `${included ? "included with the task" : "not part of the task (--include-changes takes them along)"}: ${count(dirty.length, "uncommitted file")} of ${field(repo.name)}: ${some(dirty, FILES_SHOWN)}`,
      );
  }
}
