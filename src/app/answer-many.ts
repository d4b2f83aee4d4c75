import type { Actor } from "../domain/actor.ts";
import { Failure, type FailureCode, isFailure } from "../domain/failure.ts";
import { decide, isRefusal, refusalText } from "../domain/lifecycle.ts";
import type { Status } from "../domain/task.ts";
import { EVERY_TASK, type TaskFilter } from "../ports/store.ts";
import { commandOf, type Said, say, type Verb } from "./answer-task.ts";
import type { AppDependencies } from "./deps.ts";
import { findProject } from "./projects.ts";

export interface Many {
  readonly verb: Verb;
  readonly said: Said;
  /** These tasks; or a page of all that a filter finds, those the verb is for where it names no status. */
  readonly which:
    | { readonly ids: readonly string[] }
    | Pick<TaskFilter, "status" | "project" | "session" | "after" | "most">;
  /** Only say what would come of it. */
  readonly dryRun: boolean;
}

/** What came, or would come, of it for one task. */
export interface Answered {
  readonly id: string;
  readonly title: string | null;
  /** As it was before; null when there is no such task. */
  readonly status: Status | null;
  readonly refused: { readonly code: FailureCode; readonly why: string } | null;
}

/** Of tasks a filter finds, a verb is for these; for others it would only be refused. */
const MEANT_FOR: Readonly<Record<Verb, readonly Status[]>> = {
  pause: ["running"],
  resume: ["blocked"],
  retry: ["failed"],
  cancel: ["draft", "queued", "running", "awaiting_approval", "blocked"],
  accept: ["blocked", "failed"],
};

/** So many at a time: their appends share commits. */
const AT_ONCE = 16;

/**
 * One verb on many tasks, each for itself: what is refused for one changes nothing for the others. `next` is the cursor behind the tasks a
 * filter found on this page, null when these were all.
 */
export async function answerMany(
  deps: AppDependencies,
  by: Actor,
  { verb, said, which, dryRun }: Many,
): Promise<{ readonly items: readonly Answered[]; readonly next: string | null }> {
  if (verb === "accept" && (said.reason ?? "") === "")
    throw new Failure("input/invalid", "accepting what is not proven needs a reason");
  const { ids, next } = await chosen(deps, verb, which);
  const items: Answered[] = [];
  for (let from = 0; from < ids.length; from += AT_ONCE)
    items.push(
      ...(await Promise.all(ids.slice(from, from + AT_ONCE).map((id) => one(deps, by, id, verb, said, dryRun)))),
    );
  return { items, next };
}

async function chosen(
  deps: AppDependencies,
  verb: Verb,
  which: Many["which"],
): Promise<{ readonly ids: readonly string[]; readonly next: string | null }> {
  if ("ids" in which) return { ids: [...new Set(which.ids)], next: null };
  const project = which.project === null ? null : (await findProject(deps, which.project)).id;
  const status = which.status ?? MEANT_FOR[verb];
  const { rows, next } = await deps.store.tasks.tasks({ ...EVERY_TASK, ...which, status, project });
  return { ids: rows.map(({ row }) => row.id), next };
}

async function one(
  deps: AppDependencies,
  by: Actor,
  id: string,
  verb: Verb,
  said: Said,
  dryRun: boolean,
): Promise<Answered> {
  const row = await deps.store.tasks.taskRow(id);
  const seen = { id, title: row?.title ?? null, status: row?.status ?? null };
  try {
    if (dryRun) {
      const { task } = await deps.log.load(id);
      const decision = decide(task, (await commandOf(deps, by, task, verb, said)).command);
      return {
        ...seen,
        refused: isRefusal(decision) ? { code: "task/refused", why: refusalText(id, decision) } : null,
      };
    }
    await say(deps, by, id, verb, said);
    return { ...seen, refused: null };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { ...seen, refused: { code: error.code, why: error.message } };
  }
}
