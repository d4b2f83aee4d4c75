import type { Draft } from "../domain/draft.ts";
import { Failure } from "../domain/failure.ts";
import type { Loaded } from "../ports/task-log.ts";
import type { AppDependencies } from "./deps.ts";

/** The draft of a task as a person wrote it. */
export async function draftOf(deps: AppDependencies, loaded: Loaded): Promise<Draft> {
  const bytes = await deps.store.get(loaded.task.draft);
  if (bytes === null) throw new Failure("store/corrupt", `the draft of task ${loaded.task.id} was erased`);
  return JSON.parse(new TextDecoder().decode(bytes)) as Draft;
}
