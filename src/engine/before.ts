import type { Input } from "../domain/event.ts";
import { isFailure } from "../domain/failure.ts";
import { bytesOf, INPUT_BYTES_MAX, inputsAfter } from "../domain/inputs.ts";
import { standing } from "../domain/standing.ts";
import type { Task } from "../domain/task.ts";
import type { EngineDependencies } from "./deps.ts";

/** What comes before a task as its claim has to know it: the ones that hold it no longer, with what the required ones left. */
export async function metBefore(deps: EngineDependencies, task: Task): Promise<readonly Input[]> {
  const met: Input[] = [];
  for (const { on, kind } of task.dependencies) {
    if (kind === "suggests") continue;
    const { task: earlier } = await deps.log.load(on);
    if (standing({ kind, status: earlier.status }) === "met")
      met.push({ task: on, artifacts: kind === "requires" ? earlier.artifacts : [] });
  }
  return met;
}

/** Puts a task down that would be shown more than can be handed over; says whether it did. */
export async function tooMuchBefore(deps: EngineDependencies, task: Task, met: readonly Input[]): Promise<boolean> {
  if (task.status !== "queued") return false;
  const inputs = inputsAfter(task.dependencies, task.inputs, met);
  const bytes = bytesOf(inputs);
  const [first] = inputs;
  if (bytes <= INPUT_BYTES_MAX || first === undefined) return false;
  const detail = `the tasks it requires left ${bytes} bytes of artifacts, and ${INPUT_BYTES_MAX} can be handed over`;
  await deps.log.give(task.id, {
    type: "miss_dependency",
    by: { kind: "worker", name: deps.worker },
    on: first.task,
    detail,
  });
  return true;
}

/**
 * Queued tasks that wait for one that ended without success are put down with that reason, so that a person sees it. What moved on
 * meanwhile is left to the next look. Says which could not be told so.
 */
export async function putDownMissed(deps: EngineDependencies): Promise<readonly string[]> {
  const left: string[] = [];
  const by = { kind: "worker", name: deps.worker } as const;
  for (const { task, on, status, exitReason } of await deps.store.operations.missed(MISSED_MOST)) {
    const ended = status === "canceled" ? "was canceled" : "failed";
    const detail = `it requires task ${on}, which ${ended} (${(exitReason ?? "for no reason on record").replaceAll("_", " ")})`;
    try {
      await deps.log.give(task, { type: "miss_dependency", by, on, detail });
    } catch (error) {
      if (isFailure(error, "task/refused")) continue;
      deps.warn(`task ${task} could not be put down for want of task ${on}`, error);
      left.push(task);
    }
  }
  return left;
}

const MISSED_MOST = 500;
