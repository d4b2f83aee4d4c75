import type { Actor } from "../domain/actor.ts";
import type { Draft } from "../domain/draft.ts";
import type { Loaded } from "../ports/task-log.ts";
import type { AppDependencies } from "./deps.ts";
import { draftOf } from "./draft-of.ts";

/** A new version of what is wanted. Voids freeze, plan and approval; the task is a draft again. */
export async function reviseTask(
  deps: AppDependencies,
  by: Actor,
  id: string,
  change: Partial<Draft>,
): Promise<Loaded> {
  const loaded = await deps.log.load(id);
  const revised: Draft = { ...(await draftOf(deps, loaded)), ...change };
  const title = await deps.store.stage(new TextEncoder().encode(revised.title));
  const draft = await deps.store.stage(new TextEncoder().encode(deps.seal(revised).text));
  return deps.log.give(
    id,
    { type: "revise", by, title: title.ref, draft: draft.ref },
    { blobs: [title, draft], expectedSeq: loaded.seq },
  );
}
